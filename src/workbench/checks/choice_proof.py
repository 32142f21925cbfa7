"""Checks of chapter 15's later exercises: a threshold for a promised share of lost mail, a paired difference."""

from functools import lru_cache

import numpy as np

from workbench.checks.answers import NONE, number, numbers
from workbench.checks.drift import recognise
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 15.4


def _mailbox(seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels of 60 mails, 37 of them good; with ties, scores come in steps."""
    rng = np.random.default_rng(seed)
    spam = np.arange(60) % 5 < 2
    spam[57:] = False
    scores = rng.normal(size=60) + 0.8 * spam
    return (np.round(2 * scores) / 2 if ties else scores), spam


def _smallest(good, max_share: float, flagged=lambda good, t: good > t) -> float:
    """The smallest of `good` with at most `max_share` of them flagged, by counting."""
    for t in sorted(float(g) for g in good):
        if sum(bool(f) for f in flagged(good, t)) <= max_share * len(good) + 1e-9:
            return t
    return float(max(good))


def _threshold_mistakes(scores, spam, max_share) -> dict[str, float | list[float]]:
    good, ordered = scores[~spam], np.sort(scores[~spam])
    rounded_up = int(np.ceil(max_share * len(good)))
    return {
        "Your budget is for good mail, and you counted spam as well: look at good mails only.": [
            _smallest(scores, max_share),
            float(np.quantile(scores, 1 - max_share)),
        ],
        "You looked at the spam. The promise is about good mail.": [
            _smallest(scores[spam], max_share),
            float(np.quantile(scores[spam], 1 - max_share)),
            float(np.quantile(scores[spam], max_share)),
        ],
        "That is the other tail: nearly all good mail would be flagged. High scores are flagged.": [
            float(np.quantile(good, max_share)),
            float(ordered[int(max_share * len(good))]),
        ],
        "The largest good score flags none of them. The budget may be spent.": float(ordered[-1]),
        "A mail is flagged when its score is greater than the threshold: a mail at the threshold stays, so you may "
        "go one score lower.": _smallest(good, max_share, lambda g, t: g >= t),
        "You rounded the budget up: one more good mail is flagged than was promised.": float(ordered[-rounded_up - 1]),
        "np.quantile interpolates between two scores, and its side of them may break the promise. Return one of the "
        "good scores, and count.": float(np.quantile(good, 1 - max_share)),
    }


@check("15.4")
def check_threshold_for(threshold_for) -> str:
    """threshold_for(scores, spam, max_share) → the smallest good score that keeps the promise."""
    for seed, ties, max_share in ((1, False, 0.1), (3, False, 0.1), (3, True, 0.1), (4, True, 0.25)):
        scores, spam = _mailbox(seed, ties)
        got = number(threshold_for(scores.copy(), spam.copy(), max_share), "the threshold")
        wanted = _smallest(scores[~spam], max_share)
        if ties and not np.isclose(got, wanted) and np.mean(scores[~spam] > got) > max_share + 1e-9:
            raise Hint("With ties your threshold flags too many good mails: count mails, not distinct scores.")
        recognise(got, wanted, _threshold_mistakes(scores, spam, max_share), "The threshold")
    return "the promise is kept, to the last mail, also with ties"


# ------------------------------------------------------------------ 15.5

MAILS = 2000


def _verdicts() -> tuple[np.ndarray, np.ndarray]:
    """Who was right on which mail: both find the same mails hard."""
    rng = np.random.default_rng(155)
    hard = rng.random(MAILS) < 0.12
    a = ~(hard & (rng.random(MAILS) < 0.8))
    b = ~(hard & (rng.random(MAILS) < 0.55))
    return a, b


@lru_cache
def _ends(kind: str, confidence: float = 0.95, draws: int = 20_000) -> tuple[float, float]:
    """Ends of the interval of mean(b) − mean(a): "paired" resamples mails, "unpaired" each list alone."""
    a, b = (v.astype(float) for v in _verdicts())
    rng = np.random.default_rng(0)
    if kind == "paired":  # a difference per mail is −1, 0 or 1: count how often each is drawn
        gap = b - a
        shares = [np.mean(gap == v) for v in (-1, 0, 1)]
        drawn = rng.multinomial(MAILS, shares, size=draws) @ np.array([-1, 0, 1]) / MAILS
    else:
        drawn = (rng.binomial(MAILS, b.mean(), draws) - rng.binomial(MAILS, a.mean(), draws)) / MAILS
    tail = (1 - confidence) / 2
    return tuple(float(q) for q in np.quantile(drawn, [tail, 1 - tail]))


def _half(ends: tuple[float, float]) -> float:
    return (ends[1] - ends[0]) / 2


def _width_hint(half: float) -> str:
    """Which known mistake gives an interval of this half width."""
    right, spread = _half(_ends("paired")), _half(_ends("paired")) / 1.96
    known = {
        "Too wide: you drew mails for A and for B apart. Draw mails once, and take both verdicts with them.": (
            _half(_ends("unpaired"))
        ),
        "Too narrow: those are the 5th and 95th percentiles, which hold 90 %. For 95 % take 2.5 and 97.5.": (
            _half(_ends("paired", 0.90))
        ),
        "Too narrow: that is one standard error to each side. Take the 2.5th and 97.5th percentiles.": spread,
        "Too wide: those are the 0.5th and 99.5th percentiles. For 95 % take 2.5 and 97.5.": (
            _half(_ends("paired", 0.99))
        ),
        "Far too narrow: a bootstrap's spread already is the standard error. Do not divide it by √n again.": (
            1.96 * spread / MAILS**0.5
        ),
        "Those are percentiles of single mails, not of resampled means: draw as many mails as there are, take the "
        "mean, repeat.": 1.0,
    }
    hint, near = min(known.items(), key=lambda pair: abs(np.log(max(half, 1e-9) / pair[1])))
    side = "wide" if half > right else "narrow"
    return hint if abs(half / near - 1) < 0.08 else f"The interval is too {side}: its half width is {half:.4f}."


@check("15.5")
def check_paired_difference(paired_difference) -> str:
    """paired_difference(right_a, right_b) → (difference, low, high), as fractions."""
    a, b = _verdicts()
    answer = paired_difference(a.copy(), b.copy())
    if answer is None:
        raise Hint(NONE)
    got = numbers(answer, "difference, low and high").astype(float).ravel()
    if got.size != 3:
        raise Hint(f"Return three numbers: difference, low, high. You returned {got.size}.")
    wanted = float(b.mean() - a.mean())
    mistakes = {
        "The sign is turned round: how much better is B, so B minus A.": -wanted,
        "Return fractions, not per cent.": 100 * wanted,
        "That is a ratio of accuracies. A difference is asked for.": float(b.mean() / a.mean()),
    }
    if abs(got[0] - wanted) > 1e-3:
        recognise(got[0], wanted, mistakes, "The difference")
    if got[1] > got[2]:
        raise Hint("Your low end is above your high end: return (difference, low, high).")
    if abs(_half((got[1], got[2])) / _half(_ends("paired")) - 1) > 0.07:
        raise Hint(_width_hint(_half((got[1], got[2]))))
    if abs(got[0] - wanted) > 1e-9:
        raise Hint("The difference itself needs no resampling: take it from the mails as they are.")
    if np.abs(got[1:] - _ends("paired")).max() > 1.2e-3:
        low, high = _ends("paired")
        raise Hint(f"The interval is [{got[1]:.4f}, {got[2]:.4f}], expected about [{low:.4f}, {high:.4f}].")
    return "mails are drawn, verdicts stay in pairs"
