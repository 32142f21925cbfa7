"""Chapter 31's checks agree with a second reference and accept other right answers."""

import numpy as np
import pytest

from workbench.checks.attention import (
    check_cut_heads,
    check_masked_weights,
    check_may_look,
    check_overtakes,
    check_softmax,
)


def test_scipys_softmax_passes():
    from scipy.special import softmax

    assert check_softmax.judge(lambda scores: softmax(scores, axis=-1)).passed


def test_a_window_of_ones_and_zeros_passes():
    assert check_may_look.judge(lambda t, window: np.tri(t) - np.tri(t, k=-window)).passed


def test_heads_cut_by_split_and_stack_pass():
    assert check_cut_heads.judge(lambda x, heads: np.stack(np.split(x, heads, axis=1))).passed


def test_torchs_function_passes_where_rows_may_look_nowhere():
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    def by_torch(scores, may):
        """Weights are attention over the unit vectors; queries that are the scores, keys that are the axes."""
        q, mask, axes = torch.tensor(scores), torch.tensor(may), torch.eye(len(scores), dtype=torch.float64)
        return scaled_dot_product_attention(q, axes, axes, attn_mask=mask, scale=1.0).numpy()

    assert check_masked_weights.judge(by_torch).passed


@pytest.mark.parametrize("kind", [int, float])
def test_a_length_may_be_any_whole_number(kind):
    def overtakes(width, heads, kv_heads, hidden, matrices):
        return kind((2 * width + 2 * width * kv_heads // heads + matrices * hidden) // 2 + 1)

    assert check_overtakes.judge(overtakes).passed


def test_a_length_found_by_counting_up_passes():
    def overtakes(width, heads, kv_heads, hidden, matrices):
        rest = 4 * width**2 + 4 * width * (width // heads) * kv_heads + 2 * matrices * width * hidden
        t = 1
        while 4 * t * width <= rest:
            t += 1
        return t

    assert check_overtakes.judge(overtakes).passed
