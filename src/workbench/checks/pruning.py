"""Checks of chapter 27's first exercises: which weights to keep, what zeros weigh in a file, removing neurons.

Each check compares an answer with an independent reference, and recognises well-known mistakes by what they return.
"""

import math

import numpy as np

from workbench.checks.answers import NONE, first_difference, number, numbers, parts, same
from workbench.checks.report import Hint, check


def refuse_known(got, wanted, mistakes: dict) -> None:
    """Raise the hint of the mistake that `got` is, unless it is also right."""
    if same(got, wanted, 1e-7):
        return
    for hint, value in mistakes.items():
        if same(got, value, 1e-7):
            raise Hint(hint)


# ------------------------------------------------------------------ 27.1


def _weights() -> np.ndarray:
    """(6, 10) weights without ties; the small ones sit in the first rows, and two thirds are negative."""
    rng = np.random.default_rng(271)
    w = rng.uniform(0.1, 1.0, size=(6, 10)) * np.array([[0.1], [0.3], [1.0], [1.0], [2.0], [3.0]])
    return w * np.where(rng.random(w.shape) < 0.66, -1, 1)


def _kept(score: np.ndarray, share: float) -> np.ndarray:
    """True for all but the round(share · n) smallest scores."""
    ranks = sorted(range(score.size), key=score.ravel().tolist().__getitem__)
    mask = np.ones(score.size, dtype=bool)
    mask[ranks[: round(share * score.size)]] = False
    return mask.reshape(score.shape)


@check("27.1")
def check_magnitude_mask(magnitude_mask) -> str:
    """magnitude_mask(w, share) → boolean array, True where a weight stays."""
    w = _weights()
    for share in (0.3, 0.5, 0.0, 0.9):
        _judge_mask(magnitude_mask(w.copy(), share), w, share)
    ties = np.array([[1.0, -1.0, 1.0, 2.0], [-1.0, 3.0, 1.0, -2.0]])
    tied = _mask(magnitude_mask(ties.copy(), 0.5), ties)
    if (~tied).sum() != 4 or tied.ravel()[[3, 5, 7]].sum() != 3:
        raise Hint("Where weights tie, a threshold takes all of them or none: remove exactly round(share · n) weights.")
    if _mask(magnitude_mask(w.copy(), 1.0), w).any():
        raise Hint("With share 1 nothing stays.")
    return "the smallest magnitudes go, wherever they sit and whatever their sign, and exactly as many as asked"


def _mask(answer, w: np.ndarray) -> np.ndarray:
    mask = numbers(answer, "The mask")
    if mask.shape != w.shape:
        raise Hint(f"The mask has shape {mask.shape}, expected {w.shape}: one True or False per weight.")
    if mask.dtype != bool:
        if same(np.abs(mask), np.where(mask != 0, np.abs(w), 0)):
            raise Hint("Those are weights: return the mask, True where a weight stays.")
        raise Hint(f"The mask should be boolean, not {mask.dtype}.")
    return mask


def _judge_mask(answer, w: np.ndarray, share: float) -> None:
    mask, wanted = _mask(answer, w), _kept(np.abs(w), share)
    if (mask == wanted).all():
        return
    by_row = np.stack([_kept(np.abs(row), share) for row in w])
    mistakes = {
        "Upside down: True says that a weight stays.": ~wanted,
        "You removed the largest: those are the weights to keep.": ~_kept(np.abs(w), 1 - share),
        "You sorted by value, so every negative weight goes first: magnitude is |w|.": _kept(w, share),
        "One threshold per row keeps the same number in each: here one threshold serves the whole matrix.": by_row,
        "A share of the largest magnitude is not a share of the weights: sort, and count.": (
            np.abs(w) > share * np.abs(w).max()
        ),
    }
    for hint, mistake in mistakes.items():
        if (mask == mistake).all():
            raise Hint(hint)
    raise Hint(
        f"With share {share:g}, {(~mask).sum()} weights go and {(~wanted).sum()} should, the smallest |w| first."
    )


# ------------------------------------------------------------------ 27.2

FILES = ((1536, 384, 294_912), (1000, 1000, 100_000), (3, 3, 5), (384, 1536, 5_898), (10, 7, 70))


@check("27.2")
def check_stored_bytes(stored_bytes) -> str:
    """stored_bytes(rows, cols, kept) → {"dense", "csr", "bitmask"} in bytes."""
    for rows, cols, kept in FILES:
        _judge_bytes(stored_bytes(rows, cols, kept), rows, cols, kept)
    return "values, indices, row pointers and bits are all counted; half zeros save nothing in CSR"


