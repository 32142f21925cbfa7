"""Say where a run is: a callback protocol, a bar for a terminal, plain lines for a log."""

import sys
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Step:
    """One thing that happened.

    event: "plan" (so many notebooks will run), "start", "cell" (cell k of n begins) or "end".
    estimate_s: what the last run took, 0 if unknown.
    """

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
        if step.event == "plan":
            print(f"{step.cells} to run{_about(step)}", file=self.file, flush=True)
        elif step.event == "start":
            print(f"running {step.chapter}{_about(step)}", file=self.file, flush=True)
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
        self.whole: tuple[int, float, float] | None = None

    def __enter__(self) -> "Bar":
        self.rich.start()
        return self

    def __exit__(self, *_) -> None:
        self.rich.stop()

    def __call__(self, step: Step) -> None:
        if step.event == "plan":
            self.whole = self._row("the whole run", step.cells, step.estimate_s)
        elif step.event == "start":
            self.rows[step.chapter] = self._row(step.chapter, None, step.estimate_s)
        elif step.event == "cell":
            row = self.rows[step.chapter]
            self.rich.update(row[0], completed=step.cell - 1, total=step.cells, left=_left(*row[1:]))
        else:
            self._end(step)

    def _row(self, name: str, total: int | None, estimate_s: float) -> tuple[int, float, float]:
        """A new row: (its number, when it began, the estimate)."""
        now = time.monotonic()
        return self.rich.add_task(name, total=total, left=_left(now, estimate_s)), now, estimate_s

    def _end(self, step: Step) -> None:
        if step.chapter in self.rows:
            self.rich.remove_task(self.rows.pop(step.chapter)[0])
            self.rich.update(self.whole[0], advance=1, left=_left(*self.whole[1:]))
        self.rich.console.print(_ending(step), markup=False, highlight=False)


def terminal_progress(console) -> Bar | Lines:
    """A context manager: a Bar where `console` (rich) is a terminal, Lines where it is a log or a pipe."""
    return Bar(console) if console.is_terminal else Lines(console.file)


def _left(began: float, estimate_s: float) -> str:
    """What the last run's time lets us expect; nothing when it is unknown or used up."""
    seconds = estimate_s - (time.monotonic() - began)
    return f"about {seconds:.0f} s left" if estimate_s and seconds > 0.5 else ""


def _about(step: Step) -> str:
    return f" (about {step.estimate_s:.0f} s)" if step.estimate_s else ""


def _ending(step: Step) -> str:
    took = "" if step.status == "cached" else f" in {step.seconds:.1f} s"
    return f"{step.status:<9} {step.chapter}{took}" + (f": {step.message}" if step.message else "")
