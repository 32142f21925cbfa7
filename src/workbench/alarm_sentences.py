"""Say an alarm rule, or a request that cannot become one, as a sentence of the grammar.  Used by `alarm_generator`.

A frame is drawn first, among those that have a slot for every part of the rule; then a phrase for each of its slots.
"""

import random
import re

from workbench.alarm_phrases import Phrases, agree, grammar
from workbench.alarm_rules import kind_of

SLOT = re.compile(r"{(\w+)}")
UNTOUCHED = re.compile(r"(?i)\w*(teen|ty|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zero|day)s?$")


def request(phrases: Phrases, rule: dict, instead: dict[str, str] | None = None) -> str:
    """A sentence that asks for the rule, or "".  instead: slot → phrase, where a part is to be said wrongly."""
    frames = grammar()["frames"]["log" if rule.get("level") == "log" else "told"]
    fitting = [frame for frame in frames if _fits(frame, rule) and set(instead or ()) <= _reached(frame)]
    open_ = [frame for frame in fitting if phrases.split == "template" or not frame.endswith(" *")]
    if not open_:
        return ""
    frame = phrases.choose(open_)
    phrases.shape.append(frame)
    return Filler(phrases, rule, instead or {}).fill(frame)


def _reached(frame: str) -> set[str]:
    found = set(SLOT.findall(frame))
    return found | ({"place", "limit"} if found & {"cond", "brief", "wish"} else set())


def _fits(frame: str, rule: dict) -> bool:
    """Has the frame a slot for every part of the rule, and no slot for what the rule has not?"""
    slots, first = set(SLOT.findall(frame)), rule["when"][0]
    key, window, urgent = (
        f"{first['of']} {first['is']}",
        "days" in rule or "from" in rule,
        rule.get("level") == "critical",
    )
    needed = [{"cond", "brief", "wish"}]
    needed += (
        [{"window", "window_first"}] * window + [{"urgent", "urgent_first"}] * urgent + [{"lasting"}] * ("for" in rule)
    )
    needed += [{"clear"}] * ("clear" in first) + [{"repeat"}] * ("repeat" in rule)
    needed += [{"call", "target"}] * (rule.get("tell", ["me"]) != ["me"])
    absent = set() if window else {"window_first"}
    absent |= set() if urgent else {"urgent_first"}
    absent |= set() if key in grammar()["brief"] else {"brief"}
    absent |= set() if key in grammar()["wish"] and len(rule["when"]) == 1 else {"wish"}
    return all(slots & some for some in needed) and not slots & absent


class Filler:
    """Fills the slots of one sentence.  A slot is a method, drawn once."""

    def __init__(self, phrases: Phrases, rule: dict, instead: dict[str, str] | None = None):
        self.phrases, self.rule, self.said = phrases, rule, dict(instead or {})

    def fill(self, text: str) -> str:
        """Replace every {slot}; verbs follow the place."""
        text = SLOT.sub(lambda found: self.say(found[1]), text)
        return agree(text, self.said.get("place", ""))

    def say(self, slot: str) -> str:
        if slot not in self.said:
            self.said[slot] = getattr(self, f"_{slot}")()
        return self.said[slot]

    def _place(self) -> str:
        return self.phrases.place(self.rule["at"])

    def _limit(self) -> str:
        first = self.rule["when"][0]
        return self.phrases.quantity(first.get("value", first.get("high")), first["unit"])

    def _low(self) -> str:
        return self.phrases.number(self.rule["when"][0]["low"])

    def _condition(self, section: str) -> str:
        first, *more = self.rule["when"]
        known = grammar()[section]
        choices = known[first["of"]][first["is"]] if section == "cond" else known[f"{first['of']} {first['is']}"]
        drawn = self.phrases.choose(choices)
        self.phrases.shape.append(drawn)
        for part in more:
            drawn += self.phrases.choose(grammar()["second"][f"{part['of']} {part['is']}"])
        return self.fill(drawn)

    def _cond(self) -> str:
        return self._condition("cond")

    def _brief(self) -> str:
        return self._condition("brief")

    def _wish(self) -> str:
        return self._condition("wish")

    def _lasting(self) -> str:
        return self._timed("lasting", "for")

    def _repeat(self) -> str:
        return self._timed("repeat", "repeat")

    def _timed(self, part: str, key: str) -> str:
        if key not in self.rule:
            return ""
        return self.phrases.choose(grammar()["parts"][part]).format(
            dur=self.phrases.duration(self.rule[key], every=key == "repeat")
        )

    def _window(self) -> str:
        days = self.phrases.days(self.rule["days"]) if "days" in self.rule else ""
        return days + (self.phrases.hours(self.rule["from"], self.rule["to"]) if "from" in self.rule else "")

    def _window_first(self) -> str:
        return f"{self._window().strip()}, "

    def _clear(self) -> str:
        first = self.rule["when"][0]
        if "clear" not in first:
            return ""
        drawn = self.phrases.choose(grammar()["parts"][f"clear_{first['is']}"])
        return drawn.format(clear=self.phrases.number(first["clear"]))

    def _urgent(self) -> str:
        return self.phrases.choose(grammar()["urgent"]["after"]) if self.rule.get("level") == "critical" else ""

    def _urgent_first(self) -> str:
        return self.phrases.choose(grammar()["urgent"]["first"])

    def _call(self) -> str:
        call, names = grammar()["call"], self.rule.get("tell", ["me"])
        if names != ["me"]:
            return self.phrases.choose(call["others"]).format(who=self.phrases.people(names))
        return self.phrases.choose(
            call["me"] if "tell" in self.rule or self.phrases.rng.random() < 0.8 else call["default"]
        )

    def _target(self) -> str:
        names = self.rule.get("tell", [])
        return self.phrases.choose(grammar()["call"]["target"]).format(who=self.phrases.people(names)) if names else ""


