"""Chapter 13's checks accept other right answers, and name mistakes that the solutions do not list."""

import heapq
import math

import numpy as np
import pytest
from solved import solved

from workbench.checks.freshness import check_answer_age, check_break_even, check_window_sums
from workbench.checks.freshness_skew import check_as_of, check_skew_report

STEM = "13_predict_in_batch_or_online"


def test_other_right_answers_pass():
    def window(reports, asked, width):
        """The chapter's way: replay in order of arrival, two heaps."""
        answers, coming, inside, stream = [], [], [], sorted(reports)[::-1]
        for t in asked:
            while stream and stream[-1][0] <= t:
                heapq.heappush(coming, stream.pop()[1:])
            while coming and coming[0][0] <= t:
                heapq.heappush(inside, heapq.heappop(coming))
            while inside and inside[0][0] <= t - width:
                heapq.heappop(inside)
            answers.append(sum(value for _, value in inside))
        return np.array(answers)

    def age(asked, every, runs_for, start):
        runs = np.arange(start - 2 * every, asked.max() + every, every)
        return asked - runs[np.searchsorted(runs + runs_for, asked, side="right") - 1]

    assert check_window_sums.judge(window).passed
    assert check_answer_age.judge(age).passed
    assert check_answer_age.judge(lambda *a: age(*a).tolist()).passed
    assert check_break_even.judge(lambda j, k, c, r: np.float64(j / (c - r) / k) if c > r else np.inf).passed
    assert check_as_of.judge(lambda facts, asked: np.array(solved(STEM)["as_of"](facts, asked))).passed


def test_a_learner_who_changes_the_input_does_not_spoil_the_reference():
    def in_place(asked, every, runs_for, start):
        asked -= start + runs_for
        return asked % every + runs_for

    def sorts(reports, asked, width):
        reports.sort()
        asked.reverse()
        return solved(STEM)["window_sums"](reports, asked[::-1], width)

    assert check_answer_age.judge(in_place).passed
    assert check_window_sums.judge(sorts).passed


@pytest.mark.parametrize("answer", [{"count": 0.1}, {"count": "a", "mean": 0, "hour": 0}, [0.1, 0.2, 0.3], math.nan])
def test_a_skew_report_of_another_shape_is_refused_in_one_line(answer):
    report = check_skew_report.judge(lambda logged, trained: answer)
    assert report.passed is False
    assert "raised" not in report.message
