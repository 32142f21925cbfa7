"""Checks of chapter 00 and of chapter 01's first exercises: score, control, bound, percentile, interval, sample size.

Each compares with an independent reference and recognises well-known mistakes by what they would have returned.
"""

import math

import numpy as np

from workbench.checks.answers import number, numbers, parts, same
from workbench.checks.report import Hint, check


def recognise(got, mistakes: dict) -> None:
    """Raise the hint of the mistake that `got` equals.  mistakes: hint → what that mistake returns."""
    for hint, wrong in mistakes.items():
        if same(got, wrong, rtol=1e-7):
            raise Hint(hint)


# ------------------------------------------------------------------ 00.1


@check("00.1")
def check_share_right(share_right) -> str:
    """share_right(picks, truth) → the share of positions where the two agree."""
    picks, truth = [3, 1, 0, 2, 2, 4, 1, 1], [3, 1, 1, 2, 4, 4, 0, 1]
    right = sum(p == t for p, t in zip(picks, truth, strict=True))
    got = number(share_right(list(picks), list(truth)), "The share")
    mistakes = {
        "That is a count. A share is divided by the number of tickets.": right,
        "That is in percent; a share lies between 0 and 1.": 100 * right / 8,
        "That is the share of wrong picks.": 1 - right / 8,
        "Every pick occurs somewhere in the truth; it must agree at the same position.": 1.0,
        "Two lists compared by == give one verdict for the whole. Compare them position by position.": 0.0,
    }
    recognise(got, mistakes)
    if not same(got, right / 8):
        raise Hint(f"For picks {picks} and truth {truth} the share is {right / 8}, you have {got:g}.")
    if not same(number(share_right(np.array(picks), np.array(truth)), "The share"), right / 8):
        raise Hint("Lists work, NumPy arrays do not: chapter 00 has arrays.")
    return "position by position, between 0 and 1"


# ------------------------------------------------------------------ 00.2


@check("00.2")
def check_shuffle_weights(shuffle_weights) -> str:
    """shuffle_weights(weights, rng) → the same values in the same shape, in random order; weights untouched."""
    weights = np.arange(600.0).reshape(20, 30) ** 1.5
    mine = weights.copy()
    got = numbers(shuffle_weights(mine, np.random.default_rng(1)), "The shuffled weights")
    if not same(mine, weights):
        raise Hint("You changed the caller's weights: the trained model is destroyed. Shuffle a copy.")
    if got.shape != weights.shape:
        raise Hint(f"The shape is {got.shape}, expected {weights.shape}: the network must still fit together.")
    if not same(np.sort(got, axis=None), np.sort(weights, axis=None)):
        raise Hint("Those are other values. A control changes one thing: keep the values, change their order.")
    if (got == weights).all():
        raise Hint("The order has not changed.")
    _judge_order(got, weights)
    other = numbers(shuffle_weights(weights.copy(), np.random.default_rng(2)), "The shuffled weights")
    if same(other, got):
        raise Hint("Another rng gave the same order: a fixed order is no random one. Draw it from rng.")
    return "same values, same shape, another order, and the original is untouched"


def _judge_order(got, weights) -> None:
    """Refuse orders that keep values together in their row or column."""
    lines = {"row": (got, weights), "column": (got.T, weights.T)}
    for name, (mixed, original) in lines.items():
        known = {tuple(sorted(line)) for line in original}
        if all(tuple(sorted(line)) in known for line in mixed):
            raise Hint(f"Each {name} still holds the values of one {name}: much of what was learnt is left. Mix all.")


# ------------------------------------------------------------------ 00.3


@check("00.3")
def check_choose_bound(choose_bound) -> str:
    """choose_bound(runs, control_runs) → at_least bound: holds on runs to come, refused by the control."""
    for center, spread, control in ((0.70, 0.02, 0.15), (4.0, 0.15, 1.0), (35.0, 1.0, 5.0)):
        rng = np.random.default_rng(7)
        runs, control_runs = rng.normal(center, spread, 10), rng.normal(control, spread, 10)
        to_come = rng.normal(center, spread, 5000)
        bound = number(choose_bound(runs.copy(), control_runs.copy()), "The bound")
        _judge_bound(bound, runs, control_runs, np.mean(to_come >= bound))
    return "it holds on runs that you have not seen, and the control cannot reach it"


