"""Start several processes that train together, by torchrun, and give them functions of the notebook to run.

They never outlive the notebook: `workbench.leash` ends the launcher when the kernel lets go, fails or dies, and a rank
whose launcher is gone ends with it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from workbench.errors import WorkbenchError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOOK_S, LEAVE_S = 0.005, 8.0


class Ranks:
    """Processes of one torch.distributed group (gloo, this machine only).  pids: one per rank.

    Use it in a `with` block, or call `stop`.  Both may happen twice.
    """

    def __init__(self, count: int, leash: subprocess.Popen, folder: tempfile.TemporaryDirectory, ready_s: float):
        self.count, self.pids, self._jobs, self._ready_s = count, [], 0, ready_s
        self._leash, self._folder = leash, Path(folder.name)
        self._release = weakref.finalize(self, _let_go, leash, folder)

    def run(self, function: Callable, *args, within_s: float = 120.0, **options) -> list:
        """Call function(*args, **options) in every rank at once; their answers, in the order of the ranks.

        function travels by value.  It returns what JSON can say, or a dict that may also hold tensors.
        Raises WorkbenchError with the first rank's words when one raises or dies, and when it takes longer than
        `within_s`; all ranks are ended then.
        """
        self.meet()
        return self._do(function, args, options, within_s)

    def meet(self) -> None:
        """Wait until all ranks are there.  Raises WorkbenchError as `run`."""
        if not self.pids:
            self.pids = self._do(os.getpid, (), {}, self._ready_s)

    def _do(self, function: Callable, args: tuple, options: dict, within_s: float) -> list:
        import cloudpickle

        if not self._release.alive:
            raise WorkbenchError("these ranks have been stopped", "start new ones")
        job, self._jobs = self._jobs, self._jobs + 1
        partial = self._folder / "job.partial"
        partial.write_bytes(cloudpickle.dumps((function, args, options)))
        partial.replace(self._folder / f"{job}.job")
        try:
            return self._answers(job, time.monotonic() + within_s, within_s)
        except BaseException:
            self.stop()
            raise

    def _answers(self, job: int, deadline: float, within_s: float) -> list:
        stems = [self._folder / f"{job}.{rank}" for rank in range(self.count)]
        while not all(stem.with_name(stem.name + ".json").exists() for stem in stems):
            if self._leash.poll() is not None:
                raise WorkbenchError(f"training ended: {_reason(self._folder)}", "correct its code")
            if time.monotonic() > deadline:
                raise WorkbenchError(f"the ranks did not answer within {within_s:g} s", "raise within_s")
            time.sleep(LOOK_S)
        return [_get(stem) for stem in stems]

    def stop(self) -> None:
        """End all ranks and wait until they are gone."""
        self._release()

    def __enter__(self) -> "Ranks":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Ranks({self.count}, {'running' if self._release.alive else 'stopped'})"


def start_ranks(
    count: int = 2, *, threads: int = 1, timeout_s: float = 30.0, ready_s: float = 60.0, wait: bool = True
) -> Ranks:
    """Start `count` ranks with `threads` threads each, through torchrun, and wait until they have met.

    timeout_s: how long a collective operation waits for another rank before it raises;
    wait=False: come back at once, and wait at the first `run`; starting takes seconds.
    Raises WorkbenchError, with the first words that failed, when they do not meet within `ready_s`.
    """
    if min(count, threads) < 1:
        raise ValueError(f"count and threads must be at least 1, got {count} and {threads}")
    folder = tempfile.TemporaryDirectory(prefix="workbench-ranks-")
    (Path(folder.name) / "settings.json").write_text(json.dumps({"threads": threads, "timeout_s": timeout_s}))
    found = os.pathsep.join(filter(None, sys.path))  # the ranks import from where this process does
    environment = {**os.environ, "PYTHONPATH": found, **{name: str(threads) for name in THREADS}}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command = [sys.executable, "-m", "workbench.leash", *torchrun, "-m", "workbench.ranked", folder.name]
    with (Path(folder.name) / "log").open("wb") as log:
        leash = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment)
    ranks = Ranks(count, leash, folder, ready_s)
    if wait:
        ranks.meet()
    return ranks


def _get(stem: Path) -> object:
    found = json.loads(stem.with_name(stem.name + ".json").read_text())
    if "answer" in found:
        return found["answer"]
    if not found["tensors"]:
        return found["fields"]
    from safetensors.torch import load_file

    return found["fields"] | load_file(stem.with_name(stem.name + ".safetensors"))


def _reason(folder: Path) -> str:
    """Why training ended, in one line: which rank was killed, else the words of the first that raised.

    In this order because the survivors of a death raise too: "Connection closed by peer".
    """
    log = (folder / "log").read_text(errors="replace")
    ended = re.findall(r"rank\s*:\s*(\d+).*\n\s*exitcode\s*:\s*-(\d+)", log)  # of torchrun's report
    killed = [(rank, int(number)) for rank, number in ended if int(number) != signal.SIGTERM]  # that one is torchrun's
    if killed:
        return f"rank {killed[0][0]} was ended by {signal.Signals(killed[0][1]).name}"
    said = [path for path in folder.glob("error.?*") if path.suffix != ".partial"]
    if said:
        return min(said, key=lambda path: path.stat().st_mtime_ns).read_text()
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _let_go(leash: subprocess.Popen, folder: tempfile.TemporaryDirectory) -> None:
    """Close the leash's standard input, which ends the launcher and its ranks; insist when that does not help."""
    leash.stdin.close()
    try:
        leash.wait(timeout=LEAVE_S)
    except subprocess.TimeoutExpired:
        leash.send_signal(signal.SIGKILL)
        leash.wait()
    folder.cleanup()
