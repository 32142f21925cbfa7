"""Chapter 43's checks accept independent implementations, and name mistakes that the sheet does not list."""

import numpy as np
import pytest

from workbench.checks.reranking import check_bytes, check_leaks, check_maxsim, check_rerank


def torch_maxsim(question, passage, there):
    import torch

    q, p, m = (torch.from_numpy(part) for part in (question, passage, there))
    similar = torch.einsum("md,nd->mn", q, p).masked_fill(~m, float("-inf"))
    return similar.amax(dim=1).sum()


def bubble(ranking, scores, k):
    """Sorted by swapping neighbours: stable by construction."""
    head, tail = list(ranking[:k]), list(ranking[k:])
    for _ in head:
        for i in range(len(head) - 1):
            a, b = (scores.get(name) for name in head[i : i + 2])
            if b is not None and (a is None or b > a):
                head[i : i + 2] = head[i + 1], head[i]
    return head + tail


def pairwise(train, test):
    return sorted({t for t, of in test.items() for others in train.values() for p in of if p in others})


def counted(lengths, dimensions, bytes_each, limit=256):
    return sum(len(([0, *range(length), 0])[:limit]) for length in lengths) * dimensions * bytes_each


@pytest.mark.parametrize(
    ("check", "answer"),
    [(check_maxsim, torch_maxsim), (check_rerank, bubble), (check_leaks, pairwise), (check_bytes, counted)],
)
def test_independent_implementations_pass(check, answer):
    assert check.judge(answer).passed, check.judge(answer).message


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (check_maxsim, lambda q, p, t: (q @ p.T).max(), "one best pair"),
        (check_maxsim, lambda q, p, t: np.zeros(3), "one number"),
        (check_rerank, lambda r, s, k: {name: s.get(name) for name in r}, "Return a list"),
        (check_rerank, lambda r, s, k: sorted(r[:k], key=lambda n: -s[n]) + r[k:], "KeyError"),
        (check_leaks, lambda a, b: sorted({*pairwise(a, b), *(set(a) & set(b))}), "Ids say nothing"),
        (check_leaks, lambda a, b: sorted(pairwise(a, b), reverse=True), "sorted list"),
        (check_bytes, lambda lengths, d, e, limit=256: len(lengths) * d * e, "one vector per text"),
        (check_bytes, lambda lengths, d, e, limit=256: counted(lengths, 384, 2), "use the arguments"),
    ],
)
def test_a_mistake_is_named(check, answer, words):
    verdict = check.judge(answer)
    assert not verdict.passed
    assert words in verdict.message
