"""Checks of chapter 28's first exercises: Amdahl's ceiling, nDCG, the tail of a page, and what a cache does to p95."""

import math

import numpy as np

from workbench.checks.answers import number
from workbench.checks.report import Hint, check

TRACE = {"tokenize": 0.2, "model": 30.0, "search": 1.5, "HTTP": 2.3}


def _refuse(got: float, wanted: float, mistakes: dict[str, float], otherwise: str) -> None:
    """Raise the hint of the mistake whose number was given; or the last one, unless it is the right number."""
    if math.isclose(got, wanted, rel_tol=1e-6, abs_tol=1e-9):
        return
    for hint, value in mistakes.items():
        if math.isclose(got, value, rel_tol=1e-6, abs_tol=1e-9):
            raise Hint(hint)
    raise Hint(f"{otherwise} (You have {got:.6g}, expected {wanted:.6g}.)")


# ------------------------------------------------------------------ 28.1


@check("28.1")
def check_ceiling(speed_up) -> str:
    """speed_up(laps_ms, step, factor) → how many times faster the whole request becomes."""
    total = sum(TRACE.values())
    for step, factor in (("model", 4.0), ("search", math.inf), ("HTTP", 1.0), ("model", math.inf)):
        given = dict(TRACE)
        answer = speed_up(given, step, factor)
        if given != TRACE:
            raise Hint("You changed the trace that you were given. Work on a copy.")
        got = number(answer, "The speed-up")
        part = TRACE[step] / total
        wanted = total / (total - TRACE[step] + TRACE[step] / factor)
        if not math.isfinite(got):
            raise Hint("No step is the whole request: even a step that costs nothing leaves the other steps.")
        mistakes = {
            "That is the step's own factor. The other steps take as long as before.": factor,
            "That is the share of the time that is saved. Asked: the whole before over the whole after.": 1
            - 1 / wanted,
            "That is after over before. Turn it around: above one means faster.": 1 / wanted,
            "That is the step's share. It is where Amdahl's law begins, not where it ends.": part,
            "That is the time that is left, in ms. Asked: before over after.": total / wanted,
            "You divided by the number of steps. A step counts by its time, not by its name.": 1
            / (1 - 1 / len(TRACE) + 1 / len(TRACE) / factor),
        }
        _refuse(got, wanted, mistakes, f"{step} made {factor:g} times faster gives another factor for the whole.")
    return "the whole gains what its shares allow, and no more"


# ------------------------------------------------------------------ 28.2


def _ndcg(right, existing: int, k: int, ideal=None) -> float:
    gain = sum(1 / math.log2(place + 1) for place, good in enumerate(right[:k], start=1) if good)
    ideal = min(existing, k) if ideal is None else ideal
    best = sum(1 / math.log2(place + 1) for place in range(1, ideal + 1))
    return gain / best if best else 0.0


LISTS = [  # right, existing, k
    ([True, True, True, False], 3, 10),
    ([False, True, False, True, False], 3, 10),
    ([True, False, False], 5, 10),
    ([False] * 10, 2, 10),
    ([False, False, True, True, True], 3, 4),
    ([True] * 12, 14, 10),
]


@check("28.2")
def check_ndcg(ndcg) -> str:
    """ndcg(right, existing, k) → marks from 0 to 1."""
    for right, existing, k in LISTS:
        with np.errstate(divide="ignore", invalid="ignore"):
            got = number(ndcg(list(right), existing, k), "nDCG")
        if not math.isfinite(got):
            raise Hint("The first place divides by zero: it is divided by log2(1 + 1) = 1. Places count from 1.")
        cut = right[:k]
        places = [1 / max(place, 1) for place in range(1, len(cut) + 1)]
        mistakes = {
            "You compare with the best order of what was *found*. Entries that are missing must cost marks: "
            "compare with the best list that exists.": _ndcg(right, existing, k, sum(cut)),
            "That is not cut at k places.": _ndcg(right, existing, len(right)),
            "The best list has k places at most, even if more right entries exist.": _ndcg(
                right, existing, k, existing
            ),
            "The best list is not ten right entries when fewer exist.": _ndcg(right, existing, k, k),
            "That is recall: it does not mind the place.": sum(cut) / existing,
            "That is precision: it does not mind the place.": sum(cut) / k,
            "You weigh a place by 1/place. Here it is 1/log2(place + 1).": sum(
                w for w, good in zip(places, cut, strict=True) if good
            )
            / sum(1 / p for p in range(1, min(existing, k) + 1)),
            "That is the gain itself. Divide by the gain of the best list that exists.": _ndcg(right, existing, k)
            * sum(1 / math.log2(p + 1) for p in range(1, min(existing, k) + 1)),
        }
        what = f"right = {[int(r) for r in right]}, existing = {existing}, k = {k}."
        _refuse(got, _ndcg(right, existing, k), mistakes, f"Not the marks of this list: {what}")
    return "full marks for the best list that exists, less for late and for missing entries"


