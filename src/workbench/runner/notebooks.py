"""Read, write and take apart notebooks: small functions without a kernel."""

import ast
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workbench.errors import WorkbenchError
from workbench.files import show_path, write_text
from workbench.runner.keys import code, content_key, workbench_modules

__all__ = [
    "clean",
    "code",
    "content_key",
    "is_timing",
    "join_streams",
    "lint",
    "parameters",
    "read",
    "show_path",
    "stitch",
    "tags",
    "text",
    "without_injected",
    "workbench_modules",
    "write",
    "write_text",
]


def read(path: Path) -> NotebookNode:
    """Read a notebook of format 4.  Raises WorkbenchError when it is missing, half-written or not a notebook."""
    name = show_path(path)
    try:
        nb = nbformat.v4.reads(Path(path).read_text(encoding="utf-8"))  # joins lines; keeps missing ids missing
        if nb.nbformat != 4:
            raise ValueError(f"format {nb.nbformat}, expected 4")
        nbformat.validate(nb)
    except FileNotFoundError:
        raise WorkbenchError(f"{name} is not there", f"restore it with git checkout {name}") from None
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as problem:
        why = (str(problem).splitlines() or [type(problem).__name__])[0][:120]
        raise WorkbenchError(
            f"{name} is not a readable notebook (half-written?): {why}", f"restore it with git checkout {name}"
        ) from None
    return nb


def text(nb: NotebookNode) -> str:
    """The notebook as it lies on disk: indented by one, keys sorted, one newline at the end."""
    return nbformat.writes(nb).rstrip("\n") + "\n"


def write(nb: NotebookNode, path: Path) -> None:
    """Write atomically: readers see the old file or the new one.  Raises WorkbenchError when it cannot."""
    write_text(text(nb), path)


def tags(cell: NotebookNode) -> list[str]:
    """The cell's tags."""
    return list(cell.metadata.get("tags", []))


def is_timing(nb: NotebookNode) -> bool:
    """Does this notebook measure times, so that nothing may run beside it?"""
    return bool(nb.metadata.get("workbench", {}).get("timing", False))


def parameters(nb: NotebookNode) -> dict:
    """The parameters that a run may set: names and literal values of the cell tagged `parameters`.

    `profile = "cpu"` and `seed = 0` → {"profile": "cpu", "seed": 0}.  Raises WorkbenchError when a value is computed.
    """
    found = {}
    for cell in nb.cells:
        if cell.cell_type == "code" and "parameters" in tags(cell):
            found |= _assignments(cell.source)
    return found


def _assignments(source: str) -> dict:
    try:
        return dict(_literal(node) for node in ast.parse(source).body)
    except SyntaxError as problem:
        raise WorkbenchError(f"the parameters cell does not parse: {problem.msg} in line {problem.lineno}") from None


def _literal(node: ast.stmt) -> tuple[str, object]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            pass
        case _:
            raise WorkbenchError(f"the parameters cell holds more than literals: {ast.unparse(node)[:60]}")
    try:
        return name, ast.literal_eval(value)
    except ValueError:
        raise WorkbenchError(f"parameter '{name}' is not a literal: {ast.unparse(value)[:60]}") from None


def without_injected(nb: NotebookNode) -> NotebookNode:
    """A copy without the cell that papermill injected, its execution counts 1, 2, 3, …"""
    nb = deepcopy(nb)
    nb.cells = [cell for cell in nb.cells if "injected-parameters" not in tags(cell)]
    return renumber(nb)


def renumber(nb: NotebookNode) -> NotebookNode:
    """Number the executed code cells from 1, in place."""
    executed = (c for c in nb.cells if c.cell_type == "code" and c.execution_count is not None)
    for count, cell in enumerate(executed, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return nb


def clean(nb: NotebookNode) -> NotebookNode:
    """A copy without outputs, execution counts, widget state and metadata that a machine wrote."""
    nb = strip_volatile(deepcopy(nb))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def strip_volatile(nb: NotebookNode, keep_widgets: bool = False) -> NotebookNode:
    """Drop, in place, metadata that differs from run to run; outputs stay."""
    nb.metadata.pop("papermill", None)
    if not keep_widgets:
        nb.metadata.pop("widgets", None)
    nb.metadata["language_info"] = {"name": "python"}
    for cell in nb.cells:
        for key in ("papermill", "execution", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
    return nb


def join_streams(outputs: list) -> list:
    """One output for neighbouring pieces of a stream; of a line that was rewritten (\\r), what was seen last.

    nbclient's own coalescing takes minutes on a line of 400 kB (a quadratic expression).
    """
    joined = []
    for output in outputs:
        before = joined[-1] if joined else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before.text += output.text
        else:
            joined.append(output)
    for output in joined:
        if output.output_type == "stream":
            lines = output.text.replace("\r\n", "\n").split("\n")
            output.text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
    return joined


def stitch(source: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """The source's prose and metadata around the executed copy's outputs; both hold the same code cells.

    Sound because outputs depend on code cells alone (see `keys`): prose is never executed.  The injected cell stays
    where papermill put it, after the parameters cell.
    """
    ran = [cell for cell in executed.cells if cell.cell_type == "code"]
    injected = [cell for cell in ran if "injected-parameters" in tags(cell)]
    ran = iter([cell for cell in ran if cell not in injected])
    merged = deepcopy(source)
    merged.cells = []
    for cell in deepcopy(source.cells):
        if cell.cell_type == "code":
            old = next(ran)
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
        merged.cells.append(cell)
        if "parameters" in tags(cell) and cell.cell_type == "code":
            merged.cells += injected
    for key in ("widgets", "language_info"):
        if key in executed.metadata:
            merged.metadata[key] = executed.metadata[key]
    return merged


def lint(path: Path) -> list[str]:
    """What an author should mend in this notebook, one sentence each; see `anatomy`."""
    from workbench.runner.anatomy import problems

    return problems(read(path), Path(path))
