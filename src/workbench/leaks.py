"""Does a test set leak into a training set?  Texts that share word n-grams, and texts whose vectors are near.

Two nets with different holes: n-grams catch copies whatever stands around them, and miss a paraphrase; vectors catch
the paraphrase, and let a copy pass that is buried in a long text.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import WorkbenchError

WORD = re.compile(r"\w+")
FEWEST = 5  # a text of fewer runs counts as one of five: two ordinary runs of words in common prove nothing


@dataclass(frozen=True)
class Leak:
    """Test text `test` is (nearly) training text `train`; likeness: 0 to 1."""

    test: int
    train: int
    likeness: float


def ngrams(text: str, n: int) -> set[tuple[str, ...]]:
    """Runs of n words, casefolded, punctuation aside; a text of fewer words is one run: "Open it!", 4 → (open, it)."""
    words = _words(text)
    return {tuple(words[start : start + n]) for start in range(max(1, len(words) - n + 1))} if words else set()


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def nearest_by_ngrams(test: Sequence[str], train: Sequence[str], n: int = 4) -> list[Leak]:
    """For each test text: the training text that holds the largest share of its n-grams, and that share.

    The same words in the same order are a likeness of 1, however few they are.
    """
    _refuse_nothing(test, train)
    known = _Index(n)
    for number, text in enumerate(train):
        known.add(number, text)
    return [Leak(number, *known.nearest(text)) for number, text in enumerate(test)]


class _Index:
    """Which texts hold an n-gram, which is a text as a whole."""

    def __init__(self, n: int):
        self.n, self.places, self.wholes = n, defaultdict(list), {}

    def add(self, number: int, text: str) -> None:
        self.wholes.setdefault(tuple(_words(text)), number)
        for gram in ngrams(text, self.n):
            self.places[gram].append(number)

    def nearest(self, text: str) -> tuple[int, float]:
        if (same := self.wholes.get(tuple(_words(text)))) is not None:
            return same, 1.0
        grams = ngrams(text, self.n)
        shared = Counter(place for gram in grams for place in self.places.get(gram, ()))
        ((found, count),) = shared.most_common(1) or [(0, 0)]
        return found, count / max(len(grams), FEWEST)


def nearest_by_vectors(test: np.ndarray, train: np.ndarray) -> list[Leak]:
    """For each test vector: the training vector of the largest cosine.  test, train: (n, d), (m, d), of length 1."""
    test, train = np.asarray(test), np.asarray(train)
    _refuse_nothing(test, train)
    for vectors in (test, train):
        if vectors.ndim != 2 or not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
            raise WorkbenchError("leaks are looked for among rows of length 1", "divide each row by its norm")
    found = []
    for start in range(0, len(test), 256):
        cosines = test[start : start + 256] @ train.T
        best = cosines.argmax(axis=1)
        found += [Leak(start + row, int(place), float(cosines[row, place])) for row, place in enumerate(best)]
    return found


def above(found: Sequence[Leak], floor: float) -> list[Leak]:
    """The leaks of at least this likeness, the nearest first."""
    return sorted((leak for leak in found if leak.likeness >= floor), key=lambda leak: -leak.likeness)


def without_copies(texts: Sequence[str], n: int = 4, floor: float = 0.8) -> list[int]:
    """Indices of the texts that no earlier kept text holds to `floor` of their n-grams: near-duplicates leave."""
    known, kept = _Index(n), []
    for number, text in enumerate(texts):
        if known.nearest(text)[1] < floor:
            kept.append(number)
            known.add(number, text)
    return kept


def _refuse_nothing(test, train) -> None:
    if not len(test) or not len(train):
        raise WorkbenchError("a leak needs two sets: one of them is empty")
