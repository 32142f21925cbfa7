"""Grade a learner's notebook without running a line of it in this process.

The learner's cells run in a kernel of their own, with limits of time and memory, in a folder that is thrown away.
The checks come from the solution notebook, never from the learner's file, and are imported afresh in the cell
that calls them; only what that cell answers counts.  This keeps an honest grade honest.  It is no sandbox: code
that means harm runs with the rights of whoever grades it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.checks.report import MIME as CHECK
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.layout import Layout
from workbench.proof import exercises
from workbench.proof.trial import Ran, Trial
from workbench.runner import notebooks

if TYPE_CHECKING:
    from rich.table import Table

MARKS = {"passed": "✓", "not implemented": "○"}
NO_MEMORY = re.compile(r"MemoryError|can't allocate memory|Cannot allocate memory|bad_alloc")
FRESH = """import sys
for _name in list(sys.modules):
    if _name.startswith({modules}):
        del sys.modules[_name]
"""


@dataclass(frozen=True)
class Row:
    """One exercise's grade.

    status: passed, failed (the check refused it), not implemented, error (a cell raised), stopped (time), memory, died.
    """

    exercise: str
    title: str
    status: str
    message: str


@dataclass(frozen=True)
class Grade:
    """The result for one file.  notes: what else has to be said; missing: check cells that were put back."""

    file: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def score(self) -> int:
        return sum(row.status == "passed" for row in self.rows)

    @property
    def passed(self) -> bool:
        """Every exercise passed, and the file held every check cell."""
        return bool(self.rows) and self.score == len(self.rows) and not self.missing

    def to_json(self) -> str:
        """{"file", "ok", "passed": number passed, "total", "rows": […], "notes": […]}"""
        rows = [vars(row) for row in self.rows]
        counts = {"file": self.file, "ok": self.passed, "passed": self.score, "total": len(rows)}
        return json.dumps(counts | {"rows": rows, "notes": list(self.notes)}, indent=1, ensure_ascii=False)

    def table(self) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        caption = "\n".join([*map(escape, self.notes), f"{self.score} of {len(self.rows)} passed"])
        table = Table("", "exercise", "", box=None, pad_edge=False, caption=caption, caption_justify="left")
        for row in self.rows:
            mark = MARKS.get(row.status, "✗")
            table.add_row(mark, f"{row.exercise} {escape(row.title)}", escape(row.message))
        return table


@dataclass
class Step:
    """One piece of code to run.  exercise: its number, None = set-up; check: names a trusted cell must answer for."""

    source: str
    exercise: str | None = None
    check: frozenset[str] = frozenset()


@dataclass
class _Result:
    """What the steps of one exercise came to."""

    records: list[dict] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: tuple[str, str] | None = None  # (status, message) when its cells could not all run


def grade(layout: Layout, file: Path, time_s: float = 120, memory_mb: int = 4096) -> Grade:
    """Grade a learner's notebook; it is only read.  time_s: for each cell; memory_mb: address space of its kernel.

    Raises WorkbenchError when the file cannot be read or belongs to no solution.
    """
    file = Path(file)
    learner = _read(file)
    sheet = _sheet(layout, learner, file)
    steps, edited, missing = plan(learner, sheet)
    with Trial(time_s, memory_mb) as trial:
        results = _run(trial, steps)
    notes = [f"check cell of {number} was edited: the original was used" for number in edited]
    notes += [f"check cell of {number} is missing: restored for grading" for number in missing]
    notes += [f"set-up: {line}" for line in _setup_problems(results.pop(None, _Result()))]
    rows = (_row(exercise, results.get(exercise.number, _Result())) for exercise in exercises.split(sheet)[1])
    return Grade(notebooks.show_path(file), tuple(rows), tuple(notes), tuple(missing))


def _read(file: Path) -> Any:
    try:
        return notebooks.read(file)
    except WorkbenchError as problem:
        raise WorkbenchError(problem.message, "give the path of a notebook; save it again in JupyterLab") from None


def _sheet(layout: Layout, learner: Any, file: Path) -> Any:
    """The exercise this file answers, made afresh from its solution: the copy in exercises/ may be the learner's."""
    known = {path.stem: path for path in sorted(layout.solutions.glob("*.ipynb"))}
    origin = learner.metadata.get("workbench", {}).get("generated", {}).get("from", "")
    for stem in (Path(str(origin)).stem, file.stem):
        if stem in known:
            return exercises.make(notebooks.read(known[stem]), stem)
    raise UnknownNameError("exercise notebook", file.stem, known)


