"""Run chapters several times and show how far their claims move: is a bound set with margin?

    python benchmarks/repeat_claims.py 23 --times 10 --busy 3    # runs, keeps what was measured, shows all kept
    python benchmarks/repeat_claims.py 20 21 23                  # shows what earlier sessions kept, runs nothing
    python benchmarks/repeat_claims.py 20 21 23 --copy           # keeps the copies of the last `workbench run`, too

The last `--busy` runs share the machine with one busy process.  Each run is added to `benchmarks/repeats/`; runs of
an older measurement stay in the file and are not shown.
"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import repeats

from workbench.layout import Layout
from workbench.runner import notebooks, store


def execute(chapter: Path, profile: str, folder: Path):
    """Run the chapter once in a fresh kernel → (the executed notebook, seconds)."""
    import papermill

    start = time.perf_counter()
    ran = papermill.execute_notebook(
        chapter, folder / "ran.ipynb", parameters={"profile": profile}, progress_bar=False, cwd=chapter.parent
    )
    return ran, time.perf_counter() - start


def spin() -> None:
    """Keep one core busy until ended."""
    while True:
        sum(range(10_000))


@contextlib.contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """With one busy process beside, if wanted."""
    neighbour = multiprocessing.Process(target=spin, daemon=True)
    if wanted:
        neighbour.start()
    yield
    if wanted:
        neighbour.terminate()
        neighbour.join()


def repeat(chapter: Path, times: int, busy_runs: int, profile: str) -> None:
    """Run, and keep each run as soon as it is over."""
    notebooks.read(chapter)  # refuses a half-written file in one line
    with tempfile.TemporaryDirectory() as folder:
        for run in range(times):
            beside = run >= times - busy_runs
            with busy(beside):
                ran, seconds = execute(chapter, profile, Path(folder))
            repeats.keep(chapter, ran, beside, seconds)
            missed = [record["id"] for record in repeats.records(ran) if record["held"] is False]
            print(f"{chapter.stem}: run {run + 1} of {times}: {seconds:.1f} s, missed: {missed}", file=sys.stderr)


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="+", help="number, slug or path, as `workbench run` takes it")
    parser.add_argument("--times", type=int, default=0)
    parser.add_argument("--busy", type=int, default=0, help="how many of these beside one busy process")
    parser.add_argument("--copy", action="store_true", help="keep the executed copy of the last `workbench run`")
    parser.add_argument("--profile", default="cpu")
    asked = parser.parse_args()
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    layout = Layout.find()
    for name in asked.chapters:
        chapter = layout.chapter(name)
        repeat(chapter, asked.times, asked.busy, asked.profile)
        if asked.copy:
            last = store.last(layout, "cpu", chapter.stem)
            repeats.keep(chapter, notebooks.read(last.path), False, last.seconds)
        print(repeats.table(chapter, repeats.kept(chapter)))


if __name__ == "__main__":
    main()
