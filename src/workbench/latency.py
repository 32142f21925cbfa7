"""Measure how long a callable takes, and compare two of them, so that the answer survives a second look.

Chapter 01 builds each of these by hand; here they are promoted, and a test equates the two.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.intervals import Estimate, bootstrap

UNITS = {"s": 1.0, "ms": 1e3, "µs": 1e6, "ns": 1e9}


@dataclass(frozen=True)
class Samples:
    """Durations of single calls, in order.  seconds: (n,); first_s: the first call ever, before warm-up."""

    seconds: np.ndarray
    first_s: float

    def percentile(self, q: float, unit: str = "ms", *, seed: int = 0) -> Estimate:
        """The q-th percentile (0–100) with its bootstrap interval, in `unit` ("s", "ms", "µs", "ns")."""
        return bootstrap(
            self.seconds, lambda x, axis: np.percentile(x, q, axis=axis), resamples=1000, seed=seed
        ).scaled(UNITS[unit])

    def __len__(self) -> int:
        return len(self.seconds)

    def __repr__(self) -> str:
        return f"Samples(n={len(self)})"  # no measured value: this text is compared in CI


@dataclass(frozen=True)
class PairedRatio:
    """time(baseline) / time(candidate), pair by pair: 2.0 means that the candidate takes half the time."""

    ratio: Estimate
    pairs: np.ndarray  # (rounds, 2) seconds: baseline, candidate

    def __repr__(self) -> str:
        return f"PairedRatio(rounds={len(self.pairs)})"


def measure(call: Callable[[], object], *, samples: int = 200, warmup: int = 10) -> Samples:
    """Time `samples` calls after `warmup` uncounted ones.  The first of these is kept as `first_s`."""
    if samples < 2 or warmup < 1:
        raise ValueError("measure needs samples >= 2 and warmup >= 1")
    first_s = _seconds(call)
    for _ in range(warmup - 1):
        call()
    return Samples(np.array([_seconds(call) for _ in range(samples)]), first_s)


def compare(
    baseline: Callable[[], object],
    candidate: Callable[[], object],
    *,
    rounds: int = 50,
    inner: int = 1,
    warmup: int = 3,
    seed: int = 0,
) -> PairedRatio:
    """Time the two in turn, A B B A A B …, and give the median ratio with its bootstrap interval.

    What slows the machine for longer than a pair slows both, and cancels in the ratio.
    inner: calls per timing, for calls shorter than about 100 µs.
    """
    for _ in range(warmup):
        baseline()
        candidate()
    pairs = np.empty((rounds, 2))
    for i in range(rounds):
        order = (0, 1) if i % 2 == 0 else (1, 0)
        for which in order:
            pairs[i, which] = _seconds((baseline, candidate)[which], inner)
    return PairedRatio(bootstrap(pairs[:, 0] / pairs[:, 1], np.median, seed=seed), pairs)


def _seconds(call: Callable[[], object], times: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


@dataclass(frozen=True)
class Load:
    """What a load generator saw, per request.

    latency_s: from the moment the request was *due* to its answer.  service_s: from its real start.
    """

    latency_s: np.ndarray
    service_s: np.ndarray
    elapsed_s: float

    @property
    def throughput_per_s(self) -> float:
        return len(self.latency_s) / self.elapsed_s

    def __repr__(self) -> str:
        return f"Load(n={len(self.latency_s)})"


def closed_loop(call: Callable[[], object], *, requests: int, workers: int = 1, think_s: float = 0.0) -> Load:
    """Each worker sends its next request when the last one is answered: a slow server slows its own test."""
    _refuse_nothing(requests, workers)
    starts, ends, elapsed = _drive(call, requests, workers, due=None, think_s=think_s)
    return Load(ends - starts, ends - starts, elapsed)


def open_loop(
    call: Callable[[], object], *, rate_per_s: float, requests: int, workers: int = 1, seed: int | None = 0
) -> Load:
    """Requests fall due at Poisson times (seed=None: evenly), whether or not the server keeps up.

    Latency counts from the due time, so waiting for a free worker is not omitted (Tene's coordinated omission).
    """
    if rate_per_s <= 0:
        raise ValueError(f"rate_per_s must be positive, got {rate_per_s}")
    _refuse_nothing(requests, workers)
    gaps = np.full(requests, 1.0) if seed is None else np.random.default_rng(seed).exponential(size=requests)
    due = time.perf_counter() + 0.005 + (np.cumsum(gaps) - gaps[0]) / rate_per_s
    starts, ends, elapsed = _drive(call, requests, workers, due)
    return Load(ends - due, ends - starts, elapsed)


def _refuse_nothing(requests: int, workers: int) -> None:
    if requests < 1 or workers < 1:
        raise ValueError(f"a load needs requests >= 1 and workers >= 1, got {requests} and {workers}")


def _drive(call, requests: int, workers: int, due: np.ndarray | None, think_s: float = 0.0) -> tuple:
    """Send `requests` calls from `workers` threads, each at its due time, if any → (starts, ends, elapsed seconds).

    The first exception of a call ends the load and is raised here.
    """
    from concurrent.futures import ThreadPoolExecutor

    starts, ends = np.empty(requests), np.empty(requests)
    waiting, lock = iter(range(requests)), threading.Lock()

    def work():
        while True:
            with lock:
                i = next(waiting, None)
            if i is None:
                return
            if due is not None:
                time.sleep(max(0.0, due[i] - time.perf_counter()))
            starts[i] = time.perf_counter()
            call()
            ends[i] = time.perf_counter()
            if think_s:
                time.sleep(think_s)

    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for job in [pool.submit(work) for _ in range(workers)]:
            job.result()
    return starts, ends, time.perf_counter() - began
