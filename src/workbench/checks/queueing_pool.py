"""Checks of chapter 12's later exercises: a pool for a promise, Little's law on a log, a deadline."""

import math

import numpy as np

from workbench.checks.answers import number, numbers
from workbench.checks.napkin import must_refuse
from workbench.checks.queueing import recognise, stream
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 12.4


def must_wait(load: float, servers: int) -> float:
    """Erlang's C by its sum (not by the chapter's recursion): the probability that all servers are busy."""
    terms = [load**k / math.factorial(k) for k in range(servers)]
    top = load**servers / math.factorial(servers) * servers / (servers - load)
    return top / (sum(terms) + top)


def _lost(load: float, servers: int) -> float:
    """Erlang's B: the probability that a pool without a queue turns a request away."""
    terms = [load**k / math.factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


def _smallest(enough, least: int) -> int:
    return next(c for c in range(least, least + 10_000) if enough(c))


def _pool(rate, service, wait, busy=must_wait, extra=0.0) -> int:
    load = rate * service
    return _smallest(lambda c: busy(load, c) * service / (c - load) + extra <= wait, math.floor(load) + 1)


def _pool_slips(rate, service, wait) -> dict[str, float]:
    load, right = rate * service, _pool(rate, service, wait)
    return {
        "That is the smallest pool that is not overloaded. It looks at the mean only: its queue may be endless.": (
            math.floor(load) + 1
        ),
        "You rounded down: such a pool cannot do the work.": math.floor(load),
        "You gave each server a queue of its own. One queue for all needs fewer servers.": _smallest(
            lambda c: load / c < 1 and (load / c) / (1 - load / c) * service <= wait, math.floor(load) + 1
        ),
        "You counted the service as waiting: the promise is about the wait alone.": (
            _pool(rate, service, wait, extra=service) if wait > service else math.nan
        ),
        "You took the mean wait of those who wait. Most find a free server: multiply by Erlang's C.": (
            _pool(rate, service, wait, busy=lambda load, c: 1.0)
        ),
        "You took Erlang's B, a pool without a queue. Here requests do wait: C.": _pool(
            rate, service, wait, busy=_lost
        ),
        "One server too many: that is the smallest pool whose neighbour also keeps the promise.": right + 1,
        "One server too few: the mean wait is above the promise.": right - 1,
        "A rule of thumb (70 percent busy) does not know the promise.": math.ceil(load / 0.7),
    }


@check("12.4")
def check_servers_needed(servers_needed) -> str:
    """servers_needed(rate_per_s, service_s, wait_s) → the smallest pool whose mean wait is at most wait_s, M/M/c."""
    cases = [(30.0, 0.11, 0.01), (8.0, 0.5, 0.05), (100.0, 0.2, 0.3), (3.0, 0.3, 0.4), (250.0, 0.1, 0.001)]
    cases += [(12.0, 1.0, 1.4), (1.9, 1.0, 6.0)]
    got = [number(servers_needed(*case), "The number of servers") for case in cases]
    if not all(value.is_integer() for value in got):
        raise Hint("There is no fraction of a server: return a whole number.")
    wanted, slips = [_pool(*case) for case in cases], [_pool_slips(*case) for case in cases]
    if got != wanted:
        for hint in slips[0]:
            if all(math.isnan(slip[hint]) or slip[hint] == value for slip, value in zip(slips, got, strict=True)):
                raise Hint(hint)
    for (rate, service, wait), value, right in zip(cases, got, wanted, strict=True):
        if value != right:
            raise Hint(f"{rate:g} requests/s of {service:g} s, wait {wait:g} s: {right} servers, you have {value:g}.")
    must_refuse(servers_needed, (10.0, -0.1, 0.01), "A service time is negative")
    return f"the smallest pool in each of {len(cases)} cases"


# ------------------------------------------------------------------ 12.5


def _counted(arrive, leave, begin, end) -> float:
    """The mean number inside, by adding up heads between one event and the next."""
    edges = np.unique(np.concatenate([arrive, leave, [begin, end]]))
    edges = edges[(edges >= begin) & (edges <= end)]
    heads = [np.sum((arrive <= t) & (leave > t)) for t in edges[:-1]]
    return float(np.sum(heads * np.diff(edges)) / (end - begin))


def _inside_slips(arrive, leave, begin, end) -> dict[str, float]:
    span, stay = end - begin, leave - arrive
    came, whole = (arrive >= begin) & (arrive < end), (arrive >= begin) & (leave <= end)
    during = (leave > begin) & (arrive < end)
    heads = [np.sum((arrive <= t) & (leave > t)) for t in arrive[came]]
    return {
        "Requests that began before the window or end after it count with their part inside only: clip both ends.": (
            stay[during].sum() / span
        ),
        "You took the requests that arrive in the window, with all of their time: clip at both ends of the window.": (
            stay[came].sum() / span
        ),
        "You left out the requests that cross an edge of the window: they were inside, too.": stay[whole].sum() / span,
        "You let in all requests of the log, also those that were gone before the window or came after it.": (
            stay.sum() / span
        ),
        "That is how many were there at one time or another. How many at a time, on average, is asked for.": (
            float(np.sum(during))
        ),
        "That is a rate: requests per second. Little's law multiplies it by the mean time inside.": came.sum() / span,
        "That is the mean time inside. Little's law multiplies it by the rate.": float(stay[came].mean()),
        "You looked only when somebody arrived. The mean over time is asked for.": float(np.mean(heads)),
        "That is the most that were inside at once.": float(
            max(np.sum((arrive <= t) & (leave > t)) for t in np.concatenate([arrive[came], [begin]]))
        ),
        "You divided by the end of the window, not by its length.": _counted(arrive, leave, begin, end) * span / end,
    }


@check("12.5")
def check_mean_inside(mean_inside) -> str:
    """mean_inside(arrive_s, leave_s, begin_s, end_s) → mean number of requests inside during the window."""
    rng = np.random.default_rng(5)
    for begin, end in ((10.0, 20.0), (3.0, 34.0)):
        arrive = np.sort(rng.uniform(0, 40, 60))
        leave = arrive + rng.exponential(3.0, 60)
        got = np.array(number(mean_inside(arrive.copy(), leave.copy(), begin, end), "The mean number inside"))
        slips = {hint: np.array(value) for hint, value in _inside_slips(arrive, leave, begin, end).items()}
        recognise(got, np.array(_counted(arrive, leave, begin, end)), slips, "The mean number inside")
    return "equal to counting heads between every two events"


# ------------------------------------------------------------------ 12.6


def _answered(arrive, service, patience, keeps=lambda wait, service, patience: wait <= patience, wasted=0.0):
    """Who is answered, and what a turned-away request costs the server as a share of its service."""
    free, kept = 0.0, []
    for a, s in zip(arrive, service, strict=True):
        start = max(a, free)
        kept.append(keeps(start - a, s, patience))
        free = start + s * (1.0 if kept[-1] else wasted)
    return np.array(kept)


def _deadline_slips(arrive, service, patience) -> dict[str, np.ndarray]:
    right = _answered(arrive, service, patience)
    return {
        "Whoever is turned away still costs you a whole service: skip the service, that is the point of a deadline.": (
            _answered(arrive, service, patience, wasted=1.0)
        ),
        "You count the service into the wait: the deadline is about the start of the service.": (
            _answered(arrive, service, patience, keeps=lambda wait, service, patience: wait + service <= patience)
        ),
        "You have it the wrong way round: True is for the answered ones.": ~right,
        "Somebody who waited exactly patience_s is answered: ≤, not <.": (
            _answered(arrive, service, patience, keeps=lambda wait, service, patience: wait < patience - 1e-12)
        ),
        "Everybody is answered here, however late: where is the deadline?": np.ones(len(arrive), bool),
    }


@check("12.6")
def check_answered(answered) -> str:
    """answered(arrive_s, service_s, patience_s) → who is answered, (n,) bool."""
    even = np.arange(12.0), np.full(12, 1.5), 1.0  # whole numbers: some wait exactly as long as they have patience
    for arrive, service, patience in (even, (*stream(6, 60, 1.6), 2.0), (*stream(7, 60, 0.7), 0.5)):
        got = numbers(answered(arrive.copy(), service.copy(), patience), "Who is answered")
        if got.dtype.kind != "b" and got.shape == arrive.shape and not np.isin(got, (0, 1)).all():
            raise Hint("Those are times. Return one True or False for each request.")
        if got.shape != arrive.shape:
            raise Hint(f"One True or False for each of {len(arrive)} requests, not an array of shape {got.shape}.")
        slips = _deadline_slips(arrive, service, patience)
        hints = [hint for hint, value in slips.items() if np.array_equal(got.astype(bool), value)]
        if not np.array_equal(got.astype(bool), _answered(arrive, service, patience)):
            at = int(np.argmax(got.astype(bool) != _answered(arrive, service, patience)))
            raise Hint(hints[0] if hints else f"Request {at} is the first on which you differ: follow it by hand.")
    return "equal to following the server, also when somebody waits exactly as long as they have patience"
