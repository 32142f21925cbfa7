"""Chapter 24's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

from pathlib import Path

import numpy as np
import pytest

from workbench.checks.kv_cache import check_admitted, check_cache_gib, check_positions_read
from workbench.checks.kv_cache_tensors import check_append_keys, check_share_heads, check_visible, turn
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "24_cache_keys_and_values.ipynb"
NUMBERS = [check_positions_read, check_cache_gib, check_admitted]
ARRAYS = [check_share_heads, check_visible, check_append_keys]


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


@pytest.mark.parametrize("check", NUMBERS + ARRAYS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", [None, "cache", {}, [["a"]], [[1], [2, 3]], np.zeros((3, 3)) + np.nan], ids=repr)
def test_what_is_no_answer_is_refused_in_one_line(check, answer):
    report = check.judge(lambda *args: answer)
    assert report.passed is False
    assert "\n" not in report.message


@pytest.mark.parametrize("check", NUMBERS + ARRAYS, ids=lambda c: c.__name__)
def test_an_untouched_stub_is_open_and_a_crash_is_one_line(check):
    def stub(*args):
        raise NotImplementedError

    def crash(*args):
        raise IndexError("too\nfar")

    assert check.judge(stub).passed is None
    assert check.judge(crash).message == "your code raised IndexError: too far"


def test_other_right_answers_pass():
    assert check_positions_read.judge(
        lambda p, n, cached: np.int64((p + n - 1) * (n > 0)) if cached else n * p + n * (n - 1) / 2
    ).passed
    assert check_visible.judge(lambda new, past: np.tri(new, past + new, past)).passed  # ones and zeros
    assert check_visible.judge(
        lambda new, past: [[j <= past + i for j in range(past + new)] for i in range(new)]
    ).passed
    assert check_share_heads.judge(lambda x, heads: x[np.arange(heads) * len(x) // heads]).passed

    def one_by_one(kept, k, rotate):
        for i in range(k.shape[1]):
            kept = np.concatenate([kept, rotate(k[:, i : i + 1], kept.shape[1])], axis=1)
        return kept

    assert check_append_keys.judge(one_by_one).passed


def test_a_learner_who_writes_into_the_arguments_does_not_spoil_the_reference():
    def in_place(kept, k, rotate):
        answer = np.concatenate([kept, rotate(k, kept.shape[1])], axis=1)
        kept[:], k[:] = 0, 0
        return answer

    def emptied(lengths, *rest):
        count = namespace()["admitted"](list(lengths), *rest)
        lengths.clear()
        return count

    assert check_append_keys.judge(in_place).passed
    assert check_admitted.judge(emptied).passed


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (check_positions_read, lambda *args: 12_345, "expected 271"),
        (check_cache_gib, lambda *args: 0.123, "expected"),
        (check_cache_gib, lambda config, *rest: config["n_head"], "no field 'n_head'"),
        (check_admitted, lambda *args: 77, "expected"),
        (check_share_heads, lambda x, heads: np.zeros((heads, 6, 4)), "at [0, 0, 0]"),
        (check_visible, lambda new, past: np.full((new, past + new), 7), "True and False only"),
        (check_append_keys, lambda kept, k, rotate: rotate(k[0], 0), "rotate takes"),
        (check_append_keys, lambda kept, k, rotate: np.zeros((2, 2)), "shape (2, 2), expected (3, 10, 8)"),
    ],
    ids=["count", "memory", "field", "admit", "heads", "sevens", "flat", "shape"],
)
def test_a_wrong_answer_of_no_known_kind_is_refused_too(check, answer, words):
    report = check.judge(answer)
    assert report.passed is False
    assert words in report.message


def test_turning_by_one_position_and_one_more_is_turning_by_two():
    x = np.random.default_rng(0).normal(size=(2, 1, 8))
    assert np.allclose(turn(turn(x, 1), 1), turn(x, 2))
    assert np.allclose(turn(x, 0), x)
