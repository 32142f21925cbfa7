"""Checks of chapter 29's exercises on paper: rows in a wave, bytes of a decode step, merging two softmax halves."""

import math

import numpy as np

from workbench.checks.answers import number, parts, same
from workbench.checks.report import Hint, check


def recognise(got: float, wanted: float, mistakes: dict[str, float], what: str) -> None:
    """Pass when `got` is `wanted`; otherwise raise the hint of the mistake that returns it, or a plain one."""
    if same(got, wanted):
        return
    for hint, value in mistakes.items():
        if same(got, value):
            raise Hint(hint)
    raise Hint(f"{what}: you have {got:.10g}, expected {wanted:.10g}.")


# ------------------------------------------------------------------ 29.1

PRODUCTS = ((3072, (128, 256), 132, 1), (3000, (128, 128), 108, 2), (700, (64, 256), 80, 2))  # …, units, waves


def _largest_rows(columns: int, tile: tuple[int, int], units: int, waves: int) -> int:
    """By adding a row of tiles as long as the waves suffice."""
    rows = 0
    while math.ceil((rows + tile[0]) / tile[0]) * math.ceil(columns / tile[1]) <= waves * units:
        rows += tile[0]
    return rows


def _wave_mistakes(columns: int, tile: tuple[int, int], units: int, waves: int) -> dict[str, float]:
    tall, wide = tile
    right = _largest_rows(columns, tile, units, waves)
    across = math.ceil(columns / wide)
    return {
        "That is the number of rows of tiles. A tile has tile[0] rows.": right // tall,
        "A tile at the edge counts in full: round the tiles across *up*, columns / tile[1].": (
            waves * units // (columns // wide) * tall
        ),
        "You divided areas, as if tiles could be cut. Count whole tiles, across first, then down.": (
            waves * units * tall * wide // columns
        ),
        "You rounded up at the end: that last row of tiles starts another wave.": (
            math.ceil(waves * units / across) * tall
        ),
        "Tile[0] goes along rows, tile[1] along columns: you swapped them.": (
            waves * units // math.ceil(columns / tall) * wide
        ),
        "That is for one wave; `waves` are allowed.": units // across * tall,
        "You left out the columns: one row of tiles has as many tiles as the matrix is wide.": waves * units * tall,
        "One row too many: that one starts another wave.": right + 1,
    }


@check("29.1")
def check_rows_in_waves(rows_in_waves) -> str:
    """rows_in_waves(columns, tile, units, waves) → the most rows whose tiles run in so many waves."""
    for product in reversed(PRODUCTS):
        got = number(rows_in_waves(*product), "the rows")
        recognise(got, _largest_rows(*product), _wave_mistakes(*product), f"rows for {product}")
    return "whole tiles only, at the edge too, for one wave and for two"


# ------------------------------------------------------------------ 29.2

MODELS = (
    dict(layers=32, width=4096, heads=32, kv_heads=8, hidden=14336, words=128256, tied=False),
    dict(layers=30, width=576, heads=9, kv_heads=3, hidden=1536, words=49152, tied=True),
)
LOADS = (dict(users=1, context=0), dict(users=16, context=2000))


def _step_bytes(layers, width, heads, kv_heads, hidden, words, tied, users, context, size=2) -> int:
    """By listing every matrix that a step multiplies with."""
    head = width // heads
    layer = [(width, width), (width, kv_heads * head), (width, kv_heads * head), (width, width)]
    layer += [(width, hidden), (width, hidden), (hidden, width)]
    matrices = layers * layer + [(width, words)]
    cache = users * context * layers * 2 * kv_heads * head
    return size * (sum(n_in * n_out for n_in, n_out in matrices) + cache)


