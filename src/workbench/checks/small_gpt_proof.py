"""Checks of chapter 33's evidence: a bigram baseline that does not peek, an interval from a few seeds."""

import math
import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import stats

from workbench.checks.answers import number, numbers
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 33.4


def _loss(train: str, text: str, symbols: int, strength: float, *, base=math.e, mean=True, whole=False) -> float:
    """By looking at every pair of training for every pair of the text: slow, and plain."""
    pairs = list(pairwise(train))
    total = 0.0
    for a, b in pairwise(text):
        followers = [y for x, y in pairs if x == a]
        n = train.count(a) if whole else len(followers)
        total -= math.log((followers.count(b) + strength / symbols) / (n + strength), base)
    return total / (len(text) - 1) if mean else total


def _laplace(train, text, symbols, strength):
    """strength added to each count, instead of shared among the symbols."""
    return _loss(train, text, symbols, strength * symbols)


def _backwards(train, text, symbols, strength):
    return _loss(train[::-1], text[::-1], symbols, strength)


def _joint(train, text, symbols, strength):
    """p(ab) in place of p(b | a)."""
    count, n = Counter(pairwise(train)), len(train) - 1
    p = [(count[pair] + strength / symbols) / (n + strength) for pair in pairwise(text)]
    return -sum(map(math.log, p)) / len(p)


def _averaged_p(train, text, symbols, strength):
    each = [_loss(train, a + b, symbols, strength) for a, b in pairwise(text)]
    return -math.log(sum(math.exp(-loss) for loss in each) / len(each))


LOSS_MISTAKES = {
    "You counted in the text that is judged: the baseline has seen the test. Count in `train` only.": (
        lambda train, text, symbols, s: _loss(text, text, symbols, s)
    ),
    "You counted in both texts together: the baseline has seen the test. Count in `train` only.": (
        lambda train, text, symbols, s: _loss(train + text, text, symbols, s)
    ),
    "You judged the training text. The loss is asked on `text`.": (
        lambda train, text, symbols, s: _loss(train, train, symbols, s)
    ),
    "Those are bits: nats are asked for, the natural logarithm.": lambda *a: _loss(*a, base=2),
    "That is the sum. The loss is a mean per predicted character.": lambda *a: _loss(*a, mean=False),
    "You added the whole strength to each count. It is shared: each symbol gets strength / symbols.": _laplace,
    "That is the probability of the pair. A model predicts b *given* a: divide by what followed a.": _joint,
    "You predict the character before from the one after.": _backwards,
    "You took the logarithm of the mean probability. The loss is the mean of the logarithms.": _averaged_p,
    "The last character of training has no follower: count pairs that begin with a, not occurrences of a.": (
        lambda *a: _loss(*a, whole=True)
    ),
}


def _loss_cases():
    rng = random.Random(33)
    for letters, strength in (("ab", 1.0), ("abcd", 2.5), ("abcde", 0.3)):
        train = "".join(rng.choices(letters[:-1], k=60)) + letters[0]
        yield train, "".join(rng.choices(letters, k=25)), len(letters), strength


@check("33.4")
def check_bigram_loss(bigram_loss: Callable) -> str:
    """bigram_loss(train, text, symbols, strength) → nats per predicted character."""
    for case in _loss_cases():
        got, wanted = number(bigram_loss(*case), "the loss"), _loss(*case)
        if math.isclose(got, wanted, rel_tol=1e-9):
            continue
        if not math.isfinite(got):
            raise Hint("Infinite: a pair that training does not have must still get a probability, from the strength.")
        named = (hint for hint, wrong in LOSS_MISTAKES.items() if math.isclose(got, wrong(*case), rel_tol=1e-9))
        hint = f"train {case[0][:20]!r}…, text {case[1]!r}: you have {got:.6g}, expected {wanted:.6g}."
        raise Hint(next(named, hint))
    return "equal to counting anew for every character, pairs that were never seen included"


