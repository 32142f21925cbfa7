"""Runs of small notebooks through the public API: what ran, what was reused, what was written."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import psutil
import pytest
from rich.console import Console

from workbench import provenance
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.runner import execute, notebooks, store

pytestmark = pytest.mark.slow


def statuses(results):
    return {result.chapter: result.status for result in results}


def outputs(path):
    nb = notebooks.read(path)
    return [o.get("text") or o["data"]["text/plain"] for c in nb.cells if c.cell_type == "code" for o in c.outputs]


def test_a_run_executes_all_and_the_next_run_reuses_all(tiny_book):
    first = execute.run(tiny_book.layout)
    assert statuses(first) == {"00_add": "ok", "01_wait": "ok", "solutions/00_add": "ok"}
    assert outputs(tiny_book.layout.runs("cpu") / "00_add.ipynb") == ["2"]
    assert outputs(tiny_book.layout.runs("cpu") / "solutions" / "00_add.ipynb") == ["3"]
    assert all(r.peak_mb > 10 and r.seconds > sum(r.cell_seconds) > 0 and r.overhead_s > 0 for r in first)

    started = []
    second = execute.run(tiny_book.layout, progress=started.append)
    assert set(statuses(second).values()) == {"cached"}
    assert [step.event for step in started] == ["end"] * 3
    assert [r.key for r in first] == [r.key for r in second]


def test_sources_are_never_written_to(tiny_book):
    before = {path: path.read_bytes() for path in tiny_book.layout.root.rglob("*.ipynb")}
    execute.run(tiny_book.layout)
    assert {path: path.read_bytes() for path in before} == before


def test_exit_hooks_run_before_the_kernel_goes(empty_book, tmp_path):
    left, scratch = tmp_path / "left", tmp_path / "scratch"
    scratch.mkdir()
    source = f"""
