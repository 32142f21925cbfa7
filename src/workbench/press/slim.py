"""Make built pages light: formulas typeset in advance, one style sheet, scripts that do not block, sized pictures."""

import base64
import hashlib
import html
import json
import posixpath
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

from workbench.errors import WorkbenchError

NOT_PAGES = {"vendor", "_static", "404.html"}
SHEET = "_static/book.css"
STYLES = re.compile(r'[ \t]*<link\b[^>]*href="([^"]*_static/[^"]*\.css)[^"]*"[^>]*>\n?')
FOLD_LABEL = ' aria-label="Toggle hidden content"'  # myst-nb's; the summary's own text says more
SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
FORMULA = re.compile(r'(<(span|div) class="(?:[\w-]+ )?math notranslate nohighlight"[^>]*>)(.*?)(</\2>)', re.S)
TEX = re.compile(r"\\\((.*)\\\)|\\\[(.*)\\\]|(\\begin\{.*\})", re.S)
IMPORT = re.compile(r"""@import\s+(?:url\()?["']?([\w./-]+\.css)["']?\)?\s*;""")
PACKED = re.compile(r'\bsrc="data:image/png;base64,([^"]+)"')
IMAGE = re.compile(r"<img\b[^>]*>")
FACES = re.compile(r"@font-face\s*\{[^}]*\}")
Typeset = Callable[[list[dict]], dict]


def slim(site: Path, typeset: Typeset) -> None:
    """Rewrite every page of `site` in place.  typeset: formulas → {"html": […], "css": …}."""
    found = [page for page in sorted(site.rglob("*.html")) if not set(page.relative_to(site).parts) & NOT_PAGES]
    texts = {page: page.read_text(encoding="utf-8") for page in found}
    formulas = list(dict.fromkeys(formula for text in texts.values() for formula in formulas_of(text)))
    done = typeset([{"tex": tex, "display": display} for tex, display in formulas])
    rendered = dict(zip(formulas, done["html"], strict=True))
    _one_sheet(site, texts, done["css"])
    for page, text in texts.items():
        inside = page.relative_to(site).as_posix()
        text = with_formulas(text, rendered)
        text = sized(unpacked(with_sheet(text, inside), page, site), page).replace(FOLD_LABEL, "")
        page.write_text(deferred(text, page), encoding="utf-8")


def formulas_of(text: str) -> list[tuple[str, bool]]:
    """(TeX, is it displayed) of every formula of a page."""
    return [formula for found in FORMULA.finditer(text) if (formula := _formula(found))]


def _formula(found: re.Match) -> tuple[str, bool] | None:
    tex = TEX.search(found[3])
    if not tex:
        return None
    source = next(part for part in tex.groups() if part is not None)
    return html.unescape(source).strip(), found[2] == "div"


def with_formulas(text: str, rendered: dict[tuple[str, bool], str]) -> str:
    """Put each formula's picture, with its MathML for screen readers, in the place of its TeX."""

    def replace(found: re.Match) -> str:
        formula = _formula(found)
        if not formula:
            return found[0]
        return found[1] + TEX.sub(lambda _: rendered[formula], found[3], count=1) + found[4]

    return FORMULA.sub(replace, text)


def mathjax(package: Path, node: list[str]) -> Typeset:
    """MathJax in node.  Raises WorkbenchError that names a formula it cannot read."""

    def typeset(formulas: list[dict]) -> dict:
        if not formulas:
            return {"html": [], "css": ""}
        script = Path(__file__).parents[1] / "site" / "static" / "typeset.cjs"
        command = [*node, str(script), str(package.resolve())]
        done = subprocess.run(command, input=json.dumps(formulas), capture_output=True, text=True)
        if done.returncode:
            raise WorkbenchError(f"formulas could not be typeset: {done.stderr[:200]}", "workbench doctor")
        answer = json.loads(done.stdout)
        for formula, picture in zip(formulas, answer["html"], strict=True):
            error = re.search(r'data-mjx-error="([^"]*)"', picture)
            if error:
                raise WorkbenchError(f"formula {formula['tex'][:60]} cannot be read: {error[1]}", "correct it")
        return answer

    return typeset


def _one_sheet(site: Path, texts: dict[Path, str], more: str) -> None:
    """Join the style sheets that pages name, in the order of the first page that names each."""
    names: dict[str, None] = {}
    for page, text in texts.items():
        here = posixpath.dirname(page.relative_to(site).as_posix())
        names |= {posixpath.normpath(posixpath.join(here, url)): None for url in STYLES.findall(text)}
    ordered = sorted(names, key=lambda name: name.endswith("workbench.css"))
    sheets = [_sheet(site / name) for name in ordered]
    (site / SHEET).write_text("\n".join([*sheets, more]), encoding="utf-8")


def _sheet(path: Path) -> str:
    """A style sheet with what it imports, without the icon font."""
    text = FACES.sub("", path.read_text(encoding="utf-8"))
    return IMPORT.sub(lambda found: _sheet(path.parent / found[1]), text)


def with_sheet(text: str, page: str) -> str:
    """Name the one style sheet where the first of many stood."""
    url = posixpath.relpath(SHEET, posixpath.dirname(page) or ".")
    first = STYLES.search(text)
    if not first:
        return text
    start = text[: first.start()] + f'  <link rel="stylesheet" href="{url}"/>\n'
    return start + STYLES.sub("", text[first.end() :])


def deferred(text: str, page: Path) -> str:
    """Let no script file block the page; the one that inline scripts need at once is put in line."""

    def replace(found: re.Match) -> str:
        path = page.parent / found[1].split("?")[0]
        if path.name == "documentation_options.js":
            return f"<script>{path.read_text(encoding='utf-8')}</script>"
        return f'<script defer src="{found[1]}"></script>'

    return SCRIPT.sub(replace, text)


def unpacked(text: str, page: Path, site: Path) -> str:
    """Move pictures that are written into the page (an explorer's frames) to files: the text arrives first."""

    def replace(found: re.Match) -> str:
        picture = base64.b64decode(found[1])
        path = site / "_images" / f"{hashlib.sha256(picture).hexdigest()[:16]}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture)
        here = posixpath.relpath(path.as_posix(), page.parent.as_posix())
        return f'src="{here}" fetchpriority="low"'

    return PACKED.sub(replace, text)


def sized(text: str, page: Path) -> str:
    """Give pictures their width and height, so that nothing jumps when they arrive; later ones load when needed."""
    seen = []

    def replace(found: re.Match) -> str:
        tag, source = found[0], re.search(r'\bsrc="([^"]+)"', found[0])
        size = _size(source[1], page) if source and "width=" not in found[0] else None
        lazy = ' loading="lazy"' if seen and "fetchpriority" not in tag else ""
        seen.append(tag)
        if not size:
            return tag
        end = "/>" if tag.endswith("/>") else ">"
        return f'{tag.removesuffix(end).rstrip()} width="{size[0]}" height="{size[1]}"{lazy}{end}'

    return IMAGE.sub(replace, text)


def _size(source: str, page: Path) -> tuple[int, int] | None:
    """Width and height out of a PNG's first bytes; None for anything else."""
    path = page.parent / source.split("?")[0]
    head = path.read_bytes()[:32] if path.is_file() else b""
    return struct.unpack(">II", head[16:24]) if head[1:4] == b"PNG" else None
