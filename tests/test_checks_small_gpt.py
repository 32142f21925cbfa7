"""Chapter 33's checks: answers written another way pass, and near misses get the hint that names them."""

import math
from collections import defaultdict
from itertools import pairwise
from statistics import mean, stdev

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from scipy import stats

from workbench.checks import small_gpt, small_gpt_proof


def with_unfold(ids, context):
    rows = torch.tensor(ids).unfold(0, context + 1, context)
    return rows[:, :-1].numpy(), rows[:, 1:].numpy()


def with_perplexity(loss, tokens):
    return math.log2(math.exp(loss) ** len(tokens)) / len("".join(tokens).encode("utf-8"))


def with_torch_schedulers(step, steps, warm, peak):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    if step < warm:
        return peak * (step + 1) / warm
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - 1 - warm, eta_min=peak / 10)
    for _ in range(step - warm):
        optimizer.step()
        falling.step()
    return optimizer.param_groups[0]["lr"]


def with_cross_entropy(train, text, symbols, strength):
    known = sorted(set(train + text))
    counts = torch.full((len(known), len(known)), strength / symbols, dtype=torch.float64)
    for a, b in pairwise(train):
        counts[known.index(a), known.index(b)] += 1
    totals = counts.sum(1) + (symbols - len(known)) * strength / symbols
    ids = torch.tensor([known.index(c) for c in text])
    return F.nll_loss((counts / totals[:, None]).log()[ids[:-1]], ids[1:]).item()


def with_scipy_interval(full, variant):
    d = [b - a for a, b in zip(full, variant, strict=True)]
    return mean(d), *stats.t.interval(0.95, len(d) - 1, loc=mean(d), scale=stdev(d) / math.sqrt(len(d)))


ANSWERS = [
    (small_gpt.check_cut_windows, with_unfold),
    (small_gpt.check_bits_per_byte, with_perplexity),
    (small_gpt.check_learning_rate, with_torch_schedulers),
    (small_gpt_proof.check_bigram_loss, with_cross_entropy),
    (small_gpt_proof.check_damage_interval, with_scipy_interval),
]


@pytest.mark.parametrize(("check", "answer"), ANSWERS, ids=[answer.__name__ for _, answer in ANSWERS])
def test_an_answer_written_with_a_library_passes(check, answer):
    report = check.judge(answer)
    assert report.passed, report.message


def two_ahead(ids, context):
    return with_unfold(ids, context)[0], with_unfold([*ids[1:], ids[-1]], context)[1][: (len(ids) - 1) // context]


def every_window(ids, context):
    rows = torch.tensor(ids).unfold(0, context + 1, 1)
    return rows[:, :-1].numpy(), rows[:, 1:].numpy()


def constant_after(step, steps, warm, peak):
    return peak * min(1, (step + 1) / warm)


def joint(train, text, symbols, strength):
    count = defaultdict(int)
    for pair in pairwise(train):
        count[pair] += 1
    n = len(train) - 1
    each = [math.log((count[pair] + strength / symbols) / (n + strength)) for pair in pairwise(text)]
    return -mean(each)


def whole_range(full, variant):
    d = [b - a for a, b in zip(full, variant, strict=True)]
    return mean(d), min(d), max(d)


def upside_down(full, variant):
    middle, low, high = with_scipy_interval(full, variant)
    return middle, high, low


WRONG = [
    (small_gpt.check_cut_windows, two_ahead, "two places ahead"),
    (small_gpt.check_cut_windows, every_window, "overlap"),
    (small_gpt.check_bits_per_byte, lambda loss, tokens: loss * len(tokens) / math.log(2), "whole text"),
    (small_gpt.check_learning_rate, constant_after, "stays at its peak"),
    (small_gpt_proof.check_bigram_loss, joint, "the pair"),
    (small_gpt_proof.check_bigram_loss, lambda tr, te, v, s: with_cross_entropy(tr[::-1], te[::-1], v, s), "before"),
    (small_gpt_proof.check_bigram_loss, lambda tr, te, v, s: with_cross_entropy(tr + te, te, v, s), "seen the test"),
    (small_gpt_proof.check_damage_interval, whole_range, "range of the differences"),
    (small_gpt_proof.check_damage_interval, upside_down, "swapped"),
    (small_gpt_proof.check_damage_interval, lambda a, b: mean(b) - mean(a), "three numbers"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG, ids=[hint for *_, hint in WRONG])
def test_a_near_miss_is_named(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message


@pytest.mark.parametrize("answer", [lambda *a: None, lambda *a: "x", lambda *a: [[1], [1, 2]], lambda *a: 1 / 0])
@pytest.mark.parametrize("check", [check for check, _ in ANSWERS], ids=lambda check: check.__name__)
def test_nonsense_is_refused_in_one_line(check, answer):
    report = check.judge(answer)
    assert report.passed is False
    assert "\n" not in report.message
