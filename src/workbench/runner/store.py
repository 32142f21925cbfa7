"""Results on disk: the executed copy, its sidecar, and the remains of a failed attempt.

_build/run/cpu/22_x.ipynb        the last good executed copy
_build/run/cpu/22_x.run.json     its RunResult, with the copy's SHA-256
_build/run/cpu/failed/22_x.*     the last attempt, when it failed; the good copy stays
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import nbformat

from workbench.errors import WorkbenchError
from workbench.layout import Layout
from workbench.runner import notebooks
from workbench.runner.plan import Task


@dataclass(frozen=True)
class RunResult:
    """How one notebook went.

    status: ok, cached, raised, timed_out, died, could_not_start or skipped.  overhead_s: seconds beyond its own
    cells.  cell: the author's code cells counted from 1.  path: the executed copy, also when it is an older good one.
    """

    chapter: str
    profile: str
    status: str
    seconds: float = 0.0
    overhead_s: float = 0.0
    peak_mb: float = 0.0
    cell: int | None = None
    message: str = ""
    key: str = ""
    path: Path | None = None
    cell_seconds: tuple[float, ...] = ()

    @property
    def good(self) -> bool:
        """Is there an executed copy of today's source?"""
        return self.status in ("ok", "cached")


def copy_path(layout: Layout, profile: str, name: str) -> Path:
    """Where the executed copy of task `name` lies."""
    return layout.runs(profile) / f"{name}.ipynb"


def last(layout: Layout, profile: str, name: str) -> RunResult | None:
    """The RunResult of the last good run, or None when there is none that can be read."""
    path = copy_path(layout, profile, name)
    try:
        record = json.loads(_sidecar(path).read_text())
        sha256 = record.pop("sha256")
        result = RunResult(**record | {"path": path, "cell_seconds": tuple(record["cell_seconds"])})
        return result if hashlib.sha256(path.read_bytes()).hexdigest() == sha256 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def reuse(layout: Layout, profile: str, task: Task, known: RunResult | None) -> RunResult | None:
    """The last good result when it still answers for `task`, its prose brought up to date; else None."""
    if known is None or known.key != task.key:
        return None
    try:
        executed = notebooks.read(known.path)
    except WorkbenchError:
        return None
    if notebooks.code(executed) != notebooks.code(task.notebook):
        return None
    stitched = notebooks.text(notebooks.stitch(task.notebook, executed))
    message = ""
    if stitched != known.path.read_text(encoding="utf-8"):
        _write_pair(stitched, known)
        message = "prose updated, outputs kept"
    return replace(known, status="cached", message=message)


def save_good(result: RunResult, executed: str, task: Task) -> None:
    """Write the executed copy and its sidecar; forget an earlier failure."""
    nb = notebooks.strip_volatile(nbformat.reads(executed, as_version=4), keep_widgets=True)
    _write_pair(notebooks.text(notebooks.stitch(task.notebook, nb)), result)
    for path in _failed(result):
        path.unlink(missing_ok=True)


def save_failed(result: RunResult, executed: str) -> None:
    """Keep the failed attempt beside the good copy, for whoever looks for the reason."""
    copy, sidecar = _failed(result)
    if executed:
        notebooks.write_text(executed, copy)
    notebooks.write_text(_record(result), sidecar)


def _write_pair(copy: str, result: RunResult) -> None:
    notebooks.write_text(copy, result.path)
    digest = hashlib.sha256(copy.encode()).hexdigest()
    notebooks.write_text(_record(result, sha256=digest), _sidecar(result.path))


def _record(result: RunResult, **more) -> str:
    return json.dumps(asdict(result) | {"path": result.path.name} | more, indent=1) + "\n"


def _sidecar(copy: Path) -> Path:
    return copy.with_suffix(".run.json")


def _failed(result: RunResult) -> tuple[Path, Path]:
    copy = result.path.parent / "failed" / result.path.name
    return copy, _sidecar(copy)
