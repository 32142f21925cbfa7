"""Checks of chapter 01's later exercises: compare in pairs, count from the due time, read a report.

None of them reads a clock: their times are made up, so that the verdict is the same on every machine.
"""

import numpy as np

from workbench.checks.answers import NONE, number, numbers, same
from workbench.checks.method import recognise
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 01.4


def _pairs_example() -> tuple[np.ndarray, np.ndarray]:
    """Forty-one pairs on a machine that gets slower; the truth is 1.2; one pair has a hiccup in a."""
    rng = np.random.default_rng(14)
    drift = np.linspace(1, 3, 41) * 0.010
    a, b = 1.2 * drift * rng.normal(1, 0.01, 41), drift * rng.normal(1, 0.01, 41)
    a[5] *= 50
    b[30] *= 3
    return a, b


@check("01.4")
def check_paired_ratio(paired_ratio) -> str:
    """paired_ratio(a, b) → how many times as long a takes as b, pair by pair, robust against a hiccup."""
    a, b = _pairs_example()
    got = number(paired_ratio(a.copy(), b.copy()), "The ratio")
    right = sorted(float(x) / float(y) for x, y in zip(a, b, strict=True))[20]
    recognise(
        got,
        {
            "Upside down: 1.2 would mean that a takes longer. Divide a by b.": np.median(b / a),
            "One hiccup decides that mean. Take the median of the ratios.": np.mean(a / b),
            "Dividing the means forgets the pairs, and one hiccup decides. First divide, then summarize.": (
                np.mean(a) / np.mean(b)
            ),
            "Dividing the medians forgets who was measured beside whom. First divide, then summarize.": (
                np.median(a) / np.median(b)
            ),
            "You sorted before dividing: the pairs are torn apart.": np.median(np.sort(a) / np.sort(b)),
            "Those are differences in seconds; drift stretches them. Divide.": np.median(a - b),
        },
    )
    if not same(got, right):
        raise Hint(f"For the check's {len(a)} pairs the median ratio is {right:.4f}, you have {got:.4f}.")
    return "the drift cancels and the hiccup does not matter"


# ------------------------------------------------------------------ 01.5


def _load_example() -> tuple[np.ndarray, np.ndarray]:
    """Requests at uneven times, a stall at the fourth, and a pause long enough to catch up."""
    due = np.array([0.0, 0.010, 0.020, 0.030, 0.040, 0.050, 0.060, 0.900, 0.910, 0.911])
    service = np.array([0.002, 0.003, 0.002, 0.500, 0.002, 0.004, 0.002, 0.002, 0.003, 0.002])
    return due, service


def _answered(due, service) -> list[float]:
    """When each request is answered: the latest, over all earlier starts, of due + all work since."""
    n = len(due)
    return [max(due[j] + sum(service[j : i + 1]) for j in range(i + 1)) for i in range(n)]


@check("01.5")
def check_latencies(latencies) -> str:
    """latencies(due, service) → seconds from each request's due time to its answer, one worker."""
    due, service = _load_example()
    got = numbers(latencies(due.copy(), service.copy()), "The latencies")
    if got.shape != due.shape:
        raise Hint(f"There are {len(due)} requests, and your answer has shape {got.shape}: one latency for each.")
    answered = np.array(_answered(due, service))
    busy = np.cumsum(service)
    recognise(
        got,
        {
            "Still the polite test: those are the service times. Count from `due`, so that waiting in line shows.": (
                service
            ),
            "That is only the waiting. The user waits until the answer is there.": answered - service - due,
            "Those are times of day. A latency is the answer's time minus the due time.": answered,
            "Your worker starts before requests are due: an idle worker waits, take max(due, free).": busy - due,
        },
    )
    if not same(got, answered - due):
        worst = int(np.argmax(np.abs(got - (answered - due))))
        expected = answered[worst] - due[worst]
        raise Hint(f"Request {worst} waits in line behind the stall: {expected:.3f} s, you have {got[worst]:.3f} s.")
    return "everybody who stood in line is counted"


# ------------------------------------------------------------------ 01.6

FINE = {
    "warmup": 20, "samples": 2000, "percentile": 99, "arrivals": "people", "stopwatch": "due",
    "device": "cpu", "waits": True, "order": None,
}  # fmt: skip
# what differs from FINE, the problems that this makes, and what to say to whoever sees it otherwise
CASES = (
    ({}, set(), "there is nothing wrong with this one"),
    ({"warmup": 0}, {"cold"}, "nothing was run before counting, so the first call is among the samples"),
    ({"samples": 200}, {"few samples"}, "a p99 needs 299 samples to hold one beyond it with 95 percent probability"),
    ({"samples": 70, "percentile": 95}, set(), "a p95 needs 59 samples by the strict rule; how many depends on q"),
    ({"samples": 30, "percentile": 50}, set(), "30 samples are enough for a median by the strict rule"),
    ({"stopwatch": "sent"}, {"coordinated omission"}, "people do not wait with their requests until you are ready"),
    ({"stopwatch": "sent", "arrivals": "batch"}, set(), "a batch job does send its next request after the last answer"),
    ({"device": "cuda", "waits": False}, {"launch only"}, "the watch was stopped before the GPU had finished"),
    ({"waits": False}, set(), "a plain call on the cpu returns when it is done: there is nothing to wait for"),
    ({"order": "AAABBB"}, {"not paired"}, "drift between the two blocks looks like a difference"),
    ({"order": "ABBAAB"}, set(), "A and B were measured next to each other"),
    ({"warmup": 0, "samples": 50, "stopwatch": "sent"}, {"cold", "few samples", "coordinated omission"}, "all apply"),
)


@check("01.6")
def check_problems(problems) -> str:
    """problems(report) → the set of what is wrong with it, in the words of the exercise."""
    for change, wanted, why in CASES:
        got = _as_set(problems(FINE | change))
        differs = ", ".join(f"{name} = {value!r}" for name, value in change.items()) or "nothing"
        where = f"In the report that differs from a good one by: {differs}"
        unknown = got - {"cold", "few samples", "coordinated omission", "launch only", "not paired"}
        if unknown:
            raise Hint(f"{where}: {sorted(unknown)[0]!r} is not one of the five words.")
        if wanted - got:
            raise Hint(f"{where}: you missed {sorted(wanted - got)[0]!r} ({why}).")
        if got - wanted:
            raise Hint(f"{where}: {sorted(got - wanted)[0]!r} is a false alarm ({why}).")
    return f"{len(CASES)} reports judged, no lie missed and no honest one accused"


def _as_set(answer) -> set:
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, set | frozenset | list | tuple) or not all(isinstance(word, str) for word in answer):
        raise Hint("Return a set of words, empty when nothing is wrong.")
    return set(answer)
