"""Chapter 25's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

from pathlib import Path

import numpy as np
import pytest

from workbench.checks.int8_hunt import check_find_breakers, check_smooth
from workbench.checks.llm_serving import check_finish_times, check_read_stream, check_tokens_per_s
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "25_serve_a_quantized_llm.ipynb"
CHECKS = [check_tokens_per_s, check_find_breakers, check_smooth, check_read_stream, check_finish_times]


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


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("cell", cells("wrong-answer"), ids=lambda c: c.id)
def test_a_wrong_answer_gets_its_own_hint(cell):
    report = judged(cell.source)
    assert report.passed is False
    assert cell.source.splitlines()[0].removeprefix("# refused with: ") in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", [None, "int8", {}, [["a"]], [[1], [2, 3]], np.zeros((3, 3)) + np.nan], ids=repr)
def test_what_is_no_answer_is_refused_in_one_line(check, answer):
    report = check.judge(lambda *args: answer)
    assert report.passed is False
    assert "\n" not in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_an_untouched_stub_is_open_and_a_crash_is_one_line(check):
    def stub(*args):
        raise NotImplementedError

    assert check.judge(stub).passed is None
    assert "TypeError" in check.judge(lambda: 1).message


def test_a_looked_up_row_may_be_counted():
    def with_one_row(tensors, gb_per_s):
        right = namespace()["tokens_per_s"](tensors, gb_per_s)
        row = 576 * 34 / 32 if any(name == "output.weight" for name, *_ in tensors) else 0
        return 1 / (1 / right + row / (gb_per_s * 1e9))

    assert check_tokens_per_s.judge(with_one_row).passed


def test_trying_every_subset_is_right_and_too_dear():
    def patient(layers, loss):
        for _ in range(20):
            answer = namespace_breakers(layers, loss)
        return answer

    namespace_breakers = namespace()["find_breakers"]
    report = check_find_breakers.judge(patient)
    assert report.passed is False
    assert "runs of the model" in report.message


def test_a_newcomer_one_step_late_is_recognised():
    from workbench.checks import llm_serving

    report = check_finish_times.judge(lambda *case: llm_serving._play(*case, late=True))
    assert "not one step later" in report.message


def test_a_batch_may_be_returned_as_an_array():
    solution = namespace()["finish_times"]
    assert check_finish_times.judge(lambda *case: np.array(solution(*case))).passed
