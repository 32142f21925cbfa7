"""The checks of chapters 00 and 01 accept what is right and name what is wrong."""

import math

import numpy as np
import pytest

from workbench.checks import method, timing

ALL = {
    "00.1": method.check_share_right,
    "00.2": method.check_shuffle_weights,
    "00.3": method.check_choose_bound,
    "01.1": method.check_percentile,
    "01.2": method.check_bootstrap_interval,
    "01.3": method.check_samples_needed,
    "01.4": timing.check_paired_ratio,
    "01.5": timing.check_latencies,
    "01.6": timing.check_problems,
}


def bootstrap_by_choice(samples, statistic, rng):
    draws = [statistic(rng.choice(samples, size=len(samples))) for _ in range(2000)]
    return tuple(np.quantile(draws, [0.025, 0.975]))


def bootstrap_at_once(samples, statistic, rng):
    draws = np.apply_along_axis(statistic, 1, samples[rng.integers(len(samples), size=(2000, len(samples)))])
    return [np.percentile(draws, 2.5), np.percentile(draws, 97.5)]


def answered_by_loop(due, service):
    free, found = 0.0, []
    for at, work in zip(due, service, strict=True):
        free = max(at, free) + work
        found.append(free - at)
    return found


RIGHT = [
    ("00.1", lambda picks, truth: sum(p == t for p, t in zip(picks, truth, strict=True)) / len(truth)),
    ("00.2", lambda weights, rng: rng.permuted(weights.reshape(-1)).reshape(weights.shape)),
    ("00.2", lambda weights, rng: weights.ravel()[rng.permutation(weights.size)].reshape(weights.shape)),
    ("00.3", lambda runs, control: runs.mean() - 5 * runs.std()),
    ("00.3", lambda runs, control: (runs.mean() + control.mean()) / 2),
    ("01.1", lambda samples, q: np.percentile(samples, q)),
    ("01.1", lambda samples, q: float(np.quantile(np.array(samples), q / 100))),
    ("01.2", bootstrap_by_choice),
    ("01.2", bootstrap_at_once),
    ("01.3", lambda q, sure: next(n for n in range(1, 10_000) if 1 - (q / 100) ** n >= sure)),
    ("01.4", lambda a, b: float(np.median([x / y for x, y in zip(a, b, strict=True)]))),
    ("01.5", answered_by_loop),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_other_ways_to_be_right_pass(exercise, answer):
    report = ALL[exercise].judge(answer)
    assert report.passed, report.message


WRONG = [
    ("00.1", lambda p, t: 0.5, "For picks"),
    ("00.1", lambda p, t: 5 / 8 if isinstance(p, list) else 0, "NumPy arrays do not"),
    ("00.2", lambda w, rng: w.copy(), "The order has not changed"),
    ("00.2", lambda w, rng: w[:, rng.permutation(w.shape[1])], "Each row"),
    ("00.2", lambda w, rng: rng.permuted(w, axis=0), "Each column"),
    ("00.3", lambda runs, control: -math.inf, "finite"),
    ("00.3", lambda runs, control: np.median(runs), "The median is missed"),
    ("00.3", lambda runs, control: control.max(), "The control reaches"),
    ("01.1", lambda s, q: sorted(s)[math.ceil(q / 100 * (len(s) - 1))], "the upper one"),
    ("01.1", lambda s, q: sorted(s)[max(math.ceil(q / 100 * len(s)), 1) - 1], "nearest-rank"),
    ("01.1", lambda s, q: np.percentile(s, q) if q < 100 else 94.0, "the largest sample"),
    ("01.1", lambda s, q: np.percentile(s, q) + 1, "you have"),
    ("01.2", lambda s, stat, rng: (stat(s) - 2 * s.std(), stat(s) + 2 * s.std()), "Far too wide"),
    ("01.2", lambda s, stat, rng: (stat(s), stat(s)), "no width"),
    ("01.2", lambda s, stat, rng: stat(s), "Return 2 things"),
    ("01.3", lambda q, sure: 300, "it takes 299"),
    ("01.4", lambda a, b: a / b, "one number"),
    ("01.4", lambda a, b: 1.2, "the median ratio is"),
    ("01.5", lambda due, service: answered_by_loop(due, service)[:-1], "one latency for each"),
    ("01.6", lambda report: None, "return"),
    ("01.6", lambda report: "cold", "Return a set"),
    ("01.6", lambda report: {"boring"}, "'boring' is not one of"),
    ("01.6", lambda report: set(), "you missed 'cold'"),
    ("01.6", lambda report: ["cold", "few samples", "launch only", "not paired"], "false alarm"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG)
def test_a_mistake_is_named(exercise, answer, hint):
    report = ALL[exercise].judge(answer)
    assert report.passed is False
    assert hint in report.message


def test_the_interval_check_takes_any_seed():
    """2,000 resamples scatter: a right answer passes whatever generator the learner makes of the one given."""
    for shift in range(25):
        report = method.check_bootstrap_interval.judge(
            lambda samples, statistic, rng, shift=shift: bootstrap_by_choice(
                samples, statistic, np.random.default_rng([shift, rng.integers(1000)])
            )
        )
        assert report.passed, (shift, report.message)


def test_every_lie_of_the_report_exercise_is_met_alone_and_each_has_an_honest_twin():
    alone = {word for _, wanted, _ in timing.CASES if len(wanted) == 1 for word in wanted}
    assert alone == {"cold", "few samples", "coordinated omission", "launch only", "not paired"}
    assert sum(not wanted for _, wanted, _ in timing.CASES) >= 5


def test_the_independent_references_agree_with_the_libraries():
    samples = np.random.default_rng(5).lognormal(size=50)
    for q in (0, 1, 33.3, 50, 99, 100):
        assert method._percentile_reference(samples, q) == pytest.approx(np.percentile(samples, q), rel=1e-12)
    due, service = timing._load_example()
    answered = np.array(timing._answered(due, service))
    assert answered - due == pytest.approx(answered_by_loop(due, service))
