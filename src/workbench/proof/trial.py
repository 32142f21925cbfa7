"""Run strange code, cell by cell, in a kernel that may be stopped, killed and started again."""

import re
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_core.utils import run_sync

from workbench.errors import WorkbenchError
from workbench.runner import kernel
from workbench.runner.session import Session, event_loop

START_S = 60
GRACE_S = 3.0  # an interrupted cell has this long to give in
POLL_S = 0.2
MAX_OUTPUT = 20 << 20  # characters; a cell that prints more is stopped before it fills this process's memory
WORDS = 200
_FILE = re.compile(r"\((?:[^(),]*, )?line (\d+)\)")  # "(3827461.py, line 2)": the number alone means something


@dataclass
class Ran:
    """What one cell did.  error: "NameError: …" or None; ended: (status, message) when it had to be stopped."""

    displayed: list[dict] = field(default_factory=list)
    error: str | None = None
    ended: tuple[str, str] | None = None
    printed: int = 0

    def records(self, mime: str) -> list[dict]:
        """The JSON records of one MIME type that the cell displayed."""
        return [data[mime] for data in self.displayed if isinstance(data.get(mime), dict)]


class Trial:
    """A kernel with limits.  After a kill it starts again and repeats the cells that had succeeded.

    time_s: for each cell; memory_mb: address space.  Used as a context; its working folder is thrown away.
    """

    def __init__(self, time_s: float, memory_mb: int):
        self.time_s, self.memory_mb = time_s, memory_mb
        self.session: Session | None = None
        self.client: BlockingKernelClient | None = None
        self.good: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> "Trial":
        self._stack.enter_context(event_loop())
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self._stack.callback(self._stop)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def run(self, source: str, keep: bool = True) -> Ran:
        """Run one cell.  keep: repeat it after a restart, if it succeeds."""
        if self.session is None:
            self._start()
        ran = self._execute(source)
        if ran.ended and ran.ended[0] in ("hung", "died"):
            ran.ended = ("stopped", ran.ended[1]) if ran.ended[0] == "hung" else self._death()
            self._stop()
        elif keep and not ran.error and not ran.ended:
            self.good.append(source)
        return ran

    def _start(self) -> None:
        self.session = Session()
        self.session.start(self.folder, kernel.environment(1, self.memory_mb))
        self.client = BlockingKernelClient()
        self.client.load_connection_info(self.session.manager.get_connection_info())
        self.client.start_channels(hb=False)  # a busy machine misses heartbeats; the process itself is asked
        if not self._answers():
            how = f"{self.session.how_it_ended()}: {self.session.last_words()}".rstrip(": ")
            raise WorkbenchError(f"the grader's kernel did not start ({how})", "give it more: --memory-mb")
        for source in self.good:
            self._execute(source)

    def _answers(self) -> bool:
        """Wait until the kernel is heard on IOPub, where outputs will arrive."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and run_sync(self.session.manager.is_alive)():
            self.client.kernel_info()
            with suppress(Empty):
                self.client.get_iopub_msg(timeout=1)
                return True
        return False

    def _stop(self) -> None:
        if self.client is not None:
            self.client.stop_channels()
        if self.session is not None:
            self.session.kill()
            self.session.stop()
        self.client = self.session = None

    def _death(self) -> tuple[str, str]:
        how = self.session.how_it_ended()
        return "died", f"the kernel ended ({how}): {self.session.last_words()}".rstrip(": ")

    def _execute(self, source: str) -> Ran:
        ran = Ran()
        asked = self.client.execute(source, store_history=False, allow_stdin=False, stop_on_error=False)
        deadline = time.monotonic() + self.time_s
        while not self._next(asked, ran):
            if ran.printed > MAX_OUTPUT:
                ran.ended = ("hung", f"stopped: it printed more than {MAX_OUTPUT >> 20} MB")
                return ran
            if time.monotonic() < deadline:
                continue
            if ran.ended:
                ran.ended = ("hung", ran.ended[1])
                return ran
            ran.ended = ("stopped", f"stopped after {self.time_s:g} s: does a loop end?")
            run_sync(self.session.manager.interrupt_kernel)()
            deadline = time.monotonic() + GRACE_S
        return ran

    def _next(self, asked: str, ran: Ran) -> bool:
        """Take one message in; True when the cell has come to an end, or its kernel has."""
        try:
            message = self.client.get_iopub_msg(timeout=POLL_S)
        except Empty:
            if not run_sync(self.session.manager.is_alive)():
                ran.ended = ("died", "")
            return bool(ran.ended) and ran.ended[0] == "died"
        if message["parent_header"].get("msg_id") != asked:
            return False
        content = message["content"]
        ran.printed += sum(len(str(value)) for value in content.values())
        match message["msg_type"]:
            case "display_data" | "execute_result":
                ran.displayed.append({k: v for k, v in content["data"].items() if k.endswith("+json")})
            case "error" if ran.error is None:
                ran.error = _one_line(content["ename"], content["evalue"])
            case "status":
                return content["execution_state"] == "idle"
        return False


def _one_line(name: str, value: str) -> str:
    """("SyntaxError", "'(' was never closed (17.py, line 2)") → "SyntaxError: '(' was never closed (line 2)"."""
    words = _FILE.sub(r"(line \1)", value)
    return " ".join(f"{name}: {words}".split()).rstrip(":")[:WORDS]
