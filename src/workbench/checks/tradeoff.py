"""Checks of chapter 10's exercises on scores and splits: NDCG, recall, what is held out.

References are plain loops over lists; well-known slips are recognised by the value that they return.
"""

import math
from collections.abc import Callable

import numpy as np

from workbench.checks.answers import number, numbers, parts, same
from workbench.checks.report import Hint, check

Slips = dict[str, float]


def recognise(answer, wanted: float, slips: Slips, what: str) -> None:
    """Accept `wanted`; otherwise raise the hint of the slip that gives this answer, or one with both numbers."""
    got = number(answer, what)
    if same(got, wanted, 1e-6):
        return
    for hint, value in slips.items():
        if same(got, value, 1e-6):
            raise Hint(hint)
    raise Hint(f"{what} should be {wanted:.6g} here, you returned {got:.6g}.")


def must_refuse(function: Callable, arguments: tuple, because: str) -> None:
    """The learner's function must raise ValueError for these arguments."""
    try:
        answer = function(*arguments)
    except (ValueError, NotImplementedError) as problem:
        if isinstance(problem, NotImplementedError):
            raise
        return
    except Exception as error:
        raise Hint(f"{because}: raise ValueError, not {type(error).__name__}.") from None
    raise Hint(f"{because}: raise ValueError. You returned {answer!r}.")


# ------------------------------------------------------------------ 10.1


def _gain(place: int) -> float:
    """What a hit in `place` (from 1) is worth."""
    return 1 / math.log2(place + 1)


def _sum(places, gain=_gain) -> float:
    return sum(gain(place) for place in places)


def _ndcg_cases():
    """(ranked, held, k): hits in the middle, more held out than k, fewer than k, hits behind k, none."""
    yield list(range(10, 30)), [11, 14, 22, 99], 5
    yield list(range(40, 60)), [40, 43, 41, 58, 1, 2, 3, 4], 6
    yield [7, 3, 9, 1, 5], [3, 5], 10
    yield [7, 3, 9, 1, 5], [8], 3


def _ndcg_slips(places: list[int], all_places: list[int], held: int, k: int) -> Slips:
    short, ideal = min(k, held), _sum(range(1, min(k, held) + 1))
    shifted = {d: [1 / math.log2(p + d) for p in range(1, max(k, held) + 1)] for d in (2,)}
    found = _sum(places)
    return {
        "The best possible sum has only min(k, held-out) terms: who has two visits to find cannot find ten.": (
            found / _sum(range(1, k + 1))
        ),
        "Your best possible sum goes beyond place k, where nothing is shown. Stop at min(k, held-out).": (
            found / _sum(range(1, held + 1))
        ),
        "You divided by the best order of what was *found*. The best possible page contains held-out visits that this "
        "one missed.": found / (_sum(range(1, len(places) + 1)) or 1),
        "That is DCG. Divide by the best that was possible, so that 1 is perfect.": found,
        "You ignore the place: a hit at the top is worth more than one at the bottom.": len(places) / short,
        "That is precision: the share of the page that was visited, whatever the place.": len(places) / k,
        "Your discount is 1 / place. NDCG's falls more gently: 1 / log2(place + 1).": (
            _sum(places, lambda p: 1 / p) / _sum(range(1, short + 1), lambda p: 1 / p)
        ),
        "Your places are off by one: the first place has discount 1 / log2(2) = 1.": (
            sum(shifted[2][p - 1] for p in places) / sum(shifted[2][:short])
        ),
        "You count hits behind place k. Cut the ranking at k first.": _sum(all_places) / ideal,
    }


@check("10.1")
def check_ndcg(ndcg) -> str:
    """ndcg(ranked, held, k) → NDCG@k of one ranking, 0 to 1."""
    for ranked, held, k in _ndcg_cases():
        all_places = [place for place, item in enumerate(ranked, start=1) if item in held]
        places = [place for place in all_places if place <= k]
        wanted = _sum(places) / _sum(range(1, min(k, len(held)) + 1))
        slips = _ndcg_slips(places, all_places, len(held), k)
        with np.errstate(all="ignore"):
            got = number(ndcg(np.array(ranked), np.array(held), k), "NDCG")
        if not math.isfinite(got):
            raise Hint("log2(1) is 0: the first place has discount 1 / log2(2). Count places from 1, then add 1.")
        recognise(got, wanted, slips, "NDCG")
    must_refuse(ndcg, (np.arange(5), np.array([], int), 3), "With nothing held out there is nothing to find")
    must_refuse(ndcg, (np.arange(5), np.array([1]), 0), "A page of no places (k = 0) has no score")
    return "equal to the definition, for short and long lists of held-out visits"


# ------------------------------------------------------------------ 10.2

RANKINGS = [[1, 2, 3, 4, 5, 6], [2, 9, 4, 1, 7, 8], [5, 6, 1, 2, 3, 4], [3, 1, 2, 6, 5, 4], [8, 1, 4, 2, 6, 3]]
HELD = [[3, 6], [9, 1, 3, 5, 6, 7, 8], [], [2, 5, 40], [1]]


