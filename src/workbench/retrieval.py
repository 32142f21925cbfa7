"""What chapter 42 builds, for those after it: BM25, reciprocal rank fusion, and three measures of a ranking.

A ranking is a list of passage ids, the best first; grades are a question's judgements: id → grade, 0 not relevant.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache

import numpy as np

LUCENE = """a an and are as at be but by for if in into is it no not of on or such that the their then there these they
this to was will with"""
STOP_WORDS = frozenset(LUCENE.split())


def words(text: str) -> list[str]:
    """ "Halting the cores" → ["halt", "core"]: lower case, two signs or more, no stop words, English stems."""
    found = re.findall(r"\b\w\w+\b", text.lower())
    return [_stem(word) for word in found if word not in STOP_WORDS]


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


@lru_cache(maxsize=1)
def _stemmer():
    import Stemmer

    return Stemmer.Stemmer("english")


class Bm25:
    """An inverted index of texts, scored as Lucene does (Robertson and Zaragoza 2009; Kamphuis et al. 2020, table 1).

    k1: how soon a repeated word stops counting.  b: 0 long texts are not punished, 1 fully.
    words: text → its terms.
    """

    def __init__(self, texts: Iterable[str], k1: float = 1.5, b: float = 0.75, words: Callable = words):
        self.words = words
        counts = [Counter(words(text)) for text in texts]
        self.size = len(counts)
        lengths = np.array([found.total() for found in counts], float)
        slow = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9)) if self.size else lengths
        places = defaultdict(list)  # term → [(text's number, how often)]
        for number, found in enumerate(counts):
            for term, times in found.items():
                places[term].append((number, times))
        self.postings = {term: self._posting(np.array(where), slow) for term, where in places.items()}

    def _posting(self, where: np.ndarray, slow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(numbers of the texts that hold a term, what the term adds to each)."""
        numbers, times = where.T
        rarity = math.log(1 + (self.size - len(where) + 0.5) / (len(where) + 0.5))
        return numbers, rarity * times / (times + slow[numbers])

    def scores(self, question: str) -> np.ndarray:
        """What each text earns.  → (texts,) float64; 0 where no term is shared."""
        total = np.zeros(self.size)
        for term in self.words(question):  # a term asked twice counts twice
            if term in self.postings:
                numbers, adds = self.postings[term]
                total[numbers] += adds
        return total


def best(scores: np.ndarray, k: int | None = None) -> np.ndarray:
    """Numbers of the k highest scores, the highest first; of equals, the first first."""
    return np.argsort(-np.asarray(scores), kind="stable")[:k]


def rrf(*rankings: Sequence[Hashable], k: float = 60) -> dict[Hashable, float]:
    """Fuse rankings: each gives 1 / (k + rank) to what it ranks, from rank 1 on (Cormack et al. 2009).

    → id → score, the best first; of equals, the one that an earlier ranking shows sooner.
    """
    scores = defaultdict(float)
    for ranking in rankings:
        for rank, name in enumerate(_once(ranking), 1):
            scores[name] += 1 / (k + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def ndcg(ranking: Sequence[Hashable], grades: dict[Hashable, int], k: int = 10) -> float:
    """Discounted gain of the first k over that of the best order possible (Järvelin and Kekäläinen 2002); linear gain.

    0 where nothing is relevant; a grade below 0 counts as 0.
    """
    gains = [max(grades.get(name, 0), 0) for name in _once(ranking)[:k]]
    most = sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:k]
    return _discounted(gains) / _discounted(most) if any(most) else 0.0


def recall(ranking: Sequence[Hashable], grades: dict[Hashable, int], k: int = 10, relevant: int = 1) -> float:
    """Share of the passages graded `relevant` or better that are among the first k; 0 where there are none."""
    wanted = {name for name, grade in grades.items() if grade >= relevant}
    return len(wanted & set(_once(ranking)[:k])) / len(wanted) if wanted else 0.0


def mrr(ranking: Sequence[Hashable], grades: dict[Hashable, int], k: int = 10, relevant: int = 1) -> float:
    """1 / rank of the first passage graded `relevant` or better, 0 if it is not among the first k.

    Of one question: the mean over questions is what papers call MRR.
    """
    hits = (rank for rank, name in enumerate(_once(ranking)[:k], 1) if grades.get(name, 0) >= relevant)
    return 1 / next(hits, math.inf)


def _discounted(gains: list[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _once(ranking: Sequence[Hashable]) -> list[Hashable]:
    """The ranking as a list.  Raises ValueError when a passage stands in it twice: it would be paid twice."""
    ranking = list(ranking)
    if len(set(ranking)) < len(ranking):
        raise ValueError(f"{Counter(ranking).most_common(1)[0][0]!r} stands in this ranking more than once")
    return ranking
