"""Chapter 50's checks: right answers of another kind pass, likely mistakes are refused by name."""

import numpy as np
import pytest

from workbench.checks.instruction_data import check_answer_labels, check_leaked, check_packed_mask, check_wasted
from workbench.leaks import above, nearest_by_ngrams, ngrams


def labels(ids, begin, length):
    places = np.arange(len(ids))
    return np.where((places >= begin) & (places < length), ids, -100)


def leaked(test, train, n, floor):
    grams = [ngrams(text, n) for text in train]
    return [
        i
        for i, text in enumerate(test)
        if max(len(ngrams(text, n) & other) for other in grams) >= floor * len(ngrams(text, n))
    ]


def blocks(lengths):
    owner = np.repeat(np.arange(len(lengths)), lengths)
    return (owner[:, None] == owner) & np.tril(np.ones((len(owner), len(owner)), bool))


def wasted(lengths, size):
    rows = [lengths[at : at + size] for at in range(0, len(lengths), size)]
    return 1 - sum(lengths) / sum(max(row) * len(row) for row in rows)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_answer_labels, labels),
        (check_answer_labels, lambda *a: labels(*a).tolist()),
        (check_leaked, leaked),
        (check_leaked, lambda *a: set(leaked(*a))),
        (check_leaked, lambda test, train, n, floor: [k.test for k in above(nearest_by_ngrams(test, train, n), floor)]),
        (check_packed_mask, blocks),
        (check_packed_mask, lambda lengths: blocks(lengths).astype(float)),
        (check_wasted, wasted),
    ],
)
def test_a_right_answer_passes(check, answer):
    assert check.judge(answer).passed is True, check.judge(answer).message


WRONG = [
    (check_answer_labels, lambda ids, begin, length: ids, "Nothing is masked"),
    (check_answer_labels, lambda ids, begin, length: np.roll(labels(ids, begin, length), -1), "Shifted by one"),
    (
        check_answer_labels,
        lambda ids, begin, length: np.where(ids == 2, -100, labels(ids, begin, length)),
        "never learn to stop",
    ),
    (check_answer_labels, lambda ids, begin, length: labels(ids, begin + 1, length), "never learn to begin"),
    (check_answer_labels, lambda ids, begin, length: labels(ids, begin, len(ids)), "for ever"),
    (check_answer_labels, lambda ids, begin, length: labels(ids, begin - 2, length), "before the answer"),
    (check_answer_labels, lambda ids, begin, length: labels(ids, begin, length)[begin:], "One label for each token"),
    (check_answer_labels, lambda *a: None, "return"),
    (check_leaked, lambda test, train, n, floor: [i for i, t in enumerate(test) if t in train], "other capitals"),
    (check_leaked, lambda test, train, n, floor: leaked(test, [" ".join(train)], n, floor), "one training text"),
    (check_leaked, lambda test, train, n, floor: leaked(test, train, n, 1.0), "need not be all"),
    (check_leaked, lambda test, train, n, floor: leaked(test, train, n, 0.0), "accused|exact copy|let through"),
    (check_leaked, lambda test, train, n, floor: [i in leaked(test, train, n, floor) for i in range(3)], "wrong shape"),
    (check_leaked, lambda *a: None, "return"),
    (check_leaked, lambda *a: [0.5], "whole numbers"),
    (check_packed_mask, lambda lengths: np.tril(np.ones((sum(lengths),) * 2, bool)), "cut the triangle"),
    (check_packed_mask, lambda lengths: ~blocks(lengths), "Upside down"),
    (check_packed_mask, lambda lengths: blocks(lengths) | blocks(lengths).T, "what comes after"),
    (check_packed_mask, lambda lengths: blocks(lengths) & ~np.eye(sum(lengths), dtype=bool), "itself"),
    (check_packed_mask, lambda lengths: np.where(blocks(lengths), 0.0, -np.inf), "come later"),
    (check_packed_mask, lambda lengths: blocks(lengths)[0], "shape"),
    (check_wasted, lambda lengths, size: 1 - wasted(lengths, size), "the rest is asked for"),
    (check_wasted, lambda lengths, size: 1 - sum(lengths) / (max(lengths) * len(lengths)), "its own longest"),
    (
        check_wasted,
        lambda lengths, size: wasted(lengths, size) / (1 - wasted(lengths, size)),
        "divided by the real tokens",
    ),
    (check_wasted, lambda lengths, size: 0.5, "tokens are padding"),
    (check_wasted, lambda lengths, size: None, "number|return|None"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG, ids=[f"{c.__name__} {h}" for c, _, h in WRONG])
def test_a_likely_mistake_is_refused_by_name(check, answer, hint):
    import re

    report = check.judge(answer)
    assert report.passed is False, report.message
    assert re.search(hint, report.message), report.message
