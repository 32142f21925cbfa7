"""Chapter 15's checks accept other right answers, and name mistakes that the solutions do not list."""

import re

import numpy as np
from solved import solved

from workbench.checks.choice import check_read_answer, check_split_without_leaks
from workbench.checks.choice_proof import check_paired_difference, check_threshold_for

STEM = "15_choose_api_foundation_or_small_model"


def test_other_right_answers_pass():
    answers = solved(STEM)

    def as_numpy(text):
        verdict = answers["read_answer"](text)
        return None if verdict is None else np.bool_(verdict)

    def by_counting(scores, spam, max_share):
        good = np.sort(scores[~spam])[::-1]
        return np.float32(good[int(max_share * len(good) + 1e-9)])

    assert check_read_answer.judge(as_numpy).passed
    assert check_threshold_for.judge(by_counting).passed
    assert check_split_without_leaks.judge(
        lambda c, d, k: [np.array(part, int) for part in answers["split_without_leaks"](c, d, k)]
    ).passed


def test_a_normal_approximation_of_a_paired_difference_passes_and_any_seed_does():
    def normal(a, b):
        gap = b.astype(float) - a
        half = 1.96 * gap.std() / len(gap) ** 0.5
        return gap.mean(), gap.mean() - half, gap.mean() + half

    def seeded(seed):
        def answer(a, b):
            gap, rng = b.astype(float) - a, np.random.default_rng(seed)
            drawn = [gap[rng.integers(len(gap), size=len(gap))].mean() for _ in range(5000)]
            return gap.mean(), *np.quantile(drawn, [0.025, 0.975])

        return answer

    assert check_paired_difference.judge(normal).passed
    assert all(check_paired_difference.judge(seeded(seed)).passed for seed in range(5))


def test_an_interval_that_is_wrong_in_no_known_way_is_still_refused():
    report = check_paired_difference.judge(lambda a, b: (b.mean() - a.mean(), -0.2, 0.4))
    assert report.passed is False
    assert "wide" in report.message
    shifted = check_paired_difference.judge(lambda a, b: (b.mean() - a.mean(), 0.05, 0.075))
    assert shifted.passed is False


def test_a_reader_that_ignores_marks_and_order_is_named():
    def lenient(text):
        words = re.findall("[a-z']+", text.lower())
        return True if words[:1] == ["spam"] else False if words else None

    assert check_read_answer.judge(lenient).passed is False
