"""The command line says what is wrong in one line, and exits with a code that scripts can trust."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.front.tables import parse_parameters

ROOT = Path(__file__).resolve().parents[1]


def workbench(*words, cwd=ROOT, **env):
    command = [sys.executable, "-c", "from workbench.cli import main; main()", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ, **env})


BAD_INPUT = {
    "profile": (("run", "--profile", "turbo"), "unknown profile 'turbo'"),
    "chapter": (("run", "99"), "unknown chapter '99'"),
    "misspelt chapter": (("run", "22_quantise_from_scratch"), "22_quantize_from_scratch"),
    "parameter": (("run", "22", "-p", "sed=3"), "sed"),
    "parameter without a value": (("run", "22", "-p", "seed"), "not name=value"),
    "claim": (("claims", "quantize.nonsense"), "unknown claim 'quantize.nonsense'"),
    "export": (("build", "--export", "pdf"), "unknown export 'pdf'"),
    "exercise file": (("exercises", "grade", "nowhere.ipynb"), "nowhere.ipynb"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_a_non_zero_exit(case):
    words, said = BAD_INPUT[case]
    result = workbench(*words)
    lines = result.stderr.strip().splitlines()
    assert result.returncode == 2, result.stderr
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    assert said in lines[0]


def test_outside_a_book_the_package_finds_its_own_checkout(tmp_path):
    assert workbench("claims", "--json", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "command", ["run", "verify", "build", "refresh", "claims", "doctor", "fetch", "exercises", "data"]
)
def test_every_command_has_a_help_page_that_explains_it(command):
    result = workbench(command, "--help", COLUMNS="100")
    assert result.returncode == 0
    assert len(result.stdout.split()) > 30


def test_claims_as_json_is_json():
    rows = json.loads(workbench("claims", "--json").stdout)
    assert isinstance(rows, list)


def test_a_broken_toc_is_said_with_its_cure(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: [jb-book\n")
    result = workbench("run", cwd=tmp_path)
    assert result.returncode == 2
    assert "git checkout _toc.yml" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_second_run_is_refused_while_the_first_holds_the_book(tmp_path):
    from workbench.layout import Layout

    shutil.copy(ROOT / "_toc.yml", tmp_path)
    with Layout(tmp_path).lock():
        result = workbench("build", cwd=tmp_path)
    assert result.returncode == 2
    assert f"another workbench run is at work here (pid {os.getpid()})" in result.stderr


def test_parameters_are_literals_and_everything_else_is_text():
    assert parse_parameters(["seed=3", "name=abc", "sizes=[1, 2]"]) == {"seed": 3, "name": "abc", "sizes": [1, 2]}
    with pytest.raises(WorkbenchError, match="not name=value"):
        parse_parameters(["two words=3"])
