"""Run a command that never outlives its owner: `python -m workbench.leash COMMAND …`.

The owner holds the other end of standard input.  When it closes, because the owner let go or died in whatever way, the
command and all its children are asked to leave and, after a moment, ended.  A process of its own, so that it also works
when the owner is killed outright and when the command is busy in native code.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

GRACE_S = 3.0
LOOK_S = 0.2


def main(command: list[str]) -> int:
    """Run `command` until it ends or standard input closes.  Returns its exit status."""
    owner = os.getppid()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(_end(process)))
    while process.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK_S)
        let_go = readable and not os.read(sys.stdin.fileno(), 1)
        if let_go or os.getppid() != owner:  # a fork of the owner may hold the input open after its death
            return _end(process)
    _signal_group(process, signal.SIGKILL)  # children that it left behind
    return process.returncode


def _end(process: subprocess.Popen) -> int:
    _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    _signal_group(process, signal.SIGKILL)
    return process.wait()


def _signal_group(process: subprocess.Popen, name: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, name)


def die_with_parent() -> None:
    """Linux: the command is killed when this leash is.  Elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
