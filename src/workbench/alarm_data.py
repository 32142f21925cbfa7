"""The hand-written sentences of part 5.  `book/data/alarm_rules/README.md` is their data card."""

import json
from dataclasses import dataclass
from functools import lru_cache

from workbench.data import data_path
from workbench.errors import UnknownNameError

HAND_WRITTEN = ("dev", "test")


@dataclass(frozen=True)
class Request:
    """One hand-written sentence: who wrote it, why it is hard, and the rule (or the question) it asks for."""

    id: str
    split: str  # "dev" to choose on, "test" to judge on: no user is in both
    user: str
    hard: str
    sentence: str
    rule: dict


@lru_cache(maxsize=1)
def _requests() -> tuple[Request, ...]:
    lines = data_path("alarm_rules").read_text(encoding="utf-8").splitlines()
    return tuple(Request(**json.loads(line)) for line in lines)


def hand_written(split: str) -> tuple[Request, ...]:
    """The sentences of one split, in the order of their file.  Raises UnknownNameError."""
    if split not in HAND_WRITTEN:
        raise UnknownNameError("split of the hand-written sentences", split, HAND_WRITTEN)
    return tuple(request for request in _requests() if request.split == split)


def reworded() -> dict[str, str]:
    """Some test sentences in other words, id → sentence: what a leak looks like that nobody copied.

    32 of those that ask for a rule, drawn at random; reworded by the author of the sentences.
    """
    lines = data_path("alarm_rules_reworded").read_text(encoding="utf-8").splitlines()
    return {one["id"]: one["sentence"] for one in map(json.loads, lines)}
