"""Chapter 29's checks accept other right answers, and name mistakes that the solutions do not list."""

import numpy as np
import pytest
import torch
from solved import solved

from workbench.checks import gpu
from workbench.checks.gpu import check_merge, check_rows_in_waves, check_step_bytes
from workbench.checks.gpu_tensors import check_steady, check_to_fp8_rows

STEM = "29_fill_a_gpu"


@pytest.mark.parametrize("answer", [None, "warp", 3.0])
def test_a_run_that_answers_nonsense_is_refused(answer):
    report = check_steady.judge(lambda record, function, example: lambda x: answer)
    assert report.passed is False


def test_other_right_answers_pass():
    names = solved(STEM)
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
