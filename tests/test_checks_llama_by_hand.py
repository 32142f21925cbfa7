"""Chapter 32's checks agree with the libraries: gguf's blocks, torch's norm, transformers' models and filters."""

import numpy as np
import pytest

from workbench.checks.llama_by_hand import check_rms_norm, check_to_halves, check_unpack
from workbench.checks.llama_counts import MODELS, check_count, check_nucleus


def test_gguf_unpacks_as_the_check_wants_it():
    import gguf

    def unpack(block):
        return gguf.dequantize(np.frombuffer(block, np.uint8)[None], gguf.GGMLQuantizationType.Q4_1)[0]

    assert check_unpack.judge(unpack).passed


def test_torchs_norm_passes():
    import torch
    from torch.nn.functional import rms_norm

    def by_torch(x, gain, epsilon):
        return rms_norm(torch.tensor(x), gain.shape, torch.tensor(gain), epsilon).numpy()

    assert check_rms_norm.judge(by_torch).passed


def test_the_reference_loader_reorders_rows_as_the_check_wants_it():
    from workbench.llama import _halves

    assert check_to_halves.judge(_halves).passed


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m['width']}x{m['layers']}")
def test_parameters_are_those_of_transformers(model):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from workbench.checks.llama_counts import _parameters

    config = LlamaConfig(
        vocab_size=model["vocab"],
        hidden_size=model["width"],
        intermediate_size=model["hidden"],
        num_hidden_layers=model["layers"],
        num_attention_heads=model["heads"],
        num_key_value_heads=model["kv_heads"],
        tie_word_embeddings=model["tied"],
    )
    with torch.device("meta"):
        wanted = sum(p.numel() for p in LlamaForCausalLM(config).parameters())
    assert _parameters(model) == wanted


def test_a_count_may_come_as_floats_and_a_list():
    def count(vocab, width, layers, heads, kv_heads, hidden, tied, t):
        layer = 2 * width**2 * (1 + kv_heads / heads) + 3 * width * hidden
        n = vocab * width * (2 - tied) + layers * (layer + 2 * width) + width
        return [float(n), 2 * (vocab * width + layers * layer) + 4 * layers * t * width]

    assert check_count.judge(count).passed


@pytest.mark.parametrize("factor", [(2, 1), (1, 2)])
def test_a_count_that_is_twice_the_right_one_is_said_to_be(factor):
    def count(vocab, width, layers, heads, kv_heads, hidden, tied, t):
        layer = 2 * width**2 + 2 * width * (width // heads) * kv_heads + 3 * width * hidden
        n = vocab * width * (2 - tied) + layers * (layer + 2 * width) + width
        return n * factor[0], (2 * (vocab * width + layers * layer) + 4 * layers * t * width) * factor[1]

    report = check_count.judge(count)
    assert report.passed is False
    assert "twice" in report.message


def test_transformers_cuts_the_nucleus_as_the_check_wants_it():
    import torch
    from transformers import TopPLogitsWarper

    def nucleus(chances, top_p):
        if top_p == 1:  # transformers leaves the filter out then
            return np.ones(len(chances), bool)
        return TopPLogitsWarper(top_p)(None, torch.tensor(chances).log()[None]).isfinite()[0].numpy()

    assert check_nucleus.judge(nucleus).passed


def test_indices_instead_of_a_mask_are_told_apart():
    report = check_nucleus.judge(lambda chances, top_p: np.argsort(-chances)[:3])
    assert report.passed is False
    assert "indices" in report.message
