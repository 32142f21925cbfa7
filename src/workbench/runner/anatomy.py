"""What an author should mend before a chapter is committed: cheap checks of STYLE's anatomy, without a kernel."""

import ast
import contextlib
import json
import re
from pathlib import Path
from statistics import median

from nbformat import NotebookNode

from workbench.errors import WorkbenchError
from workbench.layout import slug
from workbench.runner import notebooks

MAX_LINES, MEDIAN_LINES, MIN_CLAIMS = 25, 8, 3
CLAIM = "application/vnd.workbench.claim+json"
_NUMBER = re.compile(
    r"(?<![\w`{.#/-])\d+(?:[.,]\d+)?\s?"
    r"(?:ms|µs|μs|us|ns|tok/s|tokens/s|×|times (?:faster|slower|smaller|larger)|x (?:faster|slower)|%|[KMG]i?B/s|req/s)"
    r"(?!\w)"
)
_NOT_PROSE = re.compile(r"```.*?```|~~~.*?~~~|\{[a-z:]+\}`[^`]*`|``[^`].*?``|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", re.S)
_GIVEN = re.compile(r"^.*<!--\s*given\s*-->\s*$", re.M)
_LINK = re.compile(r"\]\(([^()#\s]+\.ipynb)[#)]")
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")


def problems(nb: NotebookNode, path: Path) -> list[str]:
    """Every problem as one sentence that names the cell; a chapter's duties do not bind solutions."""
    cells = [c for c in nb.cells if c.cell_type == "code" and c.source.strip()]
    found = [*_ids(nb.cells), *_sizes(cells), *_figures(cells), *_numbers(nb.cells), *_links(nb.cells, path)]
    if path.parent.name == "notebooks":
        found += [*_prose(nb.cells, cells), *_opening(nb, cells), *_claims(cells, slug(path.stem))]
        found += _figure_names(nb.cells, path)
    return found


def typed_numbers(markdown: str) -> list[str]:
    """Measured-looking numbers in prose: "it is 3.4× faster, 12 ms" → ["3.4×", "12 ms"].

    Not counted: code, roles such as {claim}`…`, formulas, and lines that end in <!-- given --> (a stated assumption).
    """
    text = _NOT_PROSE.sub(lambda m: "\n" * m.group().count("\n"), markdown)
    return [match.group() for match in _NUMBER.finditer(_GIVEN.sub("", text))]


def _ids(cells: list) -> list[str]:
    ids = [cell.get("id", "") for cell in cells]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    random = [c.get("id", "") for c in cells if c.cell_type == "code" and _RANDOM_ID.fullmatch(c.get("id", ""))]
    return [f"cell id '{i}' is used {ids.count(i)} times" for i in twice] + [
        f"cell id '{i}' says nothing: name the cell" for i in random
    ]


def _prose(cells: list, code: list) -> list[str]:
    prose = sum(c.cell_type == "markdown" for c in cells)
    return [] if prose >= len(code) else [f"{prose} prose cells for {len(code)} code cells (at least as many)"]


def _sizes(code: list) -> list[str]:
    lines = {c.get("id", "?"): len(c.source.splitlines()) for c in code}
    found = [f"code cell '{i}' has {n} lines (at most {MAX_LINES})" for i, n in lines.items() if n > MAX_LINES]
    if lines and median(lines.values()) > MEDIAN_LINES:
        found.append(f"the median code cell has {median(lines.values()):g} lines (at most {MEDIAN_LINES})")
    return found


def _figures(code: list) -> list[str]:
    """Cells that show a figure, executed or not, and do not describe it."""
    found = []
    for cell in code:
        drawn = any("image/png" in o.get("data", {}) for o in cell.outputs) or _calls(cell, "show")
        if drawn and not cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip():
            found.append(f"figure cell '{cell.get('id', '?')}' has no alt text (metadata: mystnb.image.alt)")
    return found


def _links(cells: list, path: Path) -> list[str]:
    """Links to notebooks that are not there; a chapter's own sheet may be yet to come."""
    links = {link for cell in cells if cell.cell_type == "markdown" for link in _LINK.findall(cell.source)}
    gone = [link for link in sorted(links) if not link.endswith(path.name) and not (path.parent / link).is_file()]
    return [f"a link leads to {link}, which does not exist" for link in gone if "://" not in link]


def figure_names(cells: list[dict]) -> list[str]:
    """The names under which pages refer to the figures of these cells; cells as in the notebook's file."""
    named = [cell["metadata"].get("mystnb", {}).get("figure", {}).get("name", "") for cell in cells]
    return [name for name in named if name]


def _figure_names(cells: list, path: Path) -> list[str]:
    """Figure names that another chapter has too: the site could not tell which one a link means."""
    mine, found = set(figure_names(cells)), []
    for other in sorted(path.parent.glob("*.ipynb")):
        if other.name != path.name:
            with contextlib.suppress(ValueError, KeyError):  # a broken neighbour complains of itself
                twice = mine & set(figure_names(json.loads(other.read_bytes())["cells"]))
                found += [f"figure name '{name}' is also used in {other.name}" for name in sorted(twice)]
    return found


def _numbers(cells: list) -> list[str]:
    found = []
    for cell in cells:
        for number in typed_numbers(cell.source) if cell.cell_type == "markdown" else []:
            found.append(
                f"prose cell '{cell.get('id', '?')}' types '{number}': use {{claim}}, or end it <!-- given -->"
            )
    return found


def _opening(nb: NotebookNode, code: list) -> list[str]:
    where = [i for i, cell in enumerate(code) if "parameters" in notebooks.tags(cell)]
    if len(where) != 1:
        return [f"{len(where)} cells are tagged parameters (exactly one)"]
    found = []
    try:
        if "profile" not in notebooks.parameters(nb):
            found.append("the parameters cell does not set profile")
    except WorkbenchError as problem:
        found.append(problem.message)
    after = code[where[0] + 1] if len(code) > where[0] + 1 else None
    if after is None or not _calls(after, "prepare"):
        found.append("the cell after the parameters does not call prepare(…)")
    return found


def _claims(code: list, slug: str) -> list[str]:
    """Claims in the code, and those that only outputs know (an id computed in a loop)."""
    records = [o.data[CLAIM] for c in code for o in c.outputs if CLAIM in o.get("data", {})]
    calls = [call for c in code for call in _calls(c, "claim")]
    typed = [_argument(call, "id", 0) for call in calls]
    ids = {i for i in typed if i} | {r["id"] for r in records}
    control = any(r.get("control") for r in records) or any(_argument(call, "control") for call in calls)
    found = [f"claim id '{i}' does not begin with '{slug}.'" for i in sorted(ids) if not i.startswith(f"{slug}.")]
    found += [f"claim id '{i}' is claimed in {typed.count(i)} places" for i in sorted(ids) if typed.count(i) > 1]
    if len(ids) < MIN_CLAIMS:
        found.append(f"{len(ids)} claims (at least {MIN_CLAIMS})")
    return found if control else [*found, "no claim is a control (control=True)"]


def _calls(cell, function: str) -> list[ast.Call]:
    """Calls of `function` in a code cell, by its plain name; none where it does not parse."""
    try:
        tree = ast.parse(re.sub(r"^\s*[%!?].*$", "", cell.source, flags=re.M))
    except SyntaxError:
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if getattr(call.func, "id", None) == function]


def _argument(call: ast.Call, name: str, position: int | None = None):
    """The constant given for an argument, or None."""
    values = [k.value for k in call.keywords if k.arg == name]
    if position is not None:
        values += call.args[position : position + 1]
    return values[0].value if values and isinstance(values[0], ast.Constant) else None
