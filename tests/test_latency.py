"""The stopwatch instruments, on a made-up clock: no test here depends on how fast this machine is."""

import heapq
import threading

import numpy as np
import pytest

from workbench import latency
from workbench.layout import Layout
from workbench.runner import notebooks


class Clock:
    """A clock that moves only when somebody works or sleeps."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def work(self, *seconds: float):
        """A callable whose k-th call takes the k-th of `seconds` (the last one for ever after)."""
        left = list(seconds)

        def call():
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return call


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made_up = Clock()
    monkeypatch.setattr(latency, "time", made_up)
    return made_up


@pytest.fixture(scope="module")
def chapter() -> dict[str, str]:
    """Chapter 01's code cells by id: what the reader builds by hand."""
    nb = notebooks.read(Layout.find().chapter("01"))
    return {cell.id: cell.source for cell in nb.cells if cell.cell_type == "code"}


def built(chapter, clock, *cells, **names) -> dict:
    """The names that the chapter's cells define, on our clock."""
    from workbench.intervals import Estimate

    found = {"np": np, "Estimate": Estimate, "perf_counter": clock.perf_counter, **names}
    for cell in cells:
        exec(chapter[cell], found)
    return found


# ------------------------------------------------------------------ measure


def test_measure_counts_after_the_warm_up_and_keeps_the_first(clock):
    found = latency.measure(clock.work(9.0, 5.0, 5.0, 1.0), samples=4, warmup=3)
    assert found.first_s == 9.0
    assert found.seconds == pytest.approx([1.0] * 4)
    assert len(found) == 4


def test_measure_calls_as_often_as_it_says(clock):
    calls = []
    latency.measure(lambda: calls.append(1), samples=7, warmup=2)
    assert len(calls) == 9


@pytest.mark.parametrize("wrong", [{"samples": 1}, {"warmup": 0}])
def test_measure_refuses_sizes_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match="measure needs"):
        latency.measure(lambda: None, **wrong)


def test_measure_equals_the_chapters_durations(clock, chapter):
    times = [0.5, 0.25, 2.0, 1.0, 0.125]
    mine = built(chapter, clock, "stopwatch")["durations"](clock.work(*times), 5)
    assert mine == pytest.approx(times)
    library = latency.measure(clock.work(7.0, *times), samples=5, warmup=1)
    assert library.seconds == pytest.approx(mine)


def test_a_percentile_has_the_unit_that_was_asked_for():
    found = latency.Samples(np.full(10, 0.002), 1.0)
    assert float(found.percentile(50)) == pytest.approx(2.0)
    assert float(found.percentile(50, "s")) == pytest.approx(0.002)
    assert float(found.percentile(50, "µs")) == pytest.approx(2000)


def test_a_percentile_and_its_interval_equal_the_chapters(clock, chapter):
    seconds = np.random.default_rng(1).lognormal(size=300)
    hand = built(chapter, clock, "percentile", "interval", "p")
    for q in (0, 12.5, 50, 99, 100):
        assert hand["percentile"](seconds, q) == pytest.approx(np.percentile(seconds, q), rel=1e-12)
        mine, library = hand["interval"](seconds, hand["p"](q)), latency.Samples(seconds, 1.0).percentile(q, "s")
        assert (mine.value, mine.low, mine.high) == pytest.approx((library.value, library.low, library.high))
        assert mine.n == library.n == 300


def test_what_is_shown_of_a_measurement_holds_no_measured_value(clock):
    samples = latency.measure(clock.work(0.123), samples=5)
    pairs = latency.compare(clock.work(0.123), clock.work(0.456), rounds=4)
    load = latency.closed_loop(clock.work(0.123), requests=3)
    assert [repr(found) for found in (samples, pairs, load)] == ["Samples(n=5)", "PairedRatio(rounds=4)", "Load(n=3)"]


# ------------------------------------------------------------------ compare


def drifting(clock, seconds, rise_per_s=0.002):
    """Work that takes longer the later it is, as on a machine that heats up."""
    return lambda: clock.sleep(seconds * (1 + rise_per_s * (clock.now - 100)))


def test_pairs_cancel_a_drift_that_fools_one_after_the_other(clock):
    found = latency.compare(drifting(clock, 2.0), drifting(clock, 1.0), rounds=60)
    assert found.ratio.value == pytest.approx(2.0, rel=0.01)
    assert found.pairs[-1, 0] > 1.4 * found.pairs[0, 0]  # the drift is there, and far larger than the error
    assert found.ratio.high - found.ratio.low < 0.05


def test_a_function_compared_with_itself_is_as_fast_as_itself(clock):
    found = latency.compare(drifting(clock, 1.0), drifting(clock, 1.0), rounds=40)
    assert found.ratio.covers(1.0)


def test_the_order_alternates_so_that_being_second_is_no_advantage(clock):
    seen = []
    calls = (lambda: (seen.append("a"), clock.sleep(1)), lambda: (seen.append("b"), clock.sleep(1)))
    latency.compare(*calls, rounds=4, warmup=1)
    assert "".join(seen) == "ab" + "abbaabba"


def test_inner_calls_are_averaged(clock):
    found = latency.compare(clock.work(4.0), clock.work(1.0), rounds=3, inner=5, warmup=1)
    assert found.pairs == pytest.approx(np.tile([4.0, 1.0], (3, 1)))


