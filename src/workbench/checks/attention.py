"""Checks of chapter 31's exercises: softmax, window masks, heads, rows that look nowhere, the price of length."""

from collections.abc import Callable
from fractions import Fraction
from math import exp, floor, fsum

import numpy as np

from workbench.checks.answers import number, numbers
from workbench.checks.kv_cache_tensors import expect
from workbench.checks.report import Hint, check


def _row_softmax(row: list[float]) -> list[float]:
    """Softmax of one row, by the definition relative to its largest score."""
    parts = [exp(score - max(row)) for score in row]
    return [part / fsum(parts) for part in parts]


def _softmax(scores: np.ndarray) -> np.ndarray:
    flat = scores.reshape(-1, scores.shape[-1]).tolist()
    return np.array([_row_softmax(row) for row in flat]).reshape(scores.shape)


def _quiet(answer: Callable, *arguments, what: str) -> np.ndarray:
    """The answer as numbers; NumPy's warnings are judged by their result, not by their noise."""
    with np.errstate(all="ignore"):
        return numbers(answer(*arguments), what)


# ------------------------------------------------------------------ 31.1


@check("31.1")
def check_softmax(softmax: Callable) -> str:
    """softmax(scores): (…, T) → same shape, positive, sums of 1 along the last axis."""
    rng = np.random.default_rng(31)
    for shape in ((4, 6), (2, 3, 5), (5, 5)):
        scores = rng.normal(size=shape)
        with np.errstate(all="ignore"):
            powers = np.exp(scores)
        mistakes = {
            "Your sums are 1 along the first axis. Each query's weights lie along the last.": powers / powers.sum(0),
            "Your weights sum to 1 over the whole array: one fraction per row, axis=-1.": powers / powers.sum(),
            "Those are the exponentials; divide each row by its sum.": powers,
            "Divided by the largest exponential, not by the sum: weights add up to 1.": powers
            / powers.max(axis=-1, keepdims=True),
        }
        expect(_quiet(softmax, scores.copy(), what="the weights"), _softmax(scores), mistakes)
    loud = np.array([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -2000.0]])
    got, wanted = _quiet(softmax, loud.copy(), what="the weights"), _softmax(loud)
    if not np.isfinite(got[0]).all():
        raise Hint("With a score of 1,000 your weights are not finite: exp overflows. Subtract something first.")
    if not np.isfinite(got[1]).all() or not got[1].any():
        raise Hint("A row of scores near −1,000 is lost: subtract each row's own maximum, not one for all.")
    expect(got, wanted, {})
    return "right for any shape, and for scores of a thousand and minus a thousand"


# ------------------------------------------------------------------ 31.2


@check("31.2")
def check_may_look(may_look: Callable) -> str:
    """may_look(t, window) → bool (t, t): query i sees keys i − window + 1 … i."""
    for t, window in ((7, 3), (5, 1), (4, 9)):
        wanted = np.array([[0 <= i - j < window for j in range(t)] for i in range(t)])
        whole = np.tril(np.ones((t, t), bool))
        mistakes = {
            "Inverted: True means *may look* here.": ~wanted,
            "The window is missing: that is plain causality.": whole,
            "Your window is one too long: it counts the position itself.": whole & ~np.tril(whole, -window - 1),
            "A position may look at itself; the window includes it.": np.tril(whole, -1) & ~np.tril(whole, -window),
            "Transposed: queries are rows, keys are columns. Yours look into the future.": wanted.T,
            "Your window reaches into the future as well: it must also be causal.": wanted | wanted.T,
        }
        got = numbers(may_look(t, window), "the mask")
        if not np.isin(got, (0, 1)).all():
            raise Hint("The mask should hold True and False only.")
        expect(got.astype(bool), wanted, mistakes)
    return "right for a window of three, of one, and for one that is longer than the text"


# ------------------------------------------------------------------ 31.3


@check("31.3")
def check_cut_heads(cut_heads: Callable) -> str:
    """cut_heads(x, heads): x (T, heads · d) → (heads, T, d)."""
    for t, heads, d in ((5, 3, 4), (4, 4, 4), (6, 1, 2)):
        x = np.arange(t * heads * d, dtype=float).reshape(t, heads * d)
        wanted = np.array([[[x[p, h * d + j] for j in range(d)] for p in range(t)] for h in range(heads)])
        by_position = x.reshape(t, heads, d)
        mistakes = {
            "The shape is right and the numbers are mixed: you reshaped to (heads, T, d) at once, which deals out "
            "positions to heads. Cut the width first, then move the axis.": x.reshape(heads, t, d),
            "The cut is right, the order is (T, heads, d): move the heads to the front.": by_position,
            "Your axes are (heads, d, T): positions come before the numbers of a head.": wanted.swapaxes(1, 2),
            "Your head h holds every heads-th number. A head's numbers lie side by side: cut into (heads, d), not "
            "(d, heads).": x.reshape(t, d, heads).transpose(2, 0, 1),
        }
        expect(numbers(cut_heads(x.copy(), heads), "the heads"), wanted, mistakes)
    return "each head has its own numbers of every position"


