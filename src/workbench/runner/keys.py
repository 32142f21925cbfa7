"""What a notebook's outputs depend on, as one hash.

In the key: the code cells (source and tags), the notebook's `workbench` metadata, the parameters, the source of
every workbench module that the code imports (and of those that they import), `constraints.txt`, the registry
entries of the models and data sets that it names, and the Python version.  Not in the key: prose, captions and
the notebook's own outputs.  A change of prose needs no kernel: `notebooks.stitch` puts the new words around the old
outputs.
"""

import ast
import hashlib
import json
import re
import sys
from functools import cache
from pathlib import Path

import workbench
from workbench.data import DATA
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.models import MODELS

PACKAGE = Path(__file__).resolve().parents[1]
REGISTRY_MODULES = {"models", "data", "own_data"}  # their entries are in the key one by one; a new model reruns nothing
RUNNER_PROTOCOL = 1  # raise it when the runner changes what a kernel sees (threads, environment, folder)
_NOT_PYTHON = re.compile(r"^\s*[%!?].*$", re.M)


def code(nb) -> list[tuple[str, list[str]]]:
    """Source and sorted tags of each code cell, the injected one left out."""
    cells = [(c.source, sorted(c.metadata.get("tags", []))) for c in nb.cells if c.cell_type == "code"]
    return [(source, tags) for source, tags in cells if "injected-parameters" not in tags]


def workbench_modules(nb) -> set[str]:
    """Every workbench module that the notebook's code reaches, as dotted names below `workbench`.

    A notebook with `from workbench import claim` → {"claims", "errors", "intervals", …}.
    """
    found: set[str] = set()
    todo = {name for source, _ in code(nb) for name in _imports(_NOT_PYTHON.sub("pass", source))}
    while todo:
        name = todo.pop()
        found.add(name)
        todo |= _module_imports(name) - found
    return found


def registry_entries(nb) -> list[str]:
    """The models and data sets that the notebook names, in its metadata or its code, as text.

    Raises UnknownNameError when the metadata names one that is not registered.
    """
    declared = nb.metadata.get("workbench", {})
    text = "\n".join(source for source, _ in code(nb))
    entries = []
    for kind, registry, key in (("model", MODELS, "models"), ("data set", DATA, "data")):
        for name in declared.get(key, []):
            if name not in registry:
                raise UnknownNameError(kind, name, registry)
        quoted = {name for name in registry if re.search(f"""["']{re.escape(name)}["']""", text)}
        entries += [repr(registry[name]) for name in sorted(quoted | set(declared.get(key, [])))]
    return entries


def content_key(nb, parameters: dict, constraints: Path) -> str:
    """Hash everything that the notebook's outputs depend on → 64 hexadecimal digits."""
    parts = [
        RUNNER_PROTOCOL,
        sys.version_info[:2],
        code(nb),
        {key: value for key, value in nb.metadata.get("workbench", {}).items() if key != "outputs_of"},
        parameters,
        {name: _digest(_module_file(name)) for name in workbench_modules(nb) - REGISTRY_MODULES},
        _digest(constraints) if constraints.is_file() else None,
        registry_entries(nb),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _module_file(name: str) -> Path:
    base = PACKAGE.joinpath(*name.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _is_module(name: str) -> bool:
    return bool(name) and _module_file(name).is_file()


def _module_imports(name: str) -> set[str]:
    """Modules imported by a module, and the packages above it, whose `__init__` runs first."""
    above = {name.rsplit(".", 1)[0]} if "." in name else set()
    path = _module_file(name)
    return _file_imports(path, path.stat().st_mtime_ns) | above


@cache
def _file_imports(path: Path, changed_ns: int) -> frozenset[str]:
    """Modules that a file imports, read again when it changed."""
    return frozenset(_imports(path.read_text(), path.relative_to(PACKAGE).parts[:-1]))


def _imports(source: str, package: tuple[str, ...] = ()) -> set[str]:
    """Workbench modules imported anywhere in `source`; code that does not parse imports nothing."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name[len("workbench.") :] for alias in node.names if alias.name.startswith("workbench.")}
        elif isinstance(node, ast.ImportFrom):
            names |= _imported_from(node, package)
    return {name for name in names if _is_module(name)}


def _imported_from(node: ast.ImportFrom, package: tuple[str, ...]) -> set[str]:
    """Candidate modules of one `from … import …`: the module, its members, and the homes of lazy names."""
    module = _absolute(node, package)
    if module is None:
        return set()
    names = [alias.name for alias in node.names]
    if module:
        return {module} | {f"{module}.{name}" for name in names}
    homes = set(workbench._HOME_OF.values()) if "*" in names else set()
    return homes | {workbench._HOME_OF.get(name, name) for name in names}


def _absolute(node: ast.ImportFrom, package: tuple[str, ...]) -> str | None:
    """The dotted name below `workbench` ("" is workbench itself), or None for another package."""
    if node.level:
        above = package[: len(package) - (node.level - 1)]
        return ".".join((*above, node.module) if node.module else above)
    if node.module == "workbench":
        return ""
    return node.module.removeprefix("workbench.") if (node.module or "").startswith("workbench.") else None


def checkout_digest() -> str:
    """Hash of the whole package's source: two machines with the same one run the same checkout."""
    files = sorted(PACKAGE.rglob("*.py"))
    if not files:
        raise WorkbenchError(f"no source in {PACKAGE}", "install the checkout with: pip install -e .")
    text = "".join(f"{path.relative_to(PACKAGE).as_posix()} {_digest(path)}\n" for path in files)
    return hashlib.sha256(text.encode()).hexdigest()
