"""Bad input for the runner: each leaves one clear line, and the last good result as it was."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from conftest import Book, make_book

from workbench.errors import CheckFailedError, WorkbenchError
from workbench.layout import Layout
from workbench.profiles import PROFILES, Profile
from workbench.runner import execute, notebooks
from workbench.runner.refresh import refresh

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def good_tree(tmp_path_factory):
    """A checkout whose one chapter ran well."""
    book = make_book(tmp_path_factory.mktemp("good") / "book")
    book.chapter("00_first", "print('good')")
    execute.run(book.layout)
    return book.layout.root


@pytest.fixture
def good(good_tree, tmp_path):
    """Replaces the chapter by a bad one and runs it: the last good copy must stay."""
    root = tmp_path / "book"
    shutil.copytree(good_tree, root)
    empty_book = Book(Layout(root))
    [result] = execute.run(empty_book.layout)
    assert result.status == "cached"
    kept = {path: path.read_bytes() for path in (result.path, result.path.with_suffix(".run.json"))}

    def run_bad(*cells: str, **how):
        source = empty_book.chapter("00_first", *cells, **how)
        before = source.read_bytes()
        [bad] = execute.run(empty_book.layout)
        assert {path: path.read_bytes() for path in kept} == kept
        assert source.read_bytes() == before
        assert "\n" not in bad.message
        assert not bad.good
        return bad

    run_bad.layout = empty_book.layout
    run_bad.book = empty_book
    return run_bad


def limit_time(monkeypatch, seconds: float):
    """Let the cpu profile's notebooks take `seconds`."""
    monkeypatch.setattr("workbench.runner.plan.TIME_FACTOR", seconds / PROFILES["cpu"].budget_s)


def test_an_error_in_a_cell_names_cell_class_and_message(good):
    bad = good("x = 1", "def f():\n    raise KeyError('which')\n\nf()", "never = 1")
    assert (bad.status, bad.cell) == ("raised", 3)
    assert bad.message == "cell 3 (c2) raised KeyError: 'which'"


def test_an_error_of_many_lines_is_one_line(good):
    bad = good("raise ValueError('first\\nsecond\\n' + 'x' * 9000)")
    assert bad.message == "cell 2 (c1) raised ValueError: first"


def test_a_failed_attempt_is_kept_beside_the_good_copy_until_it_works(good):
    bad = good("print('so far')", "1 / 0")
    attempt = bad.path.parent / "failed" / bad.path.name
    assert "so far" in attempt.read_text()
    good.book.chapter("00_first", "1")
    assert execute.run(good.layout)[0].status == "ok"
    assert not attempt.exists()


def test_a_syntax_error_is_reported_as_one(good):
    bad = good("x = = 1")
    assert bad.status == "raised"
    assert "SyntaxError: invalid syntax" in bad.message


def test_a_cell_that_never_ends_is_stopped_and_its_processes_are_gone(good, monkeypatch, tmp_path):
    limit_time(monkeypatch, 4)
    pids = tmp_path / "pids"
    spin = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'while True: pass'], start_new_session=True)\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "import time; time.sleep(0.6)\n"
        "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass"
    )
    bad = good("1", spin)
    assert (bad.status, bad.chapter, bad.cell) == ("timed_out", "00_first", 3)
    assert bad.message == "cell 3 (c2) was stopped: the notebook's time limit is 4 s"
    assert not any(psutil.pid_exists(int(pid)) for pid in pids.read_text().split())


def test_the_time_limit_is_the_notebooks_not_each_cells(good, monkeypatch):
    limit_time(monkeypatch, 2)
    bad = good(*["import time; time.sleep(0.6)"] * 8)
    assert bad.status == "timed_out"
    assert bad.cell < 9  # each cell alone is far below the limit


