"""Lay out everything that one build of the site is made from, in a folder of its own."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml

from workbench.errors import WorkbenchError
from workbench.layout import Layout
from workbench.press import exercise_pages, owner, pages, settings

FIGURES = "figures"  # staged pictures that posts and cards reuse
POST = re.compile(r"(\d{4}-\d\d-\d\d)-[\w-]+\.md")


@dataclass
class Stage:
    """A staged tree in the making."""

    layout: Layout
    folder: Path
    profile: str
    owner: owner.Owner
    exercises: list[exercise_pages.Exercise] = field(default_factory=list)
    exercise_of: dict[str, str] = field(default_factory=dict)  # chapter page → exercise page
    cards: dict[str, tuple[str, bytes | None]] = field(default_factory=dict)  # page → title, figure

    @property
    def posts(self) -> list[Path]:
        return posts(self.layout)

    def write(self, path: str, text: str | bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())


def stage(layout: Layout, folder: Path, profile: str = "cpu") -> Path:
    """Fill `folder` with pages, downloads, cards, data and configuration.  Raises when a run is missing."""
    work = Stage(layout, folder, profile, owner.read(layout))
    _chapters(work)
    _book(work)
    settings.data(work)
    settings.config(work)
    return folder


def executed(layout: Layout, source: Path, profile: str) -> Path:
    """The executed copy of a chapter or solution.  Raises WorkbenchError that names it when it is missing."""
    inner = "solutions" if source.parent == layout.solutions else "."
    copy = layout.runs(profile) / inner / source.name
    if not copy.is_file():
        raise WorkbenchError(
            f"{source.relative_to(layout.root)} has not been run with profile {profile}",
            f"workbench run {source.stem} --profile {profile}",
        )
    return copy


def _read(path: Path) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as problem:  # nbformat raises half a dozen unrelated types on a damaged file
        raise WorkbenchError(
            f"{path.name} is not a readable notebook ({type(problem).__name__})", "workbench run --force"
        ) from None


def _runs(work: Stage, source: Path) -> list[pages.Run]:
    """What each profile's last run of a notebook took, from the sidecars of the runner."""
    runs = []
    inner = "solutions" if source.parent == work.layout.solutions else "."
    for profile in ("smoke", "cpu", "gpu"):
        sidecar = work.layout.runs(profile) / inner / f"{source.stem}.run.json"
        if sidecar.is_file():
            record = _record(sidecar)
            runs.append(pages.Run(profile, float(record.get("seconds") or 0), record.get("peak_mb")))
    return runs


def _record(sidecar: Path) -> dict:
    try:
        return json.loads(sidecar.read_text(encoding="utf-8"))
    except ValueError:
        raise WorkbenchError(
            f"{sidecar.name} is not readable (half-written?)", f"workbench run {sidecar.name.split('.')[0]} --force"
        ) from None


def _chapters(work: Stage) -> None:
    for source in work.layout.chapters():
        solutions = sorted(work.layout.solutions.glob(f"{source.stem.split('_', 1)[0]}_*.ipynb"))
        for solution in solutions:
            _exercise_page(work, solution, f"notebooks/{source.stem}")
        notebook = pages.clean(_read(executed(work.layout, source, work.profile)))
        _take_figures(work, notebook, source.stem)
        _chapter_page(work, notebook, source)


def _chapter_page(work: Stage, notebook: Any, source: Path) -> None:
    path = f"notebooks/{source.name}"
    page = f"notebooks/{source.stem}"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = pages.relink(cell.source, path, work.owner)
    more = f'<li><a href="../{work.exercise_of[page]}.html">Exercises</a></li>' if page in work.exercise_of else ""
    line = pages.run_line(path, work.owner, pages.reading_minutes(notebook.cells), _runs(work, source), more)
    notebook.cells[0].source = pages.under_title(notebook.cells[0].source, line)
    work.write(path, nbformat.writes(notebook) + "\n")
    work.write(f"_extra/downloads/{path}", source.read_bytes())


