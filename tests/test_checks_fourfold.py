"""Chapter 28's checks: other right answers pass, and mistakes that the solutions do not list are refused by name."""

import math
from itertools import pairwise, permutations

import numpy as np
import pytest

from workbench.checks.fourfold import check_cached, check_ceiling, check_ndcg, check_needed
from workbench.checks.fourfold_load import check_capacity, check_fair


def marks(right, existing, k=10):
    """nDCG with one array of discounts instead of two sums."""
    discount = np.log(2) / np.log(np.arange(2, k + 2))
    right = np.asarray(right[:k], float)
    return (right * discount[: len(right)]).sum() / discount[: min(k, existing)].sum()


def by_place(hit_s, miss_s, share, q):
    """Percentile behind a cache, read off the sorted misses."""
    wide = np.sort(miss_s)
    place = (q / 100 - share) / (1 - share) * (len(wide) - 1)
    return hit_s if place <= 0 else np.interp(place, np.arange(len(wide)), wide)


def by_ladders(times, needs):
    """Fair factors from whole ladders: an order counts when each of its steps exists."""
    changes = sorted(max(times, key=len))
    total, n = dict.fromkeys(changes, 0.0), 0
    for order in permutations(changes):
        ladder = [frozenset(order[:i]) for i in range(len(order) + 1)]
        if all(step in times for step in ladder):
            n += 1
            for change, before, after in zip(order, ladder, ladder[1:], strict=False):
                total[change] += math.log(times[before]) - math.log(times[after])
    return {change: math.exp(value / n) for change, value in total.items()}


def by_grid(gaps, service_s, limit_s):
    """Capacity from a grid of rates, each queue walked request by request."""

    def p95(rate):
        wait, found = 0.0, []
        for i, service in enumerate(service_s):
            wait = max(0.0, wait + service_s[i - 1] - gaps[i] / rate) if i else 0.0
            found.append(wait + service)
        return np.percentile(found, 95)

    return max((rate for rate in np.geomspace(10, 200, 700) if p95(rate) <= limit_s), default=0)


OTHERS = {check_ndcg: marks, check_cached: by_place, check_fair: by_ladders, check_capacity: by_grid}


@pytest.mark.parametrize("check", OTHERS, ids=lambda c: c.__name__)
def test_another_right_answer_passes(check):
    report = check.judge(OTHERS[check])
    assert report.passed is True, report


def test_a_factor_for_a_stranger_or_a_missing_one_is_refused():
    for answer in ({}, {"x": 1.0}, {"a": 1.0}):
        assert "one factor per change" in check_fair.judge(lambda *_, answer=answer: answer).message


def test_an_arithmetic_mean_of_factors_is_refused_by_name():
    def arithmetic(times, needs):
        changes = max(times, key=len)
        ladders = [[frozenset(o[:i]) for i in range(len(o) + 1)] for o in permutations(changes)]
        ladders = [ladder for ladder in ladders if all(step in times for step in ladder)]
        steps = [(b, a) for ladder in ladders for b, a in pairwise(ladder)]
        return {c: np.mean([times[b] / times[a] for b, a in steps if a - b == {c}]) for c in changes}

    assert "Factors multiply" in check_fair.judge(arithmetic).message


def test_a_limit_kept_by_the_mean_or_by_the_worst_request_is_refused_by_name():
    def kept(measure):
        def capacity(gaps, service_s, limit_s):
            def late(rate):
                walk = np.concatenate([[0.0], np.cumsum(service_s[:-1] - gaps[1:] / rate)])
                return measure(walk - np.minimum.accumulate(walk) + service_s)

            return max((rate for rate in np.geomspace(10, 200, 4000) if late(rate) <= limit_s), default=0)

        return check_capacity.judge(capacity).message

    assert "holds for the mean" in kept(np.mean)
    assert "holds for the worst request" in kept(np.max)


def test_precision_and_marks_of_one_over_place_are_refused_by_name():
    assert "That is precision" in check_ndcg.judge(lambda right, existing, k=10: sum(right[:k]) / k).message

    def one_over_place(right, existing, k=10):
        gain = sum(1 / i for i, good in enumerate(right[:k], start=1) if good)
        return gain / sum(1 / i for i in range(1, min(existing, k) + 1))

    assert "1/log2(place + 1)" in check_ndcg.judge(one_over_place).message


def test_the_slow_share_is_not_the_share_on_time():
    assert "other way" in check_needed.judge(lambda page, services: 100 * (page / 100) ** services).message


def test_a_check_survives_an_answer_that_eats_its_trace():
    def eats(laps_ms, step, factor):
        laps_ms.clear()
        return 1.0

    assert "Work on a copy" in check_ceiling.judge(eats).message
    assert check_ceiling.judge(lambda laps, step, k: 1 / (1 - (f := laps[step] / sum(laps.values())) + f / k)).passed
