"""Checks of chapter 22's first exercises: quantize, and find what quantization ruined.

Each check compares an answer with an independent, slow reference (loops over Python numbers), and recognises
well-known mistakes by what they would have returned.
"""

import warnings

import numpy as np

from workbench.checks.answers import first_difference, numbers, parts, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 22.1


def _rows_reference(w: np.ndarray, bits: int) -> tuple[list, list]:
    top = 2 ** (bits - 1) - 1
    scales = [max(abs(float(v)) for v in row) / top or 1.0 for row in w]
    return [[round(float(v) / s) for v in row] for row, s in zip(w, scales, strict=True)], scales


def _rows_example() -> np.ndarray:
    """Rows of unlike loudness; one with its loudest weight negative, one of exact ties, one of zeros."""
    w = np.random.default_rng(22).normal(size=(5, 16)) * np.array([[1.0], [0.02], [5.0], [1.0], [1.0]])
    w[2, 3] = -40.0
    w[3] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, 3.5, 4.5, *([10.0] * 8)]
    w[4] = 0.0
    return w


@check("22.1")
def check_quantize_rows(quantize_rows) -> str:
    """quantize_rows(w, bits) → (q int8 (rows, columns), scale (rows, 1))."""
    for bits in (8, 4):
        w = _rows_example()
        with np.errstate(all="ignore"):
            q, scale = parts(quantize_rows(w.copy(), bits), ("the integers", "the scales"))
        q_ref, s_ref = (np.array(part) for part in _rows_reference(w, bits))
        _judge_scales(w, scale, s_ref[:, None], bits)
        _judge_integers(w, q, q_ref, scale)
    return "integers and scales are right, ties, loud negatives and silent rows included"


def _judge_scales(w, scale, wanted, bits) -> None:
    if scale.size == 1:
        raise Hint("One scale for the whole tensor: the loudest row decides for all. Take the maximum along axis=1.")
    if scale.shape in ((w.shape[1],), (1, w.shape[1])):
        raise Hint("Those are scales of columns. A row's weights lie along axis=1: reduce over that axis.")
    if scale.shape == (w.shape[0],):
        raise Hint("Right count, wrong shape: keep the axis (keepdims=True), so that q * scale broadcasts row by row.")
    if scale.shape != wanted.shape:
        raise Hint(f"The scales have shape {scale.shape}, expected {wanted.shape}: one per row.")
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise Hint("A row of zeros got the scale 0, and you divided by it. Give such a row any scale above 0, say 1.")
    mistakes = {
        f"You divide by 2**(bits-1) = {2 ** (bits - 1)}; the largest level of a symmetric grid is one less.": (
            np.abs(w).max(1) / 2 ** (bits - 1)
        ),
        "The loudest weight of a row may be negative: take the maximum of |w|, not of w.": w.max(1)
        / (2 ** (bits - 1) - 1),
        f"You have 2**bits − 1 = {2**bits - 1} steps from zero to the loudest |w|. One bit is the sign: there are "
        f"{2 ** (bits - 1) - 1}.": np.abs(w).max(1) / (2**bits - 1),
    }
    live = np.abs(w).max(1) > 0
    for hint, values in mistakes.items():
        if same(scale[live, 0], values[live]):
            raise Hint(hint)
    if not same(scale[live], wanted[live], 1e-6):
        raise Hint(f"Row 0 got the scale {scale[0, 0]:.4g}, expected {wanted[0, 0]:.4g}: max |w| / (2**(bits-1) − 1).")


def _judge_integers(w, q, wanted, scale) -> None:
    if q.shape != w.shape:
        raise Hint(f"The integers have shape {q.shape}, expected {w.shape}.")
    if q.dtype.kind == "f" and not np.array_equal(q, np.rint(q)):
        raise Hint("You returned the restored floats. The integers are asked for; whoever needs floats multiplies.")
    if q.dtype != np.int8:
        raise Hint(f"The integers are stored as {q.dtype}: nothing is saved. Convert them with astype(np.int8).")
    if np.array_equal(q, wanted):
        return
    ratio = w / scale
    if np.array_equal(q, np.trunc(ratio)):
        raise Hint("You cut the fraction off, as astype does. Round to the nearest: np.rint first.")
    if np.array_equal(q, np.floor(ratio + 0.5)):
        raise Hint("You round halves up. QuantizeLinear rounds halves to even, as np.rint does.")
    raise Hint(f"An integer is wrong: {first_difference(q, wanted)}.")


