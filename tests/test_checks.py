"""Every check of the book accepts the solution and refuses each listed mistake, and stands whatever else it is given.

In process, so quick; `test_exercises` proves the same in kernels, where a learner meets it.
"""

import ast
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from solved import BOOK, run, solved

from workbench.checks.answers import NONE
from workbench.proof import exercises
from workbench.runner import notebooks

STEMS = [path.stem for path in BOOK.chapters()]
CHECK = re.compile(r'^@check\("([\d.]+)"\)\ndef (check_\w+)\(', re.M)
# Learners' mistakes that are themselves the error raised here: the check knows them and has a hint of its own.
RECOGNISED = {("01.1", IndexError), ("10.2", ZeroDivisionError), ("22.3", ZeroDivisionError)}


@dataclass(frozen=True)
class Asked:
    """One exercise as its notebook asks it: check(answer)."""

    stem: str
    exercise: exercises.Exercise
    check: str
    answer: str

    def judge(self, answer):
        return solved(self.stem)[self.check].judge(answer)

    @property
    def solution(self):
        return solved(self.stem)[self.answer]

    def doing(self, act):
        """An answer of the kind that is asked for, a function or a class, that does `act` when it is called."""
        if isinstance(self.solution, type):
            return type(self.answer, (), {"__new__": lambda cls, *args, **named: act(*args, **named)})
        return act


def asked(stem: str, exercise: exercises.Exercise) -> Asked:
    (cell,) = exercise.checks
    (call,) = (statement.value for statement in ast.parse(cell.source).body)
    (answer,) = call.args
    return Asked(stem, exercise, call.func.id, answer.id)


LISTED = [
    asked(stem, exercise)
    for stem in STEMS
    for exercise in exercises.split(notebooks.read(BOOK.solutions / f"{stem}.ipynb"))[1]
]
WRONG = [(one, cell) for one in LISTED for cell in one.exercise.wrong_answers]
every_exercise = pytest.mark.parametrize("one", LISTED, ids=[f"{one.exercise.number}-{one.check}" for one in LISTED])


@pytest.fixture
def shown(monkeypatch) -> list:
    """The reports that checks display."""
    found: list = []
    monkeypatch.setattr("IPython.display.display", found.append)
    return found


def test_every_check_is_asked_by_the_exercise_whose_number_it_bears():
    sources = [path.read_text() for path in (BOOK.root / "src" / "workbench" / "checks").glob("*.py")]
    made = {found for source in sources for found in CHECK.findall(source)}
    numbers = {stem.split("_")[0] for stem in STEMS}  # not yet those of a chapter in the making
    assert {(number, name) for number, name in made if number.split(".")[0] in numbers} == {
        (one.exercise.number, one.check) for one in LISTED
    }


@every_exercise
def test_the_solution_passes_every_time(one, shown):
    (cell,) = one.exercise.checks
    for _ in range(2):
        run(cell, one.stem, solved(one.stem))
    assert [(report.exercise, report.name) for report in shown] == [(one.exercise.number, one.check)] * 2
    assert [report.passed for report in shown] == [True, True], shown


@pytest.mark.parametrize(("one", "cell"), WRONG, ids=[f"{one.exercise.number}-{cell.id}" for one, cell in WRONG])
def test_a_listed_mistake_is_refused_with_its_own_hint(one, cell, shown):
    run(cell, one.stem, solved(one.stem))
    (report,) = shown
    assert report.exercise == one.exercise.number
    assert report.passed is False, report
    assert exercises.refused_with(cell) in report.message


@every_exercise
def test_an_untouched_stub_is_open(one):
    def stub(*args, **named):
        raise NotImplementedError

    report = one.judge(one.doing(stub))
    assert (report.passed, report.message) == (None, "not implemented yet")


@every_exercise
@pytest.mark.parametrize("error", [IndexError, ZeroDivisionError], ids=lambda error: error.__name__)
def test_a_crash_is_one_line(one, error):
    def crash(*args, **named):
        raise error("too\nfar")

    report = one.judge(one.doing(crash))
    assert_refused_in_one_line(report)
    told = report.message == f"your code raised {error.__name__}: too far"
    assert told is ((one.exercise.number, error) not in RECOGNISED), report


NONSENSE = {
    "True": True,
    "zero": 0,
    "a number": 7,
    "a negative number": -1.0,
    "a huge number": 10**30,
    "nan": math.nan,
    "infinity": math.inf,
    "a complex number": 1j,
    "a word": "fast",
    "an empty word": "",
    "bytes": b"fast",
    "an empty dict": {},
    "a dict": {"a": 1},
    "a dict of objects": {"a": object()},
    "an empty set": set(),
    "an empty list": [],
    "an empty tuple": (),
    "an empty array": np.array([]),
    "a list of two numbers": [1, 2],
    "a pair": (1, 2),
    "a pair of words": ("a", "b"),
    "a mixed pair": (1, "x"),
    "three numbers": (1, 2, 3),
    "three words": ("a", "b", "c"),
    "three infinities": (math.inf, math.inf, math.inf),
    "a list of None": [None],
    "a list of a fraction": [1.5],
    "huge indices": [10**9, -(10**9)],
    "a list of lists of words": [["a"]],
    "a ragged list": [[1], [2, 3]],
    "a ragged list of words": [[1], "x"],
    "a pair of nan arrays": (np.full((5, 16), math.nan), np.full((5, 1), math.nan)),
    "a matrix": np.ones((2, 3)),
    "a matrix of zeros": np.zeros((3, 3)),
    "a matrix of nan": np.full((3, 3), math.nan),
    "a cube": np.zeros((2, 3, 4)),
    "an object": object(),
    "a class": type,
}


@every_exercise
def test_nonsense_gets_a_hint_in_one_line(one):
    """A hint of the check's own: the learner's code raised nothing here."""
    acts = {name: lambda *args, value=value, **named: value for name, value in NONSENSE.items()}
    acts["its own arguments"] = lambda *args, **named: (*args, *named.values())
    for name, act in acts.items():
        report = one.judge(one.doing(act))
        assert_refused_in_one_line(report, name)
        assert "your code raised" not in report.message, f"{name}: {report}"


@every_exercise
def test_a_forgotten_return_is_named(one):
    report = one.judge(one.doing(lambda *args, **named: None))
    assert_refused_in_one_line(report)
    assert (report.message == NONE) is not isinstance(one.solution, type), report  # a class returns nothing


@every_exercise
def test_what_cannot_be_called_so_is_refused_in_one_line(one):
    for answer in (None, 7, "fast", lambda: 1):
        report = one.judge(answer)
        assert_refused_in_one_line(report, repr(answer))
        assert "TypeError" in report.message or isinstance(one.solution, type)


@every_exercise
def test_an_answer_that_spoils_its_arguments_does_not_spoil_the_check(one):
    assert_refused_in_one_line(one.judge(one.doing(lambda *args, **named: spoil([*args, *named.values()]))))
    report = one.judge(one.solution)
    assert report.passed is True, report


def spoil(values) -> None:
    for value in values:
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
            value[...] = 0
        elif isinstance(value, torch.Tensor):
            value.zero_()
        elif isinstance(value, dict | list | set):
            value.clear()


def assert_refused_in_one_line(report, what: str = "") -> None:
    assert report.passed is False, f"{what}: {report}"
    assert len(report.message) > 15, f"{what}: {report}"
    assert "\n" not in report.message, f"{what}: {report}"
