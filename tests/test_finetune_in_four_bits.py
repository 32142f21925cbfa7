"""What chapter 53 builds, on small matrices: the library's bytes, the bytes on paper, a layer that keeps nothing."""

import logging
import sys
from copy import copy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from scipy.stats import norm
from torch import nn

from workbench import data_path
from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "53_finetune_in_four_bits.ipynb"
PARTS = ("quantize", "quantize-pack", "dequantize", "dequantize-look", "dynamic", "dynamic-back", "rounded")
PARTS += ("naive", "recompute", "kept", "gradient", "adapter")


@pytest.fixture(scope="module")
def library():
    """bitsandbytes' functions, as the chapter gets them, with this process as it was afterwards."""
    level = logging.getLogger("bitsandbytes").level
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)
    sys.path.insert(0, str(data_path("bitsandbytes")))
    try:
        with torch.compiler.set_stance("force_eager"):
            import bitsandbytes.functional as reference

            yield reference
    finally:
        sys.path.pop(0)
        logging.getLogger("bitsandbytes").setLevel(level)
        for name in [name for name in sys.modules if name.split(".")[0] == "bitsandbytes"]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def made(library) -> SimpleNamespace:
    """The names that the chapter's cells define."""
    sources = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    names = dict(torch=torch, nn=nn, np=np, F=F, norm=norm, reference=library, copy=copy)
    exec(sources["blocks"], names)
    exec(sources["levels"], names)
    names |= dict(NF4=names["normal_levels"](), EVEN=torch.linspace(-1, 1, 15))
    for id in PARTS:
        exec(compile(sources[id], f"{CHAPTER.name}:{id}", "exec"), names)
    return SimpleNamespace(**names)


def weights(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    """Heavy tails, as the hard case."""
    found = np.random.default_rng(seed).standard_t(3, (rows, columns)) * 0.03
    return torch.from_numpy(found.astype(np.float32))


@pytest.mark.parametrize("shape", [(64, 64), (96, 256), (1, 128), (3, 64)])
@pytest.mark.parametrize("double", [False, True])
def test_what_comes_back_is_what_the_library_gives_back(made, library, shape, double):
    w = weights(*shape)
    w[0, :64] = 0  # a block that is all zero
    packed, state = library.quantize_4bit(w, blocksize=64, quant_type="nf4", compress_statistics=double)
    theirs = library.dequantize_4bit(packed, state)
    assert torch.equal(made.quantize(w, library.get_4bit_type("nf4", device="cpu"))[0], packed.flatten())
    torch.testing.assert_close(made.rounded(w, double=double), theirs, rtol=1e-5, atol=1e-6)


def test_a_zero_stays_zero_and_the_largest_of_a_block_stays_itself(made):
    w = weights(8, 64)
    w[3, 5] = 0
    back = made.rounded(w)
    assert back[3, 5] == 0
    at = w.abs().argmax(1, keepdim=True)
    largest = w.gather(1, at)
    torch.testing.assert_close(back.gather(1, at)[largest > 0], largest[largest > 0], rtol=1e-6, atol=0)


def test_no_other_level_is_nearer(made):
    w = weights(4, 64)
    scaled, _ = made.blocks_of(w)
    slow = (scaled[..., None] - made.NF4).abs().argmin(-1)
    assert torch.equal(made.nearest(scaled, made.NF4).long(), slow)


def test_the_layer_stores_the_bytes_on_paper(made):
    w = weights(192, 576)
    blocks = w.numel() // 64
    stored = sum(t.nbytes for t in made.FourBit(w).buffers())
    assert stored == w.numel() // 2 + blocks + 4 * -(-blocks // 256) + 4


def test_the_layer_keeps_nothing_and_its_gradient_is_the_plain_layers(made):
    w, x = weights(96, 128), torch.randn(5, 7, 128, requires_grad=True)
    four, naive = made.FourBit(w), made.Naive(w)
    assert made.kept_bytes(four, lambda: four(x)) == 0
    assert made.kept_bytes(naive, lambda: naive(x)) == w.nbytes
    exact = made.gradient(lambda x: F.linear(x, made.rounded(w, double=True)), x)
    assert torch.equal(four(x), naive(x))
    torch.testing.assert_close(made.gradient(four, x), exact)


def test_an_adapter_on_four_bits_moves_and_its_base_does_not(made):
    torch.manual_seed(0)
    w, x, y = weights(64, 64), torch.randn(20, 64), torch.randn(20, 64)
    adapter = made.Adapter(made.FourBit(w), w.shape, r=4)
    before = [t.clone() for t in adapter.base.buffers()]
    assert {name for name, p in adapter.named_parameters() if p.requires_grad} == {"A", "B"}
    optimizer = torch.optim.Adam(adapter.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = (adapter(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(torch.equal(a, b) for a, b in zip(before, adapter.base.buffers(), strict=True))


def test_the_chapters_library_is_imported_from_its_wheel_without_the_network(library):
    assert "bitsandbytes.whl" in library.__file__
    assert "kernels" not in sys.modules