# ------------------------------------------------------------------ 33.5


def _student(a, b, *, paired=True, confidence=0.95):
    """scipy's own intervals."""
    if paired:
        found = stats.ttest_rel(b, a).confidence_interval(confidence)
    else:
        found = stats.ttest_ind(b, a).confidence_interval(confidence)
    return np.array([np.mean(np.subtract(b, a)), found.low, found.high])


def _about(a, b, half: Callable) -> np.ndarray:
    d = np.subtract(b, a)
    return np.array([d.mean(), d.mean() - half(d), d.mean() + half(d)])


def _t(n: int, tail: float = 0.975, freedom: int = 1) -> float:
    return stats.t.ppf(tail, n - freedom)


INTERVAL_MISTAKES = {
    "The sign is turned round: damage is the variant's loss minus the full model's.": lambda a, b: _student(b, a),
    "You threw the pairing away. Both losses of a seed share their batches: take differences first.": (
        lambda a, b: _student(a, b, paired=False)
    ),
    "1.96 is for many samples. With n seeds take Student's t with n − 1 degrees of freedom.": (
        lambda a, b: _about(a, b, lambda d: 1.96 * d.std(ddof=1) / math.sqrt(len(d)))
    ),
    "That is the spread of single runs. The mean's error is smaller by √n.": (
        lambda a, b: _about(a, b, lambda d: _t(len(d)) * d.std(ddof=1))
    ),
    "NumPy's std divides by n unless told otherwise: a sample's needs ddof=1.": (
        lambda a, b: _about(a, b, lambda d: _t(len(d)) * d.std() / math.sqrt(len(d)))
    ),
    "One-sided: 95 % in the middle leaves 2.5 % on each side, so ask for the 0.975 quantile.": (
        lambda a, b: _about(a, b, lambda d: _t(len(d), 0.95) * d.std(ddof=1) / math.sqrt(len(d)))
    ),
    "Degrees of freedom are n − 1: the mean was estimated from the same numbers.": (
        lambda a, b: _about(a, b, lambda d: _t(len(d), freedom=0) * d.std(ddof=1) / math.sqrt(len(d)))
    ),
    "That is the range of the differences: it grows with every seed instead of shrinking.": (
        lambda a, b: np.array([np.mean(np.subtract(b, a)), np.subtract(b, a).min(), np.subtract(b, a).max()])
    ),
    "That is one standard error each way, which covers far less than 95 %.": (
        lambda a, b: _about(a, b, lambda d: d.std(ddof=1) / math.sqrt(len(d)))
    ),
}
INTERVAL_CASES = (
    ([2.20, 2.31, 2.12], [2.45, 2.53, 2.40]),
    ([2.20, 2.31, 2.12, 2.27, 2.19], [2.21, 2.29, 2.15, 2.27, 2.22]),
    ([1.9, 2.4], [2.0, 2.45]),
)


def _alike(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(got, wanted, rtol=5e-5, atol=1e-9))


@check("33.5")
def check_damage_interval(damage_interval: Callable) -> str:
    """damage_interval(full, variant) → mean, low, high.  full, variant: losses, one per seed."""
    for full, variant in INTERVAL_CASES:
        got = numbers(damage_interval(list(full), list(variant)), "mean, low, high")
        if got.shape != (3,):
            raise Hint(f"Return three numbers: mean, low, high. You returned an array of shape {got.shape}.")
        wanted = _student(full, variant)
        if _alike(got, wanted):
            continue
        if _alike(got, wanted[[0, 2, 1]]):
            raise Hint("Low and high are swapped.")
        named = (hint for hint, wrong in INTERVAL_MISTAKES.items() if _alike(got, wrong(full, variant)))
        shown = [", ".join(f"{x:.4f}" for x in each) for each in (got, wanted)]
        raise Hint(next(named, f"full {full}, variant {variant}: you have {shown[0]}, expected {shown[1]}."))
    return "equal to scipy's paired interval, for two, three and five seeds"
