"""Do today's outputs still equal the committed ones, and is enough of them compared to mean something?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.claims import MIME as CLAIM
from workbench.errors import CheckFailedError
from workbench.layout import Layout
from workbench.proof.standing import PROFILE, Mismatch, unfit
from workbench.runner import notebooks
from workbench.runner.store import copy_path

if TYPE_CHECKING:
    from rich.table import Table

MIN_SHARE = 0.90
KINDS = ("values", "structure", "measured", "not compared")
BARE = re.compile(r"<[A-Za-z_][\w.]*( [^<>]*(<[^<>]*>)?[^<>]*)?>")  # <Figure size 640x480 with 1 Axes>


@dataclass
class NotebookReport:
    """One notebook: what differed, what could not be compared here, and how each output cell counts."""

    chapter: str
    mismatches: list[Mismatch] = field(default_factory=list)
    not_comparable: list[str] = field(default_factory=list)
    unlucky: list[str] = field(default_factory=list)  # claims that missed in one run and held in another
    cells: dict[str, str] = field(default_factory=dict)  # output cell's id → one of KINDS

    @property
    def passed(self) -> bool:
        return not self.mismatches

    def count(self, *kinds: str) -> int:
        return sum(kind in kinds for kind in self.cells.values())

    @property
    def output_cells(self) -> int:
        return len(self.cells)

    @property
    def compared_cells(self) -> int:
        return self.count("values", "structure")

    @property
    def structure_only(self) -> int:
        return self.count("structure")


@dataclass(frozen=True)
class VerifyReport:
    """Every notebook's report.  min_share: the least share of output cells compared, None = not asked for."""

    notebooks: tuple[NotebookReport, ...]
    min_share: float | None = MIN_SHARE

    @property
    def output_cells(self) -> int:
        return sum(report.output_cells for report in self.notebooks)

    @property
    def share(self) -> float:
        """Output cells really compared, of all: values and structure.  0 for a book without outputs."""
        return sum(r.compared_cells for r in self.notebooks) / self.output_cells if self.output_cells else 0.0

    @property
    def enough(self) -> bool:
        """Whether the share suffices; not asked while a notebook could not be compared, which fails by itself."""
        asked = self.min_share is not None and all(report.cells for report in self.notebooks)
        return not asked or self.share >= self.min_share

    @property
    def passed(self) -> bool:
        return bool(self.notebooks) and self.enough and all(report.passed for report in self.notebooks)

    def worst_cells(self) -> list[str]:
        """Output cells that nothing compares, as "chapter:cell (kind)", from the worst notebook down."""
        worst = sorted(self.notebooks, key=lambda report: report.compared_cells - report.output_cells)
        uncompared = ("measured", "not compared")
        return [f"{r.chapter}:{c} ({k})" for r in worst for c, k in r.cells.items() if k in uncompared]

    def problems(self) -> list[str]:
        """One line for each thing that is wrong."""
        lines = [f"{r.chapter}{m.cell and ':' + m.cell}: {m.message}" for r in self.notebooks for m in r.mismatches]
        if not self.enough:
            cells = ", ".join(self.worst_cells()[:12])
            lines.append(f"{self.share:.0%} of output cells compared, {self.min_share:.0%} needed: {cells}")
        return lines

    def verdict(self) -> str:
        """The whole outcome in one line."""
        if self.passed:
            return f"{len(self.notebooks)} notebooks verified, {self.share:.0%} of their output cells compared"
        failed = [report.chapter for report in self.notebooks if not report.passed]
        return f"not verified: {', '.join(failed)}" if failed else (self.problems() or ["nothing to verify"])[0]

    def summary(self) -> str:
        """What a reader of the terminal needs: problems, what is not comparable here, the share compared."""
        lines = [f"✗ {problem}" for problem in self.problems()]
        lines += [f"– {r.chapter}: {c} is not comparable here" for r in self.notebooks for c in r.not_comparable]
        lines += [f"– {r.chapter}: {c} missed once and held in another run" for r in self.notebooks for c in r.unlucky]
        kinds = ", ".join(f"{sum(r.count(kind) for r in self.notebooks)} {kind}" for kind in KINDS)
        compared = sum(report.compared_cells for report in self.notebooks)
        lines.append(f"compared {compared} of {self.output_cells} output cells ({self.share:.1%}): {kinds}")
        return "\n".join(lines)

    def table(self) -> "Table":
        """One row per notebook."""
        from rich.table import Table

        table = Table("", *KINDS, "not comparable", "problems", box=None, pad_edge=False)
        table.add_column("notebook", no_wrap=True)
        for report in self.notebooks:
            counts = [str(report.count(kind)) for kind in KINDS]
            rest = [str(len(report.not_comparable)), str(len(report.mismatches))]
            table.add_row("✓" if report.passed else "✗", *counts, *rest, report.chapter)
        return table

    def require(self) -> None:
        """Raise CheckFailedError unless everything passed."""
        if not self.passed:
            raise CheckFailedError(f"{self.verdict()}: {' | '.join(self.problems())}", "workbench refresh accepts it")


def verify(layout: Layout, chapters: list[str] | None = None, min_share: float | None = MIN_SHARE) -> VerifyReport:
    """Compare committed notebooks with their executed copies in `_build/run/cpu`, by nbval.

    Needs the copies (`execute.run`).  min_share holds for the whole book, not for a choice of chapters.
    """
    paths = [layout.chapter(name) for name in chapters] if chapters else layout.chapters()
    reports = {path: NotebookReport(path.stem) for path in paths}
    pairs = {}
    for path, report in reports.items():
        report.mismatches += unfit(layout, path)
        if report.passed:
            pairs[path] = copy_path(layout, PROFILE, path.stem)
    if pairs:
        _compare(pairs, reports)
    return VerifyReport(tuple(reports.values()), None if chapters else min_share)


def _compare(pairs: dict[Path, Path], reports: dict[Path, NotebookReport]) -> None:
    from workbench.proof import replay  # pytest and nbval: only when something is compared

    for path, results in replay.compare(pairs).items():
        report, nb = reports[path], notebooks.read(path)
        cells = {cell.id: cell for cell in nb.cells if cell.cell_type == "code"}
        if [result.cell for result in results] != list(cells):
            report.mismatches.append(Mismatch("", f"nbval saw {len(results)} of {len(cells)} code cells"))
        for result in results:
            if result.problem:
                report.mismatches.append(Mismatch(result.cell, result.problem))
            for claim, line in result.missed.items():
                report.mismatches.append(Mismatch(result.cell, f"held when committed, today: {line}", claim))
            report.not_comparable += result.not_comparable
            if cells[result.cell].outputs:
                report.cells[result.cell] = kind(cells[result.cell], result.checked, result.not_comparable)
        if not report.compared_cells:
            report.mismatches.append(Mismatch("", "no output of this notebook is compared: it would prove nothing"))


def kind(cell: Any, checked: bool = True, not_comparable: Iterable[str] = ()) -> str:
    """How an output cell counts: one of KINDS.  checked: no tag excludes it from comparison."""
    if not checked:
        return "measured"
    kinds = {_output_kind(output, set(not_comparable)) for output in cell.outputs}
    return next(name for name in ("values", "structure", "not compared") if name in kinds)


def _output_kind(output: Any, not_comparable: set[str]) -> str:
    data = output.get("data", {})
    plain = output.get("text", data.get("text/plain", "")).strip()
    if output.output_type == "error":
        plain = output.get("ename", "")
    if data.get(CLAIM, {}).get("id") in not_comparable or not plain or BARE.fullmatch(plain):
        return "not compared"
    return "structure" if plain.startswith("figure:") else "values"
