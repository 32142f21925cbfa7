"""Run one notebook to its end, whatever its cells do: papermill's API, a kernel of its own, one plain outcome.

`execute` never raises for what a notebook does.  It needs no layout and writes no files; a `Job` and an `Outcome` are
plain data, so that the same call works in this process and on a Dask worker.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from workbench.runner import kernel, notebooks
from workbench.runner.session import Session, event_loop

MAX_OUTPUT_MB = 20  # a notebook that prints more is stopped: no page could show it
START_S = 60
log = logging.getLogger("workbench.runner.kernel")
log.addHandler(logging.NullHandler())
log.propagate = False


@dataclass(frozen=True)
class Job:
    """What is to be run.  notebook: its JSON; parameters: values that differ from the notebook's own."""

    name: str
    notebook: str
    cwd: str
    time_s: float
    memory_mb: int
    threads: int | None
    parameters: dict


@dataclass(frozen=True)
class Outcome:
    """What came of it.  notebook: executed, or as far as it came; cell_seconds: per code cell, kernel's clock."""

    status: str
    message: str = ""
    cell: int | None = None
    seconds: float = 0.0
    peak_mb: float = 0.0
    cell_seconds: tuple[float, ...] = ()
    notebook: str = ""


class _Run:
    """One job on its way: its session, its deadline and the cell it is in."""

    def __init__(self, job: Job, session: Session, on_cell: Callable[[int, int], None]):
        self.job, self.session, self.on_cell = job, session, on_cell
        self.nb, self.printed = nbformat.reads(job.notebook, as_version=4), 0
        self.total = sum(1 for c in self.nb.cells if c.cell_type == "code" and c.source.strip())
        self.cell, self.cell_id, self.started = None, "", time.monotonic()

    def remaining_s(self, _cell=None) -> float:
        """What is left of the notebook's time; nbclient asks before each cell."""
        return max(0.05, self.started + self.job.time_s - time.monotonic())

    def overflows(self, msg: dict) -> bool:
        """Count what the notebook prints; True when it is too much."""
        self.printed += _size(msg)
        return self.printed > MAX_OUTPUT_MB << 20

    def enter(self, cell, cell_index: int) -> None:
        """Count the code cells that the author wrote, from 1."""
        if "injected-parameters" not in cell.metadata.get("tags", []):
            self.cell, self.cell_id = (self.cell or 0) + 1, cell.get("id", "")
            self.session.watch.note_peak()
            self.on_cell(self.cell, self.total)


def execute(job: Job, on_cell: Callable[[int, int], None] | None = None, active: set | None = None) -> Outcome:
    """Run the job's notebook in a kernel of its own and say how it went.

    on_cell(k, n) is called before code cell k of n.  active: a set that holds the Session while it lives, through
    which another thread can `kill` it.  Statuses: ok, raised, timed_out, died, could_not_start.
    """
    with event_loop():
        try:
            session = Session()
        except OSError as problem:
            return Outcome("could_not_start", f"no folder for the kernel's files: {_one_line(problem)}")
        run = _Run(job, session, on_cell or (lambda k, n: None))
        active = set() if active is None else active
        active.add(session)
        try:
            failure = _attempt(run)
            status, message = _verdict(run, failure)
            if status not in ("ok", "raised"):
                session.kill()
        finally:
            peak_mb = session.stop()
            active.discard(session)
    return Outcome(
        status=status,
        message=message,
        cell=run.cell if status in ("raised", "timed_out", "died") else None,
        seconds=time.monotonic() - run.started,
        peak_mb=round(peak_mb, 1),
        cell_seconds=tuple(_cell_seconds(run.nb)),
        notebook=nbformat.writes(_tidy(run.nb)),
    )


def _attempt(run: _Run) -> BaseException | None:
    """Let papermill run the notebook; return what stopped it, or None."""
    import papermill

    job = run.job
    try:
        run.session.start(Path(job.cwd), kernel.environment(job.threads, job.memory_mb))
        papermill.execute_notebook(
            run.nb,
            None,
            parameters=job.parameters,
            engine_name=_engine(),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            start_timeout=START_S,
            autosave_cell_every=0,
            run=run,
        )
    except Exception as error:  # papermill's own, and nbclient's and jupyter_client's RuntimeError, OSError, …
        return error
    return None