# ------------------------------------------------------------------ 22.2

ZERO_POINT_CASES = {
    "two equal sides": np.array([-1.0, -0.26, 0.0, 0.3, 1.0]),
    "one-sided": np.array([-0.17, 0.0, 0.05, 1.3, 24.5, 3.1]),
    "all far above zero": np.array([5.0, 5.5, 6.0]),
    "all below zero": np.array([-3.0, -2.0, -0.5]),
    "all zeros": np.zeros(4),
}


def _asymmetric_reference(x, bits: int) -> tuple[list[int], float, int]:
    top = 2**bits - 1
    low, high = min(0.0, *map(float, x)), max(0.0, *map(float, x))
    scale = (high - low) / top or 1.0
    zero = round(-low / scale)
    return [min(top, max(0, round(float(v) / scale) + zero)) for v in x], scale, zero


@check("22.2")
def check_quantize_asymmetric(quantize_asymmetric) -> str:
    """quantize_asymmetric(x, bits) → (q uint8, scale, zero_point)."""
    for case, x in ZERO_POINT_CASES.items():
        with np.errstate(all="ignore"):
            answer = quantize_asymmetric(x.copy(), 8)
        q, scale, zero = parts(answer, ("the integers", "the scale", "the zero point"))
        if scale.size != 1 or zero.size != 1:
            raise Hint("One scale and one zero point for the whole tensor are asked for here.")
        _judge_asymmetric(case, x, q, float(scale.squeeze()), float(zero.squeeze()))
    return "zero is exact, the ends are reached, nothing wraps"


def _judge_asymmetric(case, x, q, scale, zero) -> None:
    q_ref, s_ref, z_ref = _asymmetric_reference(x, 8)
    if case == "all zeros":
        if not (np.isfinite(scale) and scale > 0):
            raise Hint("A tensor of zeros got the scale 0 (a division by it follows). Any scale above 0 will do.")
        return
    low, high = float(x.min()), float(x.max())
    if same(scale, (high - low) / 255) and case.startswith("all"):
        raise Hint(f"x is {case} and your range leaves zero out. 0.0 (padding, ReLU) must have a code: include 0.")
    if same(scale, (max(high, 0) - min(low, 0)) / 256):
        raise Hint("Off by one: 8 bits have 256 levels, and so 255 steps between them.")
    if same(scale, max(high, -low) / 127):
        raise Hint("That is the symmetric scale: half of the grid waits for values that do not come.")
    if not same(scale, s_ref, 1e-6):
        raise Hint(f"x is {case}: your scale is {scale:.6g}, expected {s_ref:.6g} = (max(x, 0) − min(x, 0)) / 255.")
    if zero != round(zero):
        raise Hint(f"The zero point {zero:.4g} is not an integer: then 0.0 falls between two codes. Round it.")
    if zero == z_ref - 128 and z_ref:
        raise Hint("That is the signed grid (−128 … 127). Unsigned codes, 0 … 255, are asked for here.")
    if zero == -z_ref and z_ref:
        raise Hint("The zero point has the wrong sign: it is the code of 0.0, so round(−min / scale), never negative.")
    if zero != z_ref:
        raise Hint(f"x is {case}: your zero point is {zero:g}, expected {z_ref} = round(−min(x, 0) / scale).")
    _judge_codes(case, x, q, np.array(q_ref), scale, zero)


def _judge_codes(case, x, q, wanted, scale, zero) -> None:
    if q.shape != wanted.shape:
        raise Hint(f"The integers have shape {q.shape}, expected {wanted.shape}.")
    unclipped = np.rint(x / scale) + zero
    if case == "two equal sides" and (np.array_equal(q, unclipped % 256) or np.array_equal(q, unclipped)):
        raise Hint(
            "The largest value came out as 256, which wraps to 0 in uint8: two roundings met. Clip to 0 … 255 first."
        )
    if np.array_equal(q, np.clip(np.trunc(x / scale) + zero, 0, 255)) and not np.array_equal(q, wanted):
        raise Hint("You cut the fraction off, as astype does. Round x / scale to the nearest: np.rint.")
    if q.dtype != np.uint8:
        raise Hint(f"The codes are stored as {q.dtype}; they fit into np.uint8.")
    if not np.array_equal(q, wanted):
        raise Hint(f"x is {case}: a code is wrong, {first_difference(q, wanted)}.")


