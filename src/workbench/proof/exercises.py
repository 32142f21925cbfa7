"""From solutions, the only source, to the sheets that a learner opens; and what a solution must have."""

import ast
import hashlib
import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import CheckFailedError, WorkbenchError
from workbench.layout import Layout
from workbench.runner import notebooks

CURE = "workbench exercises generate"
HEADING = re.compile(r"^##\s+Exercise\b.*", re.M)
TITLE = re.compile(
    r"^## Exercise (?P<number>\d+\.\d+) · (?P<title>.+?) \((?P<level>●*○*), (?P<minutes>\d+) min\)\s*$", re.M
)
REFUSED = re.compile(r"# refused with: *(\S.*)")
WRONG_ANSWERS = 3  # fewer, and the check was not thought through


@dataclass
class Exercise:
    """One exercise of a notebook: its heading and its cells, in order."""

    number: str
    title: str
    cells: list[Any] = field(default_factory=list)

    def tagged(self, tag: str) -> list[Any]:
        return [cell for cell in self.cells if tag in notebooks.tags(cell)]

    @property
    def checks(self) -> list[Any]:
        return self.tagged("check")

    @property
    def wrong_answers(self) -> list[Any]:
        return self.tagged("wrong-answer")

    @property
    def stubs(self) -> list[Any]:
        """The cells that hold a solution."""
        return [cell for cell in self.cells if "BEGIN SOLUTION" in cell.source]


def split(nb: Any) -> tuple[list[Any], list[Exercise]]:
    """(cells before the first exercise, exercises).  A notebook may repeat a number; `lint` says so."""
    before: list[Any] = []
    found: list[Exercise] = []
    for cell in nb.cells:
        heading = TITLE.search(cell.source) if cell.cell_type == "markdown" else None
        if heading:
            found.append(Exercise(heading["number"], heading["title"]))
        (found[-1].cells if found else before).append(cell)
    return before, found


def refused_with(cell: Any) -> str | None:
    """The text that the hint for this wrong answer must hold, from the cell's first line."""
    match = REFUSED.fullmatch((cell.source.splitlines() or [""])[0].rstrip())
    return match[1] if match else None


def make(solution: Any, stem: str) -> Any:
    """The learner's notebook of one solution: stubs, no outputs, no wrong answers.  The same bytes every time."""
    nb = deepcopy(solution)
    nb.cells = [cell for cell in nb.cells if "wrong-answer" not in notebooks.tags(cell)]
    nb = _clear_solutions(notebooks.clean(nb))
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    note = f"generated from solutions/{stem}.ipynb — do not edit; solve a copy"
    generated = {"from": f"solutions/{stem}.ipynb", "digest": digest(nb), "note": note}
    nb.metadata.clear()
    nb.metadata.update({"kernelspec": kernelspec, "workbench": {"generated": generated}})
    return nb


def _clear_solutions(nb: Any) -> Any:
    import logging

    from nbgrader.preprocessors import ClearSolutions

    preprocessor = ClearSolutions(enforce_metadata=False)
    preprocessor.log = logging.getLogger("workbench.nbgrader")  # not nbgrader's own handler on the terminal
    preprocessor.log.addHandler(logging.NullHandler())
    preprocessor.log.propagate = False
    return preprocessor.preprocess(nb, {})[0]


