"""Checks of chapter 57's exercises on searching: a log scale, a record read back, halving, the winner's gift."""

import numpy as np
from scipy.stats import binom, norm

from workbench.checks.answers import NONE, first_difference, number, numbers
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 57.1

EVEN = np.array([0.0, 0.9, 0.5, 0.2, 1.0])
LOW, HIGH = 1e-4, 1e-1


@check("57.1")
def check_log_uniform(log_uniform) -> str:
    """log_uniform(u, low, high) → values on a log scale for even draws u in [0, 1]."""
    got = numbers(log_uniform(EVEN.copy(), LOW, HIGH), "The draws").astype(float)
    if got.shape != EVEN.shape:
        raise Hint(f"Return one value for each of the {len(EVEN)} draws, not an array of shape {got.shape}.")
    want = LOW * (HIGH / LOW) ** EVEN
    if not np.allclose(got, want, rtol=1e-9):
        mistakes = {
            "That is an even scale: nine tenths of it lie in the last factor of ten. Draw the exponent.": (
                LOW + EVEN * (HIGH - LOW)
            ),
            "Those are the exponents. Raise the base to them.": np.log(LOW) + EVEN * np.log(HIGH / LOW),
            "Those are the exponents to base 10. Raise 10 to them.": np.log10(LOW) + EVEN * np.log10(HIGH / LOW),
            "Logarithm and power have different bases: np.log goes with np.exp, np.log10 with 10 **.": (
                np.exp(np.log10(LOW) + EVEN * np.log10(HIGH / LOW))
            ),
            "You spread exp(u) between low and high; take the logarithm of low and high instead.": (
                LOW + (np.exp(EVEN) - 1) / (np.e - 1) * (HIGH - LOW)
            ),
        }
        mistakes["You ignore u, and return a grid in its place."] = np.geomspace(LOW, HIGH, len(EVEN))
        mistakes["The wrong way round: u = 0 gives low, u = 1 high."] = HIGH * (LOW / HIGH) ** EVEN
        for hint, wrong in mistakes.items():
            if np.allclose(got, wrong, rtol=1e-9):
                raise Hint(hint)
        raise Hint(f"For u = {EVEN.tolist()} between {LOW} and {HIGH}: {first_difference(got, want)}.")
    if not np.allclose(log_uniform(EVEN.copy(), 2.0, 32.0), 2.0 * 16.0**EVEN, rtol=1e-9):
        raise Hint("Right for one space, wrong for another, 2 to 32: use `low` and `high`, not fixed numbers.")
    return "each factor of ten gets the same share"


# ------------------------------------------------------------------ 57.2

LIKE = {"lr": 0.1, "width": 8, "shuffle": True, "activation": "relu", "note": ""}
WRITTEN = {"lr": "0.0031622776601683795", "width": "64", "shuffle": "False", "activation": "gelu", "note": "1"}
READ = {"lr": 0.0031622776601683795, "width": 64, "shuffle": False, "activation": "gelu", "note": "1"}


def _read(restore, texts: dict) -> dict:
    """What comes back for these texts; {} where they are refused, which is right for code."""
    try:
        return restore(texts, dict(LIKE)) or {}
    except Exception:
        return {}


@check("57.2")
def check_restore(restore) -> str:
    """restore(texts, like) → the setting, each value in the type that `like` has for it."""
    got = restore(dict(WRITTEN), dict(LIKE))
    if got is None:
        raise Hint(NONE)
    if not isinstance(got, dict) or got.keys() != READ.keys():
        raise Hint(f"Return a dictionary with the names {', '.join(READ)}.")
    for name, want in READ.items():
        value = got[name]
        if name == "shuffle" and value is True:
            raise Hint('bool("False") is True: every text that is not empty is. Compare the text with "True".')
        if type(value) is not type(want):
            raise Hint(f"{name} should be of type {type(want).__name__} as in `like`, not {type(value).__name__}.")
        if value != want:
            raise Hint(f"{name} is {value!r}, and its record says {WRITTEN[name]!r}. Nothing may be lost on the way.")
    for name, code, ran in (("note", "len([])", 0), ("width", "8 * 8", 64), ("lr", "1 / 4", 0.25)):
        if _read(restore, {**WRITTEN, name: code}).get(name) in (ran, str(ran)):
            raise Hint("A record is data, not code: yours was evaluated. Convert by the type in `like`, never by eval.")
    if _read(restore, {**WRITTEN, "note": "len([])"}).get("note") != "len([])":
        raise Hint("A text stays as it is, whatever it looks like.")
    if restore({**WRITTEN, "shuffle": "True"}, dict(LIKE))["shuffle"] is not True:
        raise Hint('"True" should be read as True.')
    return "read back with its types, and nothing was run"


# ------------------------------------------------------------------ 57.3

STEPS = [10, 40, 160]
SCORES = np.array(
    [[0.40, 0.70, 0.72], [0.35, 0.45, 0.50], [0.30, 0.40, 0.85], [0.55, 0.52, 0.58],
     [0.20, 0.30, 0.35], [0.45, 0.50, 0.90], [0.60, 0.62, 0.64], [0.50, 0.55, 0.70]]
)  # fmt: skip
LEFT = 1  # where the winner stands among those left at the end, which is not its number