def test_compare_equals_the_chapters_pairs(clock, chapter):
    hand = built(chapter, clock, "stopwatch", "in-pairs", "interval")
    a, b = [1.0, 2.0, 4.0, 3.0, 8.0], [0.5, 0.5, 1.0, 1.0, 2.0]
    mine = hand["in_pairs"](clock.work(*a), clock.work(*b), 5)
    assert mine == pytest.approx(np.column_stack([a, b]))
    library = latency.compare(clock.work(*a), clock.work(*b), rounds=5, warmup=0)
    assert library.pairs == pytest.approx(mine)
    assert library.ratio.value == pytest.approx(hand["interval"](mine[:, 0] / mine[:, 1], np.median).value)


def test_the_chapters_unpaired_interval_is_the_wider_one_under_drift(clock, chapter):
    hand = built(chapter, clock, "interval", "unpaired")
    drift = np.linspace(1, 2, 80)
    pairs = np.column_stack([1.1 * drift, drift]) * np.random.default_rng(3).normal(1, 0.01, (80, 2))
    paired, apart = hand["interval"](pairs[:, 0] / pairs[:, 1], np.median), hand["unpaired"](pairs)
    assert apart.high - apart.low > 5 * (paired.high - paired.low)
    assert paired.covers(1.1)
    assert not paired.covers(1.0)
    assert apart.covers(1.0)


# ------------------------------------------------------------------ load


def one_worker(due, service):
    """When a single worker has answered each request: an event queue, unlike the chapter's recurrence."""
    waiting = [(at, i) for i, at in enumerate(due)]
    heapq.heapify(waiting)
    now, answered = 0.0, np.empty(len(due))
    while waiting:
        at, i = heapq.heappop(waiting)
        now = (at if at > now else now) + service[i]
        answered[i] = now
    return answered


def test_an_open_loop_counts_everybody_who_waited_in_line(clock):
    service = np.array([0.002] * 3 + [0.5] + [0.002] * 16)
    found = latency.open_loop(clock.work(*service), rate_per_s=100, requests=20, seed=None)
    due = np.arange(20) / 100
    assert found.latency_s == pytest.approx(one_worker(due, service) - due)
    assert found.service_s == pytest.approx(service)
    assert np.sum(found.latency_s > 0.1) == 17  # the stall and all behind it
    assert np.sum(found.service_s > 0.1) == 1  # what a polite test would have written down


def test_an_open_loop_equals_the_chapters_server_on_random_arrivals(clock, chapter):
    service = np.random.default_rng(2).exponential(0.009, size=200)
    found = latency.open_loop(clock.work(*service), rate_per_s=100, requests=200, seed=5)
    gaps = np.random.default_rng(5).exponential(size=200)
    due = np.cumsum(gaps / 100) - gaps[0] / 100
    taken, answered = built(chapter, clock, "serve")["serve"](due, service)
    assert found.latency_s == pytest.approx(answered - due)
    assert found.service_s == pytest.approx(answered - taken)
    assert answered == pytest.approx(one_worker(due, service))


def test_without_a_stall_the_two_stopwatches_agree(clock):
    found = latency.open_loop(clock.work(0.002), rate_per_s=100, requests=50, seed=None)
    assert found.latency_s == pytest.approx(found.service_s)


def test_a_closed_loop_meets_a_stall_once(clock):
    service = [0.002] * 3 + [0.5] + [0.002] * 16
    found = latency.closed_loop(clock.work(*service), requests=20)
    assert found.latency_s == pytest.approx(service)
    assert found.elapsed_s == pytest.approx(sum(service))
    assert found.throughput_per_s == pytest.approx(20 / sum(service))


def test_think_time_is_not_latency(clock):
    found = latency.closed_loop(clock.work(0.5), requests=4, think_s=2.0)
    assert found.latency_s == pytest.approx([0.5] * 4)
    assert found.elapsed_s == pytest.approx(4 * 2.5)


@pytest.mark.parametrize("loop", ["closed", "open"])
def test_several_workers_are_at_work_at_once_and_send_each_request_once(loop):
    """Each call waits until three are inside: with fewer workers at work this would time out."""
    gate, calls = threading.Barrier(3, timeout=20), []

    def call():
        gate.wait()
        calls.append(1)

    run = {
        "closed": lambda: latency.closed_loop(call, requests=9, workers=3),
        "open": lambda: latency.open_loop(call, requests=9, workers=3, rate_per_s=1000, seed=None),
    }[loop]
    assert len(run().latency_s) == len(calls) == 9


@pytest.mark.parametrize("loop", [latency.closed_loop, lambda call, **k: latency.open_loop(call, rate_per_s=1e6, **k)])
def test_a_request_that_raises_is_not_swallowed(loop):
    def call():
        raise RuntimeError("the server is gone")

    with pytest.raises(RuntimeError, match="the server is gone"):
        loop(call, requests=3)


def test_an_open_loop_needs_a_rate():
    with pytest.raises(ValueError, match="rate_per_s must be positive"):
        latency.open_loop(lambda: None, rate_per_s=0, requests=3)


@pytest.mark.parametrize("wrong", [{"requests": 0}, {"requests": 5, "workers": 0}])
def test_a_load_of_nothing_or_by_nobody_is_refused(wrong):
    with pytest.raises(ValueError, match="requests >= 1 and workers >= 1"):
        latency.closed_loop(lambda: None, **wrong)
    with pytest.raises(ValueError, match="requests >= 1 and workers >= 1"):
        latency.open_loop(lambda: None, rate_per_s=1.0, **wrong)
