"""A number and how sure we are of it: percentile-bootstrap intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A statistic of `n` samples with its interval [low, high], in the unit of the samples."""

    value: float
    low: float
    high: float
    n: int
    confidence: float = 0.95

    def __float__(self) -> float:
        return self.value

    def covers(self, value: float) -> bool:
        """Does the interval contain `value`?"""
        return self.low <= value <= self.high

    def scaled(self, factor: float) -> "Estimate":
        """The same estimate in another unit: Estimate in s × 1e3 → in ms."""
        ends = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, ends[0], ends[1], self.n, self.confidence)


def bootstrap(
    samples,
    statistic: Callable = np.median,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    together: bool = True,
) -> Estimate:
    """Estimate `statistic(samples)` with a percentile-bootstrap interval (Efron 1979).

    samples: (n,) or (n, columns) array; rows are resampled, so columns stay paired.
    statistic: called as statistic(batch, axis=…) over a batch of resamples when `together` (fast; NumPy
    reductions), else once per resample with rows only.
    Raises ValueError for fewer than 2 samples or a value that is not finite.
    """
    samples = np.asarray(samples, dtype=float)
    if len(samples) < 2:
        raise ValueError(f"a bootstrap needs at least 2 samples, got {len(samples)}")
    if not np.isfinite(samples).all():
        raise ValueError("a bootstrap needs finite samples; there is a nan or inf among them")
    rng = np.random.default_rng(seed)
    if together:
        value, draws = statistic(samples, axis=0), _draw_together(samples, statistic, resamples, rng)
    else:
        value = statistic(samples)
        draws = [statistic(samples[rng.integers(len(samples), size=len(samples))]) for _ in range(resamples)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high), len(samples), confidence)


def _draw_together(samples, statistic, resamples, rng, batch_values=4_000_000):
    """Statistics of `resamples` resamples, computed in batches that fit in memory."""
    per_batch = max(1, batch_values // max(1, samples.size))
    done = []
    for start in range(0, resamples, per_batch):
        rows = rng.integers(len(samples), size=(min(per_batch, resamples - start), len(samples)))
        done.append(statistic(samples[rows], axis=1))
    return np.concatenate(done)
