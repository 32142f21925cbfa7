"""Checks of chapter 42's first exercises: a word's weight, a ranking's worth, two rankings made one.

Each check asks for what a well-known mistake gets wrong, one case at a time, and says what it is.
"""

import math

from workbench.checks.answers import NONE, number
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 42.1

CASES = [  # times, containing, passages, length, average; all b = 0.75, k1 = 1.5
    (1, 10, 1000, 100, 100),
    (4, 10, 1000, 100, 100),
    (4, 10, 1000, 300, 100),
    (4, 10, 1000, 40, 100),
    (1, 900, 1000, 100, 100),
]


def _weight(times, containing, passages, length, average, k1=1.5, b=0.75) -> float:
    rarity = math.log1p((passages - containing + 0.5) / (containing + 0.5))
    return rarity * times / (times + k1 * (1 - b + b * length / average))


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def _mistakes(case) -> dict[str, float]:
    """What well-known mistakes answer → their hint."""
    times, containing, passages, length, average = case
    right, odds = _weight(*case), (passages - containing + 0.5) / (containing + 0.5)
    rarity = math.log1p(odds)
    share = right / rarity
    return {
        "You take ln(odds) without the 1 +: a word in more than half of the passages gets a negative weight.": (
            math.log(odds) * share
        ),
        "That is ln(N/n), the idf of the textbooks. BM25's has the 0.5s and the 1 +.": (
            math.log(passages / containing) * share
        ),
        "Your logarithm has another base: here it is the natural one.": math.log10(1 + odds) * share,
        "Your result is k₁ + 1 times too large. That variant exists; Lucene and this chapter leave the factor out.": (
            2.5 * right
        ),
        "b stands on the wrong side: 1 − b + b·length/average, so that b = 0 ignores the length.": (
            rarity * times / (times + 1.5 * (0.75 + 0.25 * length / average))
        ),
        "You stretch by average/length: that rewards long passages instead of holding them back.": (
            rarity * times / (times + 1.5 * (0.25 + 0.75 * average / length))
        ),
        "The length is missing: a long passage repeats words because it is long.": rarity * times / (times + 1.5),
        "Nothing saturates: the tenth repetition should earn less than the second. f / (f + …), not f.": rarity * times,
    }


@check("42.1")
def check_weight(weight) -> str:
    """weight(times, containing, passages, length, average, k1=1.5, b=0.75) → float."""
    got = [number(weight(*case), "The weight") for case in CASES]
    if not all(_near(a, _weight(*case)) for a, case in zip(got, CASES, strict=True)):
        for hint in _mistakes(CASES[0]):
            if all(_near(a, _mistakes(case)[hint]) for a, case in zip(got, CASES, strict=True)):
                raise Hint(hint)
        wrong = next(i for i, case in enumerate(CASES) if not _near(got[i], _weight(*case)))
        raise Hint(f"For {CASES[wrong]} you answer {got[wrong]:.4f}, expected {_weight(*CASES[wrong]):.4f}.")
    if not _near(number(weight(0, 10, 1000, 100, 100), "The weight"), 0):
        raise Hint("A passage that does not say the word earns 0.")
    other = number(weight(4, 10, 1000, 300, 100, 0.9, 0), "The weight")
    if not _near(other, _weight(4, 10, 1000, 300, 100, 0.9, 0)):
        raise Hint("With k1 = 0.9 and b = 0 you answer as with the defaults: use the arguments.")
    return "rare words weigh more, repetition saturates, length is held against it"


# ------------------------------------------------------------------ 42.2

GRADES = {"a": 2, "b": 0, "c": 1, "d": 2, "e": 1}


def _discounted(gains) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _ndcg(ranking, grades, k) -> float:
    most = sorted(grades.values(), reverse=True)[:k]
    return _discounted([grades.get(name, 0) for name in ranking[:k]]) / _discounted(most) if any(most) else 0.0