# ------------------------------------------------------------------ 22.3


def _silent_example() -> tuple[np.ndarray, np.ndarray]:
    """8 rows and their copies; 2, 3 and 5 fall below 20 dB, 6 below 30 dB, 0 is kept exactly, 1 is dead and kept."""
    rng = np.random.default_rng(223)
    w = rng.normal(size=(8, 64)) * np.array([[1], [0], [1], [1], [100], [1], [1], [1]])
    noise = np.array([0, 0, 0.3, 0.14, 0.5, 0.9, 0.06, 0.01])
    return w, w + noise[:, None] * rng.normal(size=w.shape)


def _ratio_reference(row, copy) -> float:
    signal = sum(float(a) ** 2 for a in row)
    noise = sum((float(a) - float(b)) ** 2 for a, b in zip(row, copy, strict=True))
    if noise == 0:
        return np.inf
    return 10 * np.log10(signal / noise) if signal else -np.inf


@check("22.3")
def check_silent_rows(silent_rows) -> str:
    """silent_rows(w, w_hat, floor_db) → indices of the rows whose SQNR is below floor_db."""
    w, w_hat = _silent_example()
    ratios = np.array([_ratio_reference(*pair) for pair in zip(w, w_hat, strict=True)])
    for floor_db in (20.0, 30.0):
        answer = numbers(_call_strictly(silent_rows, w.copy(), w_hat.copy(), floor_db), "The indices")
        _judge_silent(answer, w, w_hat, ratios, floor_db)
    _judge_dead_row(silent_rows)
    return "every ruined row is named, at both floors, and no healthy one"


def _call_strictly(silent_rows, *arguments):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            return silent_rows(*arguments)
    except (RuntimeWarning, ZeroDivisionError):
        raise Hint(
            "A row that was kept exactly has no noise: its ratio is infinite, it is not silent, and it must not warn. "
            "Compare energies (signal < noise · 10**(floor/10)) or guard the division."
        ) from None


def _judge_silent(answer, w, w_hat, ratios, floor_db) -> None:
    wanted = np.flatnonzero(ratios < floor_db)
    if answer.dtype.kind == "b":
        raise Hint(f"Right idea, wrong shape: indices are asked for, you returned a mask of shape {answer.shape}.")
    if answer.dtype.kind == "f" and answer.size:
        raise Hint("Those look like decibels. Return the indices of the rows below the floor, as integers.")
    got = np.sort(answer.ravel().astype(int))
    if np.array_equal(got, wanted):
        return
    if got.size in (0, len(w)):
        raise Hint("All rows or none. The loud row hides the ruined ones in the total: compute one ratio per row.")
    if got.max() >= len(w):
        raise Hint("Those are columns. A row is one output, w has the shape (rows, columns): sum over axis=1.")
    if np.array_equal(got, np.flatnonzero(ratios >= floor_db)):
        raise Hint("Those are the healthy rows. The silent ones lie below the floor.")
    if np.array_equal(got, np.flatnonzero(2 * ratios < floor_db)):
        raise Hint("Your decibels are twice too large: energies take 10·log10; 20·log10 is for amplitudes.")
    if np.array_equal(got, np.flatnonzero(ratios < 20.0)):
        raise Hint("You always use 20 dB. The floor is an argument: use floor_db.")
    raise Hint(f"At a floor of {floor_db:g} dB you name the rows {got.tolist()}, expected {wanted.tolist()}.")


def _judge_dead_row(silent_rows) -> None:
    """A dead row that came back as noise has no signal at all: silent."""
    w, w_hat = np.ones((2, 4)), np.ones((2, 4))
    w[1], w_hat[1] = 0.0, 0.1
    got = numbers(_call_strictly(silent_rows, w, w_hat, 20.0), "The indices").ravel().tolist()
    if got != [1]:
        raise Hint(f"A row of zeros that came back as noise is silent too: expected [1], you returned {got}.")
