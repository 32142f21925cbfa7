"""What repeated runs measured: one line a run, kept for as long as the chapter measures the same thing.

`repeats/NN_topic.jsonl` holds {"measurement", "machine", "busy", "seconds", "values": {claim: value or null}}.  Values
are kept, verdicts are not: a bound that changes is judged on all the runs that there are.  What a gate kept from being
judged is null there, and its value lies under "unjudged": it says what the gate is for.
"""

import ast
import hashlib
import json
import statistics
from collections.abc import Iterable
from pathlib import Path

import nbformat

from workbench import claims

FOLDER = Path(__file__).parent / "repeats"
JUDGEMENT = {"says", "at_least", "at_most", "close_to", "rtol", "control", "only_if"}  # of `claim`, not measured


class _Measurement(ast.NodeTransformer):
    """Leaves out what cannot change a value measured at cpu size: how claims are judged, other profiles' sizes."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "claim":
            node.keywords = [word for word in node.keywords if word.arg not in JUDGEMENT]
        return self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        names = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        if {"smoke", "cpu"} <= set(names):
            pairs = zip(names, node.keys, node.values, strict=True)
            kept = [(key, value) for name, key, value in pairs if name not in ("smoke", "gpu")]
            node.keys, node.values = [key for key, _ in kept], [value for _, value in kept]
        return self.generic_visit(node)


def measurement(nb: nbformat.NotebookNode) -> str:
    """A short hash of the code that measures; prose, comments, layout, bounds, other profiles' sizes are not in it."""
    sources = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    trees = [ast.unparse(_Measurement().visit(ast.parse(source))) for source in sources]
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:12]


def records(nb: nbformat.NotebookNode) -> list[dict]:
    """The claims that an executed notebook shows."""
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    return [o["data"][claims.MIME] for o in outputs if claims.MIME in o.get("data", {})]


def keep(chapter: Path, ran: nbformat.NotebookNode, busy: bool, seconds: float, folder: Path = FOLDER) -> None:
    """Append one run of `chapter` to its file."""
    found = records(ran)
    values = {record["id"].split(".")[1]: _short(record["value"], record["held"]) for record in found}
    machine = next((record["machine"] for record in found), None)
    line = {"measurement": measurement(nbformat.read(chapter, 4)), "machine": machine, "busy": busy}
    line |= {"seconds": round(seconds, 1), "values": values}
    gated = [record for record in found if record["held"] is None and record["value"] is not None]
    unjudged = {record["id"].split(".")[1]: _short(record["value"], True) for record in gated}
    folder.mkdir(exist_ok=True)
    with (folder / f"{chapter.stem}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | ({"unjudged": unjudged} if gated else {})) + "\n")


def _short(value: float | None, held: bool | None) -> float | None:
    return None if value is None or held is None else float(f"{value:.5g}")


def kept(chapter: Path, folder: Path = FOLDER) -> list[dict]:
    """The runs of today's measurement."""
    file, today = folder / f"{chapter.stem}.jsonl", measurement(nbformat.read(chapter, 4))
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [run for run in map(json.loads, lines) if run["measurement"] == today]


def table(chapter: Path, runs: Iterable[dict]) -> str:
    """Per claim: how often the kept values satisfy today's bound, in how many runs it was not judged (gated, as beside
    a busy process); lowest, median and highest; the bound."""
    runs, lines = list(runs), []
    busy = sum(run["busy"] for run in runs)
    seconds = sorted(run["seconds"] for run in runs) or [0]
    head = f"{chapter.stem}: {len(runs)} runs, {busy} beside a busy process, {seconds[0]:.0f} to {seconds[-1]:.0f} s"
    for record in records(nbformat.read(chapter, 4)):
        found = [run["values"].get(record["id"].split(".")[1]) for run in runs]
        values = [value for value in found if value is not None]
        held = sum(claims._holds(value, record["bound"]) for value in values)
        spread = f"{min(values):.4g} / {statistics.median(values):.4g} / {max(values):.4g}" if values else "–"
        unjudged = f"{len(found) - len(values)} not judged" if len(found) > len(values) else ""
        bound = claims.bound_text(record["bound"], record["unit"])
        lines.append(f"{held}/{len(values)} held  {unjudged:13} {spread:32} {bound:30} {record['id']}")
    return "\n".join([head, *lines])