import atexit, pathlib, tempfile, threading, time
folder = tempfile.TemporaryDirectory(dir={str(scratch)!r})
atexit.register(pathlib.Path({str(left)!r}).write_text, "hook")
threading.Thread(target=lambda: (time.sleep(0.3), pathlib.Path({str(left) + "2"!r}).touch())).start()
"""
    empty_book.chapter("00_leave", source)
    [result] = execute.run(empty_book.layout, ["00"])
    assert result.status == "ok"
    assert left.read_text() == "hook"
    assert not list(scratch.iterdir())
    assert (tmp_path / "left2").exists()


def test_a_profile_and_parameters_reach_the_notebook(empty_book):
    empty_book.chapter("00_say", "print(profile, seed)")
    [result] = execute.run(empty_book.layout, ["00"], profile="smoke", parameters={"seed": 7})
    assert outputs(result.path) == ["smoke 7\n"]
    assert "injected-parameters" in notebooks.tags(notebooks.read(result.path).cells[1])
    assert result.path.parent == empty_book.layout.runs("smoke")


def test_the_default_profile_needs_no_injected_cell(tiny_book):
    [result, _] = execute.run(tiny_book.layout, ["00_add"])
    assert len(notebooks.read(result.path).cells) == len(notebooks.read(tiny_book.layout.chapter("00")).cells)


def test_a_change_of_prose_starts_no_kernel_and_reaches_the_copy(tiny_book):
    layout = tiny_book.layout
    execute.run(layout)
    tiny_book.edit("00_add", "Add two numbers", "Add a pair")
    steps = []
    results = execute.run(layout, progress=steps.append)
    assert set(statuses(results).values()) == {"cached"}
    assert [r.chapter for r in results if r.message] == ["00_add"]
    copy = layout.runs("cpu") / "00_add.ipynb"
    assert "Add a pair" in copy.read_text()
    assert outputs(copy) == ["2"]
    assert not any(step.event == "start" for step in steps)


def test_a_change_of_code_reruns_that_notebook_only(tiny_book):
    execute.run(tiny_book.layout)
    tiny_book.edit("00_add", "total = 1 + 1", "total = 1 + 4")
    results = execute.run(tiny_book.layout)
    assert statuses(results) == {"00_add": "ok", "01_wait": "cached", "solutions/00_add": "cached"}
    assert outputs(results[0].path) == ["5"]


def test_constraints_and_force_rerun_everything(tiny_book):
    layout = tiny_book.layout
    execute.run(layout)
    (layout.root / "constraints.txt").write_text("numpy==9\n")
    assert set(statuses(execute.run(layout, ["00"])).values()) == {"ok"}
    assert set(statuses(execute.run(layout, ["00"])).values()) == {"cached"}
    assert set(statuses(execute.run(layout, ["00"], force=True)).values()) == {"ok"}


def test_a_copy_that_somebody_changed_is_not_trusted(tiny_book):
    [result, _] = execute.run(tiny_book.layout, ["00"])
    result.path.write_text(result.path.read_text().replace('"2"', '"3"'))
    [again, _] = execute.run(tiny_book.layout, ["00"])
    assert again.status == "ok"
    assert outputs(again.path) == ["2"]


def test_a_lost_or_half_written_sidecar_means_run_again(tiny_book):
    [result, _] = execute.run(tiny_book.layout, ["00"])
    sidecar = result.path.with_suffix(".run.json")
    assert json.loads(sidecar.read_text())["status"] == "ok"
    sidecar.write_text(sidecar.read_text()[:40])
    assert execute.run(tiny_book.layout, ["00"])[0].status == "ok"


def test_each_notebook_has_a_kernel_of_its_own_in_its_own_folder(empty_book):
    for stem in ("00_one", "01_two"):
        empty_book.chapter(stem, "import os\nprint(os.getpid(), 'leak' in globals(), os.getcwd())\nleak = 1")
    said = [outputs(r.path)[0].split() for r in execute.run(empty_book.layout)]
    assert said[0][0] != said[1][0]
    assert all(leaked == "False" and cwd == str(empty_book.layout.notebooks) for _, leaked, cwd in said)


NAMES = "['OMP_NUM_THREADS', 'OMP_WAIT_POLICY', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']"


def test_kernels_are_offline_and_notebooks_side_by_side_have_one_thread(empty_book, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cell = f"import os\nprint(*(os.environ.get(name) for name in {NAMES}))"
    empty_book.chapter("00_beside", cell)
    empty_book.chapter("01_alone", cell, timing=True)
    said = [outputs(r.path) for r in execute.run(empty_book.layout)]
    assert said == [["1 PASSIVE 1 1\n"], ["None PASSIVE 1 1\n"]]


def spans(results):
    """When each notebook's kernel was alive, as it told: name → (from, to)."""
    return {r.chapter: tuple(map(float, outputs(r.path)[0].split())) for r in results}


def test_nothing_runs_beside_a_timing_notebook_and_the_others_share_the_cores(empty_book, monkeypatch):
    monkeypatch.setattr("workbench.runner.schedule.cores", lambda: 2)
    cell = "import time\nstart = time.time()\ntime.sleep(1)\nprint(start, time.time())"
    for stem, timing in (("00_a", False), ("01_t", True), ("02_b", False), ("03_u", True)):
        empty_book.chapter(stem, cell, timing=timing)
    when = spans(execute.run(empty_book.layout))
    for timed in ("01_t", "03_u"):
        for other, (start, end) in when.items():
            assert other == timed or end <= when[timed][0] or when[timed][1] <= start
    assert when["00_a"][0] < when["02_b"][1]
    assert when["02_b"][0] < when["00_a"][1]


def test_progress_names_chapter_cell_and_the_last_runs_time(tiny_book):
    execute.run(tiny_book.layout, ["00"], include_solutions=False)
    steps = []
    execute.run(tiny_book.layout, ["00"], include_solutions=False, force=True, progress=steps.append)
    assert [step.event for step in steps] == ["plan", "start", "cell", "cell", "cell", "end"]
    assert [(s.cell, s.cells) for s in steps if s.event == "cell"] == [(1, 3), (2, 3), (3, 3)]
    assert steps[0].estimate_s == steps[1].estimate_s > 0
    assert steps[-1].status == "ok"


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_in_a_terminal_and_in_a_log(tiny_book, terminal, tmp_path):
    with (tmp_path / "log").open("w+") as file:
        console = Console(file=file, force_terminal=terminal, width=120)
        with execute.terminal_progress(console) as progress:
            execute.run(tiny_book.layout, ["00"], progress=progress)
        file.seek(0)
        said = file.read()
    assert "ok        00_add in" in said
    assert ("\x1b[" in said) == terminal


