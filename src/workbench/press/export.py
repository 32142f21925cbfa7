"""Posts for other platforms: plain Markdown, every number resolved, every figure beside it."""

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from workbench.claims import format_interval, format_value, note
from workbench.layout import Layout
from workbench.press import owner, stage
from workbench.proof import ledger

CLAIM = re.compile(r"\{claim\}`([^`]+)`")
ROLE = re.compile(r"\{(\w+)\}`(?:([^`<]+?)\s*<[^`>]+>|([^`<]+))`")
FIGURE = re.compile(r"^(`{3,}|:{3,})\{chapter-figure\}\s*(\S+)\s*\n(.*?)^\1\s*$", re.M | re.S)
DIRECTIVE = re.compile(  # fence, name, title, options, a body without another directive: innermost first
    r"^(`{3,}|:{3,})\{(\w[\w-]*)\}[ \t]*([^\n]*)\n((?::[\w-]+:[^\n]*\n)*)((?:(?!^[`:]{3,}\{).)*?)^\1[ \t]*$",
    re.M | re.S,
)
ANCHOR = re.compile(r"^\([\w-]+\)=\n", re.M)
COMMENT = re.compile(r"[ \t]*<!--.*?-->", re.S)
DROPPED = {"postlist", "toctree", "claims-row", "evidence-table", "exercise-list", "raw"}
CODE = {"code-block", "code", "code-cell", "mermaid"}
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s#]+?)(?:\.md|\.ipynb)(#[^)\s]*)?(?=\))")


def export_blog(layout: Layout, out: Path) -> list[Path]:
    """Write each post to `out` as self-contained Markdown; return the files.  Raises on an unknown claim or figure."""
    who = owner.read(layout)
    ledger.write(layout)
    table = ledger.load(layout)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = stage.stage(layout, Path(folder))
        return [_export(tree, path, table, who, out) for path in stage.posts(layout)]


def _export(tree: Path, post: Path, table: pd.DataFrame, who: owner.Owner, out: Path) -> Path:
    _, text = stage.front_matter((tree / "blog" / post.name).read_text(encoding="utf-8"))
    text = FIGURE.sub(lambda found: _figure(tree, found, out, post.stem), text)
    text = outside_code(text, lambda part: _plain(part, table, tree, who))
    text = COMMENT.sub("", ANCHOR.sub("", unfold(text)))
    address = f"{who.site}blog/{post.stem}.html"
    note = f"\n---\n*First published at [{address}]({address}), where every number links to its cell.*\n"
    target = out / post.name
    target.write_text(text.strip() + "\n" + note, encoding="utf-8")
    return target


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to the parts of a Markdown text that are not fenced code."""
    parts = re.split(r"(^```[\w ]*\n.*?^```\s*$)", text, flags=re.M | re.S)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def _plain(text: str, table: pd.DataFrame, tree: Path, who: owner.Owner) -> str:
    text = CLAIM.sub(lambda found: claim_link(found[1], table, tree, who), text)
    text = LINK.sub(lambda found: f"{found[1]}{_absolute(found[2], who)}.html{found[3] or ''}", text)
    return ROLE.sub(lambda found: (found[2] or found[3]).strip() if found[1] != "math" else f"${found[3]}$", text)


def _absolute(target: str, who: owner.Owner) -> str:
    """A post's relative link as an address: "../notebooks/22_x" → "https://…/notebooks/22_x"."""
    from urllib.parse import urljoin

    return urljoin(f"{who.site}blog/", target)


def claim_link(name: str, table: pd.DataFrame, tree: Path, who: owner.Owner) -> str:
    """ "[74.2 % (73 % to 75 %)](https://…#claim-…)" for a claim id."""
    row = ledger.lookup(table, name.strip())
    interval = format_interval(*(None if pd.isna(row[key]) else row[key] for key in ("low", "high")), row["unit"])
    value = format_value(None if pd.isna(row["value"]) else row["value"], row["unit"])
    shown = f"{value} ({interval})" if interval else value
    link = f"[{shown}]({who.site}notebooks/{row['chapter']}.html#claim-{row['id']})"
    return f"{link} {note(row['held'])}".rstrip()


def _figure(tree: Path, found: re.Match, out: Path, stem: str) -> str:
    import json

    source = tree / stage.FIGURES / f"{found[2]}.png"
    if not source.is_file():
        from workbench.errors import UnknownNameError

        raise UnknownNameError(
            "figure",
            found[2],
            [str(p.relative_to(tree / stage.FIGURES).with_suffix("")) for p in (tree / stage.FIGURES).rglob("*.png")],
        )
    about = json.loads(source.with_suffix(".json").read_text(encoding="utf-8"))
    target = out / stem / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    caption = " ".join(found[3].split()) or about["caption"]
    return f"![{about['alt']}]({stem}/{source.name})" + (f"\n\n*{caption}*" if caption else "") + "\n"


def unfold(text: str) -> str:
    """Turn MyST directives into plain Markdown, innermost first."""
    while True:
        plain = DIRECTIVE.sub(_directive, text)
        if plain == text:
            return text
        text = plain


def _directive(found: re.Match) -> str:
    _, name, title, _, body = found.groups()
    if name in DROPPED:
        return ""
    if name in CODE:
        return f"```{'mermaid' if name == 'mermaid' else title}\n{body}```"
    if name == "math":
        return f"$$\n{body.strip()}\n$$"
    heading = title or name.capitalize()
    return "\n".join(f"> {line}".rstrip() for line in [f"**{heading}**", "", *body.strip().splitlines()])