def _judge_bytes(answer, rows: int, cols: int, kept: int) -> None:
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, dict) or set(answer) != {"dense", "csr", "bitmask"}:
        raise Hint('Return a dict with the keys "dense", "csr" and "bitmask".')
    got = {name: number(value, f'"{name}"') for name, value in answer.items()}
    n, where = rows * cols, f"For {rows} × {cols} with {kept} kept"
    refuse_known(got["dense"], 4 * n, {"A dense file stores the zeros too: 4 bytes for each weight.": 4 * kept})
    refuse_known(got["csr"], 8 * kept + 4 * (rows + 1), {
        "CSR also stores where each row begins: rows + 1 integers of 4 bytes.": 8 * kept,
        "There is one row pointer more than there are rows: the last one says where the last row ends.": (
            8 * kept + 4 * rows
        ),
        "Each kept weight needs its column too: 4 bytes for the value, 4 for the index.": 4 * kept + 4 * (rows + 1),
        "CSR stores kept weights only, not the zeros.": 8 * n + 4 * (rows + 1),
        "Row and column of each weight: the coordinate format. CSR has one index per weight, and row pointers.": (
            12 * kept
        ),
    })  # fmt: skip
    bits = math.ceil(n / 8)
    refuse_known(got["bitmask"], 4 * kept + bits, {
        "One bit, not one byte, for each position.": 4 * kept + n,
        "Bits come in whole bytes: round up.": 4 * kept + n / 8,
        "Cut short: the last bits need a byte of their own. Round up.": 4 * kept + n // 8,
        "The mask has a bit for *every* position, zeros included.": 4 * kept + math.ceil(kept / 8),
        "The mask says where the weights are; their values must be stored too.": bits,
    })  # fmt: skip
    for name, wanted in (("dense", 4 * n), ("csr", 8 * kept + 4 * (rows + 1)), ("bitmask", 4 * kept + bits)):
        if got[name] != wanted:
            raise Hint(f'{where}, "{name}" is {wanted:,} bytes; you return {got[name]:,.6g}.')


# ------------------------------------------------------------------ 27.4


def _block(hidden: int = 9, width: int = 5) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(274)
    return rng.normal(size=(hidden, width)), rng.normal(size=hidden), rng.normal(size=(width, hidden))


@check("27.4")
def check_remove_neurons(remove_neurons) -> str:
    """remove_neurons(up, bias, down, keep) → (up, bias, down) of the neurons kept."""
    for keep in ([0, 2, 4], [4, 1], [8, 0, 3, 7], []):
        block = _block()
        small = parts(remove_neurons(*(a.copy() for a in block), np.array(keep, dtype=int)), ("up", "bias", "down"))
        _judge_removal(block, keep, small)
    return "the small block computes what the large one computes with those neurons silenced"


def _judge_removal(block, keep, small) -> None:
    up, bias, down = block
    k, width, hidden = len(keep), up.shape[1], len(bias)
    if [a.shape for a in small] == [a.shape for a in block]:
        raise Hint("Same shapes as before: zeros take the same time. Return smaller matrices.")
    if small[1].shape[:1] == (hidden,):
        raise Hint("The bias still has one number for each old neuron: it loses the same ones.")
    if small[2].shape == (k, hidden):
        raise Hint("You cut rows of `down`. Its rows are outputs, which stay; a neuron is a *column* there.")
    if small[0].shape == (hidden - k, width) and k != hidden - k:
        raise Hint("You removed the neurons that should stay: `keep` names the survivors.")
    wanted = (up[keep], bias[keep], down[:, keep])
    for name, got, right in zip(("up", "bias", "down"), small, wanted, strict=True):
        if got.shape != right.shape:
            raise Hint(f"`{name}` has shape {got.shape}, expected {right.shape} for {k} of {hidden} neurons.")
    if not same(_output(small), _output(wanted), 1e-9):
        _name_the_mixture(small, wanted)


def _output(block) -> np.ndarray:
    up, bias, down = block
    return np.maximum(np.linspace(-1, 1, 4 * up.shape[1]).reshape(4, -1) @ up.T + bias, 0) @ down.T


def _name_the_mixture(small, wanted) -> None:
    order = np.argsort(wanted[1])
    if all(same(np.sort(s, axis=None), np.sort(w, axis=None)) for s, w in zip(small, wanted, strict=True)) and len(
        order
    ):
        raise Hint("The right neurons in different orders: use one order for all three, or outputs meet wrong inputs.")
    for name, got, right in zip(("up", "bias", "down"), small, wanted, strict=True):
        if not same(got, right):
            raise Hint(f"`{name}`: {first_difference(got, right)}.")
