"""Chapter 11's checks accept right answers, however written, and name the slip in wrong ones."""

import math

import numpy as np
import pytest

from workbench.checks import napkin, napkin_log


def right_slots(card, weights, kib, tokens, free):
    return max(0, int((card * (1 - free) - weights) * 1e9 // (kib * 1024 * tokens)))


def right_pool(rate, ms, share, spare):
    if rate <= 0 or ms <= 0 or not 0 < share < 1:
        raise ValueError("impossible")
    return math.ceil(rate * ms / 1000 / share) + spare


def right_break_even(hour, machines, price, tokens, own):
    saved = price * tokens / 1e6 - own
    return hour * 24 * machines / saved if saved > 0 else math.inf


def right_memory(starts, ends, sizes):
    """By sampling, not by sweeping: another way to be right."""
    if len(starts) == 0:
        raise ValueError("empty")
    moments = np.random.default_rng(0).uniform(starts.min(), ends.max(), 4000)
    return np.quantile([sizes[(starts <= t) & (t < ends)].sum() for t in moments], 0.99)


RIGHT = {
    napkin.check_peak_requests_per_s: lambda people, each, h, k: people * each * k / (3600 * h),
    napkin.check_ready_after_s: lambda gib, gbit, share, load: gib * 1024**3 / (gbit * share * 1.25e8) + load,
    napkin.check_slots: right_slots,
    napkin.check_pool_size: right_pool,
    napkin.check_break_even: right_break_even,
    napkin_log.check_memory_p99: right_memory,
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda c: c.__name__)
def test_a_right_answer_passes(check):
    assert check.judge(RIGHT[check]).passed is True


WRONG = [
    (napkin.check_peak_requests_per_s, lambda p, e, h, k: e * k / (3600 * h), "one person's rate"),
    (napkin.check_peak_requests_per_s, lambda p, e, h, k: p * k / (3600 * h), "multiply by requests_each_per_day"),
    (napkin.check_peak_requests_per_s, lambda p, e, h, k: p * e / 3600, "should be"),
    (napkin.check_ready_after_s, lambda g, b, s, t: g * 8e9 / (b * 1e9 * s) + t, "two gigas"),
    (napkin.check_ready_after_s, lambda g, b, s, t: g * 2**33 / (b * 1e9) + t, "forgot the efficiency"),
    (napkin.check_slots, lambda c, w, k, n, f: right_slots(c, w, k / 1.024, n, f), "KiB for 1,000"),
    (napkin.check_slots, lambda c, w, k, n, f: right_slots(c, w, k, 1, f), "one token each"),
    (napkin.check_slots, lambda c, w, k, n, f: (c * (1 - f) - w) * 1e9 / (k * 1024 * n), "whole or not there"),
    (napkin.check_pool_size, lambda r, s, u, n: int(r * s / 1000 / u) + 1 + n, "comes out even"),
    (napkin.check_pool_size, lambda r, s, u, n: math.ceil((r * s / 1000 + n) / u), "whole worker on top"),
    (napkin.check_pool_size, lambda r, s, u, n: r * s / 1000 / u + n, "no fraction of a worker"),
    (napkin.check_pool_size, lambda r, s, u, n: math.ceil(r * s / 1000) + n, "forgot the utilisation"),
    (napkin.check_break_even, lambda h, m, p, t, o: h * 720 * m / (p * t / 1e6 - o), "per month"),
    (napkin.check_break_even, lambda h, m, p, t, o: h * 24 * m / (p - o), "price of a request"),
    (napkin.check_break_even, lambda h, m, p, t, o: h * 24 * m / (p * t / 1e6 + o), "save less"),
    (napkin_log.check_memory_p99, lambda s, e, b: np.sum(b), "everything that ever came"),
    (napkin_log.check_memory_p99, lambda s, e, b: np.max(b), "largest request"),
    (napkin_log.check_memory_p99, lambda s, e, b: 1e9, "suffice here"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG, ids=[hint for _, _, hint in WRONG])
def test_a_slip_is_called_by_its_name(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message


def test_a_pool_that_refuses_only_utilisation_is_told_about_the_rate():
    def careless(rate, ms, share, spare):
        if not 0 < share < 1:
            raise ValueError
        return math.ceil(rate * ms / 1000 / share) + spare

    assert "negative rate" in napkin.check_pool_size.judge(careless).message


def test_a_refusal_of_another_class_is_named():
    def asserts(rate, ms, share, spare):
        assert 0 < share < 1
        return right_pool(rate, ms, share, spare)

    assert "not AssertionError" in napkin.check_pool_size.judge(asserts).message


def test_a_division_by_zero_where_owning_never_pays_gets_the_hint():
    def divides(hour, machines, price, tokens, own):
        return hour * 24 * machines / max(0.0, price * tokens / 1e6 - own)

    assert "math.inf" in napkin.check_break_even.judge(divides).message


def test_a_check_does_not_let_an_answer_change_its_data():
    def vandal(starts, ends, sizes):
        wanted = right_memory(starts, ends, sizes)
        starts[:], ends[:], sizes[:] = 0, 0, 0
        return wanted

    assert napkin_log.check_memory_p99.judge(vandal).passed is True