def test_a_kernel_killed_in_mid_cell_died(good):
    bad = good("1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert (bad.status, bad.cell) == ("died", 3)
    assert "the kernel died in cell 3 (c2): killed by SIGKILL" in bad.message


def test_a_kernel_killed_from_outside_died(good, tmp_path):
    marker = tmp_path / "pid"
    source = f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    program = f"import os, time\nwhile not os.path.exists({str(marker)!r}) or not open({str(marker)!r}).read(): "
    program += f"time.sleep(.05)\nos.kill(int(open({str(marker)!r}).read()), {int(signal.SIGSEGV)})"
    killer = subprocess.Popen([sys.executable, "-c", program])
    bad = good(source)
    assert killer.wait() == 0
    assert (bad.status, bad.cell) == ("died", 2)
    assert "SIGSEGV" in bad.message


def test_a_cell_that_leaves_the_interpreter_is_no_success(good):
    assert "left with status 0" in good("import os\nos._exit(0)", "1").message
    bad = good("import sys\nsys.exit()", "never = 1")
    assert bad.status == "raised"
    assert "SystemExit" in bad.message


def test_thirty_gigabytes_are_refused_and_the_message_names_memory(good):
    bad = good("hog = bytearray(30 << 30)")
    assert bad.status == "raised"
    assert bad.message.startswith("cell 2 (c1) raised MemoryError")
    assert bad.message.endswith("the kernel's memory limit is 16384 MB")


def test_the_memory_limit_follows_the_profile(good, monkeypatch):
    small = Profile("cpu", "tiny", "cpu", 90, 256, True)
    monkeypatch.setitem(PROFILES, "cpu", small)
    assert "memory limit is 1024 MB" in good("hog = bytearray(1 << 30)").message


def test_a_notebook_that_prints_without_end_is_stopped(good, monkeypatch):
    monkeypatch.setattr("workbench.runner.engine.MAX_OUTPUT_MB", 1)
    bad = good("while True: print('x' * 1000)")
    assert bad.status == "raised"
    assert "outputs exceed 1 MB" in bad.message


def test_a_kernel_that_cannot_start_says_so(good, monkeypatch):
    monkeypatch.setitem(PROFILES, "cpu", Profile("cpu", "tiny", "cpu", 90, 8, True))
    bad = good("1")
    assert (bad.status, bad.cell) == ("could_not_start", None)
    assert "the kernel did not start" in bad.message


def test_no_room_for_a_kernels_files_is_one_line(good, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    bad = good("1")
    assert bad.status == "could_not_start"
    assert "no folder for the kernel's files" in bad.message


def test_no_folder_of_a_kernel_stays_behind(good, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    good("1 / 0")
    good("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert list(tmp_path.glob("wb-*")) == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="half-written"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: "\x00\x01\x02", id="binary"),
        pytest.param(lambda text: "[]", id="no notebook"),
        pytest.param(lambda text: text.replace('"code"', '"cod"'), id="unknown cell type"),
        pytest.param(lambda text: text.replace('"nbformat": 4', '"nbformat": 3'), id="old format"),
    ],
)
def test_a_corrupt_notebook_is_refused_before_anything_runs(tiny_book, damage):
    path = tiny_book.layout.chapter("01")
    path.write_text(damage(path.read_text()))
    steps = []
    with pytest.raises(WorkbenchError, match=r"notebooks/01_wait.ipynb is not a readable notebook.*git checkout"):
        execute.run(tiny_book.layout, progress=steps.append)
    assert steps == []


def test_a_missing_notebook_is_refused(tiny_book):
    tiny_book.layout.chapter("01").unlink()
    with pytest.raises(WorkbenchError, match=r"notebooks/01_wait.ipynb is not there"):
        execute.run(tiny_book.layout)


def test_a_chapter_without_a_parameters_cell_is_refused(tiny_book):
    tiny_book.chapter("02_bare", "1", profile=None)
    with pytest.raises(WorkbenchError, match="unknown parameter of 02_bare 'profile'"):
        execute.run(tiny_book.layout)


def test_a_computed_parameter_is_refused(tiny_book):
    tiny_book.edit("00_add", "seed = 0", "seed = len(profile)")
    with pytest.raises(WorkbenchError, match="parameter 'seed' is not a literal"):
        execute.run(tiny_book.layout)


def test_a_full_disk_is_refused_before_anything_runs(tiny_book, monkeypatch):
    monkeypatch.setattr("workbench.runner.plan.MIN_FREE_MB", 1 << 40)
    steps = []
    with pytest.raises(WorkbenchError, match=r"only \d+ MB free for _build/; a run needs"):
        execute.run(tiny_book.layout, progress=steps.append)
    assert steps == []


RUN = """
import sys
from pathlib import Path
from workbench.runner import execute
from workbench.errors import WorkbenchError
from workbench.layout import Layout
try:
    execute.run(Layout(Path(sys.argv[1])))
except WorkbenchError as problem:
    print(f"error: {problem}", file=sys.stderr)
    sys.exit(problem.exit_code)
"""


def test_a_disk_that_fills_in_mid_write_is_one_line_and_keeps_the_good_copy(empty_book):
    """The file size limit makes write() fail half-way, on every system, as a full disk does."""
    empty_book.chapter("00_first", "print('good')")
    [result] = execute.run(empty_book.layout)
    kept = result.path.read_bytes()
    empty_book.chapter("00_first", "print('x' * 400_000)")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(empty_book.layout.root)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("error: cannot write cpu/00_first.ipynb: File too large; what was there is untouched")
    assert result.path.read_bytes() == kept
    assert [p.name for p in result.path.parent.glob(".*")] == []


def test_a_really_full_disk_is_one_line_and_keeps_the_good_copy(empty_book):
    inside = "mount -t tmpfs -o size=200k none _build && mkdir -p _build/run/cpu"
    inside += " && echo good > _build/run/cpu/00_first.ipynb"
    inside += f' && {sys.executable} -c "$1" . ; code=$?; cat _build/run/cpu/00_first.ipynb; exit $code'
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("mount namespaces are not permitted here: the test above covers it")
    empty_book.layout.build.mkdir()
    empty_book.chapter("00_first", "print('x' * 400_000)")
    program = "import workbench.runner.plan; workbench.runner.plan.MIN_FREE_MB = 0\n" + RUN
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside, "sh", program],
        cwd=empty_book.layout.root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "No space left on device; what was there is untouched" in done.stderr
    assert done.stdout == "good\n"


def test_a_second_run_is_refused_while_one_is_at_work(tiny_book):
    program = RUN.replace("execute.run(", "layout = ").replace(
        "])))", "]))\n    with layout.lock(): execute.run(layout)"
    )
    command = [sys.executable, "-c", program, str(tiny_book.layout.root)]
    with tiny_book.layout.lock():
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: another workbench run is at work here (pid {os.getpid()})")
    assert len(done.stderr.splitlines()) == 1
    assert not tiny_book.layout.runs("cpu").exists()


def test_a_refresh_of_a_failing_chapter_rewrites_nothing(tiny_book):
    tiny_book.chapter("02_fail", "1 / 0")
    before = {path: path.read_bytes() for path in tiny_book.layout.notebooks.iterdir()}
    with pytest.raises(CheckFailedError, match=r"02_fail: cell 2 .* ZeroDivisionError.* nothing was rewritten"):
        refresh(tiny_book.layout)
    assert {path: path.read_bytes() for path in before} == before


def test_readers_see_the_old_file_or_the_new_one(tmp_path):
    """Write without a pause while another process reads: never a half-written notebook."""
    path = tmp_path / "x.ipynb"
    versions = [str(digit) * 200_000 for digit in range(3)]
    notebooks.write_text(versions[0], path)
    program = (
        "import sys, time\nend = time.time() + 1.5\nwhile time.time() < end:\n"
        "    t = open(sys.argv[1]).read()\n    assert len(t) == 200_000 and len(set(t)) == 1, len(t)\n"
    )
    reader = subprocess.Popen([sys.executable, "-c", program, str(path)], stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while reader.poll() is None:
        assert time.monotonic() < end
        for text in versions:
            notebooks.write_text(text, path)
    assert reader.returncode == 0, reader.communicate()[1]
    reader.stderr.close()
    assert sorted(p.name for p in Path(tmp_path).iterdir()) == ["x.ipynb"]
