"""The bootstrap keeps its promises where it can, and is refused where it cannot be meant."""

import numpy as np
import pytest
from scipy import stats

from workbench.intervals import Estimate, bootstrap, share


def coverage(statistic, truth, draw, n, experiments=300):
    rng = np.random.default_rng(1)
    return np.mean([bootstrap(draw(rng, n), statistic, resamples=400).covers(truth) for _ in range(experiments)])


@pytest.mark.parametrize(
    ("statistic", "truth", "draw"),
    [
        (np.mean, 3.0, lambda rng, n: rng.normal(3, 2, n)),
        (np.median, 1.0, lambda rng, n: rng.lognormal(sigma=0.5, size=n)),
        (np.mean, 0.3, lambda rng, n: rng.random(n) < 0.3),
    ],
    ids=["mean of normals", "median of lognormals", "share of successes"],
)
def test_a_95_percent_interval_holds_the_truth_about_95_times_in_a_hundred(statistic, truth, draw):
    assert 0.90 <= coverage(statistic, truth, draw, n=100) <= 0.99


def test_p99_of_a_hundred_samples_is_beyond_the_bootstrap():
    """Chapter 01's warning, from the library's own function."""
    truth = float(np.exp(0.5 * 2.3263))
    held = coverage(
        lambda x, axis: np.percentile(x, 99, axis=axis), truth, lambda r, n: r.lognormal(sigma=0.5, size=n), 100
    )
    assert held < 0.75  # fmt: skip


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    samples = np.random.default_rng(2).normal(size=400)
    found = bootstrap(samples, np.mean)
    assert found.high - found.low == pytest.approx(2 * 1.96 * samples.std() / 20, rel=0.1)
    assert found.low < found.value < found.high
    assert found.value == samples.mean()
    assert found.n == 400


def test_one_seed_one_interval():
    samples = np.random.default_rng(3).normal(size=50)
    assert bootstrap(samples, seed=4) == bootstrap(samples, seed=4)
    assert bootstrap(samples, seed=4) != bootstrap(samples, seed=5)


def test_more_confidence_is_wider():
    samples = np.random.default_rng(3).normal(size=50)
    wide, narrow = bootstrap(samples, confidence=0.99), bootstrap(samples, confidence=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_columns_of_a_row_stay_together():
    """Paired data: the second column is twice the first, in every resample."""
    first = np.random.default_rng(6).lognormal(size=60)
    found = bootstrap(
        np.column_stack([first, 2 * first]), lambda rows: rows[:, 1].sum() / rows[:, 0].sum(), together=False
    )
    assert (found.low, found.value, found.high) == pytest.approx((2, 2, 2))  # fmt: skip


def test_one_at_a_time_and_all_together_agree():
    samples = np.random.default_rng(7).normal(size=80)
    together, single = bootstrap(samples, np.mean), bootstrap(samples, np.mean, together=False)
    assert together.value == pytest.approx(single.value)
    assert (together.low, together.high) == pytest.approx((single.low, single.high), abs=0.03)


def test_batches_that_fit_in_memory_change_nothing(monkeypatch):
    from workbench import intervals

    samples, whole = np.random.default_rng(8).normal(size=64), intervals._draw_together
    small = whole(samples, np.mean, 100, np.random.default_rng(1), batch_values=64 * 7)
    assert small == pytest.approx(whole(samples, np.mean, 100, np.random.default_rng(1)))
    assert len(small) == 100


@pytest.mark.parametrize("samples", [[], [1.0], [1.0, np.nan], [1.0, np.inf]])
def test_samples_that_support_no_interval_are_refused(samples):
    with pytest.raises(ValueError, match="a bootstrap needs"):
        bootstrap(samples)


def test_an_estimate_changes_its_unit_and_keeps_its_order():
    e = Estimate(2.0, 1.0, 4.0, 10)
    assert e.scaled(1e3) == Estimate(2000.0, 1000.0, 4000.0, 10)
    assert e.scaled(-1) == Estimate(-2.0, -4.0, -1.0, 10)
    assert float(e) == 2.0
    assert e.covers(1.0)
    assert e.covers(4.0)
    assert not e.covers(4.1)


@pytest.mark.parametrize(("yes", "n"), [(0, 60), (60, 60), (1, 60), (3, 8), (1, 1), (0, 1), (2, 40), (500, 1000)])
def test_a_share_has_the_interval_of_the_exact_binomial_test(yes, n):
    found = share(np.arange(n) < yes)
    exact = stats.binomtest(yes, n).proportion_ci(method="exact")
    assert (found.value, found.n) == (yes / n, n)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_a_share_covers_the_truth_where_the_bootstrap_is_sure_of_nothing():
    """Rare events: half of all samples of 60 have none, and a bootstrap of nothing is [0, 0]."""
    rng, rare = np.random.default_rng(9), 0.01
    samples = [rng.random(60) < rare for _ in range(300)]
    assert np.mean([bootstrap(s, np.mean, resamples=100).covers(rare) for s in samples]) < 0.5
    assert np.mean([share(s).covers(rare) for s in samples]) >= 0.95


def test_a_share_takes_its_trials_as_zeros_and_ones_as_well():
    assert share([1, 0, 0, 1]) == share([True, False, False, True]) == share(np.array([1.0, 0, 0, 1]))
    assert share([True, False], confidence=0.5).low > share([True, False]).low


@pytest.mark.parametrize("hits", [[], 0.5, [[True, False]], [0.5, 1], [2, 0], [True, np.nan], ["yes", "no"]])
def test_trials_that_are_not_yes_or_no_are_refused(hits):
    with pytest.raises(ValueError, match="a share needs"):
        share(hits)