def test_an_interrupt_keeps_what_is_finished_and_the_next_run_goes_on(empty_book, tmp_path):
    marker = tmp_path / "running"
    empty_book.chapter("00_quick", "1 + 1")
    slow = f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    empty_book.chapter("01_slow", slow, timing=True)
    program = (
        "import sys, pathlib, signal\nfrom workbench.runner import execute\nfrom workbench.layout import Layout\n"
        "from workbench.errors import WorkbenchError\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell started with &\n"
        "try:\n    execute.run(Layout(pathlib.Path(sys.argv[1])))\n"
        "except WorkbenchError as e:\n    print(e, file=sys.stderr); sys.exit(e.exit_code)\n"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", program, str(empty_book.layout.root)], stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: marker.exists() and marker.read_text())
    kernel = int(marker.read_text())
    driver.send_signal(signal.SIGINT)
    said = driver.communicate(timeout=60)[1]
    assert driver.returncode == 130
    assert said.startswith("interrupted: 1 of 2 notebooks are finished and stay")
    assert len(said.splitlines()) == 1
    assert not psutil.pid_exists(kernel)
    empty_book.edit("01_slow", "sleep(60)", "sleep(0)")
    assert statuses(execute.run(empty_book.layout)) == {"00_quick": "cached", "01_slow": "ok"}


def wait_for(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_a_killed_driver_leaves_no_kernel(empty_book, tmp_path, monkeypatch):
    marker = tmp_path / "running"
    cell = f"import os\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    empty_book.chapter("00_spin", cell)
    program = "import sys, pathlib; from workbench.runner import execute; from workbench.layout import Layout"
    program += "; execute.run(Layout(pathlib.Path(sys.argv[1])))"
    (tmp_path / "t").mkdir()
    env = os.environ | {"TMPDIR": str(tmp_path / "t")}
    driver = subprocess.Popen([sys.executable, "-c", program, str(empty_book.layout.root)], env=env)
    wait_for(lambda: marker.exists() and marker.read_text())
    driver.kill()
    driver.wait()
    wait_for(lambda: not psutil.pid_exists(int(marker.read_text())), 20)
    assert len(list(tmp_path.glob("t/wb-*"))) == 1
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    empty_book.chapter("00_spin", "1")
    assert execute.run(empty_book.layout)[0].status == "ok"
    assert list(tmp_path.glob("t/wb-*")) == []


def test_the_gpu_profile_without_a_gpu_is_skipped_with_a_reason(tiny_book, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    results = execute.run(tiny_book.layout, profile="gpu")
    assert {(r.status, r.path.exists()) for r in results} == {("skipped", False)}
    assert "no CUDA device" in results[0].message


def test_a_gpu_is_found_by_asking_the_driver(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho NVIDIA A1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert provenance.gpu_names() == ["NVIDIA A1"]
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    assert provenance.gpu_names() == []


def test_the_driver_never_imports_torch():
    program = "import sys, workbench.runner.execute, workbench.runner.refresh\n"
    program += "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes of one thread each."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50) as it:
        yield it


def test_a_dask_cluster_gives_the_same_results(tiny_book, cluster):
    tiny_book.chapter("02_fail", "1 / 0")
    tiny_book.chapter("03_pid", "import os\nprint(os.getppid())")
    results = execute.run(tiny_book.layout, scheduler=cluster.scheduler_address)
    assert statuses(results) == {
        "00_add": "ok",
        "01_wait": "ok",
        "02_fail": "raised",
        "03_pid": "ok",
        "solutions/00_add": "ok",
    }
    assert outputs(results[0].path) == ["2"]
    workers = {worker.pid for worker in cluster.workers.values()}
    assert int(outputs(results[3].path)[0]) in workers
    again = execute.run(tiny_book.layout, scheduler=cluster.scheduler_address)
    assert [r.status for r in again] == ["cached", "cached", "raised", "cached", "cached"]


def test_timing_notebooks_on_a_cluster_have_their_host_to_themselves(empty_book, cluster):
    cell = "import time\nstart = time.time()\ntime.sleep(0.3)\nprint(start, time.time())"
    for stem in ("00_t", "01_u"):
        empty_book.chapter(stem, cell, timing=True)
    (a, b), (c, d) = spans(execute.run(empty_book.layout, scheduler=cluster.scheduler_address)).values()
    assert b <= c or d <= a


def test_a_scheduler_that_is_not_there_is_one_line(tiny_book, monkeypatch):
    with pytest.raises(WorkbenchError, match="no Dask scheduler at nonsense"):
        execute.run(tiny_book.layout, scheduler="nonsense://here")


def test_workers_of_another_checkout_are_refused(tiny_book, cluster, monkeypatch):
    monkeypatch.setattr("workbench.runner.schedule.checkout_digest", lambda: str(os.getpid()))  # differs by process
    with pytest.raises(WorkbenchError, match="another checkout of workbench"):
        execute.run(tiny_book.layout, scheduler=cluster.scheduler_address)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"profile": "cpuu"}, "unknown profile 'cpuu'"),
        ({"chapters": ["0_ad"]}, "unknown chapter '0_ad'"),
        ({"parameters": {"sed": 1}}, "unknown parameter of 00_add 'sed'"),
        ({"parameters": {"profile": "smoke"}}, "profile is not set as a parameter — use --profile smoke"),
    ],
)
def test_unknown_names_are_refused_before_anything_runs(tiny_book, arguments, complaint):
    steps = []
    with pytest.raises(WorkbenchError, match=complaint):
        execute.run(tiny_book.layout, progress=steps.append, **arguments)
    assert steps == []
    assert not tiny_book.layout.runs("cpu").exists()