def _ask(ndcg, ranking, grades, k) -> float:
    return number(ndcg(list(ranking), dict(grades), k), "nDCG")


@check("42.2")
def check_ndcg(ndcg) -> str:
    """ndcg(ranking, grades, k) → float."""
    if not _near(_ask(ndcg, "adce", GRADES, 10), 1):
        raise Hint("A perfect ranking should earn 1: divide by the gain of the best order.")
    got = _ask(ndcg, "bc", GRADES, 10)
    retrieved = _discounted([0, 1]) / _discounted([1, 0])
    if _near(got, retrieved):
        raise Hint(
            "Your ideal sorts the retrieved passages only, so missing the best ones costs nothing. Sort all grades."
        )
    steep = {name: 2**grade - 1 for name, grade in GRADES.items()}
    if _near(got, _ndcg("bc", steep, 10)):
        raise Hint("You pay 2^g − 1 for grade g. That is another nDCG; here a grade pays g.")
    if _near(got, 1 / sum(g / r for r, g in enumerate((2, 2, 1, 1), 1)) / 2):
        raise Hint("You discount by the rank itself. Here it is log₂(rank + 1).")
    early = sum(g / math.log2(max(r, 2)) for r, g in enumerate((2, 2, 1, 1), 1))
    if _near(got, 1 / early):
        raise Hint("Your logarithm begins one rank too early: rank 1 is divided by log₂ 2, rank 2 by log₂ 3.")
    late = sum(g / math.log2(r + 2) for r, g in enumerate((2, 2, 1, 1), 1))
    if _near(got, 1 / math.log2(4) / late):
        raise Hint("Your logarithm begins one rank too late: ranks from 1 take log₂(rank + 1).")
    if not _near(got, _ndcg("bc", GRADES, 10)):
        raise Hint(f"For b, c with {GRADES} you answer {got:.4f}, expected {_ndcg('bc', GRADES, 10):.4f}.")
    if not _near(_ask(ndcg, "ad", GRADES, 2), 1):
        raise Hint("The ideal is not cut at k: at k = 2 the two best grades are all that anybody can earn.")
    if not _near(_ask(ndcg, "bcad", GRADES, 2), _ndcg("bcad", GRADES, 2)):
        raise Hint("The ranking is not cut at k: what stands at rank 3 earns nothing at k = 2.")
    if not _near(_ask(ndcg, "xad", GRADES, 10), _ndcg("xad", GRADES, 10)):
        raise Hint("A passage without a grade keeps its rank and earns 0; do not close the gap.")
    if not _near(_ask(ndcg, "ab", {"b": 0}, 10), 0):
        raise Hint("Where nothing is relevant, answer 0.")
    return "equal to trec_eval's, with the ideal over all grades, cut at k"


# ------------------------------------------------------------------ 42.3

LONG, SHORT = list("abcdef"), ["c", "x"]


def _fused(rankings, k=60) -> list:
    points: dict = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, 1):
            points[name] = points.get(name, 0) + 1 / (k + rank)
    return sorted(points, key=lambda name: -points[name])


def _fuse(fuse, rankings, *k) -> list:
    got = fuse([list(ranking) for ranking in rankings], *k)
    if got is None:
        raise Hint(NONE)
    if isinstance(got, dict):
        raise Hint("Return the ids as a list, the best first, not their points.")
    if not isinstance(got, list | tuple) or not all(isinstance(name, str) for name in got):
        raise Hint("Return a list of ids, the best first.")
    return list(got)


