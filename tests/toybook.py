"""A solution of three exercises with its checks, and learners who answer it."""

import os
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workbench.layout import Layout
from workbench.proof import exercises

STEM = "22_toy"
CHECKS = """
from workbench.checks.report import Hint, check


def expect(factor, answer):
    if answer(3) != 3 * factor:
        raise Hint(f"you returned {answer(3)}: multiply by {factor}")
    return "right"


@check("22.1")
def check_double(answer):
    return expect(2, answer)


@check("22.2")
def check_triple(answer):
    return expect(3, answer)


@check("22.3")
def check_quadruple(answer):
    return expect(4, answer)
"""
NAMES = {1: "double", 2: "triple", 3: "quadruple"}


def stub(k, body):
    return f'def {NAMES[k]}(x):\n    """Multiply x by {k + 1}."""\n{body}'


def exercise_cells(k):
    name = NAMES[k]
    marked = f"    ### BEGIN SOLUTION\n    return {k + 1} * x\n    ### END SOLUTION"
    wrong = [(f"a{n}", f"return {value}") for n, value in enumerate(("x", "0", "-x"))]
    return [
        new_markdown_cell(f"## Exercise 22.{k} · Say {name} (●○○, {k} min)\n\nDo it.", id=f"text-{k}"),
        new_code_cell(stub(k, marked), id=f"answer-{k}", execution_count=4),
        new_code_cell(f"check_{name}({name})", id=f"check-{k}", metadata={"tags": ["check"]}),
        *(
            new_code_cell(
                f"# refused with: multiply by {k + 1}\ndef wrong(x):\n    {body}\n\ncheck_{name}(wrong)",
                id=f"wrong-{k}-{what}",
                metadata={"tags": ["wrong-answer"]},
            )
            for what, body in wrong
        ),
    ]


def solution(*numbers):
    imports = f"import math\n\nfrom toychecks import {', '.join(f'check_{name}' for name in NAMES.values())}"
    first = [new_markdown_cell("# Toy", id="title"), new_code_cell(imports, id="imports")]
    return new_notebook(cells=first + [cell for k in numbers or NAMES for cell in exercise_cells(k)])


def make(root: Path, monkeypatch) -> Layout:
    """A book with one solution, its generated sheet, and its checks where a kernel finds them."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])]))
    (root / "toychecks.py").write_text(CHECKS)
    layout = Layout(root)
    for folder in (layout.solutions, layout.exercises):
        folder.mkdir()
    nbformat.write(solution(), layout.solutions / f"{STEM}.ipynb")
    exercises.generate(layout)
    return layout


def sheet(layout):
    return nbformat.read(layout.exercises / f"{STEM}.ipynb", as_version=4)


def learner(layout, folder=None, **answers):
    """A learner's file: right answers, but for the given cells ("answer_2" → its source; None: deleted)."""
    nb = sheet(layout)
    right = {f"answer-{k}": stub(k, f"    return {k + 1} * x") for k in NAMES}
    changed = right | {name.replace("_", "-"): source for name, source in answers.items()}
    nb.cells = [cell for cell in nb.cells if changed.get(cell.id, "") is not None]
    for cell in nb.cells:
        cell.source = changed.get(cell.id, cell.source)
    path = (folder or layout.root) / "mine.ipynb"
    nbformat.write(nb, path)
    return path
