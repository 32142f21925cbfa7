"""A number and how sure we are of it: percentile-bootstrap intervals, and exact ones for shares."""

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
    A bootstrap cannot see beyond its samples: below six of them it gives nearly their range, which holds the true
    median with 1 − 2^(1−n), whatever `confidence` asks for.
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


def share(hits, *, confidence: float = 0.95) -> Estimate:
    """Estimate a share of yes among independent yes/no trials, by the exact interval of Clopper and Pearson (1934).

    hits: a truth value per trial.  Honest where a bootstrap is not: of 0 yes in 60 it says "0 to 6 %", where all
    resamples of sixty times no are again sixty times no.  It errs on the wide side, by what is left of a whole trial.
    Not for trials that come in groups (days, authors, fleets): resample the groups, with `bootstrap`.
    Raises ValueError without trials, or where one is neither yes nor no.
    """
    from scipy.special import betaincinv  # here: every claim loads this module, few need SciPy

    trials = np.asarray(hits)
    if trials.ndim != 1 or not len(trials):
        raise ValueError(f"a share needs a list of at least one trial, got shape {trials.shape}")
    if not np.isin(trials, (0, 1)).all():
        raise ValueError("a share needs trials that are true or false (1 or 0); there is something else among them")
    yes, n, tail = int(trials.sum()), len(trials), (1 - confidence) / 2
    low = betaincinv(yes, n - yes + 1, tail) if yes else 0.0
    high = betaincinv(yes + 1, n - yes, 1 - tail) if yes < n else 1.0
    return Estimate(yes / n, float(low), float(high), n, confidence)


def _draw_together(samples, statistic, resamples, rng, batch_values=4_000_000):
    """Statistics of `resamples` resamples, computed in batches that fit in memory."""
    per_batch = max(1, batch_values // max(1, samples.size))
    done = []
    for start in range(0, resamples, per_batch):
        rows = rng.integers(len(samples), size=(min(per_batch, resamples - start), len(samples)))
        done.append(statistic(samples[rows], axis=1))
    return np.concatenate(done)