def question(phrases: Phrases, rule: dict, ask: str) -> str:
    """A sentence that cannot become a rule until `ask` is known: a request with one part spoilt, or none at all."""
    first, single = rule["when"][0], len(rule["at"]) == 1
    kind, warm = kind_of(rule["at"][0]), (rule["when"][0]["of"], rule["when"][0]["is"]) == ("temperature", "above")
    choices = grammar()["ask"]
    if ask == "place" and kind != "everywhere":
        return request(phrases, rule, {"place": phrases.choose(choices["place"]).format(kind=kind)})
    if ask == "unit" and warm and len(rule["when"]) == 1 and "clear" not in first:
        said = phrases.choose(choices["unit"])
        value = phrases.value("unit_unsaid")
        phrases.says_a_value()
        return request(phrases, rule, {"limit": said.format(n=phrases.number(value), k=value + 235)})
    if ask == "time":
        part = phrases.rng.choice(["lasting", "window"])
        return request(phrases, rule, {part: phrases.choose(choices[f"time_{part}"])})
    if not single or not warm or "clear" in first or len(rule["when"]) > 1:
        return ""
    if ask == "limit" and phrases.rng.random() < 0.6:
        return _vague(phrases, rule, choices["limit"])
    own = {"limit": "limit_whole", "several": "several", "conflict": "conflict", "unsupported": "unsupported"}
    return _whole(phrases, rule, choices[own[ask]]) if ask in own else ""


def _vague(phrases: Phrases, rule: dict, choices: list[str]) -> str:
    drawn = phrases.choose(choices)
    filler = Filler(phrases, rule)
    text = request(phrases, rule, {"cond": filler.fill(drawn)})
    phrases.shape.append(drawn)
    return text


def _whole(phrases: Phrases, rule: dict, choices: list[str]) -> str:
    """A sentence with a frame of its own: two rules, a contradiction, something else altogether."""
    drawn, first, rng = phrases.choose(choices), rule["when"][0], phrases.rng
    kind, unit = kind_of(rule["at"][0]).replace("everywhere", "fridge"), first["unit"]
    higher = first["value"] + rng.choice([1, 2, 3, 5])
    other = f"{kind} {rng.randint(1, 4)}"
    made = {
        "place_b": lambda: phrases.place([other]),
        "limit_b": lambda: phrases.quantity(higher, unit),
        "high": lambda: phrases.quantity(higher, unit),
        "low": lambda: phrases.number(first["value"] - rng.choice([2, 3, 5])),
        "percent": lambda: phrases.quantity(phrases.value("humidity_above"), "%"),
        "rate": lambda: phrases.number(rng.choice([2, 3, 5])),
        "dur": lambda: phrases.duration(phrases.value("duration")),
    }
    if other in rule["at"]:
        return ""
    phrases.shape.append(drawn)
    slots = [slot for slot in SLOT.findall(drawn) if slot in made]
    return Filler(phrases, rule, {slot: made[slot]() for slot in slots}).fill(drawn)


def chatty(phrases: Phrases, text: str) -> str:
    """Now and then with words before or after that change nothing."""
    chatter, chance = grammar()["chatter"], phrases.rng.random
    before = f"{phrases.choose(chatter['before'])}. " if chance() < 0.2 else ""
    after = phrases.choose(chatter["after"]) if chance() < 0.15 else ""
    return before + text + (("" if text[-1] == "?" else ".") + f" {after}" if after else "")


STYLES = {"tidy": 0.5, "careless": 0.2, "bare": 0.18, "slips": 0.12}


def styled(text: str, style: str, rng: random.Random) -> str:
    """As it may arrive: tidy, careless, bare of punctuation and capitals, or with slips of the finger."""
    if style == "tidy":
        text = re.sub(r"(^|(?<!\bno)[.?] )([a-z])", lambda found: found[1] + found[2].upper(), text)
        return text if text.endswith("?") else f"{text}."
    if style == "bare":
        return re.sub(r"[,.?:](?= |$)", "", text).lower()
    return " ".join(_slip(word, rng) for word in text.split(" ")) if style == "slips" else text


def _slip(word: str, rng: random.Random) -> str:
    """Now and then two letters inside a word change places, or one is lost; never in a number or a day."""
    if not word.isalpha() or len(word) < 5 or UNTOUCHED.match(word) or rng.random() > 0.2:
        return word
    at = rng.randrange(1, len(word) - 2)
    return word[:at] + rng.choice([word[at + 1] + word[at], word[at + 1]]) + word[at + 2 :]
