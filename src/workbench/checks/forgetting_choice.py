"""Checks for chapter 54, second half: a rehearsal without a leak, and a bill for prompt, retrieval or fine-tuning."""

import re
from collections.abc import Callable
from copy import deepcopy

from workbench.checks.answers import NONE
from workbench.checks.forgetting import name_of
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 54.4

LESSONS = [f"warn me when fridge {n} is above {m}" for n in range(1, 5) for m in (5, 6, 8)]
JUDGED = ["Name three fruits.", "What is 2 plus 3?", "Count from 1 to 5."]
PROMPTS = ["NAME three fruits", *(f"Tell me something about {x}." for x in ("chess", "bees", "maps", "tea"))]
PROMPTS += ["What is 2 plus 3?", "Name three rivers.", *(f"Write a line about {x}." for x in ("rain", "jazz", "clay"))]
PROMPTS += ["count from 1 to 5!", *(f"Explain {x} to a child." for x in ("tides", "rust", "yeast", "wind"))]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


@check("54.4")
def check_mix(mix: Callable) -> str:
    """mix(lessons, prompts, judged, share) → all lessons in order, `share` of the whole from prompts, none judged."""
    leaks = set(map(_plain, JUDGED))
    for share in (0.25, 0.4):
        got = mix(list(LESSONS), list(PROMPTS), list(JUDGED), share)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, list) or not all(isinstance(text, str) for text in got):
            raise Hint("Return one list of texts, lessons and prompts together.")
        added, count = [text for text in got if text not in LESSONS], round(len(LESSONS) * share / (1 - share))
        if [text for text in got if text in LESSONS] != LESSONS:
            raise Hint("All lessons have to be there, once and in their order: rehearsal is added, it replaces none.")
        if unknown := [text for text in added if text not in PROMPTS]:
            raise Hint(f"{unknown[0][:40]!r} is neither a lesson nor a prompt.")
        if found := [text for text in added if text in JUDGED]:
            raise Hint(f"A leak: {found[0]!r} is judged, and you rehearse it.")
        if found := [text for text in added if _plain(text) in leaks]:
            raise Hint(f"A leak in disguise: {found[0]!r} is a judged request, but for capitals or signs.")
        if len(added) != len(set(added)):
            raise Hint("A prompt comes twice: there are enough of them.")
        if len(added) == round(len(LESSONS) * share) != count:
            raise Hint("That is a share of the lessons; it is asked for as a share of the whole mixture.")
        if len(added) != count:
            raise Hint(f"{len(LESSONS)} lessons, share {share}: {count} prompts make it, you have {len(added)}.")
        early = sum(text not in LESSONS for text in got[: len(got) // 2])
        if abs(early - count / 2) > 1:
            raise Hint(f"In a block: {early} of {count} prompts lie in the first half. Spread them evenly.")
    return "mixed evenly, the share is of the whole, and nothing that is judged is rehearsed"


# ------------------------------------------------------------------ 54.5

OPTIONS = {
    "prompt": {"before": 2.0, "each": 0.004, "change": 0.5, "right": 0.52, "low": 0.41},
    "retrieval": {"before": 60.0, "each": 0.003, "change": 0.1, "right": 0.64, "low": 0.55},
    "fine-tuning": {"before": 150.0, "each": 0.0005, "change": 40.0, "right": 0.71, "low": 0.63},
}


def _bill(row: dict, requests: int, changes: int) -> float:
    return row["before"] + row["each"] * requests + row["change"] * changes


def _cheapest(requests: int, changes: int, needed: float, quality: str = "low", parts: tuple = ()) -> str:
    prices = [{**row, **dict.fromkeys(parts, 0.0)} for row in OPTIONS.values()]
    bills = {name: _bill(price, requests, changes) for name, price in zip(OPTIONS, prices, strict=True)}
    fitting = [name for name, row in OPTIONS.items() if row[quality] >= needed]
    return min(fitting, key=bills.get) if fitting else "none"


@check("54.5")
def check_decide(decide: Callable) -> str:
    """decide(options, requests, changes, needed) → the cheapest whose `low` is at least `needed`, or "none"."""
    cases = (
        (1_000, 2, 0.4),
        (1_000, 2, 0.6),
        (100_000, 0, 0.5),
        (100_000, 12, 0.5),
        (1_000, 2, 0.5),
        (500_000, 1, 0.4),
        (10, 0, 0.7),
    )
    for requests, changes, needed in cases:
        wanted = _cheapest(requests, changes, needed)
        got = name_of(decide(deepcopy(OPTIONS), requests, changes, needed), OPTIONS)
        if got == wanted:
            continue
        told = f"{requests:,} requests, {changes} changes, at least {needed}: {wanted}, not {got}."
        wrong = {
            "{} reaches it as measured, but its interval does not: judge by the low end.": ("right", ()),
            "{} would be the cheapest if facts never changed.": ("low", ("change",)),
            "{} is the best, and the cheapest per request; what is paid before the first one counts, too.": (
                "low",
                ("before", "change"),
            ),
            "{} is the cheapest to begin with; every request costs something.": ("low", ("each",)),
        }
        for text, (quality, left_out) in wrong.items():
            if got == _cheapest(requests, changes, needed, quality, left_out):
                raise Hint(f"{text.format(got.capitalize())} {told}")
        if got != "none" and OPTIONS[got]["low"] < needed:
            raise Hint(f"{got.capitalize()} is not good enough there. {told}")
        raise Hint(f"The cheapest that is good enough is asked for. {told}")
    return "good enough by the low end, then cheapest over its whole life"
