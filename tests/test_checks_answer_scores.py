"""Chapter 40's scorers against a second way to compute them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from workbench.checks.answer_scores import check_declining, check_f1, overlap

WORDS = st.lists(st.sampled_from("abcd"), max_size=8)


@given(WORDS, WORDS)
def test_token_f1_is_the_harmonic_mean_of_precision_and_recall(answer, key):
    common = (Counter(answer) & Counter(key)).total()
    value = overlap(answer, key)
    assert value == overlap(key, answer)
    assert (value == 1) == (Counter(answer) == Counter(key) and bool(answer))
    if common:
        precision, recall = common / len(answer), common / len(key)
        assert value == pytest.approx(2 * precision * recall / (precision + recall))
    else:
        assert value == 0


def test_the_library_says_the_same_of_declining():
    def library(declined, answerable):
        precision, recall, _, _ = precision_recall_fscore_support(
            [not a for a in answerable], declined, average="binary", zero_division=0
        )
        return precision, recall

    assert check_declining.judge(library).passed


@pytest.mark.parametrize("answer", [None, 3, "f1", lambda a, k: "half", lambda a, k: [0.5, 0.5], lambda a, k: None])
def test_what_is_no_score_is_refused(answer):
    assert check_f1.judge(answer).passed is False