# ------------------------------------------------------------------ 31.4


def _visible_weights(scores: np.ndarray, may: np.ndarray) -> np.ndarray:
    wanted = np.zeros(scores.shape)
    for i, j_may in enumerate(may):
        if j_may.any():
            wanted[i, j_may] = _row_softmax(scores[i, j_may].tolist())
    return wanted


@check("31.4")
def check_masked_weights(masked_weights: Callable) -> str:
    """masked_weights(scores, may): both (T, T) → weights; rows that may look nowhere are zero."""
    rng = np.random.default_rng(314)
    for t, padded in ((6, 2), (5, 0), (4, 4)):
        scores = rng.normal(size=(t, t))
        may = np.tri(t, dtype=bool) & (np.arange(t) >= padded)
        wanted, full = _visible_weights(scores, may), _softmax(scores)
        got = _quiet(masked_weights, scores.copy(), may.copy(), what="the weights")
        if got.shape == wanted.shape and np.isnan(got).any():
            raise Hint("There is nan in a row that may look nowhere: 0/0. Such a row should be zero.")
        nowhere = ~may.any(axis=1)
        if got.shape == wanted.shape and nowhere.any() and np.abs(got[nowhere]).max() > 1e-12:
            raise Hint(
                "A row that may look nowhere gives out weights. A large negative number in place of −∞ does that: it "
                "makes all of them equally forbidden, so equally allowed."
            )
        mistakes = {
            "Masked after the softmax: the forbidden scores are still in the denominator, so rows do not add up to "
            "1. Mask first.": full * may,
            "Inverted: True means *may look*.": _visible_weights(scores, ~may),
            "The mask is not applied.": full,
            "A forbidden score of 0 still weighs exp(0) = 1. It must weigh nothing.": _softmax(scores * may) * may,
        }
        expect(got, wanted, mistakes, rtol=1e-7)
    return "forbidden keys weigh nothing, rows add up to 1, and a row that may look nowhere is zero"


# ------------------------------------------------------------------ 31.5


def _length(width: int, heads: int, kv_heads: int, hidden: int, matrices: int) -> int:
    """First T with 4·T²·D > T·(4·D² + 4·D²·kv/heads + 2·matrices·D·hidden)."""
    per_token = 4 * width**2 * (1 + Fraction(kv_heads, heads)) + 2 * matrices * width * hidden
    return floor(per_token / (4 * width)) + 1


@check("31.5")
def check_overtakes(overtakes: Callable) -> str:
    """overtakes(width, heads, kv_heads, hidden, matrices) → first T at which scores and mean cost more."""
    for case in ((384, 12, 12, 1536, 2), (576, 9, 3, 1536, 3), (4096, 32, 8, 14336, 3)):
        width, heads, kv_heads, hidden, matrices = case
        wanted = _length(*case)
        got = number(overtakes(*case), "the length")
        mistakes = {
            "You forgot the feed-forward block.": _length(width, heads, kv_heads, 0, 0),
            "Keys and values have kv_heads heads, not heads: their matrices are narrower.": _length(
                width, heads, heads, hidden, matrices
            ),
            "There the two are still equal (or nearly): one position more.": wanted - 1,
            "Scores *and* mean: two products of 2·T²·D operations.": 2 * (wanted - 1) + 1,
            "A feed-forward block of this model has `matrices` matrices.": _length(width, heads, kv_heads, hidden, 1),
            "The query's and the output's matrix are full width too: 2·D² operations each.": _length(
                width, heads, kv_heads, hidden, matrices
            )
            - width,
        }
        if got == wanted:
            continue
        for hint, value in mistakes.items():
            if got == value and value != wanted:
                raise Hint(hint)
        if got != int(got) if np.isfinite(got) else True:
            raise Hint("A length is a whole number: the first one at which attention costs more.")
        raise Hint(f"For width {width}, {heads} heads, {kv_heads} of keys: you have {got:g}, expected {wanted}.")
    return "right for MiniLM's layer, for one with shared keys, and for one of an 8-billion-parameter model"
