"""Sheets come from solutions alone; every solution passes, and every wrong answer it lists is refused."""

import json
from functools import cache
from pathlib import Path

import nbformat
import pytest
import toybook
from handmade import book, code, write
from nbformat.v4 import new_markdown_cell, new_notebook
from toybook import STEM, learner, sheet, solution, stub

from workbench.checks.report import MIME
from workbench.errors import CheckFailedError, WorkbenchError
from workbench.layout import Layout
from workbench.profiles import get_profile
from workbench.proof import exercises
from workbench.proof.grading import grade
from workbench.runner import engine, notebooks, store
from workbench.runner.plan import plan


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Layout:
    return toybook.make(tmp_path, monkeypatch)


# Generating


def test_a_sheet_has_stubs_and_no_solutions_outputs_or_wrong_answers(toy):
    nb = sheet(toy)
    assert [cell.id for cell in nb.cells if "wrong" in cell.id] == []
    sources = {cell.id: cell.source for cell in nb.cells}
    assert sources["answer-1"] == stub(1, "    # YOUR CODE HERE\n    raise NotImplementedError()")
    assert sources["check-1"] == "check_double(double)"
    assert all(cell.execution_count is None and cell.outputs == [] for cell in nb.cells if cell.cell_type == "code")
    assert "generated from solutions/22_toy.ipynb — do not edit" in nb.metadata.workbench.generated.note


def test_generating_twice_gives_the_same_bytes_and_writes_nothing(toy):
    path = toy.exercises / f"{STEM}.ipynb"
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert exercises.generate(toy) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    path.unlink()
    assert exercises.generate(toy) == [path]
    assert path.read_bytes() == before[0]
    assert exercises.generate(toy, check=True) == []


def test_outputs_left_in_a_solution_change_nothing(toy):
    path = toy.solutions / f"{STEM}.ipynb"
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="3.11")]
    nb.metadata.language_info = {"name": "python", "version": "3.99"}
    nbformat.write(nb, path)
    assert exercises.generate(toy, check=True) == []


def test_stale_missing_and_orphaned_sheets_are_named_with_the_cure(toy):
    nbformat.write(solution(1), toy.solutions / f"{STEM}.ipynb")
    nbformat.write(solution(2), toy.solutions / "22_new.ipynb")
    nbformat.write(sheet(toy), toy.exercises / "09_gone.ipynb")
    with pytest.raises(CheckFailedError) as caught:
        exercises.generate(toy, check=True)
    for words in ("22_toy.ipynb (stale)", "22_new.ipynb (missing)", "09_gone.ipynb (without a solution)"):
        assert f"exercises/{words}" in caught.value.message
    assert caught.value.cure == "workbench exercises generate"
    assert not (toy.exercises / "22_new.ipynb").exists()
    exercises.generate(toy)
    assert sorted(path.name for path in toy.exercises.iterdir()) == ["22_new.ipynb", "22_toy.ipynb"]
    assert exercises.generate(toy, check=True) == []


def test_a_learners_answers_are_never_overwritten(toy):
    path = toy.exercises / f"{STEM}.ipynb"
    path.write_bytes(learner(toy).read_bytes())
    answers = path.read_bytes()
    nbformat.write(solution(1), toy.solutions / f"{STEM}.ipynb")
    nbformat.write(solution(2), toy.solutions / "22_new.ipynb")
    with pytest.raises(WorkbenchError, match=r"left untouched: exercises/22_toy\.ipynb"):
        exercises.generate(toy)
    assert path.read_bytes() == answers
    assert (toy.exercises / "22_new.ipynb").exists()
    exercises.generate(toy, force=True)
    assert exercises.generate(toy, check=True) == []


def test_a_solution_with_unbalanced_markers_generates_nothing(toy):
    path = toy.solutions / f"{STEM}.ipynb"
    path.write_text(path.read_text().replace("### END SOLUTION", "### END", 1))
    before = (toy.exercises / path.name).read_bytes()
    with pytest.raises(WorkbenchError, match="cell 'answer-1': BEGIN SOLUTION and END SOLUTION do not pair up"):
        exercises.generate(toy)
    assert (toy.exercises / path.name).read_bytes() == before


# Lint


def edited(change):
    nb = solution()
    cells = {cell.id: cell for cell in nb.cells}
    change(nb, cells)
    return nb


def drop(name):
    return lambda nb, cells: nb.cells.remove(cells[name])


def put(name, old, new):
    return lambda nb, cells: cells[name].update(source=cells[name].source.replace(old, new))


LINT = {
    "no end": (put("answer-1", "### END SOLUTION", ""), "cell 'answer-1': BEGIN SOLUTION and END SOLUTION do not"),
    "no begin": (put("answer-1", "### BEGIN SOLUTION", ""), "cell 'answer-1': BEGIN SOLUTION and END SOLUTION do not"),
    "nothing to solve": (drop("answer-1"), "exercise 22.1: has no BEGIN SOLUTION"),
    "no check": (drop("check-2"), "exercise 22.2: has no cell tagged check"),
    "two wrong answers": (drop("wrong-2-a0"), "exercise 22.2: knows 2 wrong answers, 3 are needed"),
    "no hint": (put("wrong-3-a0", "# refused with: multiply by 4\n", ""), "'wrong-3-a0' does not begin with '# ref"),
    "empty hint": (put("wrong-3-a0", ": multiply by 4", ":  "), "'wrong-3-a0' does not begin with '# refused with"),
    "another check": (put("wrong-1-a0", "check_double", "check_triple"), "'wrong-1-a0' does not call check_double"),
    "overwrites": (put("wrong-1-a0", "def wrong", "def double"), "'wrong-1-a0' redefines the solution's double"),
    "twice": (put("text-2", "22.2", "22.1"), "exercise 22.1 is there twice"),
    "numbered wrongly": (put("text-2", "22.2", "23.2"), "exercise 23.2: is not numbered like its notebook 22_toy"),
    "odd heading": (put("text-2", " (●○○, 2 min)", ""), "'## Exercise 22.2 · Say triple' is not '## Exercise 22.3"),
}


