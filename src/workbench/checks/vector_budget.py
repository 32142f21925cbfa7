"""Checks of chapter 45's last exercises: the bytes of a graph, and an index that a budget allows."""

import numpy as np

from workbench.checks.answers import NONE, number, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 45.4


def _graph_bytes(n: int, d: int, links: int) -> float:
    """Vectors, the ground level's 2·links and the upper levels' links / (links − 1) places per vector."""
    upper = sum(links * links**-level for level in range(1, 60))
    return 4.0 * n * (d + 2 * links + upper)


@check("45.4")
def check_graph_bytes(graph_bytes) -> str:
    """graph_bytes(n, d, links) → float."""
    for n, d, links in ((1_000_000, 384, 16), (10_000, 768, 32), (5_000, 96, 4), (250_000, 1024, 8)):
        wanted = _graph_bytes(n, d, links)
        got = number(graph_bytes(n, d, links), "the number of bytes")
        if not same(got, wanted, rtol=1e-6):
            raise Hint(_bytes_mistake(got, n, d, links, wanted))
    return "vectors, ground links and the thin upper levels are all paid for"


def _bytes_mistake(got: float, n: int, d: int, links: int, wanted: float) -> str:
    upper = links / (links - 1)
    known = {
        "You forgot the vectors themselves: d floats of 4 bytes each, the largest part.": 4 * n * (2 * links + upper),
        "Those are only the vectors. The links take memory too.": 4 * n * d,
        "On the ground level a vector has room for 2 · links, not for links.": 4 * n * (d + links + upper),
        "The upper levels are missing: 1 / links of the vectors live on the first, and so on.": 4 * n * (d + 2 * links),
        "Every vector on every level? Level l holds a share links**-l of them.": 4
        * n
        * (d + 2 * links + links * np.log(n) / np.log(links)),
        "Level 1 holds only n / links vectors; you counted its links for all of them.": 4 * n * (d + 3 * links),
        "A float32 and a link take 4 bytes each, not 8.": 2 * wanted,
        "That counts numbers, not bytes: 4 bytes each.": wanted / 4,
        "That is in megabytes. Return bytes.": wanted / 1e6,
        "That is in gigabytes. Return bytes.": wanted / 1e9,
    }
    for hint, value in known.items():
        if same(got, value, rtol=1e-6):
            return hint
    return f"For n = {n:,}, d = {d}, links = {links} you have {got:,.0f} bytes, expected {wanted:,.0f}."


# ------------------------------------------------------------------ 45.5

OFFERS = (
    {"name": "exact", "recall": 1.0, "p95_ms": 20.0, "memory_mb": 300.0},
    {"name": "graph", "recall": 0.9, "p95_ms": 1.0, "memory_mb": 330.0},
    {"name": "cells 4", "recall": 0.85, "p95_ms": 0.3, "memory_mb": 310.0},
    {"name": "cells 16", "recall": 0.95, "p95_ms": 0.8, "memory_mb": 310.0},
    {"name": "codes", "recall": 0.85, "p95_ms": 4.0, "memory_mb": 10.0},
    {"name": "codes 96", "recall": 0.85, "p95_ms": 3.0, "memory_mb": 20.0},
)
BUDGETS = ((320, 1.0), (1000, 50), (50, 10), (20, 3.0), (310, 0.8), (320, 0.1), (5, 100), (330, 0.5), (25, 5))


def _choice(offers, memory_mb: float, p95_ms: float):
    allowed = [o for o in offers if o["memory_mb"] <= memory_mb and o["p95_ms"] <= p95_ms]
    best = sorted(allowed, key=lambda o: (-o["recall"], o["p95_ms"]))
    return best[0]["name"] if best else None


@check("45.5")
def check_choose(choose) -> str:
    """choose(offers, memory_mb, p95_ms) → name, or None."""
    asked = [(offers, *budget) for budget in BUDGETS for offers in (OFFERS, OFFERS[::-1])]
    chosen = [choose([dict(offer) for offer in offers], *budget) for offers, *budget in asked]
    if all(got is None for got in chosen):
        raise Hint(NONE)
    for got, question in zip(chosen, asked, strict=True):
        wanted = _choice(*question)
        if not isinstance(got, str | None) or got != wanted:
            raise Hint(_choice_mistake(got, *question, wanted))
    return "the highest recall that the budget allows, or nothing"


def _choice_mistake(got, offers, memory_mb: float, p95_ms: float, wanted) -> str:
    budget = f"With {memory_mb} MB and {p95_ms} ms"
    if isinstance(got, dict):
        return "Return the name of the offer, not the whole offer."
    if got is None:
        named = next(o for o in offers if o["name"] == wanted)
        exactly = named["memory_mb"] == memory_mb or named["p95_ms"] == p95_ms
        why = "exactly on the budget is within it: <=" if exactly else "it is within both limits"
        return f"{budget} you return None, but '{wanted}' will do ({why})."
    if wanted is None and isinstance(got, str):
        return f"{budget} nothing fits. Return None, not '{got}': somebody has to talk about the budget."
    chosen = next((o for o in offers if isinstance(got, str) and o["name"] == got), None)
    if chosen is None:
        what = repr(got) if isinstance(got, str) else f"a {type(got).__name__}"
        return f"{budget} you return {what}, which is no offer's name."
    if chosen["memory_mb"] > memory_mb:
        return f"{budget} you chose '{got}', which needs {chosen['memory_mb']:g} MB: over the memory budget."
    if chosen["p95_ms"] > p95_ms:
        return f"{budget} you chose '{got}', whose p95 is {chosen['p95_ms']:g} ms: over the time budget."
    best = next(o for o in offers if o["name"] == wanted)
    if chosen["recall"] == best["recall"]:
        return f"'{got}' and '{wanted}' have the same recall; of these the lower p95 is asked for."
    if chosen["p95_ms"] < best["p95_ms"]:
        return f"{budget} you chose the faster '{got}'. Both fit: take the higher recall, '{wanted}'."
    return f"{budget} '{wanted}' also fits and has a higher recall than '{got}'."
