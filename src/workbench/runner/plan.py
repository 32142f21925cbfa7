"""What a run would do, decided and refused before any kernel starts."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from workbench.errors import UnknownNameError, WorkbenchError
from workbench.layout import Layout
from workbench.profiles import Profile, get_profile
from workbench.runner import engine, notebooks

TIME_FACTOR = 4  # a notebook may take this many times its profile's budget: a slow or busy machine is no error
MEMORY_FACTOR = 4  # address space per budgeted memory: libraries map far more than they touch
MIN_FREE_MB = 300  # a run is refused with less: executed copies, logs and the site need it


@dataclass(frozen=True)
class Task:
    """One notebook to be run.  parameters: all of them, the profile included; key: see `keys`."""

    name: str  # "22_quantize_from_scratch", "solutions/22_quantize"
    source: Path
    notebook: NotebookNode
    parameters: dict
    key: str
    alone: bool  # it measures time, or needs the one GPU

    def job(self, profile: Profile) -> engine.Job:
        """What the engine needs of it."""
        own = notebooks.parameters(self.notebook)
        return engine.Job(
            name=self.name,
            notebook=notebooks.text(notebooks.clean(self.notebook)),
            cwd=str(self.source.parent),
            time_s=profile.budget_s * TIME_FACTOR,
            memory_mb=profile.memory_mb * MEMORY_FACTOR if profile.device == "cpu" else 0,  # CUDA maps terabytes
            threads=None if self.alone else 1,
            parameters={name: value for name, value in self.parameters.items() if own[name] != value},
        )


def plan(
    layout: Layout, chapters: list[str] | None, profile: str, parameters: dict, include_solutions: bool
) -> list[Task]:
    """The run's tasks in reading order, solutions last.

    Raises UnknownNameError for a profile, chapter, parameter, model or data set that does not exist, WorkbenchError for
    an unreadable notebook.
    """
    where = get_profile(profile)
    if "profile" in parameters:
        raise WorkbenchError("profile is not set as a parameter", f"use --profile {parameters['profile']}")
    paths = _chapters(layout, chapters)
    tasks = [_task(layout, path, path.stem, where, parameters, strict=True) for path in paths]
    if include_solutions:
        for path in _solutions(layout, paths if chapters else None):
            tasks.append(_task(layout, path, f"solutions/{path.stem}", where, parameters, strict=False))
    return tasks


def _chapters(layout: Layout, names: list[str] | None) -> list[Path]:
    if not names:
        return layout.chapters()
    chosen = {layout.chapter(name) for name in names}
    return [path for path in layout.chapters() if path in chosen]


def _solutions(layout: Layout, chapters: list[Path] | None) -> list[Path]:
    """Solution notebooks of these chapters: those with the same number (None: all)."""
    numbers = None if chapters is None else {path.stem.split("_")[0] for path in chapters}
    found = sorted(layout.solutions.glob("*.ipynb"))
    return [path for path in found if numbers is None or path.stem.split("_")[0] in numbers]


def _task(layout: Layout, path: Path, name: str, profile: Profile, parameters: dict, strict: bool) -> Task:
    nb = notebooks.read(path)
    wanted = _parameters(name, nb, parameters | {"profile": profile.name}, strict)
    key = notebooks.content_key(nb, wanted, layout.root / "constraints.txt")
    return Task(name, path, nb, wanted, key, alone=notebooks.is_timing(nb) or profile.device != "cpu")


def _parameters(name: str, nb: NotebookNode, wanted: dict, strict: bool) -> dict:
    """The notebook's own parameters overlaid with the wanted ones; a chapter must know every one of them."""
    own = notebooks.parameters(nb)
    for key in wanted:
        if strict and key not in own:
            raise UnknownNameError(f"parameter of {name}", key, own)
    return own | {key: value for key, value in wanted.items() if key in own}


def refuse_full_disk(folder: Path) -> None:
    """Raise WorkbenchError when the disk that holds `folder` is nearly full."""
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb < MIN_FREE_MB:
        raise WorkbenchError(
            f"only {free_mb} MB free for {folder.name}/; a run needs {MIN_FREE_MB} MB", "free some disk space"
        )
