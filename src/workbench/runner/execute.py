"""Run the book's notebooks: only those whose content changed, and always with a result for each."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from workbench.errors import WorkbenchError
from workbench.layout import Layout
from workbench.profiles import Profile, get_profile
from workbench.provenance import gpu_names
from workbench.runner import schedule, store
from workbench.runner.engine import Job, Outcome
from workbench.runner.plan import Task, plan, refuse_full_disk
from workbench.runner.progress import Step, terminal_progress
from workbench.runner.store import RunResult

__all__ = ["InterruptedRunError", "RunResult", "run", "terminal_progress"]


class InterruptedRunError(WorkbenchError):
    """Ctrl-C: what was finished stays, the rest goes on with the next run."""

    exit_code = 130


def run(
    layout: Layout,
    chapters: list[str] | None = None,
    profile: str = "cpu",
    scheduler: str | None = None,
    force: bool = False,
    progress: Callable[[Step], None] | None = None,
    parameters: dict | None = None,
    include_solutions: bool = True,
) -> list[RunResult]:
    """Execute chapters (None: all) and their solutions; one RunResult each, in reading order.

    A notebook whose content key is unchanged is "cached" (`force` runs it all the same); a change of prose alone is
    stitched around the old outputs.  scheduler: a Dask address.  Whoever calls this holds `layout.lock()`.
    Raises WorkbenchError before anything runs for an unknown profile, chapter or parameter, an unreadable notebook or a
    full disk; InterruptedRunError on Ctrl-C.  What a notebook does is in its result.
    """
    tasks = plan(layout, chapters, profile, dict(parameters or {}), include_solutions)
    layout.build.mkdir(parents=True, exist_ok=True)
    refuse_full_disk(layout.build)
    with ExitStack() as stack:
        return _Run(layout, get_profile(profile), tasks, force, progress or (lambda step: None)).go(scheduler, stack)


class _Run:
    """One call of `run`: what is known, what is still to do."""

    def __init__(self, layout: Layout, profile: Profile, tasks: list[Task], force: bool, progress):
        self.layout, self.profile, self.progress = layout, profile, progress
        self.tasks = {task.name: task for task in tasks}
        self.known = {name: store.last(layout, profile.name, name) for name in self.tasks}
        self.results: dict[str, RunResult] = {}
        self.force, self.began = force, {}

    def go(self, scheduler: str | None, stack: ExitStack) -> list[RunResult]:
        """Reuse, then run what is left."""
        for task in self.tasks.values():
            found = None if self.force else store.reuse(self.layout, self.profile.name, task, self.known[task.name])
            if found:
                self._end(found)
        waiting = [task for name, task in self.tasks.items() if name not in self.results]
        client = stack.enter_context(schedule.connect(scheduler)) if scheduler and waiting else None
        if waiting and not self._gpu_missing(client):
            self._run(waiting, client)
        for task in waiting:
            if task.name not in self.results:
                self._end(self._result(task, "skipped", message="no CUDA device here; the gpu profile needs one"))
        return [self.results[name] for name in self.tasks]

    def _gpu_missing(self, client) -> bool:
        if self.profile.device == "cpu":
            return False
        return not (schedule.cluster_gpus(client) if client else gpu_names())

    def _run(self, waiting: list[Task], client) -> None:
        together = [self._job(task) for task in waiting if not task.alone]
        alone = [self._job(task) for task in waiting if task.alone]
        if client:
            outcomes = schedule.on_cluster(client, together, alone, self._start)
        else:
            outcomes = schedule.here(together, alone, self._start, self._cell)
        known = [self.known[task.name] for task in waiting]
        self.progress(Step("plan", "", cells=len(waiting), estimate_s=sum(r.seconds for r in known if r)))
        try:
            for name, outcome in outcomes:
                self._settle(self.tasks[name], outcome)
        except KeyboardInterrupt:
            done = sum(result.good for result in self.results.values())
            raise InterruptedRunError(
                f"interrupted: {done} of {len(self.tasks)} notebooks are finished and stay", "the same command goes on"
            ) from None
        finally:
            outcomes.close()

    def _job(self, task: Task) -> Job:
        return task.job(self.profile)

    def _start(self, name: str) -> None:
        self.began[name] = time.monotonic()
        known = self.known[name]
        self.progress(Step("start", name, estimate_s=known.seconds if known else 0.0))

    def _cell(self, name: str, k: int, n: int) -> None:
        self.progress(Step("cell", name, cell=k, cells=n))

    def _settle(self, task: Task, outcome: Outcome) -> None:
        """Write what came back, good or not, and say so."""
        result = self._result(
            task,
            outcome.status,
            seconds=round(outcome.seconds, 3),
            overhead_s=round(outcome.seconds - sum(outcome.cell_seconds), 3),
            peak_mb=outcome.peak_mb,
            cell=outcome.cell,
            message=outcome.message,
            cell_seconds=outcome.cell_seconds,
        )
        if result.good:
            store.save_good(result, outcome.notebook, task)
        else:
            store.save_failed(result, outcome.notebook)
        self._end(result)

    def _result(self, task: Task, status: str, **fields) -> RunResult:
        path = store.copy_path(self.layout, self.profile.name, task.name)
        return RunResult(task.name, self.profile.name, status, key=task.key, path=path, **fields)

    def _end(self, result: RunResult) -> None:
        self.results[result.chapter] = result
        self.progress(Step("end", result.chapter, status=result.status, message=result.message, seconds=result.seconds))
