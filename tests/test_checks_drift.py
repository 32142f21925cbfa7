"""Chapter 14's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from workbench.checks.drift import check_ks, check_psi
from workbench.checks.drift_monitor import check_drifting_sensors, check_median_delay, check_quiet_threshold
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "14_detect_drift.ipynb"
CHECKS = [check_psi, check_ks, check_median_delay, check_drifting_sensors, check_quiet_threshold]


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
    assert check_ks.judge(lambda r, w: stats.ks_2samp(r, w).statistic).passed
    assert check_ks.judge(lambda r, w: np.float32(stats.ks_2samp(r, w).statistic)).passed
    assert check_median_delay.judge(
        lambda months, onset, end: (
            np.sort([min([a for a in m if a >= onset] + [end]) for m in months])[
                [(len(months) - 1) // 2, len(months) // 2]
            ].mean()
            - onset
        )
    ).passed
    assert check_drifting_sensors.judge(lambda p, level: namespace()["drifting_sensors"](p, level).tolist()).passed


def test_a_learner_who_sorts_in_place_does_not_spoil_the_reference():
    def in_place(reference, window):
        reference.sort()
        window.sort()
        return namespace()["ks"](reference, window)

    assert check_ks.judge(in_place).passed


def test_a_psi_that_is_wrong_in_no_known_way_is_still_refused():
    report = check_psi.judge(lambda r, w, bins: 0.123456)
    assert report.passed is False
    assert "expected" in report.message
