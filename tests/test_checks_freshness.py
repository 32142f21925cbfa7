"""Chapter 13's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

import heapq
import math
from pathlib import Path

import numpy as np
import pytest

from workbench.checks.freshness import check_answer_age, check_break_even, check_window_sums
from workbench.checks.freshness_skew import check_as_of, check_skew_report
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "13_predict_in_batch_or_online.ipynb"
CHECKS = [check_answer_age, check_break_even, check_window_sums, check_as_of, check_skew_report]


def cells(tag: str) -> list:
    return [c for c in notebooks.read(SOLUTIONS).cells if tag in notebooks.tags(c)]


def namespace() -> dict:
    """Imports and solutions of the solutions notebook, executed."""
    names = {}
    for cell in notebooks.read(SOLUTIONS).cells:
        if cell.cell_type == "code" and not set(notebooks.tags(cell)) & {"check", "wrong-answer"}:
            exec(cell.source, names)
    return names


def judged(source: str):
    """The report of a cell whose last line calls check_x(answer)."""
    names = namespace()
    *body, call = source.strip().splitlines()
    exec("\n".join(body), names)
    check, answer = call.rstrip(")").split("(")
    return names[check].judge(names[answer])


@pytest.mark.parametrize("cell", cells("check"), ids=lambda c: c.id)
def test_a_solution_passes(cell):
    assert judged(cell.source).passed is True


@pytest.mark.parametrize("cell", cells("wrong-answer"), ids=lambda c: c.id)
def test_a_wrong_answer_gets_its_own_hint(cell):
    report = judged(cell.source)
    assert report.passed is False
    assert cell.source.splitlines()[0].removeprefix("# refused with: ") in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", [None, "drift", {}, [["a"]], np.zeros((3, 3)) + np.nan], ids=repr)
def test_what_is_not_a_number_is_refused_in_one_line(check, answer):
    report = check.judge(lambda *args: answer)
    assert report.passed is False
    assert "\n" not in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_an_untouched_stub_is_open_and_a_crash_is_one_line(check):
    def stub(*args):
        raise NotImplementedError

    def crash(*args):
        raise IndexError("too\nfar")

    assert check.judge(stub).passed is None
    assert check.judge(crash).message == "your code raised IndexError: too far"


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
    assert check_as_of.judge(lambda facts, asked: np.array(namespace()["as_of"](facts, asked))).passed


def test_a_learner_who_changes_the_input_does_not_spoil_the_reference():
    def in_place(asked, every, runs_for, start):
        asked -= start + runs_for
        return asked % every + runs_for

    def sorts(reports, asked, width):
        reports.sort()
        asked.reverse()
        return namespace()["window_sums"](reports, asked[::-1], width)

    assert check_answer_age.judge(in_place).passed
    assert check_window_sums.judge(sorts).passed


@pytest.mark.parametrize("answer", [{"count": 0.1}, {"count": "a", "mean": 0, "hour": 0}, [0.1, 0.2, 0.3], math.nan])
def test_a_skew_report_of_another_shape_is_refused_in_one_line(answer):
    report = check_skew_report.judge(lambda logged, trained: answer)
    assert report.passed is False
    assert "raised" not in report.message