def digest(nb: Any) -> str:
    """A short hash of what a learner reads and writes: the cells' sources."""
    sources = [[cell.cell_type, cell.get("id"), cell.source] for cell in nb.cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def is_untouched(nb: Any) -> bool:
    """Whether a generated sheet's cells are still as generated (run, perhaps, but not answered)."""
    return nb.metadata.get("workbench", {}).get("generated", {}).get("digest") == digest(nb)


def generate(layout: Layout, check: bool = False, force: bool = False) -> list[Path]:
    """Write `exercises/` from `solutions/`; returns the files that changed.

    A sheet that holds somebody's answers is left as it is, and said to be, unless force.
    check: write nothing; raise CheckFailedError when a file is stale, missing or without a solution.
    """
    wanted = {layout.exercises / path.name: _checked(path) for path in sorted(layout.solutions.glob("*.ipynb"))}
    stale = {path: text for path, text in wanted.items() if not _is(path, text)}
    orphans = [path for path in sorted(layout.exercises.glob("*.ipynb")) if path not in wanted]
    if check:
        _refuse_stale(stale, orphans)
        return []
    kept = [path for path in [*stale, *orphans] if not force and _is_answered(path)]
    for path in set(orphans) - set(kept):
        path.unlink()
    written = [path for path in stale if path not in kept]
    for path in written:
        notebooks.write_text(stale[path], path)
    if kept:
        names = ", ".join(notebooks.show_path(path) for path in kept)
        raise WorkbenchError(f"edited by hand, left untouched: {names}", f"move it away (or --force), then: {CURE}")
    return written


def _checked(path: Path) -> str:
    """The exercise's text.  Raises WorkbenchError when the solution is not in order."""
    solution = notebooks.read(path)
    unbalanced = _marker_problems(solution)
    if unbalanced:
        raise WorkbenchError(f"solutions/{path.name}: {unbalanced[0]}", "mend the solution")
    return notebooks.text(make(solution, path.stem))


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _is_answered(path: Path) -> bool:
    """Whether overwriting would lose somebody's work; a damaged file counts as work."""
    try:
        return path.is_file() and not is_untouched(notebooks.read(path))
    except WorkbenchError:
        return True


def _refuse_stale(stale: dict[Path, str], orphans: list[Path]) -> None:
    kinds = [("missing" if not path.is_file() else "stale", path) for path in stale]
    kinds += [("without a solution", path) for path in orphans]
    if kinds:
        said = ", ".join(f"{notebooks.show_path(path)} ({kind})" for kind, path in kinds)
        raise CheckFailedError(f"exercises do not match their solutions: {said}", CURE)


def lint(path: Path) -> list[str]:
    """What an author should mend in a solution notebook, one sentence each."""
    nb = notebooks.read(path)
    found = _marker_problems(nb)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            odd = [line for line in HEADING.findall(cell.source) if not TITLE.fullmatch(line)]
            found += [f"'{line}' is not '## Exercise 22.3 · Title (●●○, 10 min)'" for line in odd]
    _, listed = split(nb)
    numbers = [exercise.number for exercise in listed]
    found += [f"exercise {n} is there twice" for n in sorted({n for n in numbers if numbers.count(n) > 1})]
    for exercise in listed:
        found += [f"exercise {exercise.number}: {problem}" for problem in _problems(exercise, path.stem)]
    return found if listed else [*found, "holds no exercise"]


def _marker_problems(nb: Any) -> list[str]:
    """BEGIN and END SOLUTION must alternate in each cell; nbgrader itself overlooks a lone END."""
    found = []
    for cell in nb.cells:
        marks = re.findall(r"(BEGIN|END) SOLUTION", cell.source)
        if marks != ["BEGIN", "END"] * (len(marks) // 2):
            found.append(f"cell '{cell.get('id')}': BEGIN SOLUTION and END SOLUTION do not pair up")
    return found


def _problems(exercise: Exercise, stem: str) -> list[str]:
    found = []
    if int(exercise.number.split(".")[0]) != int(re.match(r"\d*", stem)[0] or -1):
        found.append(f"is not numbered like its notebook {stem}")
    if not exercise.stubs:
        found.append("has no BEGIN SOLUTION")
    if not exercise.checks:
        found.append("has no cell tagged check")
    if len(exercise.wrong_answers) < WRONG_ANSWERS:
        found.append(f"knows {len(exercise.wrong_answers)} wrong answers, {WRONG_ANSWERS} are needed")
    return found + [problem for cell in exercise.wrong_answers for problem in _wrong_problems(cell, exercise)]


def _wrong_problems(cell: Any, exercise: Exercise) -> list[str]:
    name, found = f"wrong answer '{cell.get('id')}'", []
    if refused_with(cell) is None:
        found.append(f"{name} does not begin with '# refused with: …'")
    expected = {check for checking in exercise.checks for check in called_checks(checking.source)}
    if not expected & called_checks(cell.source):
        found.append(f"{name} does not call {' or '.join(sorted(expected)) or 'a check'}")
    taken = {name for stub in exercise.stubs for name in defined(stub.source)} & defined(cell.source)
    if taken:
        found.append(f"{name} redefines the solution's {', '.join(sorted(taken))}: give it another name")
    return found


def called_checks(source: str) -> set[str]:
    """Names that begin with check_ and are called: "check_mean(mean)" → {"check_mean"}."""
    calls = [node.func for node in ast.walk(_parse(source)) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name) and call.id.startswith("check_")}


def defined(source: str) -> set[str]:
    """Functions and classes that a cell defines at its top level."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in _parse(source).body if isinstance(node, kinds)}


def check_imports(nb: Any) -> list[str]:
    """The statements of a notebook that import checks, each as one line."""
    nodes = [node for c in nb.cells if c.cell_type == "code" for node in ast.walk(_parse(c.source))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return [ast.unparse(node) for node in imports if any(a.name.startswith("check_") for a in node.names)]


def _parse(source: str) -> ast.Module:
    """The syntax tree; a cell that does not parse defines and calls nothing."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])
