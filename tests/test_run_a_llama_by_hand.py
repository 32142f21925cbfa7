"""The page that chapter 32 prints is a Llama: equal to transformers' on small random models of other shapes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere

from workbench.llama import INNER
from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "32_run_a_llama_by_hand.ipynb"
PAGE = ["rms-norm", "turn", "group", "hide", "gate", "port-record", "attention", "forward"]
WRONG = ["mistakes", "wrong-norms", "wrong-ports"]
NAMES = dict(
    torch=torch, F=F, np=np, math=math, Callable=Callable, dataclass=dataclass, replace=replace, partial=partial
)


def cells(*ids: str) -> list[str]:
    found = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    return [found[id] for id in ids]


def neighbours(w: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows from transformers' order to llama.cpp's."""
    return w.unflatten(0, (heads, 2, -1)).transpose(1, 2).reshape(w.shape)


def page_and_library(heads: int, kv_heads: int, seed: int) -> tuple[dict, torch.nn.Module]:
    """The chapter's functions around the weights of a small random model, and that model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=8 * heads,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        rms_norm_eps=1e-5,
        rope_theta=1000.0,
        tie_word_embeddings=True,
        initializer_range=0.3,
    )
    library = LlamaForCausalLM(config).eval().requires_grad_(False)
    for name, parameter in library.named_parameters():
        if "norm" in name:
            parameter.uniform_(0.5, 1.5)
    state, layers = library.state_dict(), []
    for number in range(3):
        layer = {ours: state[f"model.layers.{number}.{theirs}.weight"] for ours, theirs in INNER.items()}
        layer["attn_q"] = neighbours(layer["attn_q"], heads)
        layer["attn_k"] = neighbours(layer["attn_k"], kv_heads)
        layers.append(layer)
    page = dict(NAMES, HEADS=heads, KV_HEADS=kv_heads, HEAD=8, EPSILON=1e-5, BASE=1000.0, layers=layers)
    page |= dict(EMBEDDING=state["model.embed_tokens.weight"], weights={"output_norm": state["model.norm.weight"]})
    for source in cells(*PAGE, *WRONG):
        exec(source, page)
    return page, library


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (4, 2), (6, 2), (3, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_the_page_is_a_llama(heads, kv_heads, seed):
    page, library = page_and_library(heads, kv_heads, seed)
    ids = torch.randint(64, (12,), generator=torch.Generator().manual_seed(seed)).tolist()
    wanted = library(torch.tensor([ids]), use_cache=False).logits[0]
    torch.testing.assert_close(page["forward"](ids), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("cut", [[1] * 12, [5, 1, 6], [11, 1]])
def test_the_cache_changes_nothing_however_the_text_is_cut(cut):
    page, _ = page_and_library(6, 2, 0)
    ids = torch.randint(64, (12,), generator=torch.Generator().manual_seed(1)).tolist()
    cache, found, at = [None] * 3, [], 0
    for n in cut:
        found.append(page["forward"](ids[at : at + n], cache))
        at += n
    torch.testing.assert_close(torch.cat(found), page["forward"](ids), atol=1e-4, rtol=0)


def test_each_mistake_moves_a_score_of_another_model_too():
    page, _ = page_and_library(6, 2, 0)
    ids = torch.randint(64, (12,), generator=torch.Generator().manual_seed(2)).tolist()
    right = page["forward"](ids)
    moved = {name: (page["forward"](ids, port=port) - right).abs().max().item() for name, port in page["WRONG"].items()}
    assert len(moved) == 11
    assert all(gap > 1e-4 for gap in moved.values()), moved


@pytest.mark.parametrize("kind", ["Q4_1", "Q8_0"])
def test_blocks_are_unpacked_as_gguf_does_it(kind):
    number = gguf.GGMLQuantizationType[kind]
    numbers = np.random.default_rng(0).normal(size=(7, 96)).astype(np.float32)
    raw = gguf.quantize(numbers, number)
    page = dict(NAMES)
    exec("\n".join(cells("unpack", "types")), page)
    unpack, _, size = page["TYPES"][int(number)]
    assert np.array_equal(unpack(raw.reshape(-1, size)).reshape(7, 96), gguf.dequantize(raw, number))