# ------------------------------------------------------------------ 28.3


@check("28.3")
def check_needed(needed_percentile) -> str:
    """needed_percentile(page, services) → the percentile, 0 to 100, that each service must keep."""
    for page, services in ((95.0, 1), (95.0, 20), (99.0, 5), (50.0, 100)):
        share = page / 100
        got = number(needed_percentile(page, services), "The percentile")
        mistakes = {
            "That is a fraction. Percentiles go from 0 to 100.": share ** (1 / services),
            "Then a page is on time far less often: all its services must be.": page if services > 1 else -1.0,
            "That is what the page gets if each service keeps that percentile. The question runs the other way.": 100
            * share**services
            if services > 1
            else -1.0,
            "You shared the slow ones out evenly. It is a safe bound (they might never coincide); for independent "
            "services multiply the chances of being on time.": 100 * (1 - (1 - share) / services)
            if services > 1
            else -1.0,
            "You took the root of the slow share. A page needs all services to be *on time*: take the root of "
            "that share.": 100 * (1 - (1 - share) ** (1 / services)) if services > 1 else -1.0,
        }
        wanted = 100 * share ** (1 / services)
        _refuse(got, wanted, mistakes, f"A page of {services} services, {page:g} % of pages on time.")
    return "the more services a page asks, the further out the percentile that matters"


# ------------------------------------------------------------------ 28.4


def _mixed(hit_s: float, miss_s: np.ndarray, share: float, q: float) -> float:
    if q <= 100 * share:
        return hit_s
    return float(np.percentile(miss_s, (q - 100 * share) / (1 - share)))


CACHED = [(0.001, 0.4, 50), (0.001, 0.4, 95), (0.001, 0.0, 95), (0.002, 0.6, 50), (0.001, 0.97, 95), (0.001, 0.97, 99)]


@check("28.4")
def check_cached(percentile_with_cache) -> str:
    """percentile_with_cache(hit_s, miss_s, share, q) → s."""
    miss_s = np.random.default_rng(4).lognormal(-4, 0.5, 801)
    for hit_s, share, q in CACHED:
        given = miss_s.copy()
        got = number(percentile_with_cache(hit_s, given, share, q), "The percentile")
        if not np.array_equal(given, miss_s):
            raise Hint("You changed the latencies that you were given. Work on a copy.")
        of_misses = float(np.percentile(miss_s, q))
        wanted = _mixed(hit_s, miss_s, share, q)
        mistakes = {
            "Percentiles do not average: no request has the mean of two of them.": share * hit_s
            + (1 - share) * of_misses,
            "You scaled the latency by the share of misses. A miss takes as long as before.": (1 - share) * of_misses,
            "That is the percentile of the misses alone. Hits are requests, too: they come first.": of_misses,
            "That is a hit. At this percentile the hits are used up.": hit_s,
            "You took the percentile q − share of the misses. Among the misses alone places lie wider: divide by "
            "the share of misses.": float(np.percentile(miss_s, max(0.0, q - 100 * share))),
        }
        where = f"share {share:g}, percentile {q}."
        if not math.isclose(got, wanted, rel_tol=1e-3):
            _refuse(got, wanted, mistakes, f"Not the latency at this place: {where}")
    return "hits fill the lower places; a percentile above their share is a miss"