def _byte_mistakes(load: dict, model: dict) -> dict[str, float]:
    users, context, size = load["users"], load["context"], load["size"]
    layers, width, heads, words = (model[name] for name in ("layers", "width", "heads", "words"))
    right, table = _step_bytes(**model, **load), size * words * width
    cache = size * users * context * layers * 2 * model["kv_heads"] * (width // heads)
    weights = right - cache
    return {
        "You count the table of words as read. A step looks up one row of it; what it reads is the scoring matrix.": (
            right + table
        ),
        "A tied model has one table for both ends, and its step still multiplies with all of it to score the words.": (
            right - table
        ),
        "You left out the matrix that scores the words: width × words.": right - table,
        "Keys and values are missing: each user's whole context is read again in every step.": weights,
        "You read the weights once per user. A step reads them once for all: that is why batching pays.": (
            weights * users + cache
        ),
        "Each user has keys and values of their own: that part grows with users.": weights + cache / users,
        "The cache holds key/value heads, not query heads.": weights + cache * heads / model["kv_heads"],
        "Keys *and* values: two numbers for each place.": weights + cache / 2,
        "The hidden block of this family has three matrices: gate, up and down.": (
            right - size * layers * width * model["hidden"]
        ),
        "Key and value projections are narrower than the query's: kv_heads × head columns each.": (
            right + size * layers * 2 * width * (width - model["kv_heads"] * (width // heads))
        ),
        "Those are numbers, not bytes: times `size`.": right / size,
        "You forgot that there are `layers` of them.": (weights - table) / layers + table + cache,
    }


@check("29.2")
def check_step_bytes(step_bytes) -> str:
    """step_bytes(layers, width, heads, kv_heads, hidden, words, tied, users, context, size) → bytes of a step."""
    for model in MODELS:
        for load in LOADS:
            load = load | {"size": 2}
            got = number(step_bytes(**model, **load), "the bytes")
            recognise(got, _step_bytes(**model, **load), _byte_mistakes(load, model), "Bytes")
    return "a tied and an untied model, alone and with sixteen users: equal to a list of all matrices"


# ------------------------------------------------------------------ 29.3


def _half(scores: np.ndarray, values: np.ndarray) -> tuple:
    """What one block leaves behind: unfinished answer, sum, largest score."""
    top = scores.max()
    weights = np.exp(scores - top)
    return weights @ values, weights.sum(), top


def _merged(one: tuple, two: tuple) -> tuple:
    """The two in one, by another road: in units of the first's top, in extended precision, then moved."""
    top = max(one[2], two[2])
    shares = [np.exp(np.longdouble(top_of) - top) for _, _, top_of in (one, two)]
    out, total = (sum(half[i] * share for half, share in zip((one, two), shares, strict=True)) for i in (0, 1))
    return np.asarray(out, float), float(total), float(top)


def _merge_mistakes(one: tuple, two: tuple) -> dict[str, np.ndarray]:
    """Hint → the answer out/total that the mistake leads to."""
    (o1, l1, m1), (o2, l2, m2) = one, two
    top = max(m1, m2)
    with np.errstate(over="ignore", invalid="ignore"):
        swapped = np.exp(np.array([top - m1, top - m2]))
        return {
            "Nothing shrinks: each half is relative to its own largest score. Bring both to the common one first.": (
                (o1 + o2) / (l1 + l2)
            ),
            "The exponent's sign is wrong: a half with the smaller top must *shrink*, by exp(its top − common top).": (
                (swapped[0] * o1 + swapped[1] * o2) / (swapped[0] * l1 + swapped[1] * l2)
            ),
            "An average of two finished answers: a half counts by its sum of exponentials, not one half each.": (
                (o1 / l1 + o2 / l2) / 2
            ),
            "The answers shrink and the sums do not: both carry the same factor.": (
                (np.exp(m1 - top) * o1 + np.exp(m2 - top) * o2) / (l1 + l2)
            ),
        }


@check("29.3")
def check_merge(merge) -> str:
    """merge((out, total, top), (out, total, top)) → the same three of both blocks together."""
    rng = np.random.default_rng(29)
    for shift in (0.0, 3.0, -3.0, 2000.0):
        scores, values = rng.normal(size=(2, 6)), rng.normal(size=(2, 6, 4))
        scores[1] += shift
        one, two = (_half(s, v) for s, v in zip(scores, values, strict=True))
        out, total, top = parts(merge(one, two), ("out", "total", "top"))
        _judge_merge(out.astype(float), total.astype(float), top.astype(float), one, two)
    return "equal to one softmax over both blocks, also where one block's scores are 2,000 higher"


def _judge_merge(out, total, top, one: tuple, two: tuple) -> None:
    wanted = _merged(one, two)
    if out.shape != wanted[0].shape or total.size != 1 or top.size != 1:
        raise Hint(f"Shapes: out is {wanted[0].shape}, total and top are one number each.")
    if not (np.isfinite(out).all() and np.isfinite(total).all()):
        raise Hint("inf or nan: never take exp of a top itself. exp(top − common top) is at most 1.")
    if same(out, wanted[0] / wanted[1]):
        raise Hint("You divided already. Leave the answer unfinished, or the next block cannot be merged.")
    for hint, answer in _merge_mistakes(one, two).items():
        right = wanted[0] / wanted[1]
        if not same(answer, right, 1e-6) and (same(out / total, answer, 1e-6) or same(out, answer, 1e-6)):
            raise Hint(hint)
    if not same(top, wanted[2]):
        raise Hint(f"The common top is the larger of the two, {wanted[2]:.4g}; you have {float(top.reshape(())):.4g}.")
    if not same(total.reshape(()), wanted[1]):
        raise Hint("The sum: each half's total shrinks by exp(its top − common top), then they add.")
    if not same(out, wanted[0]):
        raise Hint("The answer: each half's out shrinks by exp(its top − common top), then they add.")
