"""Chapter 10's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from workbench.checks.tradeoff import check_mean_recall, check_ndcg, check_split_by_time
from workbench.checks.tradeoff_bill import check_pareto_front, check_usd_per_million
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "10_trade_accuracy_for_latency.ipynb"
CHECKS = [check_ndcg, check_mean_recall, check_pareto_front, check_split_by_time, check_usd_per_million]


def cells(tag: str) -> list:
    return [c for c in notebooks.read(SOLUTIONS).cells if tag in notebooks.tags(c)]


def namespace() -> dict:
    """Imports and solutions of the solutions notebook, executed."""
    names = {}
    for cell in notebooks.read(SOLUTIONS).cells:
        if cell.cell_type == "code" and not set(notebooks.tags(cell)) & {"check", "wrong-answer"}:
            exec(cell.source, names)
    return names


def judged(source: str):
    """The report of a cell whose last line calls check_x(answer)."""
    names = namespace()
    *body, call = source.strip().splitlines()
    exec("\n".join(body), names)
    check, answer = call.rstrip(")").split("(")
    return names[check].judge(names[answer])


@pytest.mark.parametrize("cell", cells("check"), ids=lambda c: c.id)
def test_a_solution_passes(cell):
    report = judged(cell.source)
    assert report.passed is True, report.message


@pytest.mark.parametrize("cell", cells("wrong-answer"), ids=lambda c: c.id)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")  # some learners divide by nothing
def test_a_wrong_answer_gets_its_own_hint(cell):
    report = judged(cell.source)
    assert report.passed is False
    assert cell.source.splitlines()[0].removeprefix("# refused with: ") in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", [None, "fast", {}, [["a"]], np.full((3, 3), np.nan), (1, 2, 3)], ids=repr)
def test_what_is_not_an_answer_is_refused_in_one_line(check, answer):
    report = check.judge(lambda *args: answer)
    assert report.passed is False
    assert "\n" not in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_an_untouched_stub_is_open_and_a_crash_is_one_line(check):
    def stub(*args):
        raise NotImplementedError

    def crash(*args):
        raise IndexError("too\nfar")

    assert check.judge(stub).passed is None
    assert check.judge(crash).message == "your code raised IndexError: too far"


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
    front, split = namespace()["pareto_front"], namespace()["split_by_time"]
    assert check_pareto_front.judge(lambda q, c: front(q, c).tolist()).passed
    assert check_pareto_front.judge(lambda q, c: front(q, c).astype(float)).passed
    assert check_split_by_time.judge(lambda *a: tuple(rows[::-1].tolist() for rows in split(*a))).passed


def test_swapped_parts_and_lost_rows_are_named():
    split = namespace()["split_by_time"]
    assert "wrong order" in check_split_by_time.judge(lambda *a: split(*a)[::-1]).message
    assert "in neither" in check_split_by_time.judge(lambda *a: (split(*a)[0][1:], split(*a)[1])).message


def test_another_error_than_value_error_is_named():
    solution = namespace()["mean_recall"]

    def impolite(rankings, held, k):
        assert any(len(h) for h in held), "nobody"
        return solution(rankings, held, k)

    assert "raise ValueError, not AssertionError" in check_mean_recall.judge(impolite).message


def test_a_bill_that_is_wrong_in_no_known_way_shows_both_numbers():
    report = check_usd_per_million.judge(lambda *args: 0.123456)
    assert report.passed is False
    assert "you returned 0.123456" in report.message
