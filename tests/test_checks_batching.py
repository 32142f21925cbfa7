"""Chapter 21's checks accept right answers, however written, and name the slip in wrong ones."""

import numpy as np
import pytest

from workbench.checks import batching, batching_plan


def right_gain(shared, own, b):
    if b <= 0:
        raise ValueError("nobody")
    return ((shared + own) * b) / (shared + b * own)


def right_share(lengths, size):
    cells = 0
    for i in range(0, len(lengths), size):
        cells += max(lengths[i : i + size]) * len(lengths[i : i + size])
    return float((cells - sum(lengths)) / cells)


def right_sorted(texts, encode, size):
    """From the longest down, into a list: another way to be right."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    vectors = [None] * len(texts)
    for start in range(0, len(order), size):
        some = order[start : start + size]
        for i, row in zip(some, encode([texts[i] for i in some]), strict=True):
            vectors[i] = list(row)
    return vectors


def right_batches(lengths, budget):
    """From the shortest up."""
    if np.max(lengths) > budget:
        raise ValueError("too long")
    batches = [[]]
    for i in np.argsort(lengths):
        if (len(batches[-1]) + 1) * lengths[i] > budget:
            batches.append([])
        batches[-1].append(i)
    return batches


def right_plan(arrive, deadline, service, size):
    """In small steps of the clock's events: another way to be right."""
    todo, now, batches = set(range(len(arrive))), 0.0, []
    while todo:
        here = sorted((i for i in todo if arrive[i] <= now), key=lambda i: deadline[i])
        coming = min((arrive[i] for i in todo if arrive[i] > now), default=np.inf)
        k = min(size, len(here))
        go = deadline[here[0]] - service(k) if here else np.inf
        if here and (k == size or go <= now):
            batches.append((now, here[:k]))
            todo -= set(here[:k])
            now += service(k)
        else:
            now = min(go, coming)
    return batches


RIGHT = {
    batching.check_batch_gain: right_gain,
    batching.check_padding_share: right_share,
    batching.check_embed_sorted: right_sorted,
    batching_plan.check_token_batches: right_batches,
    batching_plan.check_deadline_batches: right_plan,
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_a_right_answer_passes_however_it_is_written(check):
    assert check.judge(RIGHT[check]).passed, check.judge(RIGHT[check])


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda a, c, b: (a + c) / (a + c * b), "multiply by b"),
        (lambda a, c, b: (a + c * b) / (b * (a + c)), "Upside down"),
        (lambda a, c, b: b / (a + c * b), "Divide it by the throughput"),
        (lambda a, c, b: b * c / (a + c * b), "left the shared part out"),
    ],
)
def test_a_gain_that_is_something_else_is_named(answer, hint):
    assert hint in batching.check_batch_gain.judge(answer).message


def test_padding_in_tokens_is_no_share():
    def in_tokens(lengths, size):
        return sum(max(p) * len(p) - sum(p) for p in (lengths[i : i + size] for i in range(0, len(lengths), size)))

    assert "Divide by the computed" in batching.check_padding_share.judge(in_tokens).message


def test_sorting_that_never_encodes_is_named():
    answer = batching.check_embed_sorted.judge(lambda texts, encode, size: np.zeros((len(texts), 2)))
    assert "never called encode" in answer.message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda lengths, budget: [list(range(len(lengths)))], "padding counts|computes"),
        (lambda lengths, budget: [[i, i] for i in range(len(lengths))], "more than one batch, or twice"),
        (lambda lengths, budget: [[i + 1] for i in range(len(lengths))], "count from 0"),
        (lambda lengths, budget: [[i] for i in range(len(lengths))] + [[]], "empty"),
        (lambda lengths, budget: 5, "a list of batches"),
    ],
)
def test_plans_that_are_none_are_named(answer, hint):
    import re

    assert re.search(hint, batching_plan.check_token_batches.judge(answer).message)


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        (dict(take="oldest"), "the urgent one may be left behind"),
        (dict(watch="oldest"), "although you take the most urgent"),
        (dict(watch="oldest", take="oldest"), "A later request may be more urgent"),
        (dict(reserve=lambda k: 1.2), "time of one request"),
        (dict(full_goes=False), "A full batch cannot grow"),
    ],
)
def test_a_slip_in_the_deadline_batcher_is_named(slip, hint):
    def slipped(arrive, deadline, service, size):
        return batching_plan.plan(arrive, deadline, service, size, **slip)

    assert hint in batching_plan.check_deadline_batches.judge(slipped).message


def test_a_batch_that_knows_the_future_is_refused():
    def prophet(arrive, deadline, service, size):
        return [(0.0, list(range(i, min(i + size, len(arrive))))) for i in range(0, len(arrive), size)]

    assert "nobody knows the future" in batching_plan.check_deadline_batches.judge(prophet).message
