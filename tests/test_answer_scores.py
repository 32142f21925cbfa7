"""The scorer of short answers: what it forgives, what it must not, and that chapter 40 teaches this very one."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import questions
from workbench.answer_scores import abstains, contains, f1, score, words
from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "40_ask_without_retrieval.ipynb"
TEXTS = st.text(alphabet="aA the.0x1-/~'\n,?", max_size=30)


def test_the_decimal_point_is_kept_and_the_full_stop_is_not():
    assert words("The port is 0.1, ok?") == ["port", "is", "0.1", "ok"]
    assert score("0.1", ["01"]) == (0, 0)
    assert score("No.", ["no"]) == (1, 1)


def test_every_accepted_answer_gets_full_marks():
    for question in questions():
        assert all(score(answer, question.answers) == (1, 1) for answer in question.answers)


def test_the_key_that_suits_best_counts():
    assert score("8", ["eight bytes", "8"]) == (1, 1)
    assert score("port 5555", ["3333", "5555"]) == (0, pytest.approx(2 / 3))


def test_containing_asks_for_whole_words_in_order():
    assert contains("It is the port 5555.", ["port 5555"])
    assert not contains("port 55555", ["port 5555"])
    assert not contains("5555 port", ["port 5555"])


def test_declining_is_saying_unknown_or_nothing():
    assert [abstains(text) for text in ("Unknown.", "  ...", "unknowable", "no")] == [True, True, False, False]


@given(TEXTS, TEXTS)
def test_f1_is_symmetric_and_between_zero_and_one(a, b):
    assert 0 <= f1(a, b) == f1(b, a) <= 1
    assert f1(a, a) == (1 if words(a) else 0)


def taught() -> dict:
    """The functions that chapter 40 writes."""
    cells = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    names: dict = {}
    exec(cells["imports"].replace("from openai import OpenAI\n", ""), names)
    for key in ("words", "f1", "best", "contains"):
        exec(cells[key], names)
    exec(cells["traps"].split("\n\n\n")[0], names)
    return names


@given(st.lists(TEXTS, min_size=2, max_size=4))
def test_chapter_40_teaches_these_functions(texts):
    there, (answer, *keys) = TAUGHT, texts
    question = SimpleNamespace(answers=keys)
    assert there["words"](answer) == words(answer)
    assert there["score"](answer, question) == score(answer, keys)
    assert there["contains"](answer, question) == contains(answer, keys)
    assert there["abstains"](answer) == abstains(answer)


TAUGHT = taught()
