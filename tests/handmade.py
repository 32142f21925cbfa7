"""Notebooks written by hand for tests: what the instruments would have displayed, without a kernel."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from workbench.claims import MIME as CLAIM
from workbench.claims import Claim, to_html, to_text
from workbench.layout import Layout
from workbench.provenance import MIME as PROVENANCE

RUN = {"machine": "test-cpu-2c", "profile": "cpu", "date": "2026-11-21", "commit": "abc1234", "seed": 0}


def text(plain: str, **others):
    """An execute_result with text/plain and other MIME types ("text_html" → text/html)."""
    data = {"text/plain": plain} | {name.replace("_", "/"): value for name, value in others.items()}
    return new_output("execute_result", data, execution_count=1)


def stream(words: str):
    return new_output("stream", name="stdout", text=words)


def claim(id: str, held: bool | None = True, value: float = 0.75, **fields):
    record = {"says": "it is smaller", "unit": "fraction", "bound": {"at_least": 0.7}, "profile": "cpu"}
    made = Claim(id=id, value=value, held=held, **(record | {"machine": RUN["machine"]} | fields))
    return new_output("display_data", {"text/plain": to_text(made), "text/html": to_html(made), CLAIM: vars(made)})


def provenance(**fields):
    plain = "profile cpu, seed 0, threads 1: calls = 400"
    html = f"<p>{fields or RUN['machine']}</p>"
    return new_output("display_data", {"text/plain": plain, "text/html": html, PROVENANCE: RUN | fields})


def code(id: str, *outputs, source: str | None = None, tags: tuple[str, ...] = (), count: int | None = 1):
    metadata = {"tags": list(tags)} if tags else {}
    return new_code_cell(
        source or f"run({id!r})", id=id, outputs=list(outputs), metadata=metadata, execution_count=count
    )


def prose(id: str, words: str):
    return new_markdown_cell(words, id=id)


def write(path: Path, *cells) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


def book(root: Path, *stems: str) -> Layout:
    """A checkout that has these chapters in `_toc.yml`, and nothing else."""
    chapters = "".join(f"      - file: notebooks/{stem}\n" for stem in stems)
    root.mkdir(parents=True, exist_ok=True)
    toc = f"format: jb-book\nroot: book/index\nparts:\n  - caption: A\n    chapters:\n{chapters}"
    (root / "_toc.yml").write_text(toc)
    return Layout(root)
