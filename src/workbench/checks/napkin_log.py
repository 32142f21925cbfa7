"""Check of chapter 11's last exercise: memory from a log of requests, weighted by time."""

import math

import numpy as np

from workbench.checks.answers import number
from workbench.checks.napkin import must_refuse
from workbench.checks.report import Hint, check


def _log() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Requests in no order: an hour of long ones with a crowd in its middle, and a burst of tiny, short ones."""
    rng = np.random.default_rng(11)
    starts = np.concatenate([rng.uniform(0, 3600, 400), rng.normal(1800, 60, 150), rng.uniform(1795, 1800, 600)])
    lasts = np.concatenate([rng.exponential(60, 550), rng.uniform(0.5, 1.5, 600)])
    sizes = np.concatenate([rng.uniform(2e8, 6e8, 550), np.full(600, 1e6)])
    order = rng.permutation(len(starts))
    return starts[order], (starts + lasts)[order], sizes[order]


def _levels(starts, ends, sizes) -> tuple[np.ndarray, np.ndarray]:
    """(level, seconds) of each stretch between two events, by looking at every request for every stretch."""
    moments = np.unique(np.concatenate([starts, ends]))
    left, right = moments[:-1, None], moments[1:, None]
    return ((starts <= left) & (ends >= right)) @ sizes, (right - left).ravel()


def _for_share(levels, seconds, share: float) -> float:
    """The smallest level that is not exceeded for this share of the time."""
    order = np.argsort(levels)
    held = np.cumsum(seconds[order]) / seconds.sum()
    return float(levels[order][np.searchsorted(held, share)])


@check("11.6")
def check_memory_p99(memory_p99) -> str:
    """memory_p99(starts_s, ends_s, sizes_bytes) → bytes that suffice for 99 percent of the *time*."""
    starts, ends, sizes = _log()
    levels, seconds = _levels(starts, ends, sizes)
    got = number(memory_p99(starts.copy(), ends.copy(), sizes.copy()), "The memory")
    if not _for_share(levels, seconds, 0.985) <= got <= _for_share(levels, seconds, 0.995):
        _name_memory_slip(got, starts, ends, sizes, levels, seconds)
    must_refuse(memory_p99, (np.array([]), np.array([]), np.array([])), "An empty log has no percentile")
    return "weighted by time, whatever the order of the log"


def _name_memory_slip(got, starts, ends, sizes, levels, seconds) -> None:
    mean, rate = np.average(levels, weights=seconds), len(starts) / seconds.sum()
    at_starts = np.array([sizes[(starts <= t) & (t < ends)].sum() for t in starts])
    as_listed = np.cumsum(sizes) - np.array([sizes[ends <= t].sum() for t in starts])
    slips = {
        "That is the mean. Half of the time it is not enough: take the 99th percentile over time.": (mean,),
        "You looked at the moments at which requests start. A burst then counts many times: weigh each level by "
        "how long it lasts.": (np.quantile(at_starts, 0.99), np.quantile(levels, 0.99)),
        "That is the largest request, or nearly. What counts is the sum of all that are inside at once.": (
            np.quantile(sizes, 0.99),
            sizes.max(),
        ),
        "That is the peak. It lasts a moment; asked is what suffices for 99 percent of the time.": (levels.max(),),
        "You added up everything that ever came. Requests leave: subtract what has ended.": (sizes.sum(),),
        "The log is not in order of time: sort the events before you add them up.": (np.quantile(as_listed, 0.99),),
        "You returned a number of requests. Asked are bytes: add up sizes, not heads.": (
            _for_share(*_levels(starts, ends, np.ones(len(starts))), 0.99),
            rate * np.mean(ends - starts),
        ),
    }
    for hint, values in slips.items():
        if any(math.isclose(got, float(value), rel_tol=0.01) for value in values):
            raise Hint(hint)
    wanted = _for_share(levels, seconds, 0.99)
    raise Hint(f"For 99 percent of the time {wanted / 1e9:.2f} GB suffice here, you returned {got / 1e9:.2f} GB.")
