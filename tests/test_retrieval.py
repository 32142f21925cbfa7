"""BM25 scores and ranks as bm25s does, the measures are trec_eval's to 1e-9, and fusion is what the paper says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import passages, questions
from workbench.retrieval import STOP_WORDS, Bm25, best, mrr, ndcg, recall, rrf, words

GRADES = {"a": 2, "b": 0, "c": 1, "d": 2}


@pytest.fixture(scope="module")
def ours():
    """The book's passages and its questions."""
    return [f"{p.title}. {p.text}" for p in passages()], [q.text for q in questions()]


def theirs(texts, asked, k1, b):
    """bm25s: (questions, texts) scores in float64, and its tokens of the texts."""
    import bm25s
    import Stemmer

    how = dict(stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False, return_ids=False)
    tokens = bm25s.tokenize(texts, **how)
    index = bm25s.BM25(k1=k1, b=b, dtype="float64")
    index.index(tokens, show_progress=False)
    return np.stack([index.get_scores(found) for found in bm25s.tokenize(asked, **how)]), tokens


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4)])
def test_on_our_manuals_bm25_gives_the_scores_and_the_ranking_of_bm25s(ours, k1, b):
    texts, asked = ours
    expected, tokens = theirs(texts, asked, k1, b)
    index = Bm25(texts, k1, b)
    found = np.stack([index.scores(question) for question in asked])
    assert [words(text) for text in texts] == tokens
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)
    rounded = np.round(found, 9), np.round(expected, 9)  # sums in another order differ in the last digit
    assert all(np.array_equal(best(a), best(b)) for a, b in zip(*rounded, strict=True))


def test_the_stop_words_are_those_of_bm25s():
    from bm25s.stopwords import STOPWORDS_EN

    assert set(STOPWORDS_EN) == STOP_WORDS


def test_a_question_that_shares_no_word_scores_nothing_and_a_word_asked_twice_counts_twice():
    index = Bm25(["halt the core", "reset a core"])
    assert np.array_equal(index.scores("zzz"), [0, 0])
    assert np.allclose(index.scores("halt halt"), 2 * index.scores("halt"))
    assert Bm25([]).scores("halt").shape == (0,)
    assert np.array_equal(Bm25(["", ""]).scores("halt"), [0, 0])


def test_another_tokeniser_is_used_for_both_sides():
    index = Bm25(["a-b", "c"], words=lambda text: text.split("-"))
    assert list(best(index.scores("b"))) == [0, 1]


def test_of_equal_scores_the_first_comes_first():
    assert list(best(np.array([1.0, 2.0, 2.0, 0.0]))) == [1, 2, 0, 3]
    assert list(best(np.array([1.0, 2.0, 2.0, 0.0]), 2)) == [1, 2]


def test_fusion_adds_reciprocal_ranks_from_one_on_and_takes_partial_rankings():
    fused = rrf(["a", "b"], ["b", "c"])
    assert list(fused) == ["b", "a", "c"]
    assert fused["b"] == pytest.approx(1 / 62 + 1 / 61)
    assert fused["c"] == pytest.approx(1 / 62)
    assert list(rrf(["x", "y"], ["y", "x"])) == ["x", "y"]  # a tie: the first ranking's order
    assert rrf() == {}


@pytest.mark.parametrize("measure", [lambda r: ndcg(r, GRADES), lambda r: recall(r, GRADES), lambda r: rrf(r)])
def test_a_passage_that_stands_twice_is_refused(measure):
    with pytest.raises(ValueError, match="'a' stands in this ranking more than once"):
        measure(["a", "b", "a"])


def test_where_nothing_is_relevant_every_measure_is_zero():
    for grades in ({}, {"a": 0}, {"a": -1}):
        assert (ndcg(["a"], grades), recall(["a"], grades), mrr(["a"], grades)) == (0, 0, 0)
    assert (ndcg([], GRADES), recall([], GRADES), mrr([], GRADES)) == (0, 0, 0)


def test_by_hand():
    assert ndcg(["b", "a"], GRADES) == pytest.approx((2 / math.log2(3)) / (2 + 2 / math.log2(3) + 1 / 2))
    assert recall(["b", "a", "c"], GRADES, k=2) == pytest.approx(1 / 3)
    assert recall(["b", "a", "c"], GRADES, relevant=2) == pytest.approx(1 / 2)
    assert mrr(["b", "c", "a"], GRADES) == 1 / 2
    assert mrr(["b", "c", "a"], GRADES, relevant=2) == 1 / 3
    assert mrr(["b", "c", "a"], GRADES, k=2, relevant=2) == 0


NAMES = [f"p{number}" for number in range(15)]


@settings(max_examples=60, deadline=None)
@given(
    ranking=st.permutations(NAMES),
    length=st.integers(1, 15),
    grades=st.dictionaries(st.sampled_from(NAMES), st.integers(-1, 3), min_size=1),
    k=st.sampled_from([1, 3, 10]),
    relevant=st.sampled_from([1, 2]),
)
def test_the_measures_are_those_of_trec_eval_to_nine_digits(ranking, length, grades, k, relevant):
    """On random rankings and graded judgements.  trec_eval ranks by score, and its recip_rank has no cut."""
    from pytrec_eval import RelevanceEvaluator

    ranking = ranking[:length]
    measures = {f"ndcg_cut.{k}", f"recall.{k}", "recip_rank"}
    judge = RelevanceEvaluator({"q": grades}, measures, relevance_level=relevant)
    expected = judge.evaluate({"q": {name: float(-place) for place, name in enumerate(ranking)}})["q"]
    cut = judge.evaluate({"q": {name: float(-place) for place, name in enumerate(ranking[:k])}})["q"]
    assert ndcg(ranking, grades, k) == pytest.approx(expected[f"ndcg_cut_{k}"], abs=1e-9)
    assert recall(ranking, grades, k, relevant) == pytest.approx(expected[f"recall_{k}"], abs=1e-9)
    assert mrr(ranking, grades, k, relevant) == pytest.approx(cut["recip_rank"], abs=1e-9)
