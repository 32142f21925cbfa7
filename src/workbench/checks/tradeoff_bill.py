"""Checks of chapter 10's exercises on decisions: the Pareto front and the bill."""

import numpy as np

from workbench.checks.answers import number, numbers
from workbench.checks.report import Hint, check
from workbench.checks.tradeoff import must_refuse, recognise

# ------------------------------------------------------------------ 10.3

QUALITY = (0.10, 0.62, 0.55, 0.62, 0.80, 0.80, 0.30, 0.58, 0.90, 0.62, 0.85)
COST = (1.0, 4.0, 3.0, 5.0, 9.0, 9.0, 2.0, 3.9, 20.0, 4.0, 9.5)


def _front(quality, cost, dominates) -> list[int]:
    """Indices that no other option dominates, cheapest first, equals by index."""
    pairs = list(zip(quality, cost, strict=True))
    kept = [i for i, a in enumerate(pairs) if not any(dominates(b, a) for b in pairs)]
    return sorted(kept, key=lambda i: (cost[i], i))


def _dominates(b, a) -> bool:
    return b[0] >= a[0] and b[1] <= a[1] and b != a


def _upper_hull(quality, cost) -> list[int]:
    """The options of the front that some linear price of quality would choose."""
    prices = np.geomspace(1e-3, 1e4, 4000)
    scores = prices[:, None] * np.array(quality) - np.array(cost)
    best = np.isclose(scores, scores.max(axis=1, keepdims=True)).any(axis=0)
    return [i for i in _front(quality, cost, _dominates) if best[i]]


def _front_slips(quality, cost) -> dict[str, list[int]]:
    right = _front(quality, cost, _dominates)
    first = {(quality[i], cost[i]): i for i in reversed(right)}
    per_dollar = [q / c for q, c in zip(quality, cost, strict=True)]
    return {
        "You keep options that are equal in one respect and worse in the other. Those are dominated, too.": _front(
            quality, cost, lambda b, a: b[0] > a[0] and b[1] < a[1]
        ),
        "Two options that are equal in both respects do not dominate each other: keep both.": sorted(
            first.values(), key=lambda i: cost[i]
        ),
        "Equal options do not dominate each other; you let each of a pair throw the other out.": [
            i for i in right if list(zip(quality, cost, strict=True)).count((quality[i], cost[i])) == 1
        ],
        "You took low quality for good: quality up, cost down.": _front([-q for q in quality], cost, _dominates),
        "You took high cost for good: quality up, cost down.": _front(quality, [-c for c in cost], _dominates),
        "That is the best quality per dollar: one option. The front keeps every option that could be right for "
        "somebody.": [int(np.argmax(per_dollar))],
        "That is the convex hull. An option below the line between two others is still not dominated by either.": (
            _upper_hull(quality, cost)
        ),
    }


@check("10.3")
def check_pareto_front(pareto_front) -> str:
    """pareto_front(quality, cost) → indices of the options that no other dominates, cheapest first."""
    for quality, cost in ((QUALITY, COST), ((0.5, 0.4, 0.6), (2.0, 1.0, 1.0)), ((0.7,), (3.0,))):
        got = numbers(pareto_front(np.array(quality), np.array(cost)), "The front")
        wanted = _front(quality, cost, _dominates)
        if got.dtype == bool:
            raise Hint("Indices are asked for; you returned a mask (np.flatnonzero helps).")
        mine = got.ravel().tolist()
        if quality is QUALITY:
            for hint, indices in _front_slips(quality, cost).items():
                if sorted(mine) == sorted(indices) != sorted(wanted):
                    raise Hint(hint)
        if sorted(mine) != sorted(wanted):
            raise Hint(f"For quality {quality} and cost {cost} you return {mine}, expected {wanted}.")
        if [cost[int(i)] for i in mine] != sorted(cost[i] for i in wanted):
            raise Hint("The right options in another order: cheapest first.")
    must_refuse(pareto_front, (np.array([0.1, 0.2]), np.array([1.0])), "Two qualities and one cost do not fit")
    must_refuse(pareto_front, (np.array([0.1, np.nan]), np.array([1.0, 2.0])), "A quality that is not a number")
    return "ties and equals included: what is left is a matter of values, not of arithmetic"


# ------------------------------------------------------------------ 10.5


@check("10.5")
def check_usd_per_million(usd_per_million) -> str:
    """usd_per_million(seconds, usd_per_core_hour, utilisation) → dollars per million requests."""
    rng = np.random.default_rng(105)
    for price, share in ((0.04, 0.6), (0.11, 0.45)):
        seconds = rng.lognormal(-5, 1, size=40)
        mean = sum(map(float, seconds)) / len(seconds)
        right = mean * 1e6 / 3600 * price / share
        slips = {
            "Machines are paid for the sum of all requests, and the sum comes from the mean. p95 is the guest's view, "
            "not the bill's.": right / mean * float(np.percentile(seconds, 95)),
            "The median leaves out the slow requests, and they are on the bill. Take the mean.": (
                right / mean * float(np.median(seconds))
            ),
            "You multiplied by the utilisation. Idle time is paid, too: at 60 % busy each busy second costs more, not "
            "less. Divide.": right * share * share,
            "You forgot the utilisation: idle time is paid, too.": right * share,
            "The price is per *hour* and you have seconds: divide by 3,600.": right * 3600,
            "You divided by 60: an hour has 3,600 seconds.": right * 60,
            "That is per thousand requests.": right / 1000,
            "That is per request.": right / 1e6,
            "You took seconds for milliseconds, or the other way round: no 1,000 belongs here.": right * 1e3,
            "You summed the measured requests; asked is the mean, times a million.": right * len(seconds),
        }
        recognise(usd_per_million(seconds.copy(), price, share), right, slips, "The bill")
    for arguments, because in (
        ((np.array([]), 0.04, 0.6), "Without a measurement there is no bill"),
        ((np.array([0.01, -0.01]), 0.04, 0.6), "A negative time is a slip"),
        ((np.array([0.01]), -0.04, 0.6), "A negative price is a slip"),
        ((np.array([0.01]), 0.04, 0.0), "A machine that is never busy answers nothing (utilisation 0)"),
        ((np.array([0.01]), 0.04, 1.2), "A core is busy at most all of the time (utilisation 1.2)"),
    ):
        must_refuse(usd_per_million, arguments, because)
    number(usd_per_million([0.002, 0.004], 0.05, 1.0), "The bill")
    return "mean seconds, whole hours, idle time included; impossible input is refused"
