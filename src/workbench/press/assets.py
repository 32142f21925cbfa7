"""Browser assets: npm packages pinned by hash, fetched once, then served from the site itself."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workbench import nodejs
from workbench.errors import WorkbenchError
from workbench.layout import Layout

LOCK = ("package.json", "package-lock.json")
# npm package → what of it the pages (or, for axe-core, the tests) load
WANTED = {
    "mathjax": (  # runs in node, at build time: pages carry its pictures, not its script
        "es5/*.js",
        "es5/adaptors/*.js",
        "es5/input/tex-full.js",
        "es5/output/svg.js",
        "es5/output/svg/fonts/tex.js",
        "es5/a11y/assistive-mml.js",
        "LICENSE",
    ),
    "mermaid": ("dist/mermaid.esm.min.mjs", "dist/chunks/mermaid.esm.min/*.mjs", "LICENSE"),
    "axe-core": ("axe.min.js", "LICENSE"),
}
PUBLISHED = ("mermaid",)
CURE = "connect to the network and run `make setup` once; after that no network is needed"


def fetch(layout: Layout) -> Path:
    """Bring the pinned packages into `_build/assets`; nothing is downloaded when they are there and unharmed."""
    target = layout.build / "assets"
    key = _key(layout)
    if not _is_good(target, key):
        layout.build.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=layout.build, prefix="assets-") as folder:
            _install(layout, Path(folder))
            _keep_wanted(Path(folder), key)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(Path(folder) / "kept", target)
    return target


def publish(layout: Layout, site: Path) -> None:
    """Copy what pages load into `site`/vendor."""
    for package in PUBLISHED:
        shutil.copytree(fetch(layout) / package, site / "vendor" / package, dirs_exist_ok=True)


def _key(layout: Layout) -> str:
    try:
        files = [(layout.root / name).read_bytes() for name in LOCK]
    except OSError as problem:
        raise WorkbenchError(
            f"{problem.filename} cannot be read", "restore it: git checkout package-lock.json"
        ) from None
    return hashlib.sha256(b"\0".join([*files, repr(WANTED).encode()])).hexdigest()


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _is_good(folder: Path, key: str) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    return manifest.get("key") == key and manifest.get("files") == _hashes(folder)


def _install(layout: Layout, folder: Path) -> None:
    """`npm ci`: the exact versions of the lock file, each checked against its integrity hash."""
    for name in LOCK:
        shutil.copy(layout.root / name, folder / name)
    command, environment = nodejs.npm()
    flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([*command, *flags], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        why = next((line for line in done.stderr.splitlines() if "npm error" in line), "npm ci failed")
        raise WorkbenchError(f"browser assets could not be fetched: {why.removeprefix('npm error ')}", CURE)


def _wanted(modules: Path) -> Iterator[tuple[Path, Path]]:
    for package, patterns in WANTED.items():
        for pattern in patterns:
            found = sorted((modules / package).glob(pattern))
            if not found:
                raise WorkbenchError(f"npm package {package} has no {pattern}", "correct WANTED in press/assets.py")
            yield from ((path, path.relative_to(modules)) for path in found)


def _keep_wanted(folder: Path, key: str) -> None:
    kept = folder / "kept"
    for source, relative in _wanted(folder / "node_modules"):
        (kept / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, kept / relative)
    (kept / "manifest.json").write_text(json.dumps({"key": key, "files": _hashes(kept)}, indent=1))
