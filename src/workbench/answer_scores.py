"""Score short answers: their words, token F1, exact match, containing, declining.

Chapter 40 builds and attacks these; a test keeps the two equal. Chapters that answer questions import them from here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

WORD = re.compile(r"[\w.:/#=<>~+-]*\w")
ARTICLES = {"a", "an", "the"}


def words(text: str) -> list[str]:
    """Cut a text into casefolded words with their inner and leading signs: "The port is 0.1, ok?" → port is 0.1 ok.

    SQuAD's recipe (Rajpurkar et al. 2016) drops all punctuation, and with it the decimal point: 0.1 = 01.
    """
    return [word for word in WORD.findall(text.casefold()) if word not in ARTICLES]


def f1(answer: str, key: str) -> float:
    """Token F1, 2c / (p + k), of an answer of p words and a key of k with c in common: "port 5555", "5555" → 0.667."""
    p, k = Counter(words(answer)), Counter(words(key))
    common = (p & k).total()
    return 2 * common / (p.total() + k.total()) if common else 0.0


def score(answer: str, keys: Sequence[str]) -> tuple[float, float]:
    """(exact match, token F1) of an answer against the accepted key that suits it best.  keys: at least one."""
    return float(any(words(answer) == words(key) for key in keys)), max(f1(answer, key) for key in keys)


def contains(answer: str, keys: Iterable[str]) -> bool:
    """Does an accepted key stand in the answer, its words whole and in order?"""
    text = f" {' '.join(words(answer))} "
    return any(f" {' '.join(words(key))} " in text for key in keys)


def abstains(answer: str) -> bool:
    """Does the answer decline?  It says "unknown", or nothing."""
    return "unknown" in words(answer) or not words(answer)
