"""Checks of chapter 13's first exercises: the age of an answer, the break-even traffic, a window over reports.

Each check compares an answer with an independent, slow reference, and recognises well-known mistakes by what they
would have returned.
"""

import math

import numpy as np

from workbench.checks.answers import first_difference, number, numbers, same
from workbench.checks.report import Hint, check


def recognise(got: np.ndarray, wanted: np.ndarray, mistakes: dict[str, np.ndarray], what: str) -> None:
    """Pass when `got` is `wanted`; otherwise raise the hint of the mistake that returns it, or where they differ."""
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    if same(got, wanted):
        return
    for hint, values in mistakes.items():
        if same(got, np.asarray(values, dtype=float)):
            raise Hint(hint)
    if got.shape != wanted.shape:
        raise Hint(f"{what}: your answer has shape {got.shape}, expected {wanted.shape}.")
    raise Hint(f"{what}: {first_difference(got, wanted)}.")


# ------------------------------------------------------------------ 13.1


def _age(asked: int, every: int, runs_for: int, start: int, shift: int = 0) -> int:
    """Minutes back to the start of the latest run that is published at `asked`, searched minute by minute."""
    for back in range(0, every + runs_for + shift + 1):
        began = asked - back
        if (began - start) % every == 0 and began + runs_for + shift <= asked:
            return back
    raise AssertionError("a schedule without end always has such a run")


def _age_mistakes(asked: np.ndarray, every: int, runs_for: int, start: int) -> dict[str, np.ndarray]:
    right = np.array([_age(t, every, runs_for, start) for t in asked])
    return {
        "While a job runs its table is not there yet: the answer still comes from the run before.": (
            (asked - start) % every
        ),
        "You count from the publication. The data are older: they were read when the job started.": right - runs_for,
        "The jobs do not start at minute 0: subtract `start`.": np.array([_age(t, every, runs_for, 0) for t in asked]),
        "The jobs do not start at minute 0, and while a job runs its table is not there yet.": asked % every,
        "A request in the minute of the publication already gets the new table.": (
            np.array([_age(t, every, runs_for, start, shift=1) for t in asked])
        ),
        "That is the age in which the next run will be. An answer cannot come from the future.": (
            (start - asked) % every
        ),
        "You return the same age for every request. Each request has its own.": np.full(len(asked), right.mean()),
        "You return half the interval. That is an average, and without the job's own time.": (
            np.full(len(asked), every / 2)
        ),
        "You return the longest possible age. Each request has its own.": np.full(len(asked), every + runs_for),
    }


@check("13.1")
def check_answer_age(answer_age) -> str:
    """answer_age(asked, every, runs_for, start) → (n,) minutes."""
    rng = np.random.default_rng(131)
    for every, runs_for, start in ((30, 7, 11), (1440, 25, 180)):
        edges = start + every * np.arange(3)
        asked = np.sort(np.concatenate([rng.integers(0, 3 * every, 40), edges, edges + runs_for]))
        got = numbers(answer_age(asked.copy(), every, runs_for, start), "the age")
        wanted = np.array([_age(int(t), every, runs_for, start) for t in asked])
        recognise(got, wanted, _age_mistakes(asked, every, runs_for, start), "the age, request by request")
    return "right for requests before, during and after a run, and in the minute of the publication"


# ------------------------------------------------------------------ 13.2


def _break_even_mistakes(job_s: float, keys: int, online_s: float, lookup_s: float) -> dict[str, float]:
    spared = online_s - lookup_s
    return {
        "You forgot that the table is read, too: each request costs a lookup.": job_s / online_s / keys,
        "You add the lookup. A request spares an online answer and *costs* a lookup: subtract.": (
            job_s / (online_s + lookup_s) / keys
        ),
        "That is the number of requests for all keys together. Per key is asked for.": job_s / spared,
        "That is requests per key, upside down.": keys * spared / job_s,
        "You multiply by the keys. Requests are shared among them: divide.": job_s / spared * keys,
        "Lookup minus online: the wrong way round.": -job_s / spared / keys,
    }


