"""Checks of chapter 14's later exercises: the numbers on a monitor's label, many sensors, a quiet threshold."""

import statistics

import numpy as np

from workbench.checks.answers import number, numbers, same
from workbench.checks.drift import recognise
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 14.3

ONSET, END = 360, 720
MONTHS = (  # alarm hours; the first and the last never alarm after the onset; two do so in its very hour
    *([270], [130, 452], [290, 578, 692], [518, 578], [530]),
    *([110, 572], [360, 548], [300, 360, 434], []),
)


def _median(rule) -> float:
    """The median over MONTHS of rule(alarms, later alarms), where None leaves a month out."""
    values = [rule(month, [a for a in month if a >= ONSET]) for month in MONTHS]
    return float(statistics.median(v for v in values if v is not None))


def _delay_mistakes() -> dict[str, float]:
    censored = END - ONSET
    first = [min((a for a in month if a >= ONSET), default=END) - ONSET for month in MONTHS]
    return {
        "You count from the start of the stream. A delay begins at the onset: subtract it.": (
            _median(lambda month, later: later[0] if later else END)
        ),
        "You left out the months that never alarm: exactly the worst ones. They count as end − onset.": (
            _median(lambda month, later: later[0] - ONSET if later else None)
        ),
        "A month that never alarms got the best score, 0. It counts as end − onset.": (
            _median(lambda month, later: later[0] - ONSET if later else 0)
        ),
        "An alarm before the onset is a false alarm, not a detection: skip it, do not score it as early or as 0.": (
            _median(lambda month, later: month[0] - ONSET if month else censored)
        ),
        "A false alarm before the onset was scored as a delay of 0. Skip it and look for the first one after.": (
            _median(lambda month, later: max(0, month[0] - ONSET) if month else censored)
        ),
        "You took the last alarm of a month; the delay ends with the first one after the onset.": (
            _median(lambda month, later: later[-1] - ONSET if later else censored)
        ),
        "An alarm in the hour of the onset counts, with delay 0: use >=.": (
            _median(lambda month, later: next((a - ONSET for a in later if a > ONSET), censored))
        ),
        "That is the mean. One month that never alarms pulls it anywhere: take the median.": statistics.mean(first),
    }


@check("14.3")
def check_median_delay(median_delay) -> str:
    """median_delay(months, onset, end) → hours; months: one list of alarm hours each."""
    got = number(median_delay([list(month) for month in MONTHS], ONSET, END), "the median delay")
    wanted = _median(lambda month, later: later[0] - ONSET if later else END - ONSET)
    recognise(got, wanted, _delay_mistakes(), "The median delay")
    if not same(number(median_delay([[], [3]], 10, 50), "the median delay"), 40.0):
        raise Hint("When no month alarms after the onset, the median is end − onset.")
    return "false alarms are skipped and missed drifts are counted"


# ------------------------------------------------------------------ 14.4

P_VALUES = (0.036, 0.007, 0.3, 0.001, 0.012, 0.049, 0.0105, 0.008)  # each known mistake reports another set
LEVEL = 0.05


def _holm(p_values, level) -> list[int]:
    order, found = sorted(range(len(p_values)), key=lambda i: p_values[i]), []
    for looked, i in enumerate(order):
        if p_values[i] > level / (len(p_values) - looked):
            break
        found.append(i)
    return sorted(found)


def _smallest(k: int) -> list[int]:
    """Indices of the k smallest of P_VALUES, ascending."""
    return sorted(sorted(range(len(P_VALUES)), key=lambda i: P_VALUES[i])[:k])


SENSOR_MISTAKES = {
    "Uncorrected: with many sensors chance alone keeps this alarm ringing. Compare with level / (sensors left).": (
        _smallest(7)
    ),
    "That is Bonferroni: right, but it overlooks drift that Holm may report. Divide by the sensors left, not by all.": (
        _smallest(1)
    ),
    "That controls the share of false reports (Benjamini–Hochberg), not the chance of any. Holm is asked for.": (
        _smallest(6)
    ),
    "You step up from the largest p-value (Hochberg), which needs independent sensors. Start at the smallest and stop "
    "at the first that fails.": _smallest(5),
    "Stop at the first p-value that fails: a larger one behind it must not be reported.": sorted(
        [*_smallest(3), P_VALUES.index(0.012)]
    ),
    "Those are positions after sorting. Return the sensors' own indices (np.argsort keeps them).": [0, 1, 2],
}


