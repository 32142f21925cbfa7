"""Chapter 24's checks accept other right answers, and name mistakes that the solutions do not list."""

import numpy as np
import pytest
from solved import solved

from workbench.checks.kv_cache import check_admitted, check_cache_gib, check_positions_read
from workbench.checks.kv_cache_tensors import check_append_keys, check_share_heads, check_visible, turn

STEM = "24_cache_keys_and_values"


def test_other_right_answers_pass():
    assert check_positions_read.judge(
        lambda p, n, cached: np.int64((p + n - 1) * (n > 0)) if cached else n * p + n * (n - 1) / 2
    ).passed
    assert check_visible.judge(lambda new, past: np.tri(new, past + new, past)).passed  # ones and zeros
    assert check_visible.judge(
        lambda new, past: [[j <= past + i for j in range(past + new)] for i in range(new)]
    ).passed
    assert check_share_heads.judge(lambda x, heads: x[np.arange(heads) * len(x) // heads]).passed

    def one_by_one(kept, k, rotate):
        for i in range(k.shape[1]):
            kept = np.concatenate([kept, rotate(k[:, i : i + 1], kept.shape[1])], axis=1)
        return kept

    assert check_append_keys.judge(one_by_one).passed


def test_a_learner_who_writes_into_the_arguments_does_not_spoil_the_reference():
    def in_place(kept, k, rotate):
        answer = np.concatenate([kept, rotate(k, kept.shape[1])], axis=1)
        kept[:], k[:] = 0, 0
        return answer

    def emptied(lengths, *rest):
        count = solved(STEM)["admitted"](list(lengths), *rest)
        lengths.clear()
        return count

    assert check_append_keys.judge(in_place).passed
    assert check_admitted.judge(emptied).passed


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (check_positions_read, lambda *args: 12_345, "expected 271"),
        (check_cache_gib, lambda *args: 0.123, "expected"),
        (check_cache_gib, lambda config, *rest: config["n_head"], "no field 'n_head'"),
        (check_admitted, lambda *args: 77, "expected"),
        (check_share_heads, lambda x, heads: np.zeros((heads, 6, 4)), "at [0, 0, 0]"),
        (check_visible, lambda new, past: np.full((new, past + new), 7), "True and False only"),
        (check_append_keys, lambda kept, k, rotate: rotate(k[0], 0), "rotate takes"),
        (check_append_keys, lambda kept, k, rotate: np.zeros((2, 2)), "shape (2, 2), expected (3, 10, 8)"),
    ],
    ids=["count", "memory", "field", "admit", "heads", "sevens", "flat", "shape"],
)
def test_a_wrong_answer_of_no_known_kind_is_refused_too(check, answer, words):
    report = check.judge(answer)
    assert report.passed is False
    assert words in report.message


def test_turning_by_one_position_and_one_more_is_turning_by_two():
    x = np.random.default_rng(0).normal(size=(2, 1, 8))
    assert np.allclose(turn(turn(x, 1), 1), turn(x, 2))
    assert np.allclose(turn(x, 0), x)
