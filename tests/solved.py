"""The book's solutions, executed in this process: no kernel, a second or two for the first, then at hand."""

from functools import cache
from pathlib import Path

from workbench.layout import Layout
from workbench.runner import notebooks

BOOK = Layout(Path(__file__).resolve().parents[1])


def run(cell, stem: str, names: dict) -> None:
    """Execute a cell of a solutions notebook in `names`; a traceback says which cell it was."""
    exec(compile(cell.source, f"solutions/{stem}.ipynb:{cell.id}", "exec"), names)


def solved(stem: str) -> dict:
    """What the imports and solutions of solutions/<stem>.ipynb define, the checks among them.  A dict of one's own."""
    return dict(_solved(stem))


@cache
def _solved(stem: str) -> dict:
    names: dict = {}
    for cell in notebooks.read(BOOK.solutions / f"{stem}.ipynb").cells:
        if cell.cell_type == "code" and not set(notebooks.tags(cell)) & {"check", "wrong-answer"}:
            run(cell, stem, names)
    return names