def _judge_bound(bound, runs, control_runs, holds) -> None:
    recognise(
        bound,
        {
            "The best run is luck: nearly every run to come will miss it.": runs.max(),
            "The mean is missed by about every second run to come.": runs.mean(),
            "The median is missed by about every second run to come.": np.median(runs),
            "The lowest of ten runs has no margin: about one run in eleven will be lower still.": runs.min(),
        },
    )
    if not math.isfinite(bound):
        raise Hint("A bound is a finite number.")
    if bound <= control_runs.max():
        raise Hint("The control reaches your bound too: a claim that cannot fail proves nothing.")
    if holds < 0.999:
        raise Hint(f"{1 - holds:.1%} of 5,000 runs to come miss your bound. Leave more margin below the lowest run.")


# ------------------------------------------------------------------ 01.1


def _percentile_reference(samples, q: float) -> float:
    ranked = sorted(float(x) for x in samples)
    position = q / 100 * (len(ranked) - 1)
    low, high = math.floor(position), math.ceil(position)
    return ranked[low] + (position - low) * (ranked[high] - ranked[low])


QS = (50, 90, 99, 0, 12.5, 37)
LATENCIES = (12.0, 9.5, 30.0, 11.0, 10.0, 10.5, 95.0)


@check("01.1")
def check_percentile(percentile) -> str:
    """percentile(samples, q) → the q-th percentile, linear between samples, q from 0 to 100."""
    got = np.array([_ask_percentile(percentile, q) for q in QS])
    wanted = np.array([_percentile_reference(LATENCIES, q) for q in QS])
    if not same(got, wanted):
        recognise(got, _percentile_mistakes(np.array(LATENCIES), np.array(QS)))
        k = int(np.argmax(np.abs(got - wanted)))
        raise Hint(f"p{QS[k]} of {list(LATENCIES)} is {wanted[k]:g}, you have {got[k]:g}.")
    if not same(_ask_percentile(percentile, 100), max(LATENCIES)):
        raise Hint("The 100th percentile is the largest sample.")
    return "equal to the definition, ends included"


def _ask_percentile(percentile, q) -> float:
    mine = list(LATENCIES)
    try:
        got = number(percentile(mine, q), f"Percentile {q}")
    except IndexError:
        raise Hint(f"At q = {q} you read beyond the last sample: the last index is n - 1.") from None
    if tuple(mine) != LATENCIES:
        raise Hint("You sorted the caller's samples in place: their order in time is lost. Sort a copy.")
    return got


def _percentile_mistakes(samples, q) -> dict:
    """What the usual mistakes return for each of q."""
    n, ranked = len(samples), np.sort(samples)
    position = q / 100 * (n - 1)
    rank = np.maximum(np.ceil(q / 100 * n).astype(int), 1)
    return {
        "The samples are not sorted yet.": np.interp(position, range(n), samples),
        "Between two samples, interpolate; you took the lower one.": ranked[np.floor(position).astype(int)],
        "Between two samples, interpolate; you took the nearest one.": ranked[np.rint(position).astype(int)],
        "Between two samples, interpolate; you took the upper one.": ranked[np.ceil(position).astype(int)],
        "That is the nearest-rank definition, ceil(q/100 · n); this one interpolates.": ranked[rank - 1],
        "The position is q/100 · (n − 1); you multiplied by n.": np.interp(q / 100 * n, range(n), ranked),
        "q runs from 0 to 100 here; you divided by 100 once too often.": np.interp(position / 100, range(n), ranked),
    }


# ------------------------------------------------------------------ 01.2


