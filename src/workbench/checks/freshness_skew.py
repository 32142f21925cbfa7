"""Checks of chapter 13's last exercises: a point-in-time join, and training–serving skew found row by row."""

import math

import numpy as np

from workbench.checks.answers import NONE, numbers
from workbench.checks.freshness import recognise
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 13.4

Fact = tuple[int, int, float]  # event, known, value
NOTHING = -999.0  # stands for "nothing known", so that answers compare


def _latest(facts: list[Fact], t: int, admits, order) -> float:
    """The value of the admitted fact that comes last in `order`; NOTHING where none is admitted."""
    admitted = [fact for fact in facts if admits(fact, t)]
    return max(admitted, key=order)[2] if admitted else NOTHING


def _as_of(facts, asked, admits=lambda f, t: f[1] <= t, order=lambda f: (f[0], f[1])) -> np.ndarray:
    return np.array([_latest(facts, t, admits, order) for t in asked])


def _as_of_mistakes(facts: list[Fact], asked: list[int]) -> dict[str, np.ndarray]:
    right = _as_of(facts, asked)
    return {
        "You join the latest fact of all, for every request: that is the future for most of them.": (
            _as_of(facts, asked, lambda f, t: True)
        ),
        "You use the event time. A fact counts from the minute in which it was *known*.": (
            _as_of(facts, asked, lambda f, t: f[0] <= t)
        ),
        "You take what arrived last. A late report about an old event must not replace a newer one.": (
            _as_of(facts, asked, order=lambda f: (f[1], f[0]))
        ),
        "A correction has the same event and is known later: it replaces the first value.": (
            _as_of(facts, asked, order=lambda f: (f[0], -f[1]))
        ),
        "A fact that becomes known in the minute of the request is known: known ≤ t.": (
            _as_of(facts, asked, lambda f, t: f[1] < t)
        ),
        "Before anything is known there is no value: return nan, not 0.": np.where(right == NOTHING, 0, right),
        "You take the oldest known fact. The latest event is asked for.": (
            _as_of(facts, asked, order=lambda f: (-f[0], f[1]))
        ),
        "You take the largest value. The latest event is asked for.": _as_of(facts, asked, order=lambda f: f[2]),
    }


FACTS = [
    (10, 12, 3.0),
    (20, 21, 5.0),
    (15, 40, 8.0),  # a late report about an old event
    (20, 50, 6.0),  # a correction
    (60, 90, 1.0),  # known half an hour after it happened
    (85, 86, 4.0),
    (70, 100, 9.0),
]


@check("13.4")
def check_as_of(as_of) -> str:
    """as_of(facts, asked) → one value per request, nan where nothing is known."""
    asked = [5, 11, 12, 20, 21, 30, 45, 50, 70, 85, 86, 95, 120]
    for facts in (FACTS, FACTS[::-1], sorted(FACTS, key=lambda f: f[1])):
        answer = as_of(list(facts), list(asked))
        if isinstance(answer, list | tuple) and any(value is None for value in answer):
            raise Hint("Use math.nan, not None, where nothing is known: the column holds numbers.")
        got = numbers(answer, "the values").astype(float)
        got = np.where(np.isnan(got), NOTHING, got)
        recognise(got, _as_of(facts, asked), _as_of_mistakes(facts, asked), "the values (−999: nothing known)")
    return "right for late reports, corrections and requests before the first fact"


# ------------------------------------------------------------------ 13.5

Rows = dict[int, dict[str, float]]


