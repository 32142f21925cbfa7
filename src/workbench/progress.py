"""Say where a run is: a callback protocol, a bar for a terminal, plain lines for a log."""

import sys
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Step:
    """One thing that happened.  event: "start", "cell" or "end"; estimate_s: the last run's seconds, 0 if unknown."""

    event: str
    chapter: str
    cell: int = 0
    cells: int = 0
    status: str = ""
    message: str = ""
    seconds: float = 0.0
    estimate_s: float = 0.0


class Progress(Protocol):
    """What `execute.run` calls, from any thread, once for each Step."""

    def __call__(self, step: Step) -> None: ...


class Lines:
    """One line when a notebook starts and one when it ends; for logs and pipes."""

    def __init__(self, file=None):
        self.file = file or sys.stdout

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_) -> None:
        pass

    def __call__(self, step: Step) -> None:
        if step.event == "start":
            about = f" (about {step.estimate_s:.0f} s)" if step.estimate_s else ""
            print(f"running {step.chapter}{about}", file=self.file, flush=True)
        elif step.event == "end":
            print(_ending(step), file=self.file, flush=True)


class Bar:
    """A rich progress bar: one row per running notebook and one for the whole run."""

    def __init__(self, console=None):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.rich = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self.rows: dict[str, tuple[int, float, float]] = {}

    def __enter__(self) -> "Bar":
        self.rich.start()
        return self

    def __exit__(self, *_) -> None:
        self.rich.stop()

    def __call__(self, step: Step) -> None:
        if step.event == "start":
            row = self.rich.add_task(step.chapter, total=None, left=_left(step.estimate_s))
            self.rows[step.chapter] = (row, time.monotonic(), step.estimate_s)
        elif step.event == "cell":
            row, started, estimate_s = self.rows[step.chapter]
            left = _left(estimate_s - (time.monotonic() - started) if estimate_s else 0.0)
            self.rich.update(row, completed=step.cell - 1, total=step.cells, left=left)
        elif step.chapter in self.rows:
            self.rich.remove_task(self.rows.pop(step.chapter)[0])
            self.rich.console.print(_ending(step), markup=False, highlight=False)
        else:
            self.rich.console.print(_ending(step), markup=False, highlight=False)


def terminal_progress(console) -> Bar | Lines:
    """A context manager: a Bar where `console` (rich) is a terminal, Lines where it is a log or a pipe."""
    return Bar(console) if console.is_terminal else Lines(console.file)


def _left(seconds: float) -> str:
    return f"about {seconds:.0f} s left" if seconds > 0 else ""


def _ending(step: Step) -> str:
    took = "" if step.status == "cached" else f" in {step.seconds:.1f} s"
    return f"{step.status:<9} {step.chapter}{took}" + (f": {step.message}" if step.message else "")
