"""Chapter 27's checks: right answers pass, in any honest form; other mistakes get their hint."""

import math

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from workbench.checks.distilling import check_best_speedup, check_distillation_loss, check_flops
from workbench.checks.pruning import check_magnitude_mask, check_remove_neurons, check_stored_bytes


def refused(check, answer, hint: str) -> None:
    report = check.judge(answer)
    assert report.passed is False, report
    assert hint in report.message


def magnitude_mask(w, share):
    mask = np.ones(w.size, dtype=bool)
    mask[np.argsort(np.abs(w), axis=None)[: round(share * w.size)]] = False
    return mask.reshape(w.shape)


def stored_bytes(rows, cols, kept):
    return {"dense": 4 * rows * cols, "csr": 8 * kept + 4 * rows + 4, "bitmask": 4 * kept + -(-rows * cols // 8)}


def flops(layers, width, hidden, tokens):
    return 2 * layers * (tokens * (4 * width**2 + 2 * width * hidden) + 2 * tokens**2 * width)


def remove_neurons(up, bias, down, keep):
    return up[keep], bias[keep], down[:, keep]


def distillation_loss(student, teacher, temperature):
    soft = [torch.log_softmax(torch.from_numpy(z) / temperature, dim=1) for z in (teacher, student)]
    return float(-(temperature**2) * (soft[0].exp() * soft[1]).sum(1).mean())


def best_speedup(layers):
    return sum(ms for ms, _, _ in layers) / sum(ms * a.size / b.size for ms, b, a in layers)


RIGHT = {
    check_magnitude_mask: magnitude_mask,
    check_stored_bytes: stored_bytes,
    check_flops: flops,
    check_remove_neurons: remove_neurons,
    check_distillation_loss: distillation_loss,
    check_best_speedup: best_speedup,
}


@pytest.mark.parametrize(("check", "right"), list(RIGHT.items()))
def test_a_right_answer_passes_twice(check, right):
    assert check.judge(right).passed is True
    assert check.judge(right).passed is True


def test_the_librarys_own_pruning_passes_as_an_answer():
    def by_torch(w, share):
        layer = torch.nn.Linear(w.shape[1], w.shape[0], bias=False).double()
        layer.weight.data = torch.from_numpy(w)
        prune.l1_unstructured(layer, "weight", amount=round(share * w.size))
        return layer.weight_mask.bool().numpy()

    assert check_magnitude_mask.judge(by_torch).passed is True


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda w, s: ~magnitude_mask(w, s), "Upside down"),
        (lambda w, s: ~magnitude_mask(w, 1 - s), "removed the largest"),
        (lambda w, s: w >= np.quantile(w, s), "every negative weight goes first"),
        (lambda w, s: np.abs(w) > s * np.abs(w).max(), "A share of the largest magnitude"),
        (lambda w, s: np.stack([magnitude_mask(r, s) for r in w]), "One threshold per row"),
        (lambda w, s: w * magnitude_mask(w, s), "Those are weights"),
        (lambda w, s: magnitude_mask(w, s) * 1.0, "should be boolean"),
        (lambda w, s: magnitude_mask(w, s).ravel(), "has shape"),
        (lambda w, s: magnitude_mask(w, s + 0.05 * (0 < s < 1)), "weights go and"),
        (lambda w, s: magnitude_mask(w, min(s, 0.9)), "nothing stays"),
    ],
)
def test_masks_are_refused_by_name(answer, hint):
    refused(check_magnitude_mask, answer, hint)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"csr": lambda r, c, k: 8 * k}, "where each row begins"),
        ({"csr": lambda r, c, k: 12 * k}, "coordinate format"),
        ({"csr": lambda r, c, k: 8 * r * c + 4 * r + 4}, "not the zeros"),
        ({"bitmask": lambda r, c, k: 4 * k + r * c // 8}, "Round up"),
        ({"bitmask": lambda r, c, k: 4 * k + r * c / 8}, "whole bytes"),
        ({"bitmask": lambda r, c, k: -(-r * c // 8)}, "their values"),
        ({"dense": lambda r, c, k: 4 * k}, "stores the zeros too"),
        ({"dense": lambda r, c, k: 1.0}, "bytes; you return"),
        ({"extra": lambda r, c, k: 1}, "with the keys"),
    ],
)
def test_sizes_are_refused_by_name(change, hint):
    def answer(*shape):
        return stored_bytes(*shape) | {name: f(*shape) for name, f in change.items()}

    refused(check_stored_bytes, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda n, w, h, t: flops(n, w, h, t) / 2, "two operations"),
        (lambda n, w, h, t: flops(1, w, h, t), "One layer's work"),
        (lambda n, w, h, t: flops(n, w, h, t) - 2 * n * t * w * h, "two matrices"),
        (lambda n, w, h, t: 2 * n * t * (4 * w * w + 2 * w * h), "attention itself"),
        (lambda n, w, h, t: 2 * n * (4 * w * w + 2 * w * h), "One token's weights"),
        (lambda n, w, h, t: flops(n, w, h, t) + 1, "it is"),
        (lambda n, w, h, t: flops(max(n, 1), w, h, t), "Without layers"),
    ],
)
def test_counts_are_refused_by_name(answer, hint):
    refused(check_flops, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda u, b, d, k: (u, b, d), "Same shapes as before"),
        (lambda u, b, d, k: (u[k], b, d[:, k]), "bias still has"),
        (lambda u, b, d, k: (np.delete(u, k, 0), np.delete(b, k), np.delete(d, k, 1)), "survivors"),
        (lambda u, b, d, k: (u[k], b[k], d[k % len(d)]), "cut rows"),
        (lambda u, b, d, k: (u[k], b[k], d), "`down` has shape"),
        (lambda u, b, d, k: (u[k], b[k], d[:, np.sort(k)]), "different orders"),
        (lambda u, b, d, k: (u[k], 2 * b[k], d[:, k]), "`bias`: at"),
        (lambda u, b, d, k: (u[k], b[k]), "Return 3 things"),
    ],
)
def test_removals_are_refused_by_name(answer, hint):
    refused(check_remove_neurons, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda s, t, c: distillation_loss(s, t, c) / c**2, "Without T²"),
        (lambda s, t, c: distillation_loss(s, t, c) / c, "T once"),
        (lambda s, t, c: distillation_loss(t, s, c), "swapped"),
        (lambda s, t, c: distillation_loss(s, t * c, c), "Only the student"),
        (lambda s, t, c: distillation_loss(s * c, t, c), "Only the teacher"),
        (lambda s, t, c: c**4 * distillation_loss(s, t, 1 / c), "divide"),
        (lambda s, t, c: -distillation_loss(s, t, c), "The sign"),
        (lambda s, t, c: 6 * distillation_loss(s, t, c), "take the mean"),
        (lambda s, t, c: distillation_loss(s, t, c) / 5, "over the classes too"),
        (lambda s, t, c: distillation_loss(s, t, c) - distillation_loss(t, t, c), "Kullback"),
        (lambda s, t, c: distillation_loss(s, t, c) + 1, "expected"),
        (lambda s, t, c: distillation_loss(s, t, c) if abs(s).max() < 100 else math.nan, "overflows"),
    ],
)
def test_losses_are_refused_by_name(answer, hint):
    refused(check_distillation_loss, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda ls: sum(m for m, _, _ in ls) / sum(m * (a != 0).mean() * a.size / b.size for m, b, a in ls), "zeros"),
        (lambda ls: np.mean([b.size / a.size for _, b, a in ls]), "A mean of"),
        (lambda ls: 1 / best_speedup(ls), "time after over time before"),
        (lambda ls: max(b.size / a.size for _, b, a in ls), "best layer"),
        (lambda ls: sum(b.size for _, b, _ in ls) / sum(a.size for _, _, a in ls), "numbers of weights"),
        (lambda ls: best_speedup([x for x in ls if x[1].size > x[2].size] or ls), "their time stays"),
        (lambda ls: best_speedup(ls) + 0.1, "the bound is"),
    ],
)
def test_bounds_are_refused_by_name(answer, hint):
    refused(check_best_speedup, answer, hint)
