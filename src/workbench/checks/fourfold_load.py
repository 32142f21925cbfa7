"""Checks of chapter 28's later exercises: fair factors where one change needs another, and capacity at a limit."""

import math
from itertools import chain, combinations, permutations

import numpy as np

from workbench.checks.answers import NONE, number
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 28.5


def _possible(order: tuple, needs: dict) -> bool:
    return all(order.index(needed) < order.index(change) for change, needed in needs.items())


def _factors(times: dict, change, orders) -> list[float]:
    before = [frozenset(order[: order.index(change)]) for order in orders]
    return [times[b] / times[b | {change}] for b in before if b in times and b | {change} in times]


def _example(seed: int, changes: str, needs: dict) -> dict:
    """Times of all possible versions, with interaction."""
    rng = np.random.default_rng(seed)
    some = chain.from_iterable(combinations(changes, k) for k in range(len(changes) + 1))
    versions = [frozenset(s) for s in some if all(needs.get(c, c) in s for c in s)]
    return {version: 40.0 * 0.6 ** len(version) * rng.uniform(0.6, 1.0) for version in versions}


CASES = [("ab", {}), ("abc", {}), ("abc", {"c": "a"}), ("abcd", {"b": "a", "d": "c"})]


@check("28.5")
def check_fair(fair_factors) -> str:
    """fair_factors(times, needs) → {change: factor}."""
    for seed, (changes, needs) in enumerate(CASES):
        times = _example(seed, changes, needs)
        try:
            answer = fair_factors(dict(times), dict(needs))
        except KeyError as missing:
            raise Hint(
                "You asked for a version that cannot exist: keep to orders in which every change comes after the "
                f"one that it needs. ({missing})"
            ) from None
        if answer is None:
            raise Hint(NONE)
        if not isinstance(answer, dict) or set(answer) != set(changes):
            raise Hint(f"Return a dict with one factor per change: {', '.join(changes)}.")
        orders = [o for o in permutations(changes) if _possible(o, needs)]
        for change in changes:
            _judge(number(answer[change], "A factor"), times, change, changes, orders)
    return "one factor per change, over all possible orders, and they multiply to the whole"


def _judge(got: float, times: dict, change: str, changes: str, orders: list) -> None:
    factors = _factors(times, change, orders)
    wanted = math.exp(np.mean(np.log(factors)))
    if math.isclose(got, wanted, rel_tol=1e-9):
        return
    skipped = _factors(times, change, list(permutations(changes)))
    distinct = [times[v] / times[v | {change}] for v in times if change not in v and v | {change} in times]
    everything, nothing = frozenset(changes), frozenset()
    mistakes = {
        "You took the arithmetic mean of factors. Factors multiply: average their logarithms.": np.mean(factors),
        "You turned the factor around: before over after, so that more than one means faster.": 1 / wanted,
        "That is the mean logarithm. Take its exponential, and it is a factor.": math.log(wanted),
        "That is the change alone. Average over the orders in which the changes can be introduced.": times[nothing]
        / times.get(nothing | {change}, math.nan),
        "That is the change as the last one. Average over the orders.": times.get(everything - {change}, math.nan)
        / times[everything],
        "You gave every *version* the same weight. Weigh every *order* the same: a version that begins many "
        "orders counts often.": math.exp(np.mean(np.log(distinct))),
        "You went through all orders and skipped the versions that do not exist. Leave out the whole order: its "
        "other steps do not happen either.": math.exp(np.mean(np.log(skipped))),
        "You averaged the seconds that were saved. Asked: the factor.": np.mean(
            [times[b] - times[b | {change}] for b in (frozenset(o[: o.index(change)]) for o in orders)]
        ),
    }
    for hint, value in mistakes.items():
        if math.isclose(got, value, rel_tol=1e-9):
            raise Hint(hint)
    raise Hint(f"Another factor for {change}: you have {got:.6g}, expected {wanted:.6g}.")


# ------------------------------------------------------------------ 28.6


def _latencies(rate: float, gaps: np.ndarray, service_s: np.ndarray) -> np.ndarray:
    """One server, first come first served, the slow way."""
    free, arrive, found = 0.0, 0.0, []
    for gap, service in zip(gaps / rate, service_s, strict=True):
        arrive += gap
        free = max(free, arrive) + service
        found.append(free - arrive)
    return np.array(found)


def _largest(fits) -> float:
    """The largest rate that fits, by bisection in steps of powers of two."""
    low, high = 1e-6, 1e6
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _mistakes(gaps, service_s, limit_s) -> dict[str, float]:
    def at(rate):
        return _latencies(rate, gaps, service_s)

    def judged(q, part=lambda latency: latency):
        return _largest(lambda rate: np.percentile(part(at(rate)), q) <= limit_s)

    return {
        "That is 1 / mean service: the rate at which the queue grows for ever. p95 breaks much earlier.": 1
        / service_s.mean(),
        "That is 1 / limit. Several requests may be under way in one limit's time.": 1 / limit_s,
        "Your limit holds for the wait. The user waits for the service as well.": judged(95, lambda x: x - service_s),
        "Your limit holds for the median. p95 was promised.": judged(50),
        "Your limit holds for the worst request. p95 was promised: one in twenty may be later.": judged(100),
        "Your limit holds for the mean. p95 was promised.": _largest(lambda rate: at(rate).mean() <= limit_s),
    }


@check("28.6")
def check_capacity(capacity) -> str:
    """capacity(gaps, service_s, limit_s) → requests per second."""
    for seed, factor in ((1, 4.0), (2, 10.0), (3, 0.5)):
        rng = np.random.default_rng(seed)
        gaps, service_s = rng.exponential(size=400), rng.uniform(0.008, 0.012, 400)
        limit_s = 0.01 * factor
        kept = gaps.copy(), service_s.copy()
        got = number(capacity(gaps, service_s, limit_s), "The rate")
        if not (np.array_equal(gaps, kept[0]) and np.array_equal(service_s, kept[1])):
            raise Hint("You changed the arrays that you were given. Work on copies.")
        if factor < 1:
            if got > 1e-3:
                raise Hint("With a limit below the service time no rate will do, not even a lone user: answer 0.")
            continue
        wanted = _largest(lambda rate: np.percentile(_latencies(rate, gaps, service_s), 95) <= limit_s)  # noqa: B023
        if math.isclose(got, wanted, rel_tol=0.01):
            continue
        for hint, value in _mistakes(gaps, service_s, limit_s).items():
            if math.isclose(got, value, rel_tol=0.004):
                raise Hint(hint)
        late = math.isfinite(got) and got > wanted
        side = "At your rate p95 is above the limit." if late else "More than your rate is possible within the limit."
        raise Hint(f"{side} (You have {got:.4g} per second, expected {wanted:.4g}, to one in a hundred.)")
    return "the largest rate whose p95 keeps the limit, and 0 where there is none"
