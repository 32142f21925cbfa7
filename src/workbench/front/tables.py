"""What several commands share: progress on the terminal, tables, parameters from the command line."""

import ast
import subprocess
from pathlib import Path

from rich.console import Console
from rich.table import Table

from workbench.claims import bound_text, format_interval, format_value
from workbench.errors import CheckFailedError, WorkbenchError
from workbench.layout import Layout
from workbench.profiles import Profile, get_profile

GOOD = ("ok", "cached", "skipped")


def run_chapters(
    layout: Layout,
    chapters: list[str] | None,
    profile: str,
    scheduler: str | None,
    parameters: list[str],
    force: bool,
    changed: bool,
    console: Console,
) -> None:
    """Execute and report; raise CheckFailedError when a notebook did not come to its end."""
    from workbench.runner import execute

    if changed:
        chapters = changed_chapters(layout)
        if not chapters:
            console.print("no chapter differs from the last commit", highlight=False)
            return
    with layout.lock(), execute.terminal_progress(console) as progress:
        results = execute.run(
            layout,
            chapters,
            profile=profile,
            scheduler=scheduler,
            force=force,
            parameters=parse_parameters(parameters),
            progress=progress,
        )
    console.print(results_table(results))
    bad = [r for r in results if r.status not in GOOD]
    if bad:
        first = bad[0]
        raise CheckFailedError(f"{first.chapter}: {first.message}", f"{len(bad)} of {len(results)} notebooks failed")
    hold_to_budget(results, get_profile(profile), console)


def hold_to_budget(results, profile: Profile, console: Console) -> None:
    """Name each notebook beyond its profile's time; raise CheckFailedError for one beyond its memory.

    Time depends on the machine, and on who else uses it: there an excess is a warning.
    """
    for r in results:
        if excess := profile.slow(r.seconds):
            console.print(f"over its time: {r.chapter}: {excess}", style="yellow", highlight=False)
    for r in results:
        if excess := profile.large(r.peak_mb):
            raise CheckFailedError(f"{r.chapter} needs too much memory: {excess}", "shrink this profile's sizes")


def parse_parameters(pairs: list[str]) -> dict:
    """["seed=3", "name=x"] → {"seed": 3, "name": "x"}.  Raises WorkbenchError for a pair without "="."""
    parsed = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise WorkbenchError(f"parameter '{pair}' is not name=value", "for example: -p seed=3")
        try:
            parsed[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parsed[name] = value
    return parsed


def changed_chapters(layout: Layout) -> list[str]:
    """Chapters whose notebook differs from the last commit, or is not yet in one."""
    asked = subprocess.run(
        ["git", "-C", str(layout.root), "status", "--porcelain", "--", "notebooks"], capture_output=True, text=True
    )
    touched = {Path(line[3:].strip().strip('"')).stem for line in asked.stdout.splitlines()}
    return [path.stem for path in layout.chapters() if path.stem in touched]


def results_table(results) -> Table:
    """What ran, how long, how much memory, and how it ended."""
    table = Table("status", "seconds", "peak MB", box=None, pad_edge=False)
    table.add_column("notebook", no_wrap=True)
    for r in results:
        seconds = f"{r.seconds:.1f}" if r.seconds is not None else ""
        memory = f"{r.peak_mb:.0f}" if r.peak_mb else ""
        note = f" ({r.message})" if r.message and r.status not in ("ok", "cached") else ""
        table.add_row(r.status, seconds, memory, r.chapter + note)
    return table


def claims_table(rows) -> Table:
    """The ledger on a terminal."""
    table = Table("", "claim", "value", "interval", "bound", "machine", box=None, pad_edge=False)
    marks = {True: "✓", False: "✗"}
    for row in rows.to_dict("records"):
        bound = row["bound"] if isinstance(row["bound"], str) else bound_text(row["bound"], row["unit"])
        interval = format_interval(_none(row["low"]), _none(row["high"]), row["unit"])
        value = format_value(_none(row["value"]), row["unit"])
        table.add_row(marks.get(row["held"], "–"), row["id"], value, interval, bound, row["machine"])
    return table


def _none(value):
    """None for pandas' missing values."""
    return None if value is None or value != value else value


def export(layout: Layout, what: str, to: Path | None) -> Path:
    """Write the blog's posts as self-contained Markdown; "blog" is the one thing that can be exported."""
    from workbench.errors import UnknownNameError
    from workbench.press import publish

    if what != "blog":
        raise UnknownNameError("export", what, ["blog"])
    folder = to or layout.build / "export"
    publish.export_blog(layout, folder)
    return folder
