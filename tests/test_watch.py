"""The memory that a run needs: children's too, and what they share with their parent once."""

import os
import signal
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from workbench.runner.session import Watch

MB = 200
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Linux counts shared memory"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@contextmanager
def child(make):
    """A forked child that calls `make`, keeps what it returns, and waits."""
    ready, tell = os.pipe()
    pid = os.fork()
    if not pid:
        kept = make()
        os.write(tell, b"x")
        time.sleep(60)
        os._exit(len(kept) == 0)
    try:
        os.read(ready, 1)
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(tell)


def megabytes():
    return np.ones(MB * 2**17)


def peak_with(make) -> float:
    with child(make):
        watch = Watch(os.getpid())
        watch.sample()
        return watch.peak_mb


def test_what_a_child_shares_counts_once_and_what_it_owns_counts(monkeypatch):
    monkeypatch.setattr("workbench.runner.session._high_water_mb", lambda pid: 0.0)
    held = megabytes()
    shared = peak_with(lambda: held)
    owned = peak_with(megabytes)
    assert abs(owned - shared - MB) < 0.2 * MB
    assert shared > MB


def test_without_linux_s_count_resident_memory_is_added_up(monkeypatch):
    monkeypatch.setattr("workbench.runner.session._high_water_mb", lambda pid: 0.0)
    held = megabytes()
    once = peak_with(lambda: held)
    monkeypatch.setattr("workbench.runner.session._told_mb", lambda pid, file, name: 0.0)
    assert peak_with(lambda: held) > once + 0.8 * MB