def _recall_slips(rankings, held, k) -> Slips:
    hits = [len(set(r[:k]) & set(h)) for r, h in zip(rankings, held, strict=True)]
    sizes = [len(h) for h in held]
    anywhere = [len(set(r) & set(h)) for r, h in zip(rankings, held, strict=True)]
    some = [(a, n) for a, n in zip(hits, sizes, strict=True) if n]
    shares = [a / n for a, n in some]
    return {
        "You divide by k: that is precision. Recall asks which share of the *held-out* visits was found.": (
            sum(a / k for a, _ in some) / len(some)
        ),
        "You divide by k: that is precision. (And guests with nothing held out count in your mean.)": (
            sum(hits) / k / len(hits)
        ),
        "You pooled all guests: those with many visits outvote the others. Take each guest's recall, then the mean.": (
            sum(hits) / sum(sizes)
        ),
        "A guest with nothing held out is no failure of the recommender: leave them out of the mean.": (
            sum(shares) / len(hits)
        ),
        "A guest with nothing held out is no success either: leave them out of the mean.": (
            (sum(shares) + sizes.count(0)) / len(hits)
        ),
        "You divide by min(k, held-out). That is a different score, kinder to short pages; plain recall divides by all "
        "that was held out.": sum(a / min(k, n) for a, n in some) / len(some),
        "You look at the whole ranking. The page shows the first k.": (
            sum(a / n for a, n in zip(anywhere, sizes, strict=True) if n) / len(some)
        ),
    }


@check("10.2")
def check_mean_recall(mean_recall) -> str:
    """mean_recall(rankings, held, k) → mean recall@k over the guests who have something held out."""
    for k in (3, 4):
        shares = [len(set(r[:k]) & set(h)) / len(h) for r, h in zip(RANKINGS, HELD, strict=True) if h]
        try:
            with np.errstate(all="ignore"):
                answer = mean_recall([np.array(r) for r in RANKINGS], [np.array(h, int) for h in HELD], k)
        except ZeroDivisionError:
            raise Hint("One guest has nothing held out: leave them out of the mean.") from None
        if not math.isfinite(number(answer, "Mean recall")):
            raise Hint("One guest has nothing held out, and 0 / 0 spoils your mean: leave them out.")
        recognise(answer, sum(shares) / len(shares), _recall_slips(RANKINGS, HELD, k), "Mean recall")
    must_refuse(mean_recall, ([np.arange(4)], [np.array([], int)], 2), "When nobody has anything held out, say so")
    must_refuse(mean_recall, ([np.arange(4)] * 2, [np.array([1])], 2), "Two rankings and one held-out list do not fit")
    return "one guest, one vote; nobody is blamed for what could not be found"


# ------------------------------------------------------------------ 10.4

GUESTS = [5, 3, 1, 5, 3, 2, 1, 3, 1, 1, 3, 3, 1, 3, 3, 4, 4, 3, 1, 3, 4, 4, 3, 4]
TIMES = [30, 50, 7, 12, 3, 9, 2, 44, 8, 1, 20, 21, 6, 90, 10, 5, 4, 70, 5, 15, 3, 1, 60, 2]


def _held(guests, times, share, pick=lambda rows, n: rows[len(rows) - n :], count=lambda x: max(1, math.floor(x))):
    """Rows held out: `pick(rows in order of time, how many)` of each guest with at least two visits."""
    rows_of = {g: sorted((i for i, x in enumerate(guests) if x == g), key=lambda i: times[i]) for g in guests}
    chosen = [pick(rows, count(share * len(rows))) for rows in rows_of.values() if len(rows) > 1]
    return sorted(i for rows in chosen for i in rows)


def _split_slips(guests, times, share) -> dict[str, list[int]]:
    in_time = sorted(range(len(times)), key=lambda i: times[i])
    alone = [i for i, g in enumerate(guests) if guests.count(g) == 1]
    latest = len(times) - max(1, math.floor(share * len(times)))
    return {
        "You hold out the first visits and train on the last: that is yesterday's weather from today's.": _held(
            guests, times, share, pick=lambda rows, n: rows[:n]
        ),
        "The log is not in order of time: sort each guest's visits by `times` first.": _held(
            guests, list(range(len(times))), share
        ),
        "One cut in time for all guests: those who came early have nothing held out. Cut guest by guest.": (
            sorted(in_time[latest:])
        ),
        "A guest with a single visit would have nothing left to learn from: keep it in train.": sorted(
            [*_held(guests, times, share), *alone]
        ),
        "You round up. Hold out the whole part of share × visits, but at least one.": _held(
            guests, times, share, count=math.ceil
        ),
        "A guest with few visits must have one held out: at least one.": _held(guests, times, share, count=math.floor),
    }


@check("10.4")
def check_split_by_time(split_by_time) -> str:
    """split_by_time(guests, times, share) → (train rows, held-out rows)."""
    for share in (0.2, 0.3):
        answer = split_by_time(np.array(GUESTS), np.array(TIMES), share)
        train, held = parts(answer, ("rows to train on", "rows held out"))
        if train.dtype == bool or held.dtype == bool:
            raise Hint("Row numbers are asked for; you returned a mask (np.flatnonzero helps).")
        got, kept = sorted(held.ravel().tolist()), sorted(train.ravel().tolist())
        wanted = _held(GUESTS, TIMES, share)
        if kept == wanted:
            raise Hint("Right rows, wrong order: first the rows to train on, then those held out.")
        for hint, rows in _split_slips(GUESTS, TIMES, share).items():
            if got == rows != wanted:
                raise Hint(hint)
        if set(got) & set(kept):
            raise Hint("Some visits are in both parts: that is the leak that a split exists to prevent.")
        if got != wanted:
            raise Hint(f"With share {share} you hold out rows {got}, expected {wanted}: the latest of each guest.")
        if sorted(got + kept) != list(range(len(GUESTS))):
            raise Hint("Every visit belongs to one part; some of yours are in neither.")
    must_refuse(split_by_time, (np.array(GUESTS), np.array(TIMES), 1.5), "A share above 1 cannot be held out")
    must_refuse(split_by_time, (np.array([1, 1]), np.array([1, 2, 3]), 0.2), "Two guests and three times do not fit")
    numbers(held, "rows held out")
    return "every guest's latest visits, and nobody's future in the past"
