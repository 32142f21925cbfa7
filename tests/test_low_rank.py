"""Adapters in the upper layers: fresh ones change nothing, files come back, merged is the same as beside."""

import pickle

import pytest
import torch
from safetensors import SafetensorError
from transformers import LlamaConfig, LlamaForCausalLM

from workbench.low_rank import adapt, load_adapters, save_adapters, split, take_out

IDS = torch.tensor([[1, 5, 9, 4], [2, 2, 7, 3]])


def tiny(layers=4):
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=layers,
                         num_attention_heads=2, num_key_value_heads=1)  # fmt: skip
    return LlamaForCausalLM(config).eval()


@torch.no_grad()
def scores(model):
    return model(IDS).logits


def moved(numbers):
    with torch.no_grad():
        for p in numbers.values():
            p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())) * 0.1)


def test_fresh_adapters_change_nothing_and_only_they_may_move():
    model = tiny()
    before = scores(model)
    numbers = adapt(model, layers=2, r=3)
    assert torch.equal(scores(model), before)
    assert len(numbers) == 2 * 7 * 2
    assert {id(p) for p in model.parameters() if p.requires_grad} == {id(p) for p in numbers.values()}


def test_the_seed_draws_the_numbers():
    model = tiny()
    first, again, other = ({k: p.clone() for k, p in adapt(model, 1, 2, seed).items()} for seed in (0, 0, 1))
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert not all(torch.equal(first[k], other[k]) for k in first)


def test_taken_out_the_model_is_as_before_and_merged_as_with_them():
    model = tiny()
    before = scores(model)
    moved(adapt(model, 2, 3))
    with_them = scores(model)
    take_out(model)
    assert torch.equal(scores(model), before)
    assert not torch.allclose(with_them, before)
    moved(adapt(model, 2, 3))
    take_out(model, merge=True)
    assert torch.allclose(scores(model), with_them, atol=1e-5)


def test_a_file_fits_a_model_with_fewer_layers(tmp_path):
    model, path = tiny(), tmp_path / "adapter.safetensors"
    numbers = adapt(model, 2, 3)
    moved(numbers)
    save_adapters(numbers, path)
    read = load_adapters(tiny(layers=2), path)
    assert read.keys() == numbers.keys()
    assert all(torch.allclose(read[k], numbers[k], atol=1e-3) for k in read)


def test_the_parts_make_the_whole():
    model = tiny()
    moved(adapt(model, 2, 3))
    lower, upper = split(model, 2)
    with torch.no_grad():
        states = lower(IDS, use_cache=False).last_hidden_state
        found = model.lm_head(upper(inputs_embeds=states, use_cache=False).last_hidden_state)
    assert torch.allclose(found, scores(model), atol=1e-5)


def test_a_pickle_is_refused(tmp_path):
    path = tmp_path / "adapter.safetensors"
    path.write_bytes(pickle.dumps({"0.self_attn.q_proj.lora_A": 1}))
    with pytest.raises(SafetensorError):
        load_adapters(tiny(), path)
