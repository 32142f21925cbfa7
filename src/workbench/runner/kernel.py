"""A kernel of our own for each notebook: this interpreter, a memory limit, and nothing left behind.

No installed kernelspec is looked up: `Kernel` runs this very file with the running interpreter.  Messages travel
over Unix sockets where there are any, so that a machine with its network cut, loopback too, still runs the book.
Run as a program, this file sets the address-space limit and then becomes ipykernel.
"""

import atexit
import glob
import os
import shutil
import sys
import tempfile
import threading

LIMIT_VARIABLE = "WORKBENCH_KERNEL_MEMORY_MB"


def main() -> None:
    """Limit this process's address space (RLIMIT_AS), then run ipykernel in it."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    limit_memory(int(os.environ.pop(LIMIT_VARIABLE, "0")))
    from ipykernel.kernelapp import launch_new_instance

    sys.path.insert(0, "")  # as in JupyterLab: the notebook's own folder comes first
    launch_new_instance()
    leave()


def leave() -> None:
    """Run all exit hooks, then go without taking every module apart: with torch loaded that takes over a second."""
    threading._shutdown()  # waits for threads, as the interpreter's own end does first
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def limit_memory(memory_mb: int) -> None:
    """Refuse this process more than memory_mb of address space; 0 = no limit.  Windows has no such limit."""
    if memory_mb <= 0 or sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def environment(threads: int | None, memory_mb: int = 0) -> dict[str, str]:
    """The kernel's environment: no network for models, waiting threads sleep, `threads` per library (None: its own).

    TMPDIR and the rest are inherited.
    """
    env = dict(os.environ) | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONHASHSEED": "0",  # sets print in the same order on every run
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        LIMIT_VARIABLE: str(memory_mb),
    }
    if threads is not None:
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
        env |= dict.fromkeys(names, str(threads)) | {"TOKENIZERS_PARALLELISM": "false"}
    return env


def private_folder() -> str:
    """A new folder for one kernel's sockets, connection file and log; only this user may look into it.

    Folders of drivers that were killed, and could not tidy up, go first.
    """
    for old in glob.glob(os.path.join(tempfile.gettempdir(), "wb-*-*")):
        owner = os.path.basename(old).split("-")[1]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(old, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"wb-{os.getpid()}-")


def _runs(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid)


if __name__ == "__main__":
    main()
