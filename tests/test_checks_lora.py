"""Chapter 51's checks accept independent implementations, and name mistakes that the sheet does not list."""

import numpy as np
import pytest
import torch

from workbench.checks.lora import (
    check_adapter_bytes,
    check_combine,
    check_directions,
    check_gradients,
    check_merge,
)


def by_gram(matrix, share):
    """From the eigenvalues of MᵀM, largest first, taken away one by one."""
    squares = sorted(np.linalg.eigvalsh(matrix.T @ matrix), reverse=True)
    left, count = sum(squares) * (1 - share), 0
    while sum(squares[count:]) > left + 1e-12:
        count += 1
    return count


def counted(shapes, r):
    tensors = [np.zeros(shape, np.float32) for m, n in shapes for shape in ((r, n), (m, r))]
    return sum(4 * tensor.nbytes for tensor in tensors)


def merged_by_torch(w, a, b, alpha, stabilised):
    w, a, b = map(torch.from_numpy, (w, a, b))
    return torch.addmm(w, b, a, alpha=alpha / len(a) ** (0.5 if stabilised else 1.0))


def by_autograd(x, g, a, b, scale):
    x, g, a, b = (torch.from_numpy(part) for part in (x, g, a, b))
    a.requires_grad_(), b.requires_grad_()
    (scale * x @ a.T @ b.T * g).sum().backward()
    return a.grad, b.grad


def by_lists(first, second):
    """The roots of the scales in both factors: another right answer."""
    rows, columns = [], []
    for a, b, scale in (first, second):
        rows += [row * scale**0.5 for row in a]
        columns += [column * scale**0.5 for column in b.T]
    return np.array(rows), np.array(columns).T


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_directions, by_gram),
        (check_adapter_bytes, counted),
        (check_merge, merged_by_torch),
        (check_gradients, by_autograd),
        (check_combine, by_lists),
    ],
)
def test_independent_implementations_pass(check, answer):
    assert check.judge(answer).passed, check.judge(answer)


@pytest.mark.parametrize(
    ("check", "answer", "hint"),
    [
        (check_directions, lambda matrix, share: by_gram(matrix, share) + 1, "One too many"),
        (check_adapter_bytes, lambda shapes, r: 16 * sum(r * m * n for m, n in shapes), "more than the matrix has"),
        (check_adapter_bytes, lambda shapes, r: counted(shapes, 1) / 1, "The rank is missing"),
        (check_adapter_bytes, lambda shapes, r: counted(shapes, r) // 2, "Two things per number"),
        (check_merge, lambda w, a, b, alpha, s: w - alpha / len(a) * b @ a, "takes the adapter out again"),
        (check_merge, lambda w, a, b, alpha, s: (w + b @ a)[:1], "has the shape of w"),
        (check_merge, lambda w, a, b, alpha, s: w + 1 / len(a) * b @ a, "left alpha out"),
        (check_gradients, lambda x, g, a, b, s: [s * part for part in by_autograd(x, g, a, b, s)], "squared in dA"),
        (check_gradients, lambda x, g, a, b, s: (by_autograd(x, g, a, b, s)[0], b), "dB is another"),
        (check_combine, lambda one, two: (one[0], one[2] * one[1]), "first adapter alone"),
        (check_combine, lambda one, two: (one[0], two[1][:, :1]), "do not fit"),
        (check_combine, lambda one, two: (one[0].T, one[1]), "yours have shapes"),
        (check_combine, lambda one, two: by_lists((*one[:2], two[2]), (*two[:2], one[2])), "scales are swapped"),
    ],
)
def test_further_mistakes_are_named(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message
