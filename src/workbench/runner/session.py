"""The life of one kernel: started, watched, stopped, and every process it left behind ended."""

import asyncio
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from threading import Event, Thread

import psutil
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync

from workbench.runner import kernel

SAMPLE_S = 0.25  # memory of the kernel and its children is read this often
GRACE_S = 3.0  # a kernel that was asked to leave (exit hooks run) is killed after this
LONGEST_SOCKET = 90  # a Unix socket's path has about 104 characters at most


class _ThisInterpreter(KernelSpecManager):
    """Knows one kernel: `kernel.py`, run by this interpreter, whatever name a notebook asks for."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-u", str(Path(kernel.__file__)), "-f", "{connection_file}"]
        return KernelSpec(argv=argv, name=kernel_name, display_name="Python", language="python")


class Client(AsyncKernelClient):
    """A client that is ready as soon as the kernel answers (the stock one then waits 0.2 s for silence)."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for a reply on the shell channel and for life on IOPub.  Raises RuntimeError."""
        deadline = time.monotonic() + (timeout or 60)
        self.kernel_info()
        await self._first(self.shell_channel, deadline)
        while not await self._heard(self.iopub_channel, 0.5):  # subscribed too late to hear the first answer
            self.kernel_info()
            await self._first(self.shell_channel, deadline)

    async def _first(self, channel, deadline: float) -> None:
        while not await self._heard(channel, 0.1):
            if not await self.parent.is_alive():
                raise RuntimeError("the kernel ended before it answered")
            if time.monotonic() > deadline:
                raise RuntimeError("the kernel did not answer in time")

    @staticmethod
    async def _heard(channel, timeout: float) -> bool:
        with suppress(Empty):
            await channel.get_msg(timeout=timeout)
            return True
        return False


class Kernel(AsyncKernelManager):
    """A kernel manager of this interpreter's own kernel."""

    def __init__(self, folder: str):
        ipc = hasattr(os, "fork") and len(folder) < LONGEST_SOCKET
        where = {"transport": "ipc", "ip": os.path.join(folder, "k")} if ipc else {}
        super().__init__(
            kernel_name="python3",
            client_factory=Client,
            kernel_spec_manager=_ThisInterpreter(),
            connection_file=os.path.join(folder, "kernel.json"),
            **where,
        )


class Watch(Thread):
    """Samples the memory of a process and its descendants, and remembers them all, to end them later."""

    def __init__(self, pid: int):
        super().__init__(daemon=True, name=f"watch {pid}")
        self.peak_mb, self.family = 0.0, {}
        self._root, self._done = psutil.Process(pid), Event()

    def run(self) -> None:
        while not self._done.is_set():
            self.sample()
            self._done.wait(SAMPLE_S)

    def sample(self) -> None:
        """Add up resident memory now; a process that ends meanwhile counts as nothing.

        What a forked child shares with its parent is resident in both.  Only a sum that would be the new peak is worth
        the slower count, in which shared memory stands once.
        """
        alive = [self._root]
        with suppress(psutil.Error):
            alive += self._root.children(recursive=True)
        self.family |= {process.pid: process for process in alive}
        total = sum(map(_resident_mb, alive))
        if total > self.peak_mb and len(alive) > 1:
            total = sum(map(_proportional_mb, alive))
        self.peak_mb = max(self.peak_mb, total, _high_water_mb(self._root.pid))

    def note_peak(self) -> None:
        """Look at the kernel's own peak only: microseconds, for the moment before a cell."""
        self.peak_mb = max(self.peak_mb, _high_water_mb(self._root.pid))

    def end(self) -> None:
        """Take a last sample and stop."""
        self.sample()
        self._done.set()
        self.join()

    def kill(self) -> None:
        """End every process of the family that still runs (psutil refuses a pid that was given to another)."""
        alive = [process for process in list(self.family.values()) if process.is_running()]
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=GRACE_S)


def _resident_mb(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return process.memory_info().rss / 2**20
    return 0.0


def _proportional_mb(process: psutil.Process) -> float:
    """Resident memory, a page that n processes share counted as 1/n of it; all of it where Linux's count is missing."""
    return _told_mb(process.pid, "smaps_rollup", "Pss:") or _resident_mb(process)


def _high_water_mb(pid: int) -> float:
    """Linux's own record of the process's peak, between samples too; 0 elsewhere."""
    return _told_mb(pid, "status", "VmHWM:")


def _told_mb(pid: int, file: str, name: str) -> float:
    """A line "name 1234 kB" of /proc/pid/file; 0 where there is none."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    return 0.0


class Session:
    """One kernel in one folder.  `manager` goes to nbclient, which starts the process when it needs it."""

    def __init__(self):
        self.folder = kernel.private_folder()
        self.manager = Kernel(self.folder)
        self.watch: Watch | None = None
        self.killed = False
        self._log = open(self.log_path, "wb")  # noqa: SIM115 - closed in stop

    @property
    def log_path(self) -> Path:
        return Path(self.folder, "kernel.log")

    def start(self, cwd: Path, env: dict[str, str]) -> None:
        """Launch the process; nbclient then waits until it answers."""
        run_sync(self.manager.start_kernel)(cwd=str(cwd), env=env, stdout=self._log, stderr=self._log)
        self.watch = Watch(self.manager.provisioner.pid)
        self.watch.start()

    def how_it_ended(self) -> str:
        """Why the process is gone, as far as anybody knows: "killed by SIGKILL", "left with status 3"."""
        code = run_sync(self.manager.provisioner.poll)() if self.manager.provisioner else None
        if code is None:
            return "not ended"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"left with status {code}"

    def last_words(self) -> str:
        """The last line that the process wrote by itself."""
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else ""

    def kill(self) -> None:
        """End the kernel and its children now; any thread may call this."""
        if self.watch and not self.killed:
            self.killed = True
            self.watch.sample()
            self.watch.kill()

    def stop(self) -> float:
        """Ask the kernel to leave, then end what is left of it and remove its folder.  Returns its peak (MB)."""
        with suppress(Exception):
            if self.watch and run_sync(self.manager.is_alive)():
                self.watch.sample()
                run_sync(self.manager.request_shutdown)()
                self.watch.family[self.manager.provisioner.pid].wait(GRACE_S)
        if self.watch:
            self.watch.end()
            self.watch.kill()
        with suppress(Exception):
            run_sync(self.manager.provisioner.wait)()
        with suppress(Exception):
            run_sync(self.manager.cleanup_resources)()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.watch.peak_mb if self.watch else 0.0


@contextmanager
def event_loop():
    """An event loop for this thread alone, closed at the end, so that none is left open."""
    loop = ensure_event_loop()
    try:
        yield loop
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.set_event_loop(None)
