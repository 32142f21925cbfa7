"""Is there anything to compare: a committed notebook that was run, and an executed copy of today's?"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.layout import Layout
from workbench.runner import notebooks
from workbench.runner.plan import plan
from workbench.runner.store import copy_path

PROFILE = "cpu"  # committed outputs come from it


@dataclass(frozen=True)
class Mismatch:
    """One reason why a notebook is not verified.

    cell: a cell id, "" for the whole notebook.  missed: the id of a claim that held when it was committed and does
    not today, "" for any other reason.
    """

    cell: str
    message: str
    missed: str = ""


def unfit(layout: Layout, path: Path) -> list[Mismatch]:
    """Reasons why comparing would prove nothing, before nbval is asked."""
    try:
        committed = notebooks.read(path)
        key = plan(layout, [path.stem], PROFILE, {}, include_solutions=False)[0].key
    except WorkbenchError as problem:
        return [Mismatch("", str(problem))]
    found = list(_vacuous(committed))
    executed = copy_path(layout, PROFILE, path.stem)
    failed = _failed_run(executed, key)
    if failed:
        return [*found, Mismatch("", failed)]
    try:
        stale = list(_stale(_cells(committed), _cells(notebooks.read(executed))))
    except WorkbenchError as problem:
        return [*found, Mismatch("", f"{problem.message}: run it again: workbench run {path.stem} --force")]
    if not stale and _sidecar(executed).get("key") != key:
        stale = [Mismatch("", "something it imports, or its parameters, changed since it was run: workbench run")]
    return found + stale


def _vacuous(nb: Any) -> Iterable[Mismatch]:
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    if len({cell.get("id") for cell in code}) < len(code):
        yield Mismatch("", "code cells without ids of their own: nothing can be aligned")
    for cell in code:
        if cell.source.strip() and cell.execution_count is None:
            yield Mismatch(cell.get("id", "?"), "committed without having been run: run workbench refresh")


def _failed_run(executed: Path, key: str) -> str | None:
    """Why there is nothing of today's to compare with, if so.  key: today's content key."""
    attempt = _sidecar(executed.parent / "failed" / executed.name)
    if attempt and (attempt.get("key") == key or not executed.is_file()):
        return f"does not run: {attempt.get('status')}: {attempt.get('message')}"
    return None if executed.is_file() else f"was not run here: workbench run {executed.stem}"


def _sidecar(executed: Path) -> dict:
    """The runner's record beside an executed copy; {} when there is none that can be read."""
    try:
        return dict(json.loads(executed.with_suffix(".run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _cells(nb: Any) -> dict[str, Any]:
    return {cell.get("id", "?"): cell for cell in nb.cells if "injected-parameters" not in notebooks.tags(cell)}


def _stale(committed: dict[str, Any], ran: dict[str, Any]) -> Iterable[Mismatch]:
    cure = "stale run: workbench run"
    for cell in [*committed, *ran]:
        if cell not in ran:
            yield Mismatch(cell, f"is in the notebook and not in its executed copy ({cure})")
        elif cell not in committed:
            yield Mismatch(cell, f"is in the executed copy and not in the notebook ({cure})")
    both = [cell for cell in committed if cell in ran]
    if both != [cell for cell in ran if cell in committed]:
        yield Mismatch("", f"the cells of the executed copy are in another order ({cure})")
    for cell in both:
        if committed[cell].source != ran[cell].source:
            yield Mismatch(cell, f"differs from what was run ({cure})")
        elif ran[cell].cell_type == "code" and ran[cell].source.strip() and ran[cell].execution_count is None:
            yield Mismatch(cell, "was not reached by the run: workbench run --force")