def _halve(scores, steps, resumed: bool = True) -> tuple[int, int]:
    left, paid, before = np.arange(len(scores)), 0, 0
    for rung, to in enumerate(steps):
        paid += len(left) * (to - (before if resumed else 0))
        before = to
        left = left[np.argsort(-scores[left, rung], kind="stable")]
        if rung < len(steps) - 1:
            left = left[: max(1, len(left) // 2)]
    return int(left[0]), paid


def _worse(scores) -> int:
    """Keep the worse half twice, then take the best of those."""
    left = np.arange(len(scores))
    for rung in (0, 1):
        left = left[np.argsort(scores[left, rung], kind="stable")][: len(left) // 2]
    return int(left[scores[left, -1].argmax()])


@check("57.3")
def check_halving(halve) -> str:
    """halve(scores, steps) → number of the winner, steps paid in all."""

    def asked(scores, steps) -> tuple[int, int]:
        answer = halve(np.array(scores), list(steps))
        if answer is None:
            raise Hint(NONE)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Hint("Return two things: the number of the winner, and the steps that were paid.")
        return int(number(answer[0], "The winner")), int(number(answer[1], "The steps paid"))

    (winner, paid), (want, bill) = asked(SCORES, STEPS), _halve(SCORES, STEPS)
    if winner != want:
        if winner in (_halve(1 - SCORES, STEPS)[0], _worse(SCORES)):
            raise Hint("You kept the worse half.")
        if winner == LEFT:
            raise Hint("That is a position among those left, not the number of a setting.")
        if winner == int(SCORES[:, -1].argmax()):
            raise Hint("That setting ends best, but it was dropped early: nobody saw its last score. "
                       "That is what halving risks.")  # fmt: skip
        if winner == int(SCORES[:, 0].argmax()):
            raise Hint("That setting leads at the first rung. Rank those that are left anew at each rung.")
        raise Hint(f"Setting {winner} is not the winner: keep the better half at each rung, rank the last at the end.")
    if paid != bill:
        if paid == _halve(SCORES, STEPS, resumed=False)[1]:
            raise Hint("You train the survivors from the beginning at each rung. They go on from where they were: "
                       "pay only for the steps between two rungs.")  # fmt: skip
        if paid == len(SCORES) * STEPS[-1]:
            raise Hint("That is the bill of the full search. Who was dropped pays no more steps.")
        raise Hint(f"You paid {paid} steps, expected {bill}: at each rung those still in pay the steps since the last.")
    if asked([[0.1, 0.2], [0.3, 0.4], [0.2, 0.9]], [1, 3]) != (1, 5):
        raise Hint("Of three settings one goes on (3 // 2), so that the bill is 3 × 1 + 1 × 2 steps.")
    if asked([[0.5, 0.6], [0.5, 0.6], [0.5, 0.7], [0.5, 0.6]], [1, 2]) != (0, 6):
        raise Hint("Of equals the first comes first, at every rung: sort stably.")
    if asked([[0.1, 0.2, 0.3]], STEPS) != (0, 160):
        raise Hint("A single setting is never dropped: keep at least one.")
    return "the winner and the bill"


# ------------------------------------------------------------------ 57.4


def _best(p: float, n: int, trials: int) -> float:
    """Mean of the largest of `trials` shares, each binomial(n, p) / n: Σ P(best > k) / n."""
    return float(np.sum(1 - binom.cdf(np.arange(n), n, p) ** trials) / n)


@check("57.4")
def check_gift(gift) -> str:
    """gift(p, n, trials) → expected best share of right answers, minus p, of equally good settings."""
    asked = [(0.7, 40, 30), (0.7, 40, 1), (0.5, 1, 3), (0.9, 400, 10)]
    for p, n, trials in asked:
        got, want = number(gift(p, n, trials), "A gift"), _best(p, n, trials) - p
        if np.isclose(got, want, rtol=0, atol=1e-9):
            continue
        deviation = np.sqrt(p * (1 - p) / n)
        mistakes = {
            "That is the best share itself. Take p away: the gift is what the best has beyond its worth.": want + p,
            "That is a number of answers. Divide by n.": (want + p) * n - p,
            "That is the gift in answers. Divide by n.": want * n,
            "√(2 ln trials) standard deviations is the limit for very many trials, and too much for few. "
            "Sum the exact distribution.": deviation * np.sqrt(2 * np.log(trials)),
            "That is the median of the best of normal numbers. Shares of n answers come in steps: sum the binomial.": (
                deviation * norm.ppf(0.5 ** (1 / trials))
            ),
            "Your sum leaves out k = 0: one step too few. np.arange(n) begins there.": (
                want - (1 - binom.cdf(0, n, p) ** trials) / n
            ),
            "P(best > k), not P(best ≥ k): your sum has one step too many.": want + 1 / n,
            "P(one is better)^trials is the chance that ALL are better. The best is at most k if all are: "
            "P(best ≤ k) = P(one ≤ k)^trials.": float(np.sum(binom.sf(np.arange(n), n, p) ** trials) / n - p),
        }
        for hint, wrong in mistakes.items():
            if np.isclose(got, wrong, rtol=0, atol=1e-9):
                raise Hint(hint)
        raise Hint(f"For p = {p}, n = {n}, {trials} trials you have {got:.4f}, expected {want:.4f}.")
    return "exact, and zero for a single trial"
