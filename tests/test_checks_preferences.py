"""Chapter 56's checks accept independent implementations, and name mistakes that the sheet does not list."""

import math

import numpy as np
import pytest
import torch

from workbench.checks.preferences import (
    check_answer_logp,
    check_choose_beta,
    check_dpo,
    check_first_hacked,
    check_win_rate,
)


def by_torch(scores, ids, begin, end):
    said = torch.nn.functional.cross_entropy(
        torch.tensor(scores)[begin - 1 : end - 1], torch.tensor(ids[begin:end]), reduction="sum"
    )
    return -said.item()


def by_autograd(chosen, rejected, ref_chosen, ref_rejected, beta):
    now = torch.tensor([chosen, rejected], dtype=torch.double, requires_grad=True)
    ratio = now - torch.tensor([ref_chosen, ref_rejected], dtype=torch.double)
    loss = -torch.nn.functional.logsigmoid(beta * (ratio[0] - ratio[1]))
    loss.backward()
    return loss.item(), *now.grad.tolist()


def by_counting(ours, theirs):
    points = [2 if a < b else 1 if a == b else 0 for a, b in zip(ours, theirs, strict=True)]
    return sum(points) / (2 * len(points))


def by_loop(proxy, gold, noise):
    best = gold[0]
    for at, (p, g) in enumerate(zip(proxy, gold, strict=True)):
        best = max(best, g)
        if g < best - noise and p > proxy[0] + noise:
            return at
    return -1


def by_search(reward, reference, betas, budget):
    for beta in sorted(betas):
        weights = [q * math.exp(r / beta) for q, r in zip(reference, reward, strict=True)]
        policy = [w / sum(weights) for w in weights]
        if sum(p * math.log(p / q) for p, q in zip(policy, reference, strict=True)) <= budget:
            return beta
    raise AssertionError


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_answer_logp, by_torch),
        (check_dpo, by_autograd),
        (check_win_rate, by_counting),
        (check_first_hacked, by_loop),
        (check_choose_beta, by_search),
    ],
)
def test_another_right_answer_is_accepted(check, answer):
    assert check.judge(answer).passed, check.judge(answer).message


@pytest.mark.parametrize(
    ("check", "answer", "hint"),
    [
        (check_answer_logp, lambda *a: -by_torch(*a), "The sign"),
        (check_answer_logp, lambda *a: math.exp(by_torch(*a)), "its logarithm is asked for"),
        (check_dpo, lambda *a: (math.exp(-by_autograd(*a)[0]), 0, 0), "minus its logarithm"),
        (check_dpo, lambda *a: (-by_autograd(*a)[0], 0, 0), "positive"),
        (check_dpo, lambda *a: (*by_autograd(*a)[:2], by_autograd(*a)[1]), "pulls the other way"),
        (check_win_rate, lambda a, b: by_counting(a, b) * len(a), "mean is asked for"),
        (check_win_rate, lambda a, b: (a < b).mean() - (a > b).mean(), "0.5 is a draw"),
        (check_first_hacked, lambda *a: -1, "3 is right, you have -1"),
        (check_choose_beta, lambda *a: 2.0, "nats away"),
    ],
)
def test_a_mistake_is_named(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message


def test_numpy_numbers_are_numbers():
    assert check_win_rate.judge(lambda a, b: np.float32(by_counting(a, b))).passed is not None
