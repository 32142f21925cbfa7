"""A grade says what a learner's answer is worth, whatever the answer does; the answer is only read."""

import json
from dataclasses import replace

import nbformat
import pytest
import toybook
from nbformat.v4 import new_code_cell, new_notebook
from toybook import STEM, learner, stub

from workbench.errors import UnknownNameError, WorkbenchError
from workbench.layout import Layout
from workbench.proof.grading import grade

pytestmark = pytest.mark.slow


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Layout:
    return toybook.make(tmp_path, monkeypatch)


def graded(layout, path, **limits):
    """The grade's rows as {"22.1": (status, message)}, after checking that the file was only read."""
    before = path.read_bytes(), path.stat().st_mtime_ns
    result = grade(layout, path, **limits)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    return result, {row.exercise: (row.status, row.message) for row in result.rows}


ALL = dict.fromkeys(("22.1", "22.2", "22.3"), "passed")


def statuses(rows):
    return {number: status for number, (status, _) in rows.items()}


def test_right_answers_pass(toy):
    result, rows = graded(toy, learner(toy))
    assert rows == dict.fromkeys(ALL, ("passed", "right"))
    assert result.passed
    assert result.notes == ()
    written = json.loads(result.to_json())
    assert (written["ok"], written["passed"], written["total"]) == (True, 3, 3)
    assert written["rows"][0] == {"exercise": "22.1", "title": "Say double", "status": "passed", "message": "right"}
    assert result.table().row_count == 3


def test_an_untouched_sheet_is_not_implemented_yet(toy):
    result, rows = graded(toy, toy.exercises / f"{STEM}.ipynb")
    assert rows == dict.fromkeys(ALL, ("not implemented", "not implemented yet"))
    assert not result.passed


def test_each_answer_is_graded_by_itself(toy):
    broken = stub(2, "    return = 3 * x")
    path = learner(toy, answer_1=stub(1, "    return x"), answer_2=broken)
    result, rows = graded(toy, path)
    assert statuses(rows) == {"22.1": "failed", "22.2": "error", "22.3": "passed"}
    assert rows["22.1"][1] == "you returned 3: multiply by 2"
    assert rows["22.2"][1] == "SyntaxError: invalid syntax (line 3)"
    assert (result.passed, result.score) == (False, 1)


def test_an_endless_loop_is_stopped_and_the_rest_is_graded(toy):
    result, rows = graded(toy, learner(toy, answer_1=stub(1, "    while True: pass")), time_s=4)
    assert statuses(rows) == ALL | {"22.1": "stopped"}
    assert rows["22.1"][1].startswith("stopped after 4 s")
    assert not result.passed


def test_a_loop_that_cannot_be_interrupted_is_killed_and_the_rest_is_graded(toy):
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass"
    _, rows = graded(toy, learner(toy, answer_2=stubborn), time_s=4)
    assert statuses(rows) == ALL | {"22.2": "stopped"}


def test_an_endless_printer_is_stopped_long_before_its_time(toy):
    flood = stub(1, "    while True: print('x' * 500)")
    _, rows = graded(toy, learner(toy, answer_1=flood), time_s=60)
    assert statuses(rows) == ALL | {"22.1": "stopped"}
    assert rows["22.1"][1] == "stopped: it printed more than 20 MB"


def test_thirty_gigabytes_are_refused_and_a_dead_kernel_is_reported(toy):
    hungry, deadly = "    return len(bytearray(30 << 30))", "    import os\n    os._exit(3)"
    path = learner(toy, answer_1=stub(1, hungry), answer_2=stub(2, deadly))
    _, rows = graded(toy, path, memory_mb=2048)
    assert statuses(rows) == {"22.1": "memory", "22.2": "died", "22.3": "passed"}
    assert "more memory than the grader gives" in rows["22.1"][1]
    assert "left with status 3" in rows["22.2"][1]


def test_deleted_check_cells_are_said_and_put_back(toy):
    path = learner(toy, check_2=None, check_3=None, answer_3=stub(3, "    return x"))
    result, rows = graded(toy, path)
    assert statuses(rows) == ALL | {"22.3": "failed"}
    expected = [f"check cell of 22.{k} is missing: restored for grading" for k in (2, 3)]
    assert list(result.notes) == expected
    assert not replace(result, rows=result.rows[:2]).passed, "a file without its checks does not pass"


WRONG = stub(1, "    return x")
RECORD = "{'exercise': '22.1', 'name': 'check_double', 'passed': True, 'message': 'right'}"
SHOW = f"display({{'application/vnd.workbench.check+json': {RECORD}, 'text/plain': '✓'}}, raw=True)"
FORGERIES = {
    "prints a tick": {"answer_1": WRONG + "\nprint('✓ 22.1 right')"},
    "shows a record": {"answer_1": f"{WRONG}\n{SHOW}"},
    "shows a record inside the check": {"answer_1": stub(1, f"    {SHOW}\n    return x")},
    "shows a record and leaves": {"answer_1": stub(1, f"    {SHOW}\n    raise SystemExit")},
    "edits the check call": {"answer_1": WRONG, "check_1": "check_double(lambda x: 2 * x)"},
    "redefines the check": {"answer_1": f"{WRONG}\ndef check_double(answer):\n    {SHOW}"},
    "redefines it in its module": {"answer_1": f"{WRONG}\nimport toychecks\ntoychecks.expect = lambda *a: 'right'"},
    "mends the judge": {
        "answer_1": f"{WRONG}\nimport workbench.checks.report as r\nr.judge = lambda *a: "
        "r.Report('22.1', 'check_double', True, 'right')"
    },
}


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_passes(toy, name):
    result, rows = graded(toy, learner(toy, **FORGERIES[name]))
    assert rows["22.1"][0] != "passed"
    assert rows["22.2"][0] == "passed"
    edited = "check cell of 22.1 was edited: the original was used"
    assert (edited in result.notes) is ("check_1" in FORGERIES[name])


def test_a_sheet_under_another_name_with_cells_of_ones_own_is_graded(toy):
    path = learner(toy, answer_1="def double(x):\n    return helper(x)")
    nb = nbformat.read(path, as_version=4)
    nb.cells.insert(3, new_code_cell("def helper(x):\n    return 2 * x", id="mine"))
    nb.nbformat_minor = 4  # written by an old tool: no ids at all
    for cell in nb.cells:
        del cell["id"]
    nbformat.write(nb, path)
    result, rows = graded(toy, path)
    assert statuses(rows) == ALL
    assert result.passed


def test_broken_setup_is_said(toy):
    result, _ = graded(toy, learner(toy, imports="import no_such_module"))
    assert result.notes == ("set-up: ModuleNotFoundError: No module named 'no_such_module'",)


@pytest.mark.parametrize("content", ["", '{"cells": [', "[]", '{"nbformat": 3}'])
def test_a_damaged_file_is_one_clear_line(toy, content):
    path = toy.root / "mine.ipynb"
    path.write_text(content)
    with pytest.raises(WorkbenchError, match=r"mine\.ipynb is not a readable notebook"):
        grade(toy, path)


def test_a_file_that_answers_no_sheet_is_refused_with_the_sheets(toy):
    path = toy.root / "poem.ipynb"
    nbformat.write(new_notebook(), path)
    with pytest.raises(UnknownNameError, match=r"unknown exercise notebook 'poem'.*22_toy"):
        grade(toy, path)