def test_a_solution_in_order_has_no_lint(toy):
    assert exercises.lint(toy.solutions / f"{STEM}.ipynb") == []


@pytest.mark.parametrize("name", LINT)
def test_lint_names_what_an_author_should_mend(toy, name):
    change, said = LINT[name]
    path = toy.solutions / f"{STEM}.ipynb"
    nbformat.write(edited(change), path)
    assert any(said in line for line in exercises.lint(path)), exercises.lint(path)


def test_a_notebook_without_exercises_is_lint(toy):
    path = toy.solutions / f"{STEM}.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Nothing", id="a")]), path)
    assert exercises.lint(path) == ["holds no exercise"]


# Every exercise of the book, and of the toy book

BOOK = Layout(Path(__file__).resolve().parents[1])
SOLUTIONS = sorted(BOOK.solutions.glob("*.ipynb"))
LISTED = [(path.stem, exercise.number) for path in SOLUTIONS for exercise in exercises.split(notebooks.read(path))[1]]
every_exercise = pytest.mark.parametrize(("stem", "number"), LISTED)


@cache
def answers(layout: Layout, stem: str) -> dict[str, list[dict]]:
    """Cell id → check records of a solution: from the runner's copy when it is today's, else run here, once."""
    tasks = plan(layout, [stem.split("_")[0]], "cpu", {}, include_solutions=True)
    (task,) = (task for task in tasks if task.name == f"solutions/{stem}")
    known = store.last(layout, "cpu", task.name)
    if known and known.key == task.key:
        nb = notebooks.read(known.path)
    else:
        outcome = engine.execute(task.job(get_profile("cpu")))
        assert outcome.status == "ok", f"solutions/{stem}: {outcome.message}"
        nb = nbformat.from_dict(json.loads(outcome.notebook))
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    return {cell.id: [o.data[MIME] for o in cell.outputs if MIME in o.get("data", {})] for cell in code}


@cache
def untouched(layout: Layout, stem: str) -> dict[str, tuple[str, str]]:
    """Exercise → (status, message) of the sheet as generated."""
    graded = grade(layout, layout.exercises / f"{stem}.ipynb")
    return {row.exercise: (row.status, row.message) for row in graded.rows}


def exercise(layout: Layout, stem: str, number: str) -> exercises.Exercise:
    listed = exercises.split(notebooks.read(layout.solutions / f"{stem}.ipynb"))[1]
    return next(one for one in listed if one.number == number)


def assert_solution_passes(layout: Layout, stem: str, number: str) -> None:
    for cell in exercise(layout, stem, number).checks:
        (record,) = answers(layout, stem)[cell.id]
        assert record["exercise"] == number
        assert record["passed"] is True, record["message"]


def assert_mistakes_are_refused(layout: Layout, stem: str, number: str) -> None:
    for cell in exercise(layout, stem, number).wrong_answers:
        (record,) = answers(layout, stem)[cell.id]
        assert record["exercise"] == number, cell.id
        assert record["passed"] is False, f"{cell.id} was accepted: {record['message']}"
        assert exercises.refused_with(cell) in record["message"], cell.id


@pytest.mark.slow
@every_exercise
def test_the_solution_passes(stem, number):
    assert_solution_passes(BOOK, stem, number)


@pytest.mark.slow
@every_exercise
def test_the_untouched_stub_is_not_implemented_yet(stem, number):
    assert untouched(BOOK, stem)[number] == ("not implemented", "not implemented yet")


@pytest.mark.slow
@every_exercise
def test_each_listed_mistake_is_refused_with_its_hint(stem, number):
    assert_mistakes_are_refused(BOOK, stem, number)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_are_in_order(path):
    assert exercises.lint(path) == []


def test_the_books_sheets_are_fresh():
    assert exercises.generate(BOOK, check=True) == []


@pytest.fixture
def runnable_toy(toy):
    """The toy book with a chapter, so that the runner takes it."""
    book(toy.root, STEM)
    write(toy.notebooks / f"{STEM}.ipynb", code("parameters", source='profile = "cpu"', tags=("parameters",)))
    return toy


@pytest.mark.slow
def test_the_assertions_above_hold_for_a_good_solution_and_fail_for_a_bad_one(runnable_toy):
    layout, path = runnable_toy, runnable_toy.solutions / f"{STEM}.ipynb"
    nb = edited(put("answer-2", "return 3 * x", "return 4 * x"))
    cells = {cell.id: cell for cell in nb.cells}
    put("wrong-3-a0", "multiply by 4", "multiply by 5")(nb, cells)
    nbformat.write(nb, path)
    assert_solution_passes(layout, STEM, "22.1")
    assert_mistakes_are_refused(layout, STEM, "22.1")
    with pytest.raises(AssertionError, match="multiply by 3"):
        assert_solution_passes(layout, STEM, "22.2")
    with pytest.raises(AssertionError, match="wrong-3-a0"):
        assert_mistakes_are_refused(layout, STEM, "22.3")
