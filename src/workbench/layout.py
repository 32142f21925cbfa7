"""Where things are: one frozen record that every runner function takes first."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from workbench.errors import UnknownNameError, WorkbenchError


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout of the book."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Layout":
        """The book around `start` (default: the current folder), else the one this package belongs to."""
        here = Path(start or Path.cwd()).resolve()
        package = Path(__file__).resolve().parents[2]
        for folder in (here, *here.parents, package):
            if (folder / "_toc.yml").is_file():
                return cls(folder)
        raise WorkbenchError(f"no book here: no _toc.yml in {here} or above", "run this inside the checkout")

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def solutions(self) -> Path:
        return self.root / "solutions"

    @property
    def exercises(self) -> Path:
        return self.root / "exercises"

    @property
    def book(self) -> Path:
        return self.root / "book"

    @property
    def evidence(self) -> Path:
        return self.book / "evidence"

    @property
    def build(self) -> Path:
        return self.root / "_build"

    @property
    def site(self) -> Path:
        return self.build / "html"

    @property
    def ledger(self) -> Path:
        return self.build / "ledger"

    def runs(self, profile: str) -> Path:
        """Executed copies of one profile."""
        return self.build / "run" / profile

    def pages(self) -> list[str]:
        """Every page of `_toc.yml`, root first, in reading order, as paths without ending."""
        try:
            toc = yaml.safe_load((self.root / "_toc.yml").read_text())
            return list(_files(toc))
        except (OSError, yaml.YAMLError, TypeError) as problem:
            raise WorkbenchError(
                f"_toc.yml cannot be read: {problem}", "restore it with git checkout _toc.yml"
            ) from None

    def chapters(self) -> list[Path]:
        """The chapters' notebooks, in the order of `_toc.yml`."""
        return [self.root / f"{page}.ipynb" for page in self.pages() if page.startswith("notebooks/")]

    def chapter(self, name: str) -> Path:
        """The chapter called `name`: its number, its stem, its slug or its path."""
        stem = Path(name).stem if name.endswith(".ipynb") else name.rstrip("/").split("/")[-1]
        for path in self.chapters():
            number, slug = path.stem.split("_", 1)
            if stem in (path.stem, number, slug):
                return path
        raise UnknownNameError("chapter", name, [path.stem for path in self.chapters()])

    @contextmanager
    def lock(self):
        """Hold the book's build folder; a second holder is refused at once, with the first one's process id."""
        from filelock import FileLock, Timeout

        self.build.mkdir(parents=True, exist_ok=True)
        note = self.build / "lock.pid"
        try:
            with FileLock(self.build / "lock", timeout=0):
                note.write_text(str(os.getpid()))
                yield
                note.unlink(missing_ok=True)
        except Timeout:
            pid = note.read_text() if note.exists() else "unknown"
            raise WorkbenchError(
                f"another workbench run is at work here (pid {pid})", "wait for it to end, or stop it"
            ) from None


def _files(node):
    if isinstance(node, list):
        for item in node:
            yield from _files(item)
    elif isinstance(node, dict):
        for key in ("root", "file"):
            if key in node:
                yield node[key]
        for key in ("parts", "chapters", "sections"):
            yield from _files(node.get(key) or [])


def slug(stem: str) -> str:
    """The chapter's name without its number: "22_quantize_from_scratch" → "quantize_from_scratch"."""
    return stem.split("_", 1)[1] if "_" in stem else stem
