"""Say the parts of an alarm rule in English: numbers, durations, times, days, places.  Used by `alarm_generator`.

A `Phrases` draws from the grammar's choices and remembers whether it drew anything that is held out of training.
"""

import calendar
import random
import re
import tomllib
from functools import lru_cache

from workbench.alarm_rules import COUNTS, DAYS
from workbench.data import data_path

UNITS = {"C": "celsius", "F": "fahrenheit", "%": "percent"}
SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDED = {0, *(half / 2 for half in range(2, 200))}
DAY_NAMES = dict(zip(DAYS, calendar.day_name, strict=True))


@lru_cache(maxsize=1)
def grammar() -> dict:
    """The published grammar, `book/data/alarm_rules/grammar.toml`."""
    return tomllib.loads(data_path("alarm_rules_grammar").read_text(encoding="utf-8"))


def in_words(number: float) -> str:
    """8.5 → eight and a half; 42 → forty-two.  number: 0 to 99, whole or a half."""
    whole = int(number)
    said = SMALL[whole] if whole < 20 else TENS[whole // 10 - 2] + (f"-{SMALL[whole % 10]}" if whole % 10 else "")
    return said if number == whole else f"{said} and a half"


class Phrases:
    """Draws phrases for one sentence.  split: "train", "template": held-out phrases too, "value": held-out numbers."""

    def __init__(self, rng: random.Random, split: str):
        self.rng, self.split = rng, split
        self.words = rng.random() < 0.3  # numbers in words
        self.held = False
        self.shape: list[str] = []  # the frame and the condition, before anything is filled in

    def choose(self, choices: list[str]) -> str:
        allowed = choices if self.split == "template" else [one for one in choices if not one.endswith(" *")]
        drawn = self.rng.choice(allowed)
        self.held |= drawn.endswith(" *")
        return drawn.removesuffix(" *")

    def value(self, name: str):
        return self.rng.choice(grammar()["values"][name]["held" if self.split == "value" else "train"])

    def says_a_value(self) -> None:
        """The number that comes next is one of the grammar's values (a place's number is not)."""
        self.held |= self.split == "value"

    def number(self, value: float) -> str:
        """8 → 8 or eight; −18 → -18, −18 or minus 18."""
        size = abs(value)
        said = in_words(size) if self.words and size in WORDED else f"{size:g}"
        if value >= 0:
            return said
        minus = "minus {n}" if not said[0].isdigit() else self.choose(grammar()["numbers"]["minus"])
        return minus.format(n=said)

    def quantity(self, value: float, unit: str) -> str:
        """8, "C" → 8 °C, eight degrees, …"""
        self.says_a_value()
        return self._counted(grammar()["numbers"][UNITS[unit]], value)

    def _counted(self, choices: list[str], value: float) -> str:
        """Number and unit; a number in words wants a unit in words."""
        said = self.number(value)
        worded = [one for one in choices if not re.search(r"[°%]|\b[CFhs]\b|min\b", one)]
        return self.choose(choices if said[-1].isdigit() else worded).format(n=said)

    def duration(self, text: str, every: bool = False) -> str:
        """'90 min' → 90 minutes, an hour and a half, …; after "every": hour, half hour, 10 minutes, …"""
        self.says_a_value()
        numbers, (count, unit) = grammar()["numbers"], text.split()
        special = numbers["every" if every else "lasting"]
        if text in special and (count == "1" or self.rng.random() < 0.5):
            return self.choose(special[text])
        return self._counted(numbers[unit], int(count))

    def clock(self, time: str) -> str:
        """'22:00' → 22:00 or 10 pm; '24:00' → midnight."""
        hour, minute = int(time[:2]), time[3:]
        if time != "24:00":
            self.says_a_value()
        if time in ("24:00", "12:00"):
            return "midnight" if hour == 24 else self.rng.choice(["noon", "12:00"])
        if self.rng.random() < 0.5:
            return time
        tail = "" if minute == "00" else f":{minute}"
        return f"{(hour - 1) % 12 + 1}{tail} {'pm' if hour >= 12 else 'am'}"

    def place(self, places: list[str]) -> str:
        """["fridge 2", "fridge 5"] → fridge 2 and fridge 5, fridges 2 and 5, …"""
        said = [self._one_place(place) for place in places]
        if len(places) == 1:
            return said[0]
        kinds = {place.rsplit(" ", 1)[0] for place in places}
        if len(kinds) == 1 and (len(places) > 2 or self.rng.random() < 0.5):
            numbers = [int(place.split()[-1]) for place in places]
            return self.choose(grammar()["place"]["plural"]).format(kind=kinds.pop(), numbers=self._run(numbers))
        return self.choose(grammar()["place"]["two"]).format(one=said[0], two=said[1])

    def _one_place(self, place: str) -> str:
        kind, _, number = place.rpartition(" ")
        if kind not in COUNTS:
            return self.choose(grammar()["place"][place])
        return self.choose(grammar()["place"][kind]).format(n=self.number(int(number)))

    def _run(self, numbers: list[int]) -> str:
        said = [self.number(number) for number in numbers]
        if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
            return f"{said[0]} to {said[-1]}"
        return f"{', '.join(said[:-1])} and {said[-1]}"

    def days(self, days: list[str]) -> str:
        """["sat", "sun"] → on weekends, …"""
        parts, names = grammar()["parts"], [DAY_NAMES[day] for day in days]
        kind = {tuple(DAYS[:5]): "weekdays", tuple(DAYS[5:]): "weekend"}.get(tuple(days))
        kind = kind or {1: "one_day", 2: "two_days"}.get(len(days), "run_of_days")
        return self.choose(parts[kind]).format(day=names[0], other=names[-1])

    def hours(self, start: str, end: str) -> str:
        parts = grammar()["parts"]
        kind = "before" if start == "00:00" else "after" if end == "24:00" and self.rng.random() < 0.7 else "hours"
        return self.choose(parts[kind]).format(**{"from": self.clock(start), "to": self.clock(end)})

    def people(self, names: list[str]) -> str:
        said = [self.choose(grammar()["who"][name]) for name in names]
        return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def agree(text: str, place: str) -> str:
    """Let verbs follow the place: stay[s], [is], [has], [does]."""
    plural = place.startswith("all ") or " and " in place or re.match(r"(fridge|freezer|cold room)s ", place)
    for one, many in (("[is]", "are"), ("[has]", "have"), ("[does]", "do"), ("[es]", ""), ("[s]", "")):
        text = text.replace(one, many if plural else one.strip("[]"))
    return text
