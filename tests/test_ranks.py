"""Processes that train together: they answer, they say why when they cannot, and none stays behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from workbench.errors import WorkbenchError
from workbench.ranks import start_ranks

GONE_S = 8.0


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def are_gone(pids) -> bool:
    """Are all these processes away within GONE_S?"""
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline:
        if not any(map(runs, pids)):
            return True
        time.sleep(0.05)
    return False


def add_up(start):
    import torch
    import torch.distributed as dist

    total = torch.tensor([start + dist.get_rank()])
    dist.all_reduce(total)
    return {"rank": dist.get_rank(), "threads": torch.get_num_threads(), "total": total}


def fail_on_one():
    import torch
    import torch.distributed as dist

    if dist.get_rank() == 1:
        raise ValueError("no data for me")
    dist.all_reduce(torch.zeros(1))


def die_on_one():
    import torch
    import torch.distributed as dist

    if dist.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    dist.all_reduce(torch.zeros(1))


def test_ranks_answer_together_in_order_and_are_gone_after_the_block():
    with start_ranks(2) as ranks:
        first, second = ranks.run(lambda start: add_up(start), 5)
        assert (first["rank"], second["rank"]) == (0, 1)
        assert first["threads"] == second["threads"] == 1
        assert first["total"].tolist() == second["total"].tolist() == [11]
        assert ranks.run(os.getpid) == ranks.pids
        assert repr(ranks) == "Ranks(2, running)"
    assert are_gone(ranks.pids)
    with pytest.raises(WorkbenchError, match="have been stopped"):
        ranks.run(os.getpid)


@pytest.mark.parametrize(
    ("job", "words"), [(fail_on_one, "rank 1 raised ValueError: no data for me"), (die_on_one, "rank 1 .*SIGKILL")]
)
def test_one_rank_that_fails_ends_all_and_is_named(job, words):
    ranks = start_ranks(2)
    with pytest.raises(WorkbenchError, match=words):
        ranks.run(job)
    assert are_gone(ranks.pids)


def test_nothing_is_left_when_the_launcher_is_killed_outright():
    ranks = start_ranks(2)
    launcher = psutil.Process(ranks.pids[0]).parent()
    os.kill(launcher.pid, signal.SIGKILL)
    assert are_gone([launcher.pid, *ranks.pids])
    with pytest.raises(WorkbenchError, match="training ended"):
        ranks.run(os.getpid)


def test_nothing_is_left_when_the_owner_is_killed_in_mid_job():
    owner = textwrap.dedent("""
        import time
        from workbench.ranks import start_ranks
        ranks = start_ranks(2)
        print(*ranks.pids, flush=True)
        ranks.run(time.sleep, 600)
    """)
    process = subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True)
    with process:
        pids = [int(word) for word in process.stdout.readline().split()]
        process.kill()
        process.wait()
        assert len(pids) == 2
        assert are_gone(pids)


def test_a_count_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        start_ranks(0)
