"""Chapter 20's checks accept other right answers, and name mistakes that the solutions do not list."""

from pathlib import Path

import numpy as np
import pytest
import torch
from solved import solved
from torch.utils.flop_counter import FlopCounterMode

from workbench.checks import roofline, roofline_use
from workbench.checks.roofline import check_attainable, check_layer_flops, check_read_roofline
from workbench.checks.roofline_use import check_best_change
from workbench.runner import notebooks

STEM = "20_find_the_bottleneck"

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "notebooks" / "20_find_the_bottleneck.ipynb"


def chapter(*wanted: str) -> dict:
    """The named cells of the chapter, executed with fp32 numbers and nothing else of it."""
    names = {"np": np, "torch": torch, "number": torch.float32, "dataclass": __import__("dataclasses").dataclass}
    for cell in notebooks.read(CHAPTER).cells:
        if cell.get("id") in wanted:
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("answer", [("int8 arithmetic", "fast"), ("nothing of the kind", 2.0), (None, 1.0), 2.0, [1]])
def test_a_change_that_is_none_is_refused(answer):
    assert check_best_change.judge(lambda terms, changes: answer).passed is False


@pytest.mark.parametrize("word", ["Memory", "memory ", 1, None, ["memory"]])
def test_a_verdict_that_is_no_word_of_ours_is_refused(word):
    report = check_read_roofline.judge(lambda kernels, *machine: dict.fromkeys(kernels, word))
    assert report.passed is False
    assert "words" in report.message


def test_other_right_answers_pass():
    names = solved(STEM)
    assert check_attainable.judge(lambda i, p, b: [min(p, x * b) for x in i]).passed
    assert check_layer_flops.judge(lambda *shape: np.float64(names["layer_flops"](*shape))).passed
    assert check_best_change.judge(lambda terms, changes: list(names["best_change"](terms, changes))).passed


def test_mistakes_of_one_exercise_are_told_apart():
    for shape in roofline.LAYERS[1:]:
        values = [*roofline._layer_mistakes(*shape).values(), roofline._counted_layer_flops(*shape)]
        assert len(set(values)) == len(values)
    for shape in roofline.QUANTIZED[1:]:
        values = [*roofline._byte_mistakes(*shape).values(), roofline._bytes(*shape)]
        assert len(set(values)) == len(values)
    service = roofline_use.SERVICES[-1]
    values = [*roofline_use._rate_mistakes(service).values(), roofline_use._rate(**service)]
    assert len(set(values)) == len(values)
    readings = [*roofline._misreadings().values(), solved(STEM)["read_roofline"](roofline.KERNELS, 96.0, 24.0)]
    assert all(a != b for i, a in enumerate(readings) for b in readings[:i])


def test_the_chapters_linear_counts_what_pytorch_counts():
    linear = chapter("work")["linear"]
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        torch.nn.Linear(96, 40, bias=False)(torch.empty(5, 96))
    assert counter.get_total_flops() == linear(5, 96, 40).flops
    assert linear(5, 96, 40).intensity == 5 / 2  # half a FLOP per byte and row in fp32


def test_the_chapters_attention_counts_what_pytorch_counts():
    attention = chapter("work", "count")["attention"]
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        q, k, v = torch.empty(3, 2, 12, 7, 32)  # batch 2, 12 heads of 32, 7 tokens
        torch.softmax(q @ k.transpose(-1, -2), -1) @ v
    work = attention(2, 7, 7, 12 * 32, 12 * 32)
    assert counter.get_total_flops() == work.flops
    assert work.bytes == 4 * (k.numel() + v.numel())


def test_the_line_gives_back_the_ceilings_it_was_drawn_with():
    names = chapter("work")
    source = next(c.source for c in notebooks.read(CHAPTER).cells if c.get("id") == "line")
    exec(source[: source.index("line_b, line_p")], names)
    names |= {"sizes": type("Sizes", (), {"width": 64}), "FEW": 8, "MANY": 256}
    bytes_per_s, flops_per_s = 5e9, 4e10
    layer_s = [4 * 64**2 / bytes_per_s + rows * 2 * 64**2 / flops_per_s for rows in (8, 256)]
    assert names["ceilings"](*layer_s) == pytest.approx((bytes_per_s, flops_per_s))