def _engine() -> str:
    """Register our papermill engine, once; papermill is imported only when a notebook runs."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    with _registering:
        if "workbench" not in papermill_engines._engines:
            papermill_engines.register("workbench", _make_engine(NBClientEngine, PapermillNotebookClient))
    return "workbench"


_registering = threading.Lock()


def _make_engine(base_engine: type, base_client: type) -> type:
    class Client(base_client):
        def process_message(self, msg, cell, cell_index):
            if self.run.overflows(msg):
                self.run.session.kill()
                return None
            return super().process_message(msg, cell, cell_index)

    class Engine(base_engine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, *, run, start_timeout, **_):
            run.nb = nb_man.nb
            client = Client(
                nb_man,
                km=run.session.manager,
                timeout_func=run.remaining_s,
                startup_timeout=start_timeout,
                on_cell_execute=run.enter,
                iopub_timeout=30,
                log=log,
            )
            client.run = run
            try:
                return client.execute()
            finally:
                if client.kc is not None:
                    client.kc.stop_channels()

    return Engine


def _verdict(run: _Run, failure: Exception | None) -> tuple[str, str]:
    """Name what happened: (status, message of one line)."""
    session = run.session
    where = f"cell {run.cell} ({run.cell_id})" if run.cell else "before the first cell"
    if run.printed > MAX_OUTPUT_MB << 20:
        return "raised", f"{where}: the notebook's outputs exceed {MAX_OUTPUT_MB} MB, it was stopped"
    if failure is None:
        left = run.nb.metadata.get("papermill", {}).get("exception")
        return ("raised", f"{where}: SystemExit, the cells after it did not run") if left else ("ok", "")
    if isinstance(failure, CellTimeoutError):
        return "timed_out", f"{where} was stopped: the notebook's time limit is {run.job.time_s:g} s"
    if hasattr(failure, "ename"):
        return "raised", f"{where} raised {failure.ename}: {_one_line(failure.evalue)}{_memory(run, failure)}"
    if run.cell is None:
        return "could_not_start", f"the kernel did not start: {_one_line(failure)} {session.last_words()}".strip()
    peak = f"peak memory {session.watch.peak_mb:.0f} MB" if session.watch else ""
    if isinstance(failure, DeadKernelError) or session.how_it_ended() != "not ended":
        return "died", f"the kernel died in {where}: {session.how_it_ended()}, {peak} {session.last_words()}".strip()
    return "died", f"the kernel was lost in {where}: {type(failure).__name__}: {_one_line(failure)}"


def _memory(run: _Run, failure) -> str:
    """Name the limit that an allocation ran into."""
    return f" — the kernel's memory limit is {run.job.memory_mb} MB" if "Memory" in failure.ename else ""


def _one_line(what: object) -> str:
    """The first line that says something, without terminal colours: tracebacks and messages in 200 characters."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(what)).strip().splitlines()
    return lines[0].strip()[:200] if lines else ""


def _cell_seconds(nb) -> list[float]:
    """Seconds from busy to idle of every code cell that ran, on the kernel's clock."""
    stamps = [c.metadata.get("execution", {}) for c in nb.cells if c.cell_type == "code"]
    ends = [(s.get("iopub.status.busy"), s.get("iopub.status.idle")) for s in stamps]
    return [
        round((datetime.fromisoformat(idle) - datetime.fromisoformat(busy)).total_seconds(), 4)
        for busy, idle in ends
        if busy and idle
    ]


def _tidy(nb):
    """Drop the cells that papermill adds around an error; join printed pieces, which arrive cut at random."""
    nb.cells = [c for c in nb.cells if "papermill-error-cell-tag" not in c.metadata.get("tags", [])]
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = notebooks.join_streams(cell.outputs)
    return nb


def _size(msg: dict) -> int:
    content = msg.get("content", {})
    return len(content.get("text", "")) + sum(len(str(value)) for value in content.get("data", {}).values())