def _is(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _report(logged: Rows, trained: Rows, ids=None, equal=_is) -> dict[str, float]:
    """Per feature: share of requests whose values are not `equal`; a request on one side only differs."""
    ids = sorted({*logged, *trained}) if ids is None else ids
    names = next(iter(logged.values()))
    return {
        name: sum(i not in logged or i not in trained or not equal(logged[i][name], trained[i][name]) for i in ids)
        / len(ids)
        for name in names
    }


def _by_position(logged: Rows, trained: Rows) -> dict[str, float]:
    pairs = list(zip(logged.values(), trained.values(), strict=False))
    return {name: sum(not _is(a[name], b[name]) for a, b in pairs) / len(pairs) for name in pairs[0][0]}


def _skew_mistakes(logged: Rows, trained: Rows) -> dict[str, dict[str, float]]:
    both, right = sorted({*logged} & {*trained}), _report(logged, trained)
    everything = len({*logged} | {*trained})
    overall = np.mean([any(right_of[i] for right_of in _flags(logged, trained)) for i in range(everything)])
    return {
        "You compare by position. The two come in different orders: join them on the request's id.": (
            _by_position(logged, trained)
        ),
        "Requests that are on one side only dropped out. A row that was never recomputed differs, too.": (
            _report(logged, trained, both)
        ),
        "You looked at the logged requests only; training may hold requests that were never served.": (
            _report(logged, trained, sorted(logged))
        ),
        "You looked at the training requests only; some that were served may be missing there.": (
            _report(logged, trained, sorted(trained))
        ),
        "nan is not equal to itself: two missing values are no skew.": _report(
            logged, trained, equal=lambda a, b: a == b
        ),
        "You filled missing values with 0 before comparing, and hid the very bug you are looking for.": (
            _report(logged, trained, equal=lambda a, b: np.nan_to_num(a) == np.nan_to_num(b))
        ),
        "Your comparison has a tolerance, and the skew is smaller. These features are exact: compare exactly.": (
            _report(logged, trained, equal=lambda a, b: bool(np.isclose(a, b, equal_nan=True)))
        ),
        "That is a count. The share of all requests is asked for.": {n: s * everything for n, s in right.items()},
        "That is one share for all features. Say it per feature: it names the culprit.": dict.fromkeys(right, overall),
        "That is the share of rows that agree.": {name: 1 - share for name, share in right.items()},
    }


def _flags(logged: Rows, trained: Rows) -> list[list[bool]]:
    """Per feature, per request of either side: do they differ?"""
    ids = sorted({*logged, *trained})
    return [
        [i not in logged or i not in trained or not _is(logged[i][n], trained[i][n]) for i in ids]
        for n in next(iter(logged.values()))
    ]


def _two_sides() -> tuple[Rows, Rows]:
    """A log and its recomputation: other order, missing rows, missing values, a tiny and a large difference."""
    rng = np.random.default_rng(135)
    nan = math.nan
    logged = {i: {"count": float(rng.integers(0, 40)), "mean": 5.0 + i, "hour": float(i % 24)} for i in range(40)}
    trained = {i: dict(row) for i, row in list(logged.items())[::-1]}
    for i in range(0, 12):
        trained[i]["hour"] = (trained[i]["hour"] + 1) % 24  # summer time
    for i in range(20, 26):
        trained[i]["mean"] *= 1 + 1e-9
    for i in (30, 31, 32):
        logged[i]["mean"] = trained[i]["mean"] = nan
    for i in (33, 34):
        logged[i]["mean"], trained[i]["mean"] = 0.0, nan
    for i in (38, 39):
        del trained[i]
    trained[77] = {"count": 1.0, "mean": 2.0, "hour": 3.0}
    return logged, trained


@check("13.5")
def check_skew_report(skew_report) -> str:
    """skew_report(logged, trained) → {feature: share of requests that differ}."""
    logged, trained = _two_sides()
    wanted, got = _report(logged, trained), skew_report(logged, trained)
    if got is None:
        raise Hint(NONE)
    if not isinstance(got, dict):
        raise Hint("Return a dictionary: feature → share of requests that differ.")
    if set(got) != set(wanted):
        raise Hint(f"Name every feature once: {', '.join(wanted)}.")
    mistakes = {hint: list(shares.values()) for hint, shares in _skew_mistakes(logged, trained).items()}
    values = numbers([got[name] for name in wanted], "the shares")
    recognise(values, list(wanted.values()), mistakes, f"the shares of {', '.join(wanted)}")
    clean = skew_report(logged, {i: dict(row) for i, row in logged.items()})
    recognise(numbers(list(clean.values()), "the shares"), np.zeros(3), {}, "the shares of two equal sides")
    return "right for missing rows, missing values, other orders, and silent when nothing is wrong"
