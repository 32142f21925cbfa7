"""Chapter 29's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workbench.checks import gpu
from workbench.checks.gpu import check_merge, check_rows_in_waves, check_step_bytes
from workbench.checks.gpu_tensors import check_steady, check_to_fp8_rows
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "29_fill_a_gpu.ipynb"
CHECKS = [check_rows_in_waves, check_step_bytes, check_merge, check_to_fp8_rows, check_steady]


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
    report = judged(cell.source)
    assert report.passed is True, report.message


@pytest.mark.parametrize("cell", cells("wrong-answer"), ids=lambda c: c.id)
def test_a_wrong_answer_gets_its_own_hint(cell):
    report = judged(cell.source)
    assert report.passed is False
    assert cell.source.splitlines()[0].removeprefix("# refused with: ") in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", [None, "warp", {}, [["a"]], np.zeros((3, 3)) + np.nan, (1, 2)], ids=repr)
def test_nonsense_is_refused_in_one_line(check, answer):
    report = check.judge(lambda *args, **named: answer)
    assert report.passed is False
    assert "\n" not in report.message


@pytest.mark.parametrize("answer", [None, "warp", 3.0])
def test_a_run_that_answers_nonsense_is_refused(answer):
    report = check_steady.judge(lambda record, function, example: lambda x: answer)
    assert report.passed is False


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_an_untouched_stub_is_open_and_a_crash_is_one_line(check):
    def stub(*args, **named):
        raise NotImplementedError

    def crash(*args, **named):
        raise IndexError("too\nfar")

    assert check.judge(stub).passed is None
    assert check.judge(crash).message == "your code raised IndexError: too far"


def test_other_right_answers_pass():
    names = namespace()
    right = names["merge"]
    assert check_merge.judge(lambda one, two: list(right(two, one))).passed
    assert check_rows_in_waves.judge(lambda *p: np.int64(names["rows_in_waves"](*p))).passed
    assert check_step_bytes.judge(lambda **given: float(names["step_bytes"](**given))).passed

    def by_rows(x):
        scales = [float(row.abs().max()) / 448 or 1.0 for row in x]
        scale = torch.tensor(scales, dtype=torch.float32)[:, None]
        return (x / scale).clamp(-448, 448).to(torch.float8_e4m3fn), scale

    assert check_to_fp8_rows.judge(by_rows).passed


def test_mistakes_of_one_exercise_are_told_apart():
    product = gpu.PRODUCTS[-1]
    values = [*gpu._wave_mistakes(*product).values(), gpu._largest_rows(*product)]
    assert len(set(values)) == len(values)
    load = gpu.LOADS[1] | {"size": 2}
    untied = gpu._byte_mistakes(load, gpu.MODELS[0])
    values = [*untied.values(), gpu._step_bytes(**gpu.MODELS[0], **load)]
    assert len(set(values)) == len(values) - 1  # without a tie, "tied is free" and "left out" give one number


def test_the_first_waves_rows_are_those_that_the_chapter_draws():
    assert gpu._largest_rows(3072, (128, 256), 132, 1) == 11 * 128
