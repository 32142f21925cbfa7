"""The house keeps its own rules."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from workbench.layout import Layout
from workbench.runner import notebooks

ROOT = Path(__file__).resolve().parents[1]
BOOK = Layout(ROOT)
MODULES = sorted((ROOT / "src" / "workbench").rglob("*.py"))
ROOMS = ("front", "press", "site", "proof", "runner")
# Dependencies point down only: a room may enter itself, the rooms listed, and the instruments, which enter none.
MAY_ENTER = {
    "front": {"press", "site", "proof", "runner"},
    "press": {"site", "proof", "runner"},
    "site": {"proof", "runner"},
    "proof": {"runner"},
    "runner": set(),
    "instruments": set(),
}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_a_module_is_short_and_says_what_it_is_for(path):
    source = path.read_text()
    assert len(source.splitlines()) <= 250
    assert ast.get_docstring(ast.parse(source)) or not source.strip()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_dependencies_point_down_only(path):
    first = path.relative_to(ROOT / "src" / "workbench").parts[0]
    if first == "cli.py":
        return  # one short function for each command, of every room
    here = first if first in ROOMS else "instruments"
    assert imported_rooms(path.read_text()) & set(ROOMS) <= MAY_ENTER[here] | {here}


def imported_rooms(source: str) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workbench"):
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {a.name.split(".")[1] for a in node.names if a.name.startswith("workbench.")}
    return rooms


@pytest.mark.parametrize("path", BOOK.chapters(), ids=lambda p: p.stem)
def test_a_chapter_has_the_anatomy(path):
    assert notebooks.lint(path) == []


@pytest.mark.parametrize("path", [BOOK.solutions / path.name for path in BOOK.chapters()], ids=lambda p: p.stem)
def test_a_solutions_cells_are_as_short_as_a_chapters(path):
    assert notebooks.lint(path) == []


def test_every_chapter_has_exercises_and_every_folder_matches():
    chapters = {path.name for path in BOOK.chapters()}
    assert chapters == {path.name for path in BOOK.solutions.glob("*.ipynb")}
    assert chapters == {path.name for path in BOOK.exercises.glob("*.ipynb")}
    assert chapters == {path.name for path in BOOK.notebooks.glob("*.ipynb")}


def committed() -> list[Path]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_lock_files_hold_no_download_addresses():
    for name in ("constraints.txt", "requirements.txt", "package-lock.json"):
        assert not re.search(r"https?://|file:|@ ", (ROOT / name).read_text()), name


def test_nothing_committed_names_a_machine_or_needs_the_folder_beside_it():
    pattern = re.compile(r"/work/|/root/|/home/\w+/|\.\./shared/")
    mine = Path(__file__).name
    texts = [
        p for p in committed() if p.suffix in {".py", ".md", ".ipynb", ".yml", ".txt", ".toml", ".cfg", ".css", ".json"}
    ]
    assert texts or not (ROOT / ".git").exists()
    found = [
        str(p.relative_to(ROOT)) for p in texts if p.name != mine and pattern.search(p.read_text(errors="replace"))
    ]
    assert found == []


def test_every_direct_dependency_says_why_or_stands_under_a_heading():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    names = [re.split(r"[<>=#\s]", line)[0].lower() for line in lines]
    assert len(names) == len(set(names))
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()
