"""The attention that chapter 31 prints is PyTorch's, and its masks keep their promises."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere

from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "31_attend_from_first_principles.ipynb"


@pytest.fixture(scope="module")
def chapter() -> dict:
    """The chapter's own functions, taken from its cells."""
    names = {"torch": torch, "F": F, "seed": 0}
    for cell in notebooks.read(CHAPTER).cells:
        if cell.id in {"attend", "heads", "rope", "masks", "masks-more", "probe-masks"}:
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("kind", ["none", "causal", "random"])
@pytest.mark.parametrize("seed", range(40))
def test_attend_is_scaled_dot_product_attention(chapter, kind, seed):
    g = torch.Generator().manual_seed(seed)
    batch, kv_heads, group, t, d = (1 + int(torch.randint(n, (), generator=g)) for n in (3, 4, 4, 30, 80))
    seen = t if kind == "causal" else 1 + int(torch.randint(30, (), generator=g))
    q = torch.randn(batch, kv_heads * group, t, d, generator=g)
    k, v = torch.randn(2, batch, kv_heads, seen, d, generator=g)
    may = {"none": None, "causal": torch.ones(t, seen).tril().bool()}.get(kind)
    if kind == "random":
        may = torch.rand(t, seen, generator=g) < 0.3
        may[:, -1] = True
    ours = chapter["attend"](q, *(x.repeat_interleave(group, dim=1) for x in (k, v)), may)
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=may, enable_gqa=True)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_cutting_and_joining_heads_is_a_round_trip(chapter):
    x = torch.randn(2, 7, 24)
    assert torch.equal(chapter["join_heads"](chapter["split_heads"](x, 4)), x)


def test_each_wrong_mask_breaks_a_promise_and_the_right_one_none(chapter):
    found = {
        name: [miss > 1e-6 for miss in chapter["misses"](chapter[name])]
        for name in ("right", "after_softmax", "wrong_axis", "wrong_triangle", "added_one")
    }
    assert not any(found.pop("right"))
    assert all(any(broken) for broken in found.values())
    assert found["wrong_axis"] == [False, False, True, False]  # seen by padding on the left only


def test_rotary_scores_depend_on_the_distance_only(chapter):
    turn = chapter["turn"]
    q, k = torch.randn(2, 12, 16, dtype=torch.float64)
    for first in (1, 40, 3000):
        torch.testing.assert_close(turn(q, first) @ turn(k, first).mT, turn(q) @ turn(k).mT, atol=1e-9, rtol=0)
