"""Claims of executed notebooks as one table, and one file per machine.

The ledger is derived, never typed: every row comes out of the output of one executed cell.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.claims import MIME as CLAIM
from workbench.claims import bound_text
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.layout import Layout, slug
from workbench.provenance import MIME as PROVENANCE
from workbench.runner import notebooks

if TYPE_CHECKING:  # the runner writes ledgers and never needs a table
    import pandas as pd

PUBLISHED = ("cpu", "gpu")  # a smoke run is too small to prove anything
COLUMNS = [
    "machine", "profile", "chapter", "id", "says", "value", "unit", "low", "high", "n", "bound",
    "held", "control", "why_not", "cell", "date", "commit", "source",
]  # fmt: skip
ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*\.[a-z0-9]+(_[a-z0-9]+)*")


def _records(notebook: Any, mime: str) -> Iterable[tuple[str, dict]]:
    """(cell id, record) of every output of one MIME type."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if mime in output.get("data", {}):
                yield cell.get("id", "?"), output["data"][mime]


def _read(path: Path) -> Any:
    try:
        return notebooks.read(path)
    except WorkbenchError as problem:
        raise WorkbenchError(problem.message, f"run it again: workbench run {path.stem} --force") from None


def _claims_of(path: Path) -> list[dict]:
    """Claims of one executed notebook, each with its chapter, cell and the run it comes from."""
    notebook = _read(path)
    run = next((record for _, record in _records(notebook, PROVENANCE)), {})
    where = {"chapter": path.stem, "date": run.get("date"), "commit": run.get("commit"), "run": run}
    return [{**record, **where, "cell": cell} for cell, record in _records(notebook, CLAIM)]


def _refuse_bad_name(claim: dict) -> None:
    expected, name = slug(claim["chapter"]), str(claim.get("id"))
    if ID.fullmatch(name) and name.split(".")[0] == expected:
        return
    what = re.sub("[^a-z0-9]+", "_", name.split(".")[-1].lower()).strip("_") or "what"
    raise WorkbenchError(
        f"claim '{name}' in {claim['chapter']}, cell '{claim['cell']}', does not start with its chapter's name",
        f"call it {expected}.{what}",
    )


def collect(executed: Iterable[Path]) -> list[dict]:
    """Claims of executed notebooks, in order.  Raises WorkbenchError on an ill-named or a repeated id."""
    seen: dict[str, dict] = {}
    for claim in (claim for path in executed for claim in _claims_of(Path(path))):
        _refuse_bad_name(claim)
        first = seen.setdefault(claim["id"], claim)
        if first is not claim:
            places = [f"{c['chapter']} cell '{c['cell']}'" for c in (first, claim)]
            raise WorkbenchError(
                f"claim '{claim['id']}' is made twice: {places[0]} and {places[1]}", "rename one of the two"
            )
    return list(seen.values())


def _write_json(path: Path, content: dict) -> Path:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    notebooks.write_text(text, path)
    return path


def _file_name(machine: str, profile: str) -> str:
    """ "amd-epyc-2c.json".  A GPU run has its card's name as machine; a smoke run must not replace a real one."""
    return f"{machine}.smoke.json" if profile == "smoke" else f"{machine}.json"


def _executed(layout: Layout, profile: str) -> list[Path]:
    copies = [layout.runs(profile) / path.name for path in layout.chapters()]
    return [path for path in copies if path.is_file()]


def _by_machine(claims: list[dict], profile: str) -> dict[str, dict]:
    """One ledger per machine: a cluster's workers need not be alike."""
    ledgers: dict[str, dict] = {}
    for claim in claims:
        machine = claim.get("machine") or claim["run"].get("machine") or "unknown"
        ledger = ledgers.setdefault(machine, {"machine": claim["run"], "profile": profile, "claims": []})
        ledger["claims"].append({key: value for key, value in claim.items() if key != "run"})
        if (claim["date"] or "") > (ledger["machine"].get("date") or ""):
            ledger["machine"] = claim["run"]
    return ledgers


