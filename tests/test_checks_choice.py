"""Chapter 15's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

import re
from pathlib import Path

import numpy as np
import pytest

from workbench.checks.choice import check_dollars_per_thousand, check_read_answer, check_split_without_leaks
from workbench.checks.choice_proof import check_paired_difference, check_threshold_for
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "15_choose_api_foundation_or_small_model.ipynb"
CHECKS = [
    *(check_dollars_per_thousand, check_read_answer, check_split_without_leaks),
    *(check_threshold_for, check_paired_difference),
]


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
    assert judged(cell.source).passed is True


@pytest.mark.parametrize("cell", cells("wrong-answer"), ids=lambda c: c.id)
def test_a_wrong_answer_gets_its_own_hint(cell):
    report = judged(cell.source)
    assert report.passed is False
    assert cell.source.splitlines()[0].removeprefix("# refused with: ") in report.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", [None, "drift", {}, [["a"]], np.zeros((3, 3)) + np.nan, (1, "x")], ids=repr)
def test_nonsense_is_refused_in_one_line(check, answer):
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


def test_other_right_answers_pass():
    answers = namespace()

    def as_numpy(text):
        verdict = answers["read_answer"](text)
        return None if verdict is None else np.bool_(verdict)

    def by_counting(scores, spam, max_share):
        good = np.sort(scores[~spam])[::-1]
        return np.float32(good[int(max_share * len(good) + 1e-9)])

    assert check_read_answer.judge(as_numpy).passed
    assert check_threshold_for.judge(by_counting).passed
    assert check_split_without_leaks.judge(
        lambda c, d, k: [np.array(part, int) for part in answers["split_without_leaks"](c, d, k)]
    ).passed


def test_a_normal_approximation_of_a_paired_difference_passes_and_any_seed_does():
    def normal(a, b):
        gap = b.astype(float) - a
        half = 1.96 * gap.std() / len(gap) ** 0.5
        return gap.mean(), gap.mean() - half, gap.mean() + half

    def seeded(seed):
        def answer(a, b):
            gap, rng = b.astype(float) - a, np.random.default_rng(seed)
            drawn = [gap[rng.integers(len(gap), size=len(gap))].mean() for _ in range(5000)]
            return gap.mean(), *np.quantile(drawn, [0.025, 0.975])

        return answer

    assert check_paired_difference.judge(normal).passed
    assert all(check_paired_difference.judge(seeded(seed)).passed for seed in range(5))


def test_an_interval_that_is_wrong_in_no_known_way_is_still_refused():
    report = check_paired_difference.judge(lambda a, b: (b.mean() - a.mean(), -0.2, 0.4))
    assert report.passed is False
    assert "wide" in report.message
    shifted = check_paired_difference.judge(lambda a, b: (b.mean() - a.mean(), 0.05, 0.075))
    assert shifted.passed is False


def test_a_reader_that_ignores_marks_and_order_is_named():
    def lenient(text):
        words = re.findall("[a-z']+", text.lower())
        return True if words[:1] == ["spam"] else False if words else None

    assert check_read_answer.judge(lenient).passed is False
