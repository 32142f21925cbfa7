"""Servers of notebooks: they answer, they say why when they cannot, and they never outlive whoever started them."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import httpx
import psutil
import pytest
from served_apps import broken, say, slow

from workbench import serve, serve_llm, serving
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.runner import execute

GONE_S = 6.0


def is_gone(pid: int) -> bool:
    """Is the process away within GONE_S?"""
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_server_answers_on_loopback_with_its_threads_and_is_gone_after_the_block():
    with serve(say, "hello", threads=3) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert httpx.get(server.url).json() == {"word": "hello", "threads": "3"}
        assert server.cpu_s() > 0
        assert server.memory_mb() > 5
        assert repr(server) == "Server(running)"
    assert not psutil.pid_exists(server.pid)
    server.stop()
    assert repr(server) == "Server(stopped)"


def test_two_servers_take_two_ports():
    with serve(say, "one") as one, serve(say, "two") as two:
        assert [httpx.get(s.url).json()["word"] for s in (one, two)] == ["one", "two"]


def test_a_server_that_nobody_holds_any_more_is_ended():
    server = serve(say, "forgotten")
    pid = server.pid
    del server
    assert is_gone(pid)


def test_a_server_that_does_not_want_to_leave_is_ended():
    with serve(say, "stubborn", stubborn=True) as server:
        httpx.get(server.url)
    assert not psutil.pid_exists(server.pid)


def test_a_failing_cell_ends_the_block_and_the_server():
    with pytest.raises(ZeroDivisionError), serve(say, "x") as server:
        1 / 0  # noqa: B018
    assert not psutil.pid_exists(server.pid)


@pytest.mark.parametrize(
    ("build", "seconds", "complaint"),
    [(broken, 60, "ended before it answered: ValueError: no such model"), (slow, 0.5, "did not answer within 0.5 s")],
)
def test_a_server_that_never_answers_says_why_in_one_line_and_leaves_nothing(build, seconds, complaint):
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(WorkbenchError, match=complaint) as refused:
        serve(build, "now", ready_s=seconds)
    assert "\n" not in str(refused.value)
    assert set(psutil.Process().children(recursive=True)) <= before


OWNER = """
import os, pathlib, sys, time
sys.path.insert(0, {tests!r})
from workbench import serve
from served_apps import say

server = serve(say, "x", stubborn=True)
import httpx; httpx.get(server.url)
pathlib.Path({note!r}).write_text(str(server.pid))
{ending}
"""
ENDINGS = {
    "killed outright": "os.kill(os.getpid(), 9)",
    "crashed in native code": "import ctypes; ctypes.string_at(0)",
    "left without a word": "os._exit(0)",
    "ended normally": "",
    "ended by an exception": "1 / 0",
    "killed while a fork of it lives on": "child = os.fork()\nif child: os.kill(os.getpid(), 9)\ntime.sleep(8)",
}


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_server_is_gone_soon_after_its_owner(ending, tmp_path):
    note = tmp_path / "pid"
    code = OWNER.format(tests=os.path.dirname(__file__), note=str(note), ending=ending)
    subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
    assert is_gone(int(note.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends a process with its parent on Linux only")
def test_a_server_does_not_outlive_its_leash():
    with serve(say, "x") as server:
        psutil.Process(server.pid).parent().send_signal(signal.SIGKILL)
        assert is_gone(server.pid)


CELL = """
import pathlib
from workbench import serve

def build():
    from starlette.applications import Starlette
    return Starlette()

server = serve(build)
pathlib.Path({note!r}).write_text(str(server.pid))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "status"),
    [("", "ok"), ("1 / 0", "raised"), ("import os; os.kill(os.getpid(), 9)", "died")],
    ids=["all is well", "a cell fails", "the kernel dies"],
)
def test_no_server_outlives_the_run_of_its_notebook(ending, status, empty_book, tmp_path):
    note = tmp_path / "pid"
    empty_book.chapter("00_serve", CELL.format(note=str(note)), ending)
    [result] = execute.run(empty_book.layout, ["00"])
    assert result.status == status
    assert is_gone(int(note.read_text()))


def test_the_leash_passes_on_how_its_command_ended():
    command = [sys.executable, "-m", "workbench.leash", sys.executable, "-c", "raise SystemExit(7)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as leash:
        assert leash.wait(20) == 7


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"slots": -1}, {"context": 0}])
def test_counts_below_one_are_refused_before_anything_starts(wrong):
    with pytest.raises(ValueError, match="must be at least 1"):
        serve_llm("smollm2", **wrong)


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="smollm2"):
        serve_llm("smolm2")


@pytest.mark.slow
def test_a_language_model_answers_openais_client_and_streams():
    from openai import OpenAI

    with serve_llm("smollm2", threads=2, slots=2, context=512) as llm:
        client = OpenAI(base_url=f"{llm.url}/v1", api_key="none")
        ask = {"model": llm.model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        whole = client.chat.completions.create(**ask, temperature=0)
        assert llm.model == "smollm2"
        assert 1 <= whole.usage.completion_tokens <= 8
        pieces = [
            c.choices[0].delta.content or "" for c in client.chat.completions.create(**ask, temperature=0, stream=True)
        ]
        assert "".join(pieces) == whole.choices[0].message.content
        client.close()
    assert not psutil.pid_exists(llm.pid)


def test_the_servers_log_is_read_for_its_last_words(tmp_path):
    (tmp_path / "log").write_text(textwrap.dedent("first\nlast  \n\n"))
    assert serving._last_words(tmp_path) == "last"
