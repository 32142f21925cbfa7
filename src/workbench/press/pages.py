"""From an executed notebook to the notebook that the site renders: pure functions."""

import base64
import copy
import html
import math
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.press.owner import Owner

OURS = "application/vnd.workbench."
WIDGETS = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=[)\s])")
TREES = ("book/", "notebooks/", "exercises/", "solutions/")
WORDS_PER_MINUTE = 200


@dataclass(frozen=True)
class Run:
    """What one profile's run of a notebook took."""

    profile: str
    seconds: float
    peak_mb: float | None


@dataclass(frozen=True)
class Figure:
    """One picture of a page: its name, its PNG and its description."""

    name: str
    png: bytes
    alt: str
    caption: str


def clean(notebook: Any) -> Any:
    """A copy without what the runner injected, what needs a kernel and what changes from run to run."""
    page = copy.deepcopy(notebook)
    page.metadata = {key: page.metadata[key] for key in ("kernelspec", "language_info") if key in page.metadata}
    page.cells = [cell for cell in page.cells if "injected-parameters" not in tags(cell)]
    for cell in page.cells:
        for noise in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(noise, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_for_readers(output)]
    return page


def tags(cell: Any) -> list[str]:
    """A cell's tags, [] where it has none."""
    return cell.get("metadata", {}).get("tags", [])


def _is_for_readers(output: Any) -> bool:
    """Drop widget views and our own records from an output; False when nothing is left to show."""
    if "data" not in output:
        return True
    for mime in [mime for mime in output.data if mime in WIDGETS or mime.startswith(OURS)]:
        del output.data[mime]
    return bool(set(output.data) - {"text/plain"}) or not _is_widget_text(output.data.get("text/plain", ""))


def _is_widget_text(text: str) -> bool:
    """The bare text that is left of a widget once its view is gone."""
    return not text or bool(re.match(r"(HBox|VBox|interactive|Output|\w*Slider)\(", text))


def relink(text: str, source: str, owner: Owner) -> str:
    """Point Markdown links of the repository's file `source` at the staged pages, or at the repository."""
    here = posixpath.dirname(staged(source))

    def replace(match: re.Match) -> str:
        target, anchor = match[1], match[2] or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path.startswith(TREES):
            return posixpath.relpath(staged(path), here or ".") + anchor
        return match[0] if path.startswith("..") else owner.source(path) + anchor

    return LINK.sub(replace, text)


def staged(path: str) -> str:
    """Where a file of the repository lies in the staged tree: "book/blog/x.md" → "blog/x.md"."""
    if path.startswith(("exercises/", "solutions/")):
        return "exercises/" + posixpath.basename(path).replace(".ipynb", ".md")
    return path.removeprefix("book/")


def reading_minutes(cells: Iterable[Any]) -> int:
    """Minutes to read prose and code at 200 words a minute, at least one."""
    words = sum(len(cell.source.split()) for cell in cells)
    return max(1, math.ceil(words / WORDS_PER_MINUTE))


def figures(notebook: Any) -> list[Figure]:
    """Every PNG that a cell shows, with the name, alt text and caption of the cell's metadata."""
    found = []
    for cell in notebook.cells:
        about = cell.metadata.get("mystnb", {})
        pictures = [o["data"]["image/png"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        for number, png in enumerate(pictures):
            name = about.get("figure", {}).get("name") or f"{cell.get('id', 'figure')}-{number}"
            alt, caption = about.get("image", {}).get("alt", ""), about.get("figure", {}).get("caption", "")
            found.append(Figure(name, base64.b64decode(png), alt, caption))
    return found


def run_line(path: str, owner: Owner, minutes: int, runs: list[Run], more: str = "") -> str:
    """The line under a page's title: time to read and to run, and the ways to run it (HTML)."""
    facts = [f"{minutes} min to read"]
    facts += [f"{_seconds(run.seconds)} to run ({run.profile})" for run in runs]
    peak = max((run.peak_mb or 0 for run in runs), default=0)
    facts += [f"{_memory(peak)} memory at most"] if peak else []
    name = html.escape(posixpath.basename(path))
    links = [
        f'<a href="../downloads/{path}" download="{name}">Download</a>',
        f'<a href="{html.escape(owner.binder(path))}">Binder</a>',
        f'<a href="{html.escape(owner.colab(path))}">Colab</a>',
    ]
    return (
        '<div class="wb-run"><ul class="wb-facts">'
        + "".join(f"<li>{html.escape(fact)}</li>" for fact in facts)
        + f'</ul><ul class="wb-links">{more}<li>In JupyterLab: <code>make lab</code>, then '
        f"<code>{html.escape(path)}</code></li>" + "".join(f"<li>{link}</li>" for link in links) + "</ul></div>"
    )


def under_title(text: str, block: str) -> str:
    """Put raw HTML right under the first heading of a Markdown text."""
    raw = f"\n\n```{{raw}} html\n{block}\n```\n"
    title = re.search(r"^# .*$", text, flags=re.M)
    return text[: title.end()] + raw + text[title.end() :] if title else raw.lstrip() + text


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def _memory(megabytes: float) -> str:
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
