"""Chapter 10's checks accept other right answers, and name mistakes that the solutions do not list."""

import numpy as np
from sklearn.metrics import ndcg_score
from solved import solved

from workbench.checks.tradeoff import check_mean_recall, check_ndcg, check_split_by_time
from workbench.checks.tradeoff_bill import check_pareto_front, check_usd_per_million

STEM = "10_trade_accuracy_for_latency"


def test_scikit_learn_passes_as_an_answer():
    def by_library(ranked, held, k):
        if k < 1 or len(held) == 0:
            raise ValueError("nothing to find")
        known = np.concatenate([ranked, np.setdiff1d(held, ranked)])  # what is missing comes last
        return ndcg_score([np.isin(known, held)], [-np.arange(len(known))], k=k)

    report = check_ndcg.judge(by_library)
    assert report.passed is True, report.message


def test_the_base_of_the_logarithm_cancels():
    def natural(ranked, held, k):
        if k < 1 or len(held) == 0:
            raise ValueError("nothing to find")
        discount = 1 / np.log(np.arange(2, k + 2))
        hits = np.isin(ranked[:k], held)
        return (discount[: len(hits)] * hits).sum() / discount[: len(held)].sum()

    assert check_ndcg.judge(natural).passed is True


def test_other_right_answers_pass():
    front, split = solved(STEM)["pareto_front"], solved(STEM)["split_by_time"]
    assert check_pareto_front.judge(lambda q, c: front(q, c).tolist()).passed
    assert check_pareto_front.judge(lambda q, c: front(q, c).astype(float)).passed
    assert check_split_by_time.judge(lambda *a: tuple(rows[::-1].tolist() for rows in split(*a))).passed


def test_swapped_parts_and_lost_rows_are_named():
    split = solved(STEM)["split_by_time"]
    assert "wrong order" in check_split_by_time.judge(lambda *a: split(*a)[::-1]).message
    assert "in neither" in check_split_by_time.judge(lambda *a: (split(*a)[0][1:], split(*a)[1])).message


def test_another_error_than_value_error_is_named():
    solution = solved(STEM)["mean_recall"]

    def impolite(rankings, held, k):
        assert any(len(h) for h in held), "nobody"
        return solution(rankings, held, k)

    assert "raise ValueError, not AssertionError" in check_mean_recall.judge(impolite).message


def test_a_bill_that_is_wrong_in_no_known_way_shows_both_numbers():
    report = check_usd_per_million.judge(lambda *args: 0.123456)
    assert report.passed is False
    assert "you returned 0.123456" in report.message
