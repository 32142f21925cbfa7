"""From an executed solution to its page: problem, stub, folded solution, folded mistakes."""

import re
from dataclasses import dataclass
from typing import Any

from workbench.errors import WorkbenchError
from workbench.press.pages import tags

TITLE = re.compile(
    r"^## Exercise (?P<number>[\d.]+)\s*·\s*(?P<title>.+?)\s*\((?P<level>[●○]+),\s*(?P<minutes>\d+) min\)", re.M
)
REFUSED = re.compile(r"^#\s*refused with:\s*(.*)$", re.M)
MARKERS = re.compile(r"^\s*### (BEGIN|END) SOLUTION.*\n?", re.M)


@dataclass(frozen=True)
class Exercise:
    """One entry of the list of exercises."""

    number: str
    title: str
    level: str
    minutes: int
    page: str  # document, without ending

    @property
    def anchor(self) -> str:
        return f"exercise-{self.number.replace('.', '-')}"


def listed(solution: Any, page: str) -> list[Exercise]:
    """The exercises of a solution notebook, in order."""
    text = "\n".join(cell.source for cell in solution.cells if cell.cell_type == "markdown")
    return [
        Exercise(found["number"], found["title"], found["level"], int(found["minutes"]), page)
        for found in TITLE.finditer(text)
    ]


def page(solution: Any, exercise: Any, name: str) -> str:
    """The MyST text of an exercise page.

    solution: the executed solution notebook; exercise: the generated one, which holds the stubs as a learner
    sees them; name: its file name.
    """
    stubs = {cell.get("id"): cell.source for cell in exercise.cells}
    parts: list[str] = []
    mistakes: list[str] = []
    for cell in solution.cells:
        if "wrong-answer" in tags(cell):
            mistakes.append(_mistake(cell))
            continue
        parts += _fold_mistakes(mistakes)
        mistakes = []
        parts.append(_block(cell, stubs, name))
    return "\n\n".join([*parts, *_fold_mistakes(mistakes)]) + "\n"


def _block(cell: Any, stubs: dict, name: str) -> str:
    if cell.cell_type == "markdown":
        return _anchored(cell.source)
    if "### BEGIN SOLUTION" in cell.source:
        if cell.get("id") not in stubs:
            raise WorkbenchError(
                f"exercises/{name} has no cell '{cell.get('id')}' of its solution", "workbench exercises generate"
            )
        solution = _code(MARKERS.sub("", cell.source)) + _outputs(cell)
        return _code(stubs[cell["id"]]) + "\n\n" + _fold("Solution", solution)
    return _code(cell.source) + ("" if "check" in tags(cell) else _outputs(cell))


def _anchored(text: str) -> str:
    """Give each exercise's heading an address that survives a new title."""
    return TITLE.sub(lambda found: f"(exercise-{found['number'].replace('.', '-')})=\n{found[0]}", text)


def _mistake(cell: Any) -> str:
    hint = REFUSED.search(cell.source)
    code = REFUSED.sub("", cell.source, count=1).strip()
    said = "\n".join(_texts(cell)) or (hint[1] if hint else "")
    return _code(code) + "\n\n" + _code(said, "none", "wb-said")


def _fold_mistakes(mistakes: list[str]) -> list[str]:
    return [_fold("Mistakes this check knows", "\n\n".join(mistakes))] if mistakes else []


def _fold(title: str, content: str) -> str:
    return f"``````{{dropdown}} {title}\n:class-container: wb-fold\n\n{content}\n``````"


def _code(source: str, language: str = "python", name: str = "") -> str:
    options = f":class: {name}\n\n" if name else "\n"
    return f"`````{{code-block}} {language}\n{options}{source.rstrip()}\n`````"


def _outputs(cell: Any) -> str:
    texts = "\n".join(_texts(cell))
    return "\n\n" + _code(texts, "none", "wb-said") if texts else ""


def _texts(cell: Any) -> list[str]:
    """What a cell says as plain text: streams and results, in order."""
    said = []
    for output in cell.get("outputs", []):
        text = output.get("text") or output.get("data", {}).get("text/plain") or ""
        said.append("".join(text).rstrip())
    return [text for text in said if text]
