"""Checks of chapter 45: other right answers, and mistakes that the exercises do not list."""

import numpy as np
import pytest

from workbench.checks.vector_budget import OFFERS, check_choose, check_graph_bytes
from workbench.checks.vector_search import check_probe, check_recall_at_k, check_score_codes


def test_recall_may_be_counted_with_a_loop_over_python_lists():
    def loop(found, scores, k):
        kth = sorted(scores.tolist())[-k]
        counted = {row for row in found.tolist() if scores[row] >= kth}
        return min(len(counted), k) / k

    assert check_recall_at_k.judge(loop).passed


def test_recall_in_percent_is_named():
    def percent(found, scores, k):
        return 100 * min(k, int((scores[np.unique(found)] >= np.sort(scores)[-k]).sum())) / k

    report = check_recall_at_k.judge(percent)
    assert report.passed is False
    assert "share between 0 and 1" in report.message or "cannot exceed one" in report.message


def test_a_probe_may_return_a_list():
    def plain(question, centres, lists, vectors, probes, k):
        cells = sorted(range(len(centres)), key=lambda c: -(centres[c] @ question))[:probes]
        rows = sorted((row for c in cells for row in lists[c]), key=lambda row: -(vectors[row] @ question))
        return rows[:k]

    assert check_probe.judge(plain).passed


def test_a_probe_that_returns_cells_is_told_so():
    def cells(question, centres, lists, vectors, probes, k):
        return np.argsort(-(centres @ question))[:probes]

    assert "Open their lists" in check_probe.judge(cells).message


def test_too_many_rows_are_refused():
    def all_candidates(question, centres, lists, vectors, probes, k):
        rows = np.concatenate([lists[cell] for cell in np.argsort(-(centres @ question))[:probes]])
        return rows[np.argsort(-(vectors[rows] @ question))]

    assert "At most k" in check_probe.judge(all_candidates).message


def test_scores_may_be_computed_by_unpacking():
    def unpack(question, codes, codebook):
        return np.hstack([codebook[p][codes[:, p]] for p in range(len(codebook))]) @ question

    assert check_score_codes.judge(unpack).passed


def test_only_the_first_piece_is_named():
    def first(question, codes, codebook):
        return codebook[0][codes[:, 0]] @ question[: codebook.shape[2]]

    assert check_score_codes.judge(first).passed is False


def test_graph_bytes_may_sum_the_levels():
    def levels(n, d, links):
        share, places = 1.0, 2.0 * links
        while (share := share / links) > 1e-15:
            places += links * share
        return n * 4 * (d + places)

    assert check_graph_bytes.judge(levels).passed


@pytest.mark.parametrize(("unit", "word"), [(1e6, "megabytes"), (1e9, "gigabytes"), (4, "counts numbers")])
def test_units_are_named(unit, word):
    def other(n, d, links):
        return 4 * n * (d + 2 * links + links / (links - 1)) / unit

    assert word in check_graph_bytes.judge(other).message


def test_a_choice_may_sort_with_pandas():
    import pandas as pd

    def sorted_table(offers, memory_mb, p95_ms):
        table = pd.DataFrame(offers).query("memory_mb <= @memory_mb and p95_ms <= @p95_ms")
        best = table.sort_values(["recall", "p95_ms"], ascending=[False, True])
        return best["name"].iloc[0] if len(best) else None

    assert check_choose.judge(sorted_table).passed


def test_the_whole_offer_or_a_strange_name_is_refused():
    assert "name of the offer" in check_choose.judge(lambda offers, memory_mb, p95_ms: offers[0]).message
    assert "no offer's name" in check_choose.judge(lambda offers, memory_mb, p95_ms: "graf").message
    assert len({offer["name"] for offer in OFFERS}) == len(OFFERS)
