"""Run one chapter several times and show how far its claims move: is a bound set with margin?

    python benchmarks/repeat_claims.py 23 --times 10 --busy 3

The last `--busy` runs share the machine with one busy process.  Nothing in the checkout is written.
"""

import argparse
import contextlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from workbench import claims
from workbench.layout import Layout
from workbench.runner import notebooks


def execute(chapter: Path, profile: str, folder: Path) -> tuple[list[dict], float]:
    """Run the chapter once in a fresh kernel → (its claim records, seconds)."""
    import papermill

    start = time.perf_counter()
    ran = papermill.execute_notebook(
        chapter, folder / "ran.ipynb", parameters={"profile": profile}, progress_bar=False, cwd=chapter.parent
    )
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    return [o["data"][claims.MIME] for o in outputs if claims.MIME in o.get("data", {})], time.perf_counter() - start


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


def table(records: list[dict]) -> str:
    """Per claim: lowest, median and highest value, how often it held, and its bound."""
    lines = []
    for id in dict.fromkeys(record["id"] for record in records):
        runs = [record for record in records if record["id"] == id]
        values = [run["value"] for run in runs if run["value"] is not None]
        judged = [run["held"] for run in runs if run["held"] is not None]
        spread = f"{min(values):.4g} / {statistics.median(values):.4g} / {max(values):.4g}" if values else "no value"
        bound = claims.bound_text(runs[0]["bound"], runs[0]["unit"])
        lines.append(f"{sum(judged)}/{len(judged)} held  {spread:34} {bound:32} {id}")
    return "\n".join(lines)


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapter", help="number, slug or path, as `workbench run` takes it")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--busy", type=int, default=3, help="how many of these beside one busy process")
    parser.add_argument("--profile", default="cpu")
    asked = parser.parse_args()
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    chapter = Layout.find().chapter(asked.chapter)
    notebooks.read(chapter)  # refuses a half-written file in one line
    records = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(asked.times):
            with busy(run >= asked.times - asked.busy):
                found, seconds = execute(chapter, asked.profile, Path(folder))
            records += found
            print(f"run {run + 1} of {asked.times}: {seconds:.1f} s, {len(found)} claims", file=sys.stderr, flush=True)
    print(table(records))


if __name__ == "__main__":
    main()
