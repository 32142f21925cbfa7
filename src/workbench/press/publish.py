"""Build the site beside the last good one, check it, and only then swap it in."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from workbench import nodejs
from workbench.errors import CheckFailedError, WorkbenchError
from workbench.layout import Layout
from workbench.press import assets, audit, owner, slim, stage
from workbench.press.export import export_blog

__all__ = ["build", "export_blog", "recover", "swap"]
PACKAGE = Path(__file__).resolve().parents[1]
WARNING = re.compile(r"(WARNING|ERROR|CRITICAL|Extension error|Exception occurred)", re.I)
CELL = re.compile(r"\.ipynb:(\d+)\d{4}")  # myst-nb counts lines as 10,000 × cell + line
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def build(layout: Layout, profile: str = "cpu", force: bool = False) -> Path:
    """Build the whole site from the executed copies of `profile`; return its folder.

    Nothing changed since the last build: returns at once.  Anything wrong (a missing run, an unknown claim, a
    dead link): raises, and the last good site stays.
    """
    from workbench.proof import ledger

    recover(layout.site)
    ledger.write(layout, profile)
    work = layout.build / "site.next"
    shutil.rmtree(work, ignore_errors=True)
    source = stage.stage(layout, work / "source", profile)
    key = _key(source, layout)
    note = layout.site / ".key"
    if not force and note.is_file() and note.read_text() == key:
        shutil.rmtree(work)
        return layout.site
    _jupyter_book(source, work)
    site = work / "_build" / "html"
    _finish(layout, site)
    _refuse(audit.check(site, owner.read(layout)))
    (site / ".key").write_text(key)
    swap(site, layout.site)
    shutil.rmtree(work)
    return layout.site


def _key(source: Path, layout: Layout) -> str:
    """A hash of everything that the site is made from: pages, our code, browser assets, package versions."""
    ours = [path for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts]
    pinned = [layout.root / name for name in ("constraints.txt", "package-lock.json")]
    digest = hashlib.sha256(sys.version.encode())
    staged = [path for path in sorted(source.rglob("*")) if path.is_file()]
    for path in [*staged, *sorted(ours), *pinned]:
        if path.is_file():
            digest.update(f"{path.relative_to(source) if path in staged else path.name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _jupyter_book(source: Path, work: Path) -> None:
    """`jupyter-book build` in a process of its own: all pages, no execution, a warning is an error."""
    command = [sys.executable, "-c", _CLI, "build", str(source), "--path-output", str(work)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "TZ": "UTC", "NO_COLOR": "1"}
    done = subprocess.run(
        [*command, "--all", "-W", "--keep-going", "-q"], env=environment, capture_output=True, text=True
    )
    (work / "build.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise WorkbenchError(f"the site was not built: {what_failed(done.stdout + done.stderr, source)}", _CURE)


_CLI = "from jupyter_book.cli.main import main; main()"
_CURE = "the last good site is untouched; the whole log: _build/site.next/build.log"


def what_failed(log: str, source: Path) -> str:
    """The warnings of a build's log, shortened to page and problem, each once."""
    lines = [COLOURS.sub("", line).replace(f"{source}/", "").strip() for line in log.splitlines()]
    lines = [CELL.sub(lambda found: f".ipynb, cell {int(found[1])}", line) for line in lines]
    found = list(dict.fromkeys(line for line in lines if WARNING.search(line) and "build finished" not in line))
    shown = "; ".join(found[:4]) or (lines[-1] if lines else "no output")
    return shown + (f"; and {len(found) - 4} more" if len(found) > 4 else "")


def _finish(layout: Layout, site: Path) -> None:
    """Add what is served beside the pages, and drop what is not for readers."""
    assets.publish(layout, site)
    script = PACKAGE / "site" / "static" / "evidence.mjs"
    shutil.copy(script, site / "vendor" / script.name)
    slim.slim(site, slim.mathjax(assets.fetch(layout) / "mathjax", nodejs.node()))
    shutil.rmtree(site / "_static" / "vendor", ignore_errors=True)
    for path in (*site.rglob("*.map"), *site.glob(".buildinfo*"), *site.rglob("*fontawesome*.js*")):
        path.unlink(missing_ok=True)
    (site / ".nojekyll").write_text("")


def _refuse(problems: list[str]) -> None:
    if problems:
        more = f"; and {len(problems) - 4} more" if len(problems) > 4 else ""
        raise CheckFailedError(f"the site is broken: {'; '.join(problems[:4])}{more}", _CURE)


def recover(site: Path) -> None:
    """Put the last good site back when a swap was interrupted between its two steps."""
    old = site.with_name(site.name + ".old")
    if old.exists() and not site.exists():
        os.replace(old, site)


def swap(new: Path, site: Path) -> None:
    """Put `new` in the place of `site`; when that fails, the old one is back."""
    old = site.with_name(site.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        os.replace(site, old)
    try:
        os.replace(new, site)
    except OSError:
        if old.exists():
            os.replace(old, site)
        raise
    shutil.rmtree(old, ignore_errors=True)
