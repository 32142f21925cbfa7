"""Draw (sentence, rule) pairs for part 5 from the grammar in `book/data/alarm_rules`: seeded, every rule valid.

A rule is drawn first, then phrases for each of its parts; a sentence that leaves a part unsaid is drawn again.
"""

import random
from dataclasses import dataclass

from workbench.alarm_phrases import Phrases, grammar
from workbench.alarm_rules import ASKS, COUNTS, DAYS
from workbench.alarm_sense import senseless
from workbench.alarm_sentences import STYLES, chatty, question, request, styled
from workbench.errors import UnknownNameError

SPLITS = ("train", "template", "value")
SHARE_OF_QUESTIONS = 0.2


@dataclass(frozen=True)
class Pair:
    """One sentence, the rule it asks for, its template (frame and condition, nothing filled in), its style."""

    sentence: str
    rule: dict
    template: str
    style: str


def generate(count: int, split: str = "train", seed: int = 0) -> tuple[Pair, ...]:
    """Draw `count` pairs with different sentences; the same for the same arguments.

    split: "train"; "template": at least one held-out phrase in each, training's numbers; "value": the other way round.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    rng, found = random.Random(f"{split} {seed}"), {}
    while len(found) < count:
        ask = rng.choice(ASKS) if rng.random() < SHARE_OF_QUESTIONS else ""
        pair = _draw(rng, split, ask)
        while pair is None or pair.sentence.casefold() in found:
            pair = _draw(rng, split, ask)
        found[pair.sentence.casefold()] = pair
    return tuple(found.values())


def _draw(rng: random.Random, split: str, ask: str) -> Pair | None:
    """One pair, or None where the parts that were drawn do not fit together or are not of the split."""
    phrases = Phrases(rng, split)
    rule = _rule(phrases)
    if senseless(rule):
        return None
    text = question(phrases, rule, ask) if ask else request(phrases, rule)
    if not text:
        return None
    text = chatty(phrases, text)
    if split != "train" and not phrases.held:
        return None
    style = rng.choices(list(STYLES), list(STYLES.values()))[0]
    return Pair(styled(text, style, rng), {"ask": ask} if ask else rule, " | ".join(phrases.shape), style)


def _rule(phrases: Phrases) -> dict:
    chance = phrases.rng.random
    rule = {"at": _places(phrases.rng)}
    rule["when"] = _conditions(phrases, rule["at"])
    if chance() < (0.85 if rule["when"][0]["of"] in ("door", "signal") else 0.55):
        rule["for"] = phrases.value("duration")
    if chance() < 0.2:
        rule["days"] = _days(phrases.rng)
    if chance() < 0.2:
        rule["from"], rule["to"] = phrases.value("from"), phrases.value("to")
        if chance() < 0.3:
            rule |= phrases.rng.choice([{"from": "00:00"}, {"to": "24:00"}])
    level = phrases.rng.choices(["log", "critical", ""], [0.12, 0.15, 0.73])[0]
    if level:
        rule["level"] = level
    if level != "log":
        if chance() < 0.4:
            rule |= _people(phrases.rng)
        if chance() < 0.15:
            rule["repeat"] = phrases.value("repeat")
    return rule


def _places(rng: random.Random) -> list[str]:
    kind = rng.choices(list(COUNTS), [0.5, 0.3, 0.2])[0]
    form = rng.choices(["one", "group", "everywhere", "some", "run"], [0.72, 0.12, 0.03, 0.08, 0.05])[0]
    if form in ("group", "everywhere"):
        return [f"all {kind}s" if form == "group" else form]
    numbers = sorted(rng.sample(range(1, COUNTS[kind] + 1), {"one": 1, "some": 2, "run": 3}[form]))
    if form == "run" and rng.random() < 0.7:
        numbers = list(range(numbers[0], min(numbers[0] + 3, COUNTS[kind] + 1)))
    return [f"{kind} {number}" for number in numbers]


def _conditions(phrases: Phrases, places: list[str]) -> list[dict]:
    of = phrases.rng.choices(["temperature", "humidity", "door", "power", "signal"], [0.6, 0.08, 0.15, 0.08, 0.09])[0]
    first = _condition(phrases, of, places)
    if of == "temperature" and len(places) == 1 and "clear" not in first and phrases.rng.random() < 0.12:
        return [first, _condition(phrases, phrases.rng.choice(["door", "power"]), places)]
    return [first]


def _condition(phrases: Phrases, of: str, places: list[str]) -> dict:
    if of in ("door", "power", "signal"):
        state = {"door": phrases.rng.choice(["open", "open", "open", "closed"]), "power": "off", "signal": "lost"}[of]
        return {"of": of, "is": state}
    is_ = phrases.rng.choices(["above", "below", "outside"], [0.6, 0.22, 0.18])[0]
    unit = "%" if of == "humidity" else phrases.rng.choices(["C", "F"], [0.8, 0.2])[0]
    part = {"of": of, "is": is_}
    if is_ == "outside":
        return part | {
            "low": _limit(phrases, unit, places, "below"),
            "high": _limit(phrases, unit, places, "above"),
            "unit": unit,
        }
    part |= {"value": _limit(phrases, unit, places, is_), "unit": unit}
    if of == "temperature" and phrases.rng.random() < 0.12:
        step = phrases.rng.choice([0.5, 1, 2, 3])
        part["clear"] = _whole(part["value"] + (step if is_ == "below" else -step))
    return part


def _limit(phrases: Phrases, unit: str, places: list[str], side: str) -> float:
    kind = next((kind for kind in COUNTS if kind in places[0]), "fridge")
    if unit == "%":
        return phrases.value(f"humidity_{side}")
    if unit == "F":
        return phrases.value("fahrenheit_freezer" if kind == "freezer" else f"fahrenheit_{side}")
    return phrases.value(f"{kind}_{side}")


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _days(rng: random.Random) -> list[str]:
    form = rng.choice(["weekdays", "weekend", "one", "two", "run"])
    start = rng.randrange(0, 4)
    runs = {
        "weekdays": DAYS[:5],
        "weekend": DAYS[5:],
        "one": [rng.choice(DAYS)],
        "run": DAYS[start : start + rng.choice([3, 4])],
    }
    return list(runs[form]) if form in runs else sorted(rng.sample(DAYS[:6], 2), key=DAYS.index)


def _people(rng: random.Random) -> dict:
    """Who is told, as said; nothing where it is the author alone, which goes without saying."""
    names = rng.sample(list(grammar()["who"]), rng.choice([1, 1, 1, 2, 2, 3]))
    names = sorted(names, key=lambda name: name != "me") if rng.random() < 0.5 else names
    return {"tell": names} if names != ["me"] else {}
