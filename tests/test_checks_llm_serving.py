"""Chapter 25's checks accept other right answers, and name mistakes that the solutions do not list."""

import numpy as np
from solved import solved

from workbench.checks.int8_hunt import check_find_breakers
from workbench.checks.llm_serving import check_finish_times, check_tokens_per_s

STEM = "25_serve_a_quantized_llm"


def test_a_looked_up_row_may_be_counted():
    def with_one_row(tensors, gb_per_s):
        right = solved(STEM)["tokens_per_s"](tensors, gb_per_s)
        row = 576 * 34 / 32 if any(name == "output.weight" for name, *_ in tensors) else 0
        return 1 / (1 / right + row / (gb_per_s * 1e9))

    assert check_tokens_per_s.judge(with_one_row).passed


def test_trying_every_subset_is_right_and_too_dear():
    def patient(layers, loss):
        for _ in range(20):
            answer = find_breakers(layers, loss)
        return answer

    find_breakers = solved(STEM)["find_breakers"]
    report = check_find_breakers.judge(patient)
    assert report.passed is False
    assert "runs of the model" in report.message


def test_a_newcomer_one_step_late_is_recognised():
    from workbench.checks import llm_serving

    report = check_finish_times.judge(lambda *case: llm_serving._play(*case, late=True))
    assert "not one step later" in report.message


def test_a_batch_may_be_returned_as_an_array():
    solution = solved(STEM)["finish_times"]
    assert check_finish_times.judge(lambda *case: np.array(solution(*case))).passed