def _save(layout: Layout, profile: str, folder: Path) -> list[Path]:
    ledgers = _by_machine(collect(_executed(layout, profile)), profile)
    return [_write_json(folder / _file_name(machine, profile), ledger) for machine, ledger in ledgers.items()]


def write(layout: Layout, profile: str = "cpu") -> list[Path]:
    """Derive `_build/ledger/<machine>.json` from the executed copies of a profile; drop what they replace."""
    before = {path for path in layout.ledger.glob("*.json") if _profile_of(path) == profile}
    written = _save(layout, profile, layout.ledger)
    for path in before - set(written):
        path.unlink(missing_ok=True)
    return written


def save_evidence(layout: Layout, profile: str = "gpu") -> list[Path]:
    """Write this machine's ledger to `book/evidence/`, to be committed: for machines that CI cannot reach."""
    return _save(layout, profile, layout.evidence)


def _profile_of(path: Path) -> str | None:
    try:
        return _load_one(path, "")["profile"]
    except WorkbenchError:
        return None


def _load_one(path: Path, cure: str) -> dict:
    try:
        ledger = json.loads(path.read_text(encoding="utf-8"))
        if not {"machine", "profile", "claims"} <= set(ledger):
            raise ValueError("a part is missing")
        return ledger
    except (OSError, ValueError, TypeError) as problem:
        raise WorkbenchError(f"ledger {path.name} cannot be read (half-written?): {problem}", cure) from None


def _row(claim: dict, ledger: dict, source: str) -> dict:
    row = {column: claim.get(column) for column in COLUMNS}
    machine = claim.get("machine") or ledger["machine"].get("machine", "unknown")
    bound = bound_text(claim.get("bound") or {}, claim.get("unit") or "")
    fixed = {"machine": machine, "profile": ledger["profile"], "bound": bound}
    return row | fixed | {"control": bool(claim.get("control")), "source": source}


def _ledgers(layout: Layout) -> Iterable[tuple[str, dict]]:
    for path in sorted(layout.ledger.glob("*.json")):
        yield "local", _load_one(path, f"delete {path.relative_to(layout.root)}, then: workbench run")
    for path in sorted(layout.evidence.glob("*.json")):
        yield "evidence", _load_one(path, f"restore it: git checkout {path.relative_to(layout.root)}")


def load(layout: Layout, profiles: tuple[str, ...] = PUBLISHED) -> "pd.DataFrame":
    """Every claim of this machine and of the machines in `book/evidence`, one row each (see `COLUMNS`).

    The same claim of the same machine and profile in both places counts once: as measured here.
    """
    import pandas as pd

    rows = [
        _row(claim, ledger, source)
        for source, ledger in _ledgers(layout)
        if ledger["profile"] in profiles
        for claim in ledger["claims"]
    ]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"held": object})
    return table.drop_duplicates(["machine", "profile", "id"], ignore_index=True)


def order(table: "pd.DataFrame") -> "pd.DataFrame":
    """Sort for a reader: what did not hold first, then what held, then what was not claimed."""
    rank = table["held"].map(lambda held: 0 if held is False else 1 if held is True else 2)
    ranked = table.assign(_rank=rank).sort_values(["_rank", "chapter", "id", "machine"], kind="stable")
    return ranked.drop(columns="_rank").reset_index(drop=True)


def lookup(table: "pd.DataFrame", name: str) -> "pd.Series":
    """The row of "chapter.what", "chapter.what@gpu" (a profile) or "chapter.what@machine-slug".

    Without a machine: as measured here, on the CPU before the GPU.  Raises UnknownNameError.
    """
    claim, _, where = name.partition("@")
    rows = table[table["id"] == claim]
    if rows.empty:
        raise UnknownNameError("claim", claim, table["id"].unique())
    if where:
        places = {*rows["profile"], *rows["machine"]}
        rows = rows[(rows["profile"] == where) | (rows["machine"] == where)]
        if rows.empty:
            raise UnknownNameError(f"machine or profile for claim '{claim}'", where, places)
    return rows.sort_values(["source", "profile"], ascending=[False, True], kind="stable").iloc[0]