@check("13.2")
def check_break_even(break_even) -> str:
    """break_even(job_s, keys, online_s, lookup_s) → requests per key between two refreshes."""
    for job_s, keys, online_s, lookup_s in ((0.5, 1000, 2e-3, 4e-4), (90.0, 50_000, 0.03, 0.01)):
        got = number(break_even(job_s, keys, online_s, lookup_s), "the break-even")
        wanted = job_s / (online_s - lookup_s) / keys
        mistakes = _break_even_mistakes(job_s, keys, online_s, lookup_s)
        recognise(np.array(got), np.array(wanted), mistakes, "the break-even")
    for lookup_s in (5e-3, 2e-3):
        got = number(break_even(0.5, 1000, 2e-3, lookup_s), "the break-even")
        if got < 0:
            raise Hint("A negative number of requests? When a lookup costs more than an answer, no traffic pays.")
        if not math.isinf(got):
            raise Hint("When a lookup costs as much as an online answer, or more, no traffic pays: return math.inf.")
    return "right, also where no traffic pays for a table"


# ------------------------------------------------------------------ 13.3

Report = tuple[int, int, int]  # known, event, value


def _sums(reports: list[Report], asked: list[int], counts) -> np.ndarray:
    """For each minute t, the sum of the values for which counts(known, event, t) holds."""
    return np.array([sum(v for k, e, v in reports if counts(k, e, t)) for t in asked])


def _window_mistakes(reports: list[Report], asked: list[int], w: int) -> dict[str, np.ndarray]:
    rules = {
        "Your window sees the future: at minute t only reports with known ≤ t have arrived.": (
            lambda k, e, t: t - w < e <= t
        ),
        "The left end is open: an event exactly `width` minutes ago has just left the window.": (
            lambda k, e, t: k <= t and t - w <= e <= t
        ),
        "The right end is closed: an event of this very minute counts once it is known.": (
            lambda k, e, t: k <= t and t - w < e < t
        ),
        "Closed on the left and open on the right: it is the other way round, t − width < event ≤ t.": (
            lambda k, e, t: k <= t and t - w <= e < t
        ),
        "A report that arrives in this very minute is known: known ≤ t.": lambda k, e, t: k < t and t - w < e <= t,
        "Nothing ever leaves your window: events at or before t − width are over.": lambda k, e, t: k <= t and e <= t,
        "You count events that are still to come: a report may be known before its event.": (
            lambda k, e, t: k <= t and t - w < e
        ),
        "You window by the time of arrival. An event belongs to the minute in which it was due.": (
            lambda k, e, t: t - w < k <= t
        ),
        "Your window sees the future, and nothing ever leaves it.": lambda k, e, t: e <= t,
    }
    found = {hint: _sums(reports, asked, rule) for hint, rule in rules.items()}
    right = [[v for k, e, v in reports if k <= t and t - w < e <= t] for t in asked]
    found["You count the reports. The sum of their values is asked for."] = np.array([len(v) for v in right])
    found["That is a mean. The sum is asked for."] = np.array([np.mean(v) if v else 0 for v in right])
    return found


def _day_of_reports() -> tuple[list[Report], list[int]]:
    """Reports that come early, late and after their window, in any order; requests that meet every edge."""
    rng = np.random.default_rng(133)
    events = rng.integers(0, 300, 80)
    lags = rng.choice([-4, 0, 3, 20, 45, 90], size=80)
    reports = [(int(e + lag), int(e), int(v)) for e, lag, v in zip(events, lags, rng.integers(-9, 60, 80), strict=True)]
    edges = [t for k, e, _ in reports[:20] for t in (k, e, e + 60)]
    return reports, sorted({*edges, 0, 150, 299, 900})


@check("13.3")
def check_window_sums(window_sums) -> str:
    """window_sums(reports, asked, width) → one sum per request."""
    reports, asked = _day_of_reports()
    for stream in (sorted(reports), reports):
        got = numbers(window_sums(list(stream), list(asked), 60), "the sums")
        wanted = _sums(reports, asked, lambda k, e, t: k <= t and t - 60 < e <= t)
        recognise(got, wanted, _window_mistakes(reports, asked, 60), "the sums, request by request")
    got = numbers(window_sums([], [5, 10], 60), "the sums of an empty stream")
    recognise(got, np.zeros(2), {}, "the sums of an empty stream")
    return "equal to the definition: early, late and overdue reports, any order, an empty stream"
