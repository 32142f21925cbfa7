"""Start a server in a process of its own, on a free loopback port, for as long as the notebook wants it.

It never outlives the notebook: `workbench.leash` ends it when the kernel lets go, fails or dies.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from workbench.errors import WorkbenchError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Server:
    """A running server.  url: where it answers; pid: its process; model: the name clients ask for, if any.

    Use it in a `with` block, or call `stop`.  Both may happen twice.
    """

    def __init__(self, leash: subprocess.Popen, folder: tempfile.TemporaryDirectory, ready: dict):
        self.url, self.pid, self.model = ready["url"], ready["pid"], ready.get("model", "")
        self._process = psutil.Process(self.pid)
        self._release = weakref.finalize(self, _let_go, leash, folder)

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        self._release()

    def cpu_s(self) -> float:
        """Processor seconds that the server has used so far, over all its threads."""
        used = self._process.cpu_times()
        return used.user + used.system

    def memory_mb(self) -> float:
        """Resident memory of the server's process."""
        return self._process.memory_info().rss / 2**20

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def __repr__(self) -> str:
        return "Server(stopped)" if not self._release.alive else "Server(running)"  # no port: this text is compared


def serve(build: Callable, *args, threads: int = 1, ready_s: float = 60.0, **options) -> Server:
    """Serve the ASGI app that `build(*args, **options)` returns, over HTTP on a free port of this machine only.

    build of a notebook travels by value: it imports what it needs and loads its model inside itself, over there.
    threads: what BLAS, OpenMP and torch may use there.  The call returns once the app answers.
    Raises WorkbenchError, with the server's last words, when `build` raises or takes longer than `ready_s`.
    """
    return _start("asgi", build, args, options, threads, ready_s)


def serve_llm(
    model: str | Path = "smollm2",
    *,
    threads: int = 1,
    slots: int = 1,
    context: int = 2048,
    ready_s: float = 60.0,
    adapters: Sequence[Path] = (),
) -> Server:
    """Serve a registered GGUF model through llama.cpp, with OpenAI's HTTP interface under `url` + "/v1".

    model: its name, or the Path of a GGUF file of your own;
    slots: requests answered at the same time (continuous batching); context: tokens for each of them;
    adapters: GGUF files of LoRA adapters (`adapter_files`), loaded beside the model at scale 0: a request says which it
    wants, as in {"lora": [{"id": 0, "scale": 1.0}]}.
    Raises UnknownNameError, WorkbenchError as `serve`, ValueError for counts below one.
    """
    if min(threads, slots, context) < 1:
        raise ValueError(f"threads, slots and context must be at least 1, got {threads}, {slots}, {context}")
    from workbench.models import model_file
    from workbench.served import run_llama

    path, name = (model, model.stem) if isinstance(model, Path) else (model_file(model), model)
    options = {"threads": threads, "slots": slots, "context": context, "name": name}
    options["adapters"] = tuple(map(str, adapters))
    return _start("self", run_llama, (str(path),), options, threads, ready_s)


def _start(kind: str, build: Callable, args: tuple, options: dict, threads: int, ready_s: float) -> Server:
    import cloudpickle

    folder = tempfile.TemporaryDirectory(prefix="workbench-server-")
    (Path(folder.name) / "app.pickle").write_bytes(cloudpickle.dumps((kind, build, args, options, threads)))
    found = os.pathsep.join(filter(None, sys.path))  # the new process imports from where this one does
    environment = {**os.environ, "PYTHONPATH": found, **{name: str(threads) for name in THREADS}}
    command = [sys.executable, "-m", "workbench.leash", sys.executable, "-m", "workbench.served", folder.name]
    with (Path(folder.name) / "log").open("wb") as log:
        leash = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment)
    try:
        return Server(leash, folder, _wait(leash, Path(folder.name), ready_s))
    except BaseException:
        _let_go(leash, folder)
        raise


def _wait(leash: subprocess.Popen, folder: Path, ready_s: float) -> dict:
    deadline = time.monotonic() + ready_s
    while time.monotonic() < deadline:
        if (folder / "ready.json").exists():
            return json.loads((folder / "ready.json").read_text())
        if leash.poll() is not None:
            raise WorkbenchError(f"the server ended before it answered: {_last_words(folder)}", "correct its code")
        time.sleep(0.02)
    raise WorkbenchError(f"the server did not answer within {ready_s:g} s: {_last_words(folder)}", "raise ready_s")


def _last_words(folder: Path) -> str:
    lines = [line.strip() for line in (folder / "log").read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _let_go(leash: subprocess.Popen, folder: tempfile.TemporaryDirectory) -> None:
    """Close the leash's standard input, which ends the server; insist when that does not help."""
    leash.stdin.close()
    try:
        leash.wait(timeout=8)
    except subprocess.TimeoutExpired:
        leash.send_signal(signal.SIGKILL)
        leash.wait()
    folder.cleanup()