@check("14.4")
def check_drifting_sensors(drifting_sensors) -> str:
    """drifting_sensors(p_values, level) → indices of sensors reported by Holm's method, ascending."""
    for p_values in (P_VALUES, (0.5, 0.4, 0.06), (1e-6, 1e-5)):
        got = numbers(drifting_sensors(np.array(p_values), LEVEL), "the indices")
        wanted = _holm(p_values, LEVEL)
        if got.dtype == bool:
            raise Hint("Right idea, wrong shape: indices are asked for, you returned a mask (np.flatnonzero helps).")
        for hint, indices in SENSOR_MISTAKES.items():
            if p_values is P_VALUES and sorted(got.ravel().tolist()) == indices:
                raise Hint(hint)
        if sorted(got.ravel().tolist()) != wanted:
            raise Hint(f"For p-values {list(p_values)} you report sensors {got.tolist()}, expected {wanted}.")
        if got.ravel().tolist() != wanted:
            raise Hint("The right sensors in another order: return the indices ascending.")
    return "Holm's method, also when no sensor or every sensor drifts"


# ------------------------------------------------------------------ 14.5

BUDGET, QUIET_DAYS = 1.5, 20


def _scores() -> np.ndarray:
    """(12 months, 30 days, 6 checks): each day has a level of its own, drift from day 20 on."""
    rng = np.random.default_rng(145)
    scores = rng.gamma(4, 1, size=(12, 30, 1)) + rng.gamma(2, 0.3, size=(12, 30, 6))
    scores[:, QUIET_DAYS:] += 6
    return scores


def _kth(values, allowed: float) -> float:
    """The smallest of `values` with at most `allowed` of them above it."""
    return sorted((float(v) for v in np.ravel(values)), reverse=True)[int(allowed + 1e-9)]


def _threshold_mistakes(scores, onset, budget) -> dict[str, float | list[float]]:
    months, days, checks = scores.shape
    quiet = scores[:, :onset]
    tops = [max(map(float, day)) for month in quiet for day in month]
    per_check = 1 - budget / (30 * checks)
    return {
        "Your threshold has seen the drift: days from the onset on are in it. Use the days before.": (
            [_kth(scores.max(axis=2), budget * months * days / 30), _kth(scores.max(axis=2), budget * months)]
        ),
        f"The budget is for 30 days and you counted {onset}: scale to 30.": _kth(tops, budget * months),
        "You spend the budget on single checks. Checks of one day alarm together and are one page: count days.": [
            *np.quantile(quiet, [per_check], method="linear"),
            _kth(quiet, budget * months * onset / 30),
            _kth(quiet, budget * months),
        ],
        "The largest quiet score pages never, and sees drift late. The budget may be spent.": max(tops),
        "You counted the pages of all months together; the budget is for one month.": (
            [_kth(tops, budget * onset / 30), _kth(tops, budget)]
        ),
    }


@check("14.5")
def check_quiet_threshold(quiet_threshold) -> str:
    """quiet_threshold(scores, onset, budget) → the smallest observed quiet score within the budget."""
    scores = _scores()
    for onset, budget in ((QUIET_DAYS, BUDGET), (QUIET_DAYS, 4.0), (10, 3.0)):
        got = number(quiet_threshold(scores.copy(), onset, budget), "the threshold")
        tops = [max(map(float, day)) for month in scores[:, :onset] for day in month]
        wanted = _kth(tops, budget * len(scores) * onset / 30)
        recognise(got, wanted, _threshold_mistakes(scores, onset, budget), "The threshold")
    return "the budget holds on quiet days, and the drift was not looked at"