def plan(learner: Any, sheet: Any) -> tuple[list[Step], list[str], list[str]]:
    """(steps, exercises with an edited check cell, exercises with a missing one).

    The learner's cells in their order, without their check cells; each exercise's own checks after its last cell.
    """
    listed = exercises.split(sheet)[1]
    checks = {cell.id: (exercise.number, cell.source) for exercise in listed for cell in exercise.checks}
    sources = {source.strip(): cell_id for cell_id, (_, source) in checks.items()}
    steps, seen, edited = [], set(), []
    for number, cell in _placed(learner, listed):
        check_id = cell.get("id") if cell.get("id") in checks else sources.get(cell.source.strip())
        if check_id is None:
            steps.append(Step(cell.source, number))
            continue
        seen.add(check_id)
        if cell.source.strip() != checks[check_id][1].strip():
            edited.append(checks[check_id][0])
    missing = [number for cell_id, (number, _) in checks.items() if cell_id not in seen]
    return _with_checks(steps, listed, exercises.check_imports(sheet)), edited, missing


def _placed(learner: Any, listed: list[exercises.Exercise]) -> Iterator[tuple[str | None, Any]]:
    """Each non-empty code cell with the exercise it belongs to: by its id, else by the heading above it."""
    home = {cell.id: exercise.number for exercise in listed for cell in exercise.cells}
    before, answered = exercises.split(learner)
    for number, cells in [(None, before), *((exercise.number, exercise.cells) for exercise in answered)]:
        for cell in cells:
            if cell.cell_type == "code" and cell.source.strip():
                yield home.get(cell.get("id"), number), cell


def _with_checks(steps: list[Step], listed: list[exercises.Exercise], imports: list[str]) -> list[Step]:
    """Put each exercise's trusted checks after its last step."""
    for exercise in listed:
        last = max((k for k, step in enumerate(steps) if step.exercise == exercise.number), default=len(steps) - 1)
        steps[last + 1 : last + 1] = [_trusted(cell.source, exercise.number, imports) for cell in exercise.checks]
    return steps


def _trusted(source: str, number: str, imports: list[str]) -> Step:
    names = exercises.called_checks(source)
    needed = imports or [f"from workbench.checks import {', '.join(sorted(names))}"]
    modules = ("workbench.checks", *(line.split()[1] for line in needed))  # from MODULE import …
    return Step(FRESH.format(modules=modules) + "\n".join([*needed, source]), number, frozenset(names))


def _run(trial: Trial, steps: list[Step]) -> dict[str | None, _Result]:
    """Run the steps in order.  An exercise that was stopped is left; the others go on."""
    results: dict[str | None, _Result] = {}
    for step in steps:
        result = results.setdefault(step.exercise, _Result())
        if result.ended and step.exercise is not None:
            continue
        ran = trial.run(step.source, keep=not step.check)
        if ran.ended:
            result.ended = ran.ended
        elif step.check:
            result.records.append(_answer(ran, step))
        elif ran.error:
            result.errors.append(ran.error)
    return results


def _answer(ran: Ran, step: Step) -> dict:
    """The one record that a trusted cell may leave; anything else is a refusal."""
    mine = [r for r in ran.records(CHECK) if r.get("exercise") == step.exercise and r.get("name") in step.check]
    if ran.error:
        return {"passed": False, "error": ran.error}
    if len(mine) != 1 or len(ran.records(CHECK)) != 1:
        return {"passed": False, "message": f"the check gave {len(ran.records(CHECK))} answers instead of one"}
    return mine[0]


def _setup_problems(result: _Result) -> Iterable[str]:
    return [*result.errors, *([": ".join(result.ended)] if result.ended else [])]


def _row(exercise: exercises.Exercise, result: _Result) -> Row:
    status, message = _status(result)
    return Row(exercise.number, exercise.title, status, message)


def _status(result: _Result) -> tuple[str, str]:
    if result.ended:
        return result.ended
    refused = [record for record in result.records if record["passed"] is not True]
    if result.records and not refused:
        return "passed", " ".join(str(record.get("message", "")) for record in result.records)
    said = [str(r.get("error") or r.get("message")) for r in refused if r.get("error") or r["passed"] is False]
    problems = [*result.errors, *said]
    if any(NO_MEMORY.search(problem) for problem in problems):
        return "memory", f"asked for more memory than the grader gives: {problems[0]}"
    if result.errors or any(record.get("error") for record in refused):
        return "error", problems[0]
    return ("failed", said[0]) if said else ("not implemented", "not implemented yet")