def _take_figures(work: Stage, notebook: Any, stem: str) -> None:
    found = pages.figures(notebook)
    for figure in found:
        work.write(f"{FIGURES}/{stem}/{figure.name}.png", figure.png)
        about = {"alt": figure.alt, "caption": figure.caption}
        work.write(f"{FIGURES}/{stem}/{figure.name}.json", json.dumps(about, ensure_ascii=False))
    title = _title(notebook.cells[0].source) if notebook.cells else stem
    work.cards[f"notebooks/{stem}"] = (title, found[0].png if found else None)


def _title(text: str) -> str:
    found = re.search(r"^# (.+)$", text, flags=re.M)
    return re.sub(r"[`*_]", "", found[1]).strip() if found else "Untitled"


def _exercise_page(work: Stage, solution: Path, chapter: str) -> None:
    path = f"exercises/{solution.name}"
    generated = work.layout.exercises / solution.name
    if not generated.is_file():
        raise WorkbenchError(f"{path} is missing", "workbench exercises generate")
    answers = _read(executed(work.layout, solution, work.profile))
    answers.cells = [cell for cell in answers.cells if "injected-parameters" not in pages.tags(cell)]
    text = exercise_pages.page(answers, _read(generated), solution.name)
    text = pages.relink(text, f"solutions/{solution.name}", work.owner)
    back = f'<li><a href="../{chapter}.html">The chapter</a></li>'
    grade = f"<li>Grade yours: <code>workbench exercises grade {path}</code></li>"
    line = pages.run_line(path, work.owner, pages.reading_minutes(answers.cells), [], back + grade)
    page = path.removesuffix(".ipynb")
    work.write(f"{page}.md", pages.under_title(text, line))
    work.write(f"_extra/downloads/{path}", generated.read_bytes())
    work.exercise_of[chapter] = page
    work.exercises += exercise_pages.listed(answers, page)
    work.cards[page] = (_title(text), None)


def _book(work: Stage) -> None:
    """Everything under book/, with links that fit the staged tree."""
    for source in sorted(work.layout.book.rglob("*")):
        path = source.relative_to(work.layout.root).as_posix()
        target = pages.staged(path)
        if not source.is_file() or path == "book/owner.yml":
            continue
        if source.suffix != ".md":
            work.write(target, source.read_bytes())
            continue
        text = pages.relink(source.read_text(encoding="utf-8"), path, work.owner)
        work.write(target, _as_post(work, text, source) if target.startswith("blog/") else text)
        work.cards[target.removesuffix(".md")] = (_title(text), _stated_figure(work, text))


def _as_post(work: Stage, text: str, source: Path) -> str:
    """Complete a post's front matter: what the file's name and the owner's file already say is not repeated."""
    dated = POST.fullmatch(source.name)
    if not dated:
        return text
    matter, body = front_matter(text)
    matter = {"blogpost": "true", "date": dated[1], "author": work.owner.name, "language": "English", **matter}
    matter = {key: value if isinstance(value, (str, dict)) else str(value) for key, value in matter.items()}
    return f"---\n{yaml.safe_dump(matter, allow_unicode=True)}---\n{body}"


def front_matter(text: str) -> tuple[dict, str]:
    """(fields, body) of a page: ("---\\ndate: 2026-11-21\\n---\\n# T") → ({"date": …}, "# T")."""
    found = re.match(r"---\n(.*?)\n---\n", text, flags=re.S)
    return (yaml.safe_load(found[1]) or {}, text[found.end() :]) if found else ({}, text)


def _stated_figure(work: Stage, text: str) -> bytes | None:
    """The picture of a page's card: the `figure: chapter/name` it states, or the first one it shows."""
    stated = front_matter(text)[0].get("figure")
    shown = re.search(r"```\{chapter-figure\}\s*(\S+)", text)
    name = stated or (shown[1] if shown else None)
    if not name:
        return None
    path = work.folder / FIGURES / f"{name}.png"
    if not path.is_file():
        known = [
            p.relative_to(work.folder / FIGURES).with_suffix("").as_posix() for p in path.parents[1].rglob("*.png")
        ]
        from workbench.errors import UnknownNameError

        raise UnknownNameError("figure", name, known)
    return path.read_bytes()


def posts(layout: Layout) -> list[Path]:
    """The blog's posts, newest first."""
    return sorted((p for p in (layout.book / "blog").glob("*.md") if POST.fullmatch(p.name)), reverse=True)