@check("01.2")
def check_bootstrap_interval(bootstrap_interval) -> str:
    """bootstrap_interval(samples, statistic, rng) → (low, high), the middle 95 percent of 2,000 resamples."""
    samples = np.random.default_rng(12).lognormal(sigma=1.0, size=80)
    for statistic in (np.mean, np.median):
        answer = parts(bootstrap_interval(samples.copy(), statistic, np.random.default_rng(3)), ("low", "high"))
        _judge_interval(*(number(end, "An end") for end in answer), samples, statistic)
    ends = [
        parts(bootstrap_interval(samples.copy(), np.mean, np.random.default_rng(s)), ("low", "high")) for s in (4, 5)
    ]
    if same(*ends):
        raise Hint("Two generators gave the very same interval: draw the resamples from rng.")
    return "as wide as the statistic is uncertain, for mean and median"


def _resampled(samples, statistic) -> np.ndarray:
    rng = np.random.default_rng(99)
    return np.array([statistic(samples[rng.integers(len(samples), size=len(samples))]) for _ in range(6000)])


def _judge_interval(low, high, samples, statistic) -> None:
    draws, name = _resampled(samples, statistic), statistic.__name__
    wanted, middle = np.quantile(draws, [0.025, 0.975]), statistic(samples)
    wide = (high - low) / (wanted[1] - wanted[0])
    if high < low:
        raise Hint("low and high are swapped.")
    if wide < 1e-6:
        raise Hint("The interval has no width: without replacement, every resample is the same set. Draw with it.")
    if wide > 2:
        raise Hint("Far too wide: that is the spread of single samples, not of the statistic over resamples.")
    if not low <= middle <= high or abs(low - wanted[0]) > 0.4 * (wanted[1] - wanted[0]):
        raise Hint(f"The interval of the {name} is not where it should be: do you call `statistic` on each resample?")
    if wide > 1.3:
        raise Hint("Too wide: are your resamples smaller than the samples? Draw n out of n.")
    slack = 1.0 if statistic is np.mean else 3.0  # a median takes few values: its quantiles jump
    if wide < 1 - 0.09 * slack:
        raise Hint("Too narrow: the middle 95 percent lies between the quantiles 0.025 and 0.975.")
    if wide > 1 + 0.09 * slack:
        raise Hint("A little too wide: the middle 95 percent lies between the quantiles 0.025 and 0.975.")
    if abs(low - wanted[0]) + abs(high - wanted[1]) > 0.15 * slack * (wanted[1] - wanted[0]):
        raise Hint("Right width, wrong place: take the two quantiles of the resampled statistics themselves.")


# ------------------------------------------------------------------ 01.3


@check("01.3")
def check_samples_needed(samples_needed) -> str:
    """samples_needed(q, sure) → the least n so that one of n samples lies beyond the q-th percentile."""
    for q, sure in ((99, 0.95), (95, 0.95), (99.9, 0.95), (90, 0.99), (50, 0.5)):
        got, right = number(samples_needed(q, sure), "The number of samples"), 1
        while 1 - (q / 100) ** right < sure - 1e-12:
            right += 1
        if got == right:
            continue
        mistakes = {
            "One too few: the last sample is not a part of one. Round up.": right - 1,
            "That many hold one beyond the percentile on average; more than a third of the time they hold none.": (
                math.ceil(round(100 / (100 - q), 6))
            ),
            "That is the comfortable rule, ten beyond; the strict one is asked for.": round(1000 / (100 - q)),
            "You used the share beyond the percentile where the share below it belongs.": (
                math.ceil(math.log(1 - sure) / math.log(1 - q / 100))
            ),
            "You used `sure` where 1 - sure belongs: all samples may lie below with probability 1 - sure.": (
                math.ceil(math.log(sure) / math.log(q / 100))
            ),
        }
        recognise(got, mistakes)
        if math.isfinite(got) and got != int(got):
            raise Hint("A number of samples is whole: round up.")
        raise Hint(f"For q = {q:g} and sure = {sure:g} it takes {right} samples, you have {got:g}.")
    return "the smallest number that is large enough"
