"""Chapter 44's checks: a second way to be right for each, and mistakes that the notebook does not list."""

import numpy as np
import pytest

from workbench.answer_scores import abstains, contains
from workbench.checks.grounding import check_both_ways, check_cite, check_divide, check_resolves, check_threshold


def test_a_citation_may_also_be_checked_with_startswith():
    def resolves(passage, start, end, quote, corpus):
        if passage not in corpus or not quote or end - start != len(quote):
            return False
        return corpus[passage].startswith(quote, start)

    assert check_resolves.judge(resolves).passed


def test_the_books_own_scorer_finds_the_same_lines():
    def cite(answer, lines):
        if abstains(answer):
            return None
        return next((number for number, line in enumerate(lines) if contains(line, [answer])), None)

    assert check_cite.judge(cite).passed


def test_boxes_may_be_counted_one_by_one():
    def divide(now, oracle):
        boxes = [0, 0, 0]
        for is_right, could_be in zip(now, oracle, strict=True):
            boxes[0 if is_right else 1 if could_be else 2] += 1
        return [box / len(now) for box in boxes]

    assert check_divide.judge(divide).passed


def test_a_threshold_may_be_found_by_sorting():
    def threshold(scores, budget):
        ranked = np.sort(scores)
        below = np.searchsorted(ranked, ranked, side="left")
        return ranked[np.flatnonzero(below <= budget * len(ranked) + 1e-12)[-1]]

    assert check_threshold.judge(threshold).passed


@pytest.mark.parametrize(
    ("check", "answer", "hint"),
    [
        (check_resolves, lambda p, a, b, q, c: 2, "True or False"),
        (check_resolves, lambda p, a, b, q, c: True, "not at this place"),
        (check_resolves, lambda p, a, b, q, c: False, "is right"),
        (check_cite, lambda a, lines: None, "return"),
        (check_cite, lambda a, lines: 2, "whole words"),
        (check_divide, lambda now, oracle: (0.3, 0.3), "3 things"),
        (check_divide, lambda now, oracle: (0.3, 0.3, 0.3), "Expected"),
        (check_both_ways, lambda before, after: (0.5, 0.3), "Expected"),
        (check_both_ways, lambda before, after: (0.2, 0.0), "net gain"),
        (check_threshold, lambda scores, budget: 0.45, "interpolates"),
        (check_threshold, lambda scores, budget: max(scores), "share of the questions"),
    ],
)
def test_a_mistake_gets_its_own_hint(check, answer, hint):
    verdict = check.judge(answer)
    assert verdict.passed is False
    assert hint in verdict.message