def test_an_unknown_model_is_refused_before_anything_runs(tiny_book):
    tiny_book.chapter("02_model", "1", metadata={"models": ["minilmm"]})
    with pytest.raises(UnknownNameError, match="unknown model 'minilmm'"):
        execute.run(tiny_book.layout)
    assert not tiny_book.layout.runs("cpu").exists()


def test_printed_pieces_are_one_output_and_a_rewritten_line_shows_its_last_state(empty_book):
    bar = "import sys\nfor i in range(3):\n    print(f'\\r{i} of 2', end='', flush=True)\nprint('\\nend')"
    empty_book.chapter("00_print", "for i in range(3):\n    print(i, flush=True)", bar, "print('x' * 400_000)")
    [result] = execute.run(empty_book.layout)
    assert outputs(result.path) == ["0\n1\n2\n", "2 of 2\nend\n", "x" * 400_000 + "\n"]
    assert result.seconds < 60


def test_results_survive_the_sidecar(tiny_book):
    [result, _] = execute.run(tiny_book.layout, ["00"])
    assert store.last(tiny_book.layout, "cpu", "00_add") == result


@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare here: the proxies test covers it")
def test_it_works_with_the_network_cut(tiny_book):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("network namespaces are not permitted here: the proxies test covers it")
    check_offline(tiny_book, ["unshare", "-rn"], {})


def test_it_works_with_proxies_that_refuse(tiny_book):
    refuse = "http://127.0.0.1:9"
    check_offline(tiny_book, [], {"http_proxy": refuse, "https_proxy": refuse, "ALL_PROXY": refuse})


def check_offline(book, prefix, env):
    program = "import sys, pathlib; from workbench.runner import execute; from workbench.layout import Layout"
    program += "; print(*(r.status for r in execute.run(Layout(pathlib.Path(sys.argv[1])))))"
    command = [*prefix, sys.executable, "-c", program, str(book.layout.root)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | env)
    assert done.stdout.split() == ["ok", "ok", "ok"], done.stderr
