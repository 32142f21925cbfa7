"""The `workbench` command: one short function per command, no logic."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from workbench.errors import CheckFailedError, WorkbenchError
from workbench.front import collections
from workbench.layout import Layout
from workbench.profiles import DEFAULT

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Run the book's experiments, prove their outputs, publish what was measured.\n\n"
    "`make book` and `make test` call these commands; use them yourself to work on one chapter.",
)
exercises_app = typer.Typer(no_args_is_help=True, help="Generate the learner's notebooks, grade one.")
app.add_typer(exercises_app, name="exercises")
app.add_typer(collections.app, name="data")
out, err = Console(), Console(stderr=True, soft_wrap=True)

Chapters = Annotated[list[str] | None, typer.Argument(help="Numbers or names, e.g. `22`. Default: all.")]
ProfileOption = Annotated[str, typer.Option(help="`smoke` (does it run?), `cpu` (the book's numbers) or `gpu`.")]


@app.command()
def fetch() -> None:
    """Fetch models, data and browser assets, and check their SHA-256.

    The only command that needs the network; what is there and right is left alone.
    """
    from workbench.front.fetch import fetch_all

    for line in fetch_all(Layout.find()):
        out.print(line, highlight=False)


@app.command()
def run(
    chapters: Chapters = None,
    profile: ProfileOption = DEFAULT,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler, `tcp://host:port`.")] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", help="A notebook's parameter, `name=value`.")] = None,
    force: Annotated[bool, typer.Option(help="Run also what has not changed.")] = False,
    changed: Annotated[bool, typer.Option(help="Only chapters that differ from the last commit.")] = False,
    record: Annotated[
        bool, typer.Option(help="Write this machine's claims to `book/evidence/`, to be committed.")
    ] = False,
) -> None:
    """Execute chapters through papermill, each in a kernel of its own.

    Runs only what changed; timing chapters run alone, the others share the cores. An interrupted run
    resumes. Results are in `_build/run/<profile>/`; your notebooks are never written to.

    *Example:* `workbench run 22 --profile smoke`
    """
    from workbench.front.tables import run_chapters

    layout = Layout.find()
    run_chapters(layout, chapters, profile, scheduler, parameter or [], force, changed, out)
    if record:
        from workbench.proof import ledger

        for path in ledger.save_evidence(layout, profile):
            out.print(f"recorded: {path.relative_to(layout.root)}", highlight=False)


@app.command()
def verify(
    chapters: Chapters = None,
    force: Annotated[bool, typer.Option(help="Run also what has not changed.")] = False,
) -> None:
    """Prove that today's outputs equal the committed ones.

    Runs what changed under the cpu profile, then lets nbval compare every output of the executed copies,
    the very ones that the site shows, with the notebooks in `notebooks/`. Refuses notebooks that prove nothing.
    A timing claim that misses is measured again, twice at most: it is refuted when it misses each time.
    """
    from workbench.front.tables import run_chapters
    from workbench.proof.again import settle
    from workbench.proof.verify import verify as compare

    def measure_again(missed: list[str]) -> None:
        out.print(f"timing claims missed, measured again: {', '.join(missed)}", highlight=False)
        run_chapters(layout, missed, DEFAULT, None, [], True, False, out)

    layout = Layout.find()
    run_chapters(layout, chapters, DEFAULT, None, [], force, False, out)
    report = settle(layout, compare(layout, chapters), measure_again, lambda missed: compare(layout, missed))
    out.print(report.table())
    out.print(report.summary(), highlight=False, markup=False)
    if not report.passed:
        raise CheckFailedError(report.verdict(), "look at the list above; workbench refresh accepts new outputs")


@app.command()
def build(
    export: Annotated[str | None, typer.Option(help="`blog`: each post as Markdown for other platforms.")] = None,
    to: Annotated[Path | None, typer.Option(help="Where the export goes; default `_build/export`.")] = None,
) -> None:
    """Build the site from executed chapters into `_build/html`.

    A build that fails leaves the last good site in place. Needs no network.
    """
    from workbench.front import tables
    from workbench.press import publish
    from workbench.proof import ledger

    layout = Layout.find()
    with layout.lock():
        if export:
            out.print(f"posts are in {tables.export(layout, export, to)}", highlight=False)
            return
        ledger.write(layout)
        out.print(f"the site is in {publish.build(layout)}: open index.html, or run make serve", highlight=False)


@app.command()
def refresh(
    chapters: Chapters = None,
    force: Annotated[
        bool, typer.Option(help="Rewrite also what did not change, from its last run (`run --force` first).")
    ] = False,
) -> None:
    """Run changed chapters and write their outputs back into `notebooks/`.

    The only command that rewrites committed outputs: look at the diff before you commit it.
    """
    from workbench.runner.refresh import refresh as rewrite

    layout = Layout.find()
    with layout.lock():
        written = rewrite(layout, chapters, force=force)
    for path in written:
        out.print(f"rewritten: {path.relative_to(layout.root)}", highlight=False)
    out.print(f"{len(written)} notebooks rewritten", highlight=False)


@exercises_app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail when a file is stale.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace also sheets that hold somebody's answers.")] = False,
) -> None:
    """Make `exercises/` from `solutions/`: solutions become stubs, outputs and wrong answers go."""
    from workbench.proof.exercises import generate as make

    for path in make(Layout.find(), check=check, force=force) or []:
        out.print(f"generated: {path.name}", highlight=False)


@exercises_app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="Your notebook, e.g. exercises/22_quantize_from_scratch.ipynb.")],
    time_s: Annotated[float, typer.Option(help="Seconds for each cell.")] = 60,
    memory_mb: Annotated[int, typer.Option(help="Memory for your code, in MB.")] = 4096,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON result instead of the table.")] = False,
) -> None:
    """Grade your exercise notebook in a kernel of its own; your file is only read."""
    from workbench.proof.grading import grade as judge

    result = judge(Layout.find(), file, time_s=time_s, memory_mb=memory_mb)
    if as_json:
        print(result.to_json())
    else:
        out.print(result.table())
    if not result.passed:
        raise typer.Exit(1)


@app.command()
def claims(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
    claim: Annotated[str | None, typer.Argument(help="One claim: `id`, `id@gpu` or `id@machine`.")] = None,
) -> None:
    """List every claim: measured value, interval, bound, machine and verdict; what did not hold first."""
    from workbench.front import tables
    from workbench.proof import ledger

    rows = ledger.order(ledger.load(Layout.find()))
    rows = rows if claim is None else ledger.lookup(rows, claim).to_frame().T
    if as_json:
        print(json.dumps(json.loads(rows.to_json(orient="records")), indent=1, ensure_ascii=False))
    else:
        out.print(tables.claims_table(rows))


@app.command()
def demo(
    collection: Annotated[Path | None, typer.Argument(help="A BEIR folder; default: the book's own manuals.")] = None,
    port: Annotated[int, typer.Option(help="Where it listens; 0: a free one.")] = 0,
) -> None:
    """Ask the manuals on a small page: answer, sources, scores, time per stage. On this machine only."""
    from workbench.demo.start import run

    run(port, collection, lambda line: out.print(line, highlight=False))


@app.command()
def doctor() -> None:
    """Check this machine: Python, disk, memory, cores, GPU, packages, model hashes, node; each with its cure."""
    from workbench.front.doctor import findings

    table = Table("", "what", "found", "cure", box=None, pad_edge=False)
    found = list(findings(Layout.find()))
    for f in found:
        table.add_row({True: "✓", False: "✗", None: "·"}[f.ok], f.what, f.found, "" if f.ok else f.cure)
    out.print(table)
    if any(f.ok is False for f in found):
        raise CheckFailedError("this machine is not ready", "see the cures above")


def main() -> None:
    """Run the command; a known problem becomes one line on stderr and a non-zero exit."""
    try:
        app()
    except WorkbenchError as problem:
        err.print(f"error: {problem}", highlight=False, markup=False)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        err.print("stopped: what was finished is kept; the same command goes on from there", markup=False)
        sys.exit(130)
    except OSError as problem:
        from errno import ENOSPC

        if problem.errno != ENOSPC:
            raise
        err.print("error: the disk is full — free some space and run the same command again", markup=False)
        sys.exit(2)
