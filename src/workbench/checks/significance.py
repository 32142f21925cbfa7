"""Checks of chapter 42's exercises on tests: an exact sign-flip test, and Holm's correction."""

import itertools

import numpy as np

from workbench.checks.answers import NONE, number, numbers
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 42.4

SYSTEM_A = [0.9, 0.4, 0.7, 0.8, 0.5, 0.6, 1.0, 0.3]
SYSTEM_B = [0.7, 0.3, 0.7, 0.5, 0.6, 0.2, 0.9, 0.1]
WORSE = [0.2, 0.1, 0.0, 0.3]


def _p(a, b, two_sided: bool = True, strictly: bool = False) -> float:
    """The share of all 2ⁿ sign patterns whose sum is as far from zero as the one seen."""
    d = np.subtract(a, b)
    sums = np.array([np.dot(signs, d) for signs in itertools.product((-1, 1), repeat=len(d))])
    seen = d.sum()
    sums, seen = (np.abs(sums), abs(seen)) if two_sided else (sums, seen)
    return float(np.mean(sums > seen + 1e-9 if strictly else sums >= seen - 1e-9))


def _unpaired(a, b) -> float:
    both, n = np.concatenate([a, b]), len(a)
    picks = [list(pick) for pick in itertools.combinations(range(2 * n), n)]
    gaps = np.array([2 * both[pick].sum() - both.sum() for pick in picks])
    return float(np.mean(np.abs(gaps) >= abs(np.sum(a) - np.sum(b)) - 1e-9))


@check("42.4")
def check_p_value(p_value) -> str:
    """p_value(a, b) → the exact two-sided p of a sign-flip test, over all 2ⁿ patterns."""

    def asked(a, b) -> float:
        return number(p_value(np.array(a), np.array(b)), "A p-value")

    got, want = asked(SYSTEM_A, SYSTEM_B), _p(SYSTEM_A, SYSTEM_B)
    if not np.isclose(got, want, atol=1e-9):
        if np.isclose(got, _p(SYSTEM_A, SYSTEM_B, two_sided=False), atol=1e-9):
            raise Hint("One-sided: a mean as far below zero would have surprised you as much. Compare sizes.")
        if np.isclose(got, _p(SYSTEM_A, SYSTEM_B, strictly=True), atol=1e-9):
            raise Hint("The pattern that was seen is one of the 2ⁿ, and ties count: at least as far, not farther. "
                       "(Leave 1e-9 for the last digit of sums.)")  # fmt: skip
        if np.isclose(got, _unpaired(SYSTEM_A, SYSTEM_B), atol=1e-9):
            raise Hint("You shuffled the answers of both systems over all questions. They come in pairs: flip the "
                       "sign of each question's difference.")  # fmt: skip
        if np.isclose(got, 1 - want, atol=1e-9):
            raise Hint("That is 1 − p.")
        if not 0 <= got <= 1:
            raise Hint(f"A p-value lies between 0 and 1; yours is {got:.4g}.")
        raise Hint(f"You have p = {got:.5f}, expected {want:.5f} over all {2 ** len(SYSTEM_A)} patterns of signs.")
    if not np.isclose(asked(SYSTEM_B, SYSTEM_A), want, atol=1e-9):
        raise Hint("With a and b swapped p should stay the same: two-sided.")
    if not np.isclose(asked(WORSE, WORSE), 1, atol=1e-9):
        raise Hint("Two equal systems: every pattern is as far from zero as 0 is, so p = 1.")
    if not np.isclose(asked([0.1 + 0.2], [0.0]), 1, atol=1e-9):
        raise Hint("With one question both signs are equally far: p = 1. One question proves nothing.")
    return "exact, paired, two-sided"


# ------------------------------------------------------------------ 42.5

RAW = [0.04, 0.001, 0.03, 0.012, 0.6]


def _holm(p) -> np.ndarray:
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def _known_mistakes(p) -> dict[str, np.ndarray]:
    p = np.asarray(p, float)
    n, order = len(p), np.argsort(p)
    rank = np.argsort(order)
    hochberg = np.empty(n)
    hochberg[order] = np.minimum(np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1], 1)
    return {
        "That is Bonferroni: every p times n. Holm multiplies the smallest by n, the next by n − 1, and so on.": (
            np.minimum(p * n, 1)
        ),
        "Right numbers, in sorted order: give each p its place back.": np.sort(_holm(p)),
        "A larger p was overtaken: after correction the order must stay. Carry the largest value so far along.": (
            np.minimum(p * (n - rank), 1)
        ),
        "That is Benjamini and Hochberg's: it bounds the share of false discoveries, not the chance of any.": hochberg,
        "You multiplied the smallest by 1 and the largest by n. It is the other way round.": (
            np.minimum(p * (rank + 1), 1)
        ),
        "Nothing was corrected.": p,
    }


@check("42.5")
def check_holm(holm) -> str:
    """holm(p_values) → corrected p-values, in the same order."""

    def asked(p) -> np.ndarray:
        answer = holm(np.array(p))
        if answer is None:
            raise Hint(NONE)
        got = numbers(answer, "Corrected p-values").astype(float)
        if got.shape != (len(p),):
            raise Hint(f"Return {len(p)} numbers for {len(p)} p-values, not an array of shape {got.shape}.")
        return got

    got, want = asked(RAW), _holm(RAW)
    if np.allclose(got, want, atol=1e-12):
        if (asked([0.6, 0.9]) > 1 + 1e-12).any():
            raise Hint("A corrected p above 1: cut it at 1.")
        for p in ([0.2, 0.01, 0.01], [0.03], [0.6, 0.9]):
            if not np.allclose(asked(p), _holm(p), atol=1e-12):
                raise Hint(f"For {p} you have {asked(p).round(4).tolist()}, expected {_holm(p).round(4).tolist()}.")
        return "corrected, in order, and never above one"
    for hint, wrong in _known_mistakes(RAW).items():
        if np.allclose(got, wrong, atol=1e-12):
            raise Hint(hint)
    raise Hint(f"For {RAW} you have {got.round(4).tolist()}, expected {want.round(4).tolist()}.")
