"""A book in miniature: a checkout with trivial notebooks, in a temporary folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workbench.layout import Layout

ROOT = Path(__file__).resolve().parents[1]
TOC = "format: jb-book\nroot: book/index\nparts:\n  - caption: A\n    chapters:\n"


def make_notebook(*cells: str, timing: bool = False, profile: str | None = "cpu", metadata: dict | None = None):
    """A notebook of code cells `c1`, `c2`, …; a string that begins with # and a space becomes prose.

    profile: the value in its parameters cell, which comes first (None: no such cell).
    """
    made = []
    if profile is not None:
        source = f'profile = "{profile}"\nseed = 0'
        made.append(new_code_cell(source, id="parameters", metadata={"tags": ["parameters"]}))
    for number, source in enumerate(cells, start=1):
        new = new_markdown_cell if source.startswith("# ") else new_code_cell
        made.append(new(source, id=f"c{number}"))
    about = {"workbench": {"timing": timing} | (metadata or {})}
    return new_notebook(cells=made, metadata=about)


@dataclass
class Book:
    """A miniature checkout.  `layout` is what runner functions take."""

    layout: Layout

    def chapter(self, stem: str, *cells: str, folder: str = "notebooks", **how) -> Path:
        """Write (or replace) a notebook; chapters enter `_toc.yml`."""
        path = self.layout.root / folder / f"{stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(make_notebook(*cells, **how), path)
        stems = sorted(p.stem for p in self.layout.notebooks.glob("*.ipynb"))
        entries = "".join(f"      - file: notebooks/{stem}\n" for stem in stems)
        (self.layout.root / "_toc.yml").write_text(TOC + entries)
        return path

    def edit(self, stem: str, old: str, new: str) -> None:
        """Replace text in a chapter's source."""
        path = self.layout.notebooks / f"{stem}.ipynb"
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))


def make_book(root: Path) -> Book:
    """A checkout without chapters."""
    for folder in ("notebooks", "solutions", "exercises", "book"):
        (root / folder).mkdir(parents=True)
    (root / "_toc.yml").write_text(TOC + "      []\n")
    (root / "constraints.txt").write_text("numpy==2.4.6\n")
    return Book(Layout(root))


@pytest.fixture
def empty_book(tmp_path) -> Book:
    """A checkout without chapters."""
    return make_book(tmp_path / "book")


@pytest.fixture
def tiny_book(empty_book) -> Book:
    """A checkout with two chapters, the second of which measures time, and one solution."""
    empty_book.chapter("00_add", "# Add two numbers", "total = 1 + 1", "total")
    empty_book.chapter("01_wait", "# Wait", "import time\ntime.sleep(0.01)", "'done'", timing=True)
    empty_book.chapter("00_add", "def add(a, b):\n    return a + b", "add(1, 2)", folder="solutions", profile=None)
    return empty_book


@pytest.fixture
def layout() -> Layout:
    """The real book.  Read only."""
    return Layout(ROOT)


@pytest.fixture
def book_copy(tmp_path) -> Layout:
    """A copy of the real book's sources, to be tampered with."""
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns("_build", ".*", "node_modules", "__pycache__", "*.egg-info", "src", "tests")
    shutil.copytree(ROOT, root, ignore=ignored)
    return Layout(root)
