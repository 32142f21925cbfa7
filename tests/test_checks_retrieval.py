"""Chapter 42's checks accept independent implementations, and name mistakes that the sheet does not list."""

import numpy as np
import pytest

from workbench import retrieval
from workbench.checks.retrieval import check_fuse, check_ndcg, check_range, check_weight
from workbench.checks.significance import check_holm, check_p_value


def passed(check, answer) -> bool:
    return check.judge(answer).passed


def hint(check, answer) -> str:
    verdict = check.judge(answer)
    assert not verdict.passed
    return verdict.message


def trec_ndcg(ranking, grades, k):
    from pytrec_eval import RelevanceEvaluator

    run = {name: -float(rank) for rank, name in enumerate(ranking)}
    return RelevanceEvaluator({"q": grades}, {f"ndcg_cut.{k}"}).evaluate({"q": run})["q"][f"ndcg_cut_{k}"]


def bm25s_weight(times, containing, passages, length, average, k1=1.5, b=0.75):
    from bm25s.scoring import _score_idf_lucene, _score_tfc_lucene

    return _score_idf_lucene(containing, passages) * _score_tfc_lucene(times, length, average, k1, b)


def scipy_p(a, b):
    from scipy.stats import permutation_test

    if len(a) == 1:
        return 1.0  # scipy wants two
    found = permutation_test((a, b), lambda a, b, axis: (a - b).sum(axis), permutation_type="samples", vectorized=True)
    return found.pvalue


def slow_holm(p_values):
    """From the definition: p of the r-th smallest is the largest of (n − s + 1)·p over all s ≤ r."""
    p = list(p_values)
    places = sorted(range(len(p)), key=lambda i: p[i])
    step = [min(1, (len(p) - s) * p[i]) for s, i in enumerate(places)]
    return [max(step[: places.index(i) + 1]) for i in range(len(p))]


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_weight, bm25s_weight),
        (check_ndcg, trec_ndcg),
        (check_ndcg, retrieval.ndcg),
        (check_fuse, lambda rankings, k=60: list(retrieval.rrf(*rankings, k=k))),
        (check_p_value, scipy_p),
        (check_holm, slow_holm),
    ],
)
def test_independent_implementations_pass(check, answer):
    assert passed(check, answer), check.judge(answer).message


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (check_weight, lambda t, c, p, n, a, k1=1.5, b=0.75: bm25s_weight(t, c, p, n, a, k1, 0), "length is missing"),
        (check_weight, lambda t, c, p, n, a, k1=1.5, b=0.75: bm25s_weight(t, c, p, n, a) / np.log(10), "another base"),
        (check_ndcg, lambda r, g, k: trec_ndcg(["", *r], g, k), "should earn 1"),
        (check_ndcg, lambda r, g, k: trec_ndcg(r, g, k) ** 2, "expected"),
        (check_fuse, lambda rankings, k=60: [n for r in rankings for n in r], "twice"),
        (check_fuse, lambda rankings, k=60: sorted({n for r in rankings for n in r}), "should be first"),
        (check_p_value, lambda a, b: scipy_p(a, b) * 2, "patterns of signs"),
        (check_holm, lambda p: p, "Nothing was corrected"),
        (check_holm, lambda p: p[:2], "5 numbers for 5"),
        (check_range, lambda r, g, k: trec_ndcg(r, g, k), "two numbers"),
    ],
)
def test_a_mistake_is_named(check, answer, words):
    assert words in hint(check, answer)
