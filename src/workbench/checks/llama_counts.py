"""Checks of chapter 32's exercises about counting a model and about cutting a nucleus."""

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate

import numpy as np

from workbench.checks.answers import first_difference, number, numbers, parts
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 32.4

MODELS = (
    dict(vocab=49_152, width=576, layers=30, heads=9, kv_heads=3, hidden=1536, tied=True),
    dict(vocab=32_000, width=4096, layers=32, heads=32, kv_heads=32, hidden=11_008, tied=False),
    dict(vocab=128_256, width=4096, layers=32, heads=32, kv_heads=8, hidden=14_336, tied=False),
)


def _arrays(model: dict, **changed) -> list[tuple[int, ...]]:
    """The shape of every array, one by one."""
    m = dict(model, matrices=3, norms=2, last=1) | changed
    narrow = m["width"] // m["heads"] * m["kv_heads"]
    layer = [(m["width"], m["width"])] * 2 + [(m["width"], narrow)] * 2
    layer += [(m["width"], m["hidden"])] * m["matrices"] + [(m["width"],)] * m["norms"]
    ends = [(m["vocab"], m["width"])] * (1 if m["tied"] else 2)
    return ends + layer * m["layers"] + [(m["width"],)] * m["last"]


def _parameters(model: dict, **changed) -> int:
    return sum(int(np.prod(shape, dtype=object)) for shape in _arrays(model, **changed))


def _operations(model: dict, t: int) -> int:
    """A multiplication and an addition for each weight of a matrix that is multiplied with, and for each position."""
    products = [s for s in _arrays(model, tied=True) if len(s) == 2]
    return 2 * sum(a * b for a, b in products) + 4 * model["layers"] * t * model["width"]


@check("32.4")
def check_count(count: Callable) -> str:
    """count(vocab, width, layers, heads, kv_heads, hidden, tied, t) → (parameters, operations per token at t)."""
    for model in MODELS:
        t = 1000
        n, work = (number(part, "a count") for part in parts(count(**model, t=t), ("parameters", "operations")))
        wanted, table = _parameters(model), model["vocab"] * model["width"]
        hints = {
            "Parameters: keys and values have kv_heads heads; their matrices are narrower.": _parameters(
                model, kv_heads=model["heads"]
            ),
            "Parameters: the gated feed-forward block has three matrices, not two.": _parameters(model, matrices=2),
            "Parameters: two norms in each layer are missing.": _parameters(model, norms=0),
            "Parameters: the norm before the scores is missing.": _parameters(model, last=0),
            "Parameters: the norms are missing, two in each layer and one at the end.": _parameters(
                model, norms=0, last=0
            ),
            "Parameters: you forgot the vocabulary's table.": wanted - table * (1 if model["tied"] else 2),
            "Parameters: a tied table is one array, an untied model has two.": _parameters(
                model, tied=not model["tied"]
            ),
        }
        _judge(n, wanted, hints, "parameters", model)
        right, mixing = _operations(model, t), 4 * model["layers"] * t * model["width"]
        hints = {
            "Operations: a multiplication *and* an addition for each weight; you counted one of the two.": Fraction(
                right - mixing, 2
            )
            + mixing,
            "Operations: halve nothing: scores and mean are two products of 2·t·width each, in each layer.": right
            - mixing // 2,
            "Operations: attention's products with the t positions are missing.": right - mixing,
            "Operations: those are the products of one layer only; every layer mixes.": right
            - mixing
            + mixing // model["layers"],
            "Operations: looking up a row of the table costs none; only the scores multiply with it.": right
            + 2 * table,
            "Operations: the scores of the vocabulary are missing, 2·vocab·width.": right - 2 * table,
            "Operations: the rule of thumb. Norms multiply with no matrix, and attention adds its products.": 2
            * wanted,
        }
        _judge(work, right, hints, "operations", model)
    return "exact for SmolLM2, for a model without shared heads, and for one with 8 billion parameters"


def _judge(got: float, wanted: int, hints: dict[str, float], what: str, model: dict) -> None:
    """Raise the hint of the mistake that gives `got`, unless it is what is wanted."""
    if got == wanted:
        return
    for hint, value in hints.items():
        if got == value:
            raise Hint(hint)
    if got == wanted * 2:
        raise Hint(f"Your {what} are exactly twice the right number.")
    raise Hint(
        f"For width {model['width']}, {model['layers']} layers: you have {got:,.0f} {what}, expected {wanted:,}."
    )


# ------------------------------------------------------------------ 32.5

CASES = (
    ([0.1, 0.05, 0.3, 0.15, 0.22, 0.18], 0.62),
    ([0.05, 0.5, 0.15, 0.3], 0.75),
    ([0.05, 0.5, 0.15, 0.3], 0.9),
    ([0.95, 0.03, 0.02], 0.9),
    ([0.1, 0.2, 0.3, 0.4], 1.0),
    ([0.02, 0.03, 0.9, 0.05], 0.97),
)


def _nucleus(chances: list[float], top_p: float) -> np.ndarray:
    """Take tokens, the most likely first, until their sum reaches top_p."""
    keep, total = np.zeros(len(chances), bool), 0.0
    for token in sorted(range(len(chances)), key=lambda i: -chances[i]):
        if total >= top_p - 1e-12:
            break
        keep[token], total = True, total + chances[token]
    return keep


@check("32.5")
def check_nucleus(nucleus: Callable) -> str:
    """nucleus(chances, top_p) → bool (V,), in the vocabulary's order."""
    for chances, top_p in CASES:
        p, wanted = np.array(chances), _nucleus(chances, top_p)
        order = np.argsort(-p)
        sums = np.array(list(accumulate(p[order])))
        short = np.zeros(len(p), bool)
        short[order[sums <= top_p]] = True
        least = np.zeros(len(p), bool)
        least[order[::-1]] = np.cumsum(p[order[::-1]]) - p[order[::-1]] < top_p
        got = numbers(nucleus(p.copy(), top_p), "the mask")
        if got.shape != wanted.shape:
            kept = "indices" if got.ndim == 1 and got.dtype.kind in "iu" else f"shape {got.shape}"
            raise Hint(f"A mask over the vocabulary is asked for, {len(p)} times True or False; you returned {kept}.")
        if got.dtype.kind == "f" and np.isclose(got.sum(), 1) and not np.isin(got, (0, 1)).all():
            raise Hint("Those are chances. True and False are asked for.")
        if not np.isin(got, (0, 1)).all():
            raise Hint("The mask should hold True and False only.")
        got = got.astype(bool)
        if np.array_equal(got, wanted):
            continue
        if not got.any() and p.max() >= top_p:
            raise Hint(
                f"For {chances} and {top_p} you keep nothing: the most likely token alone is more than top_p. The "
                "token that crosses the line belongs to the set."
            )
        mistakes = {
            "One too few: the token with which the sum reaches top_p belongs to the set.": short,
            "Inverted: True means *keep*.": ~wanted,
            "That mask is in sorted order. Put it back into the vocabulary's order.": wanted[order],
            "You added up in the vocabulary's order: sort by probability first.": np.cumsum(p) - p < top_p,
            "You started from the *least* likely token.": least,
            "You compared each probability with a threshold. It is their sum that has to reach top_p.": p >= 1 - top_p,
            "You keep everything.": np.ones(len(p), bool),
        }
        for hint, value in mistakes.items():
            if np.array_equal(got, value):
                raise Hint(hint)
        raise Hint(f"For {chances} and {top_p}: {first_difference(got * 1.0, wanted * 1.0)}.")
    return "the smallest set that reaches top_p, also when one token is enough and when all are needed"
