"""Seconds that a runner adds to a notebook beyond the notebook's own cells: ours, papermill's command line.

    python benchmarks/runner_overhead.py [NOTEBOOKS]

Ten trivial notebooks (two cells, together some milliseconds), each run by both runners in turn, so that drift of the
machine meets both alike.  Ours: one process drives all ten through the public `execute.run`, one at a time (they are
timing notebooks); a notebook's overhead is the time between two ends, less its cells on the kernel's clock.
papermill: one command a notebook, as its users start it.  Also: the peak memory of our driver process, and a run with
nothing changed.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from rich.table import Table

from workbench import provenance
from workbench.layout import Layout
from workbench.runner import execute


def make_book(root: Path, count: int) -> Layout:
    """A checkout of trivial notebooks that run alone."""
    (root / "notebooks").mkdir(parents=True)
    entries = ""
    for number in range(count):
        cells = [
            new_code_cell('profile = "cpu"', id="parameters", metadata={"tags": ["parameters"]}),
            new_code_cell("sum(range(1000))", id="sum"),
        ]
        about = {
            "workbench": {"timing": True},
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        }
        nbformat.write(new_notebook(cells=cells, metadata=about), root / "notebooks" / f"{number:02}_add.ipynb")
        entries += f"      - file: notebooks/{number:02}_add\n"
    toc = f"format: jb-book\nroot: book/index\nparts:\n  - caption: A\n    chapters:\n{entries}"
    (root / "_toc.yml").write_text(toc)
    return Layout(root)


def papermill_seconds(source: Path, target: Path) -> float:
    """Wall time of papermill's command line for one notebook."""
    command = [str(Path(sys.executable).with_name("papermill")), "--no-progress-bar", str(source), str(target)]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def paired(layout: Layout, scratch: Path) -> tuple[list[float], list[float]]:
    """Overhead in seconds of every notebook: (ours, papermill's), the two runners taking turns.

    Ours is measured in one long-lived `execute.run`; papermill runs in its progress callback, between two notebooks.
    """
    ours, theirs = [], []
    last_end = time.perf_counter()

    def on_step(step) -> None:
        nonlocal last_end
        if step.event == "end":
            ours.append(time.perf_counter() - last_end)
            theirs.append(papermill_seconds(layout.chapter(step.chapter), scratch / "out.ipynb"))
            last_end = time.perf_counter()

    results = execute.run(layout, progress=on_step)
    assert all(result.status == "ok" for result in results), results
    cells = [sum(result.cell_seconds) for result in results]
    return [a - c for a, c in zip(ours, cells, strict=True)], [b - c for b, c in zip(theirs, cells, strict=True)]


def driver_memory_mb(layout: Layout) -> float:
    """Peak resident memory of a fresh process that runs the whole book anew with a progress bar."""
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom rich.console import Console\n"
        "from workbench.runner import execute\nfrom workbench.layout import Layout\n"
        "with execute.terminal_progress(Console(stderr=True, force_terminal=True)) as progress:\n"
        "    execute.run(Layout(pathlib.Path(sys.argv[1])), force=True, progress=progress)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(layout.root)], check=True, capture_output=True, text=True)
    return int(done.stdout) / (1024 if sys.platform == "linux" else 2**20)


def unchanged_seconds(layout: Layout) -> float:
    """Wall time of a fresh process in which nothing has to run, imports included."""
    program = "import sys, pathlib; from workbench.runner import execute; from workbench.layout import Layout"
    program += "; assert {r.status for r in execute.run(Layout(pathlib.Path(sys.argv[1])))} == {'cached'}"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(layout.root)], check=True)
    return time.perf_counter() - start


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as folder:
        layout = make_book(Path(folder, "book"), count)
        ours, theirs = paired(layout, Path(folder))
        unchanged, memory = unchanged_seconds(layout), driver_memory_mb(layout)
    table = Table("overhead per notebook (s)", "median", "min", "max", box=None)
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    for name, values in (("workbench run", ours), ("papermill command line", theirs), ("paired ratio", ratios)):
        table.add_row(name, *(f"{f(values):.2f}" for f in (statistics.median, min, max)))
    console = Console(width=100)
    console.print(f"machine {provenance.machine()}, {count} trivial notebooks", highlight=False)
    console.print(table)
    console.print(f"nothing changed: {unchanged:.2f} s, driver's peak memory: {memory:.0f} MB", highlight=False)


if __name__ == "__main__":
    main()
