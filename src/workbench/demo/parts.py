"""Pieces of the page as HTML, everything that came from outside escaped."""

import html
from collections.abc import Sequence

from workbench.demo.pipeline import READ, Hit, highlight

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


def latency_bar(seconds: dict[str, float], mode: str = "") -> str:
    """One bar, a stage per colour in proportion to its time, and what each took in words."""
    total = sum(seconds.values()) or 1.0
    named = list(zip(seconds.items(), COLOURS, strict=False))
    bar = "".join(
        f'<span style="width:{100 * s / total:.2f}%;background:{colour};height:14px;display:inline-block"></span>'
        for (_, s), colour in named
    )
    words = " · ".join(
        f'<span style="color:{colour}">■</span> {html.escape(name)} {_time(s)}' for (name, s), colour in named
    )
    label = html.escape(", ".join(f"{name} {_time(s)}" for name, s in seconds.items()))
    name = f"Time per stage, {html.escape(mode)}: {label}"
    return (
        f'<div role="img" aria-label="{name}" style="width:100%;white-space:nowrap;overflow:hidden">{bar}</div>'
        f'<p class="stages">{words}</p>'
    )


def _time(seconds: float) -> str:
    """(0.0123) → "12.3 ms", (2.5) → "2.5 s"."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1e3 * seconds:.1f} ms"


def scores(hits: Sequence[Hit]) -> str:
    """A table: rank, passage, what each retriever thought of it."""
    rows = "".join(
        f"<tr><td>{rank}</td><td>{html.escape(hit.id)}</td>"
        + "".join(f"<td>{_number(score)}</td>" for score in (hit.sparse, hit.dense, hit.late))
        + "</tr>"
        for rank, hit in enumerate(hits, 1)
    )
    head = "<tr><th>rank</th><th>passage</th><th>BM25</th><th>cosine</th><th>MaxSim</th></tr>"
    return f'<table class="scores"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def source(rank: int, hit: Hit, answer: str) -> str:
    """A passage, marked where the answer shares its words if the model read it."""
    text = highlight(hit.text, answer if rank <= READ else "")
    read = "read by the model" if rank <= READ else "found, not read"
    name = html.escape(hit.title or hit.id)
    return (
        f'<section class="source" style="margin-bottom:1em"><strong>[{rank}] {name}</strong> '
        f'<small>({read})</small><div style="white-space:pre-wrap">{text}</div></section>'
    )