@check("42.3")
def check_fuse(fuse) -> str:
    """fuse(rankings, k=60) → list of ids."""
    if _fuse(fuse, [LONG]) != LONG:
        raise Hint("One ranking alone should come back as it is.")
    got = _fuse(fuse, [LONG, SHORT])
    if len(got) < len(set(got) | set(LONG) | set(SHORT)):
        raise Hint("You dropped passages that only one ranking shows. They keep the points of that one.")
    if len(set(got)) < len(got):
        raise Hint("A passage stands in your list twice: add its points up.")
    if got[0] != "c":
        raise Hint("c is shown by both, at ranks 3 and 1, and should be first: add the points of both rankings, and "
                   "give none for a ranking that does not show a passage.")  # fmt: skip
    if got != _fused([LONG, SHORT]):
        raise Hint(f"From {LONG} and {SHORT} you make {got}, expected {_fused([LONG, SHORT])}: of equals, the one seen "
                   "first comes first; what a ranking does not show gets no points from it.")  # fmt: skip
    # p at ranks 1 and 9, q at 4 and 4: the sum of ranks and k = 60 prefer q, k = 1 prefers p
    first, second = ["p", "1", "2", "q", *"34567"], ["8", "9", "0", "q", *"vwyz", "p"]
    if _fuse(fuse, [first, second], 1)[0] != _fused([first, second], 1)[0]:
        raise Hint("With k = 1, a first and a ninth rank beat two fourth ones. Points are 1/(k + rank): ranks are not "
                   "added up, and k is an argument.")  # fmt: skip
    # ranks from 0 are ranks from 1 with k − 1: between k = 0 and k = 1, p and q change places
    first, second = ["p", "q"], ["z", "q", *"1234", "p"]
    if _fuse(fuse, [first, second], 1) != _fused([first, second], 1):
        raise Hint("Ranks begin at 1: the first earns 1/(k + 1), not 1/k.")
    return "fused: what both show early comes first, and nothing is lost"


# ------------------------------------------------------------------ 42.6

JUDGED = {"a": 2, "b": 0, "c": 1, "d": 2}


def _range(ranking, grades, k):
    top = max(grades.values())
    seen = {name: top for name in ranking[:k] if name not in grades}
    return _ndcg(ranking, grades, k), _ndcg(ranking, seen | grades, k)


@check("42.6")
def check_range(score_range) -> str:
    """score_range(ranking, grades, k) → (pessimist, optimist)."""

    def asked(ranking, k=3):
        got = score_range(list(ranking), dict(JUDGED), k)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise Hint("Return two numbers: the pessimist's nDCG and the optimist's.")
        return number(got[0], "The pessimist's nDCG"), number(got[1], "The optimist's nDCG")

    low, high = asked("adc")
    if not (_near(low, _ndcg("adc", JUDGED, 3)) and _near(high, low)):
        raise Hint("All three are judged: both numbers should be the plain nDCG, with the ideal over all grades.")
    low, high = asked("bad")
    if not _near(low, high):
        raise Hint("b was judged, as not relevant (grade 0). That is not the same as unjudged: only what is not in "
                   "grades is open.")  # fmt: skip
    low, high = asked("xay")
    if low > high + 1e-12:
        raise Hint("The pessimist comes first: yours is the larger number.")
    if high > 1 + 1e-9:
        raise Hint("The optimist's nDCG is above 1: the passages it believes in belong into the ideal as well.")
    want = _range("xay", JUDGED, 3)
    condensed = _ndcg("a", JUDGED, 3)
    if _near(low, condensed) and not _near(low, want[0]):
        raise Hint("You struck the unjudged passages out, so a moved up. The pessimist leaves it at rank 2.")
    if not _near(low, want[0]):
        raise Hint(f"The pessimist counts unjudged as 0: expected {want[0]:.4f} for x, a, y; you have {low:.4f}.")
    if _near(high, _ndcg("xay", JUDGED | {"x": 1, "y": 1}, 3)):
        raise Hint("The optimist gives the best grade that occurs, here 2, not 1.")
    if not _near(high, want[1]):
        raise Hint(f"The optimist's should be {want[1]:.4f} for x, a, y; you have {high:.4f}.")
    low, high = asked("adcx")
    if not _near(low, high):
        raise Hint("x stands at rank 4, behind k = 3: nobody sees it, so it opens no range (nor joins the ideal).")
    return "a range instead of a number, where nobody has looked"
