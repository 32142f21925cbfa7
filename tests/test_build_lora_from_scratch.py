"""What chapter 51 prints, on small random models: equal to peft, merged without loss, resumed after a real kill."""

import math
import os
import pickle
import shutil
import signal
import time
from copy import copy
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from workbench.instruction import IGNORED
from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "51_build_lora_from_scratch.ipynb"
LIBRARIES = dict(
    copy=copy, F=F, get_context=get_context, IGNORED=IGNORED, load_file=load_file, math=math, nn=nn, np=np, os=os,
    Path=Path, pickle=pickle, save_file=save_file, shutil=shutil, signal=signal, time=time, torch=torch,
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


def small_model(seed: int = 0):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=30, num_attention_heads=2,
        num_key_value_heads=1, tie_word_embeddings=True, initializer_range=0.2,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(False)


def small_batch(seed: int) -> dict:
    ids = torch.randint(32, (2, 7), generator=torch.Generator().manual_seed(seed))
    labels = ids.clone()
    labels[:, :3] = IGNORED
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


def chapter(*ids: str) -> dict:
    """The names that these cells define, around a small model."""
    from peft import LoraConfig, get_peft_model

    sources = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    sizes = SimpleNamespace(layers=30, settings=3, stop=7)
    names = LIBRARIES | dict(LoraConfig=LoraConfig, get_peft_model=get_peft_model, sizes=sizes, seed=0)
    batches = [small_batch(seed) for seed in range(4)]
    names |= dict(base=small_model(), batches=batches, one=batches[0])
    for id in ("loss", "loss-of", "step", "names", "matrices", "lora", "adapt", "take-out", *ids):
        exec(sources[id], names)
    return names


@pytest.fixture(scope="module")
def compared() -> dict:
    return chapter("settings", "config", "outputs", "by-peft", "by-us", "versus")


@pytest.mark.parametrize("stabilised", [False, True])
@pytest.mark.parametrize(("r", "alpha"), [(1, 1), (4, 32), (24, 3)])
def test_outputs_and_gradients_are_pefts(compared, r, alpha, stabilised):
    setting = dict(paths=compared["LINEAR"], layers=[0, 7, 29], r=r, alpha=alpha, stabilised=stabilised)
    outputs, gradients, _ = compared["versus"](setting)
    assert max(outputs, gradients) <= 1e-5
    assert compared["versus"](setting, factor=1.5)[0] > 1e-4


@pytest.mark.parametrize("path", ["self_attn.k_proj", "mlp.gate_proj"])
def test_one_kind_of_matrix_alone_is_pefts_too(compared, path):
    outputs, gradients, _ = compared["versus"](dict(paths=[path], layers=range(30), r=2, alpha=8))
    assert max(outputs, gradients) <= 1e-5


def test_a_merged_adapter_does_what_it_did_beside_the_matrix():
    names = chapter()
    base, batch = names["base"].double(), small_batch(9)
    adapters = names["adapt"](base, r=3, alpha=7)
    for adapter in adapters.values():
        adapter.double()
        nn.init.normal_(adapter.lora_B, std=0.1)
    beside = base(**batch).logits
    names["take_out"](base)
    without = base(**batch).logits
    for name, adapter in adapters.items():
        base.get_submodule(name).weight.data += adapter.change()
    merged = base(**batch).logits
    assert (merged - beside).abs().max() < 1e-9
    assert (merged - without).abs().max() > 1e-3


def test_taking_adapters_out_leaves_the_model_as_it_was():
    names = chapter()
    before = {name: w.clone() for name, w in names["base"].state_dict().items()}
    names["adapt"](names["base"])
    names["adapt"](names["base"], r=2)
    names["take_out"](names["base"])
    after = names["base"].state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> dict:
    """A run to the end, and the checkpoint that a killed one left."""
    before = torch.get_num_threads()
    names = chapter("part", "split")
    base = names["base"]
    for batch in names["batches"]:
        batch["states"] = names["lower"](batch["input_ids"], use_cache=False).last_hidden_state
    sources = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    names |= dict(folder=tmp_path_factory.mktemp("run"), adapters={})
    for id in ("cache", "training", "advance", "checkpoint", "reader", "recall", "resume-code", "work", "whole"):
        exec(sources[id], names)
    save = names["save"]  # steps take milliseconds here: a parent that wakes late must not find a later checkpoint
    names["save"] = lambda run, path: None if path.exists() else save(run, path)
    exec(sources["kill"], names)
    yield names
    torch.set_num_threads(before)
    names["take_out"](base)


def losses_after(names: dict, **options) -> np.ndarray:
    run = names["resume"](names["path"], **options)
    while run.step < 7:
        names["advance"](run)
    return np.array(run.losses)


def test_a_killed_run_resumes_to_the_losses_of_one_that_was_not(training):
    assert training["child"].exitcode == -signal.SIGKILL
    losses = losses_after(training)
    assert 0 < len(losses) < 7
    assert np.abs(losses - training["whole"].losses[-len(losses) :]).max() <= 1e-6


@pytest.mark.parametrize("what", ["adam", "order", "dice"])
def test_a_run_that_forgot_something_does_not(training, what):
    losses = losses_after(training, forget=(what,))
    assert np.abs(losses - training["whole"].losses[-len(losses) :]).max() > 1e-5


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".pkl", ".safetensors"])
def test_a_pickle_is_refused_under_any_name_and_does_not_run(training, tmp_path, suffix):
    class Payload:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / f"adapter{suffix}"
    path.write_bytes(pickle.dumps(Payload()))
    with pytest.raises((ValueError, SafetensorError)):
        training["read_adapter"](path)
    assert not (tmp_path / "ran").exists()
