"""Checks of chapter 22's last exercises: what a format costs, where to clip, how to multiply in integers."""

import math

import numpy as np

from workbench.checks.answers import first_difference, number, numbers, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 22.4

# rows, columns, bits, group, scale_bits, zero_bits
FORMATS = [
    (384, 1536, 4, 32, 16, 0),
    (384, 1536, 4, 128, 16, 4),
    (10, 100, 4, 32, 16, 0),
    (7, 48, 3, 64, 16, 3),
    (384, 384, 8, 384, 32, 0),
]


def _stored_bits(rows, columns, bits, group, scale_bits, zero_bits) -> int:
    """Count what is written, group by group."""
    total = 0
    for start in range(0, columns, group):
        total += bits * min(group, columns - start) + scale_bits + zero_bits
    return total * rows


@check("22.4")
def check_effective_bits(effective_bits) -> str:
    """effective_bits(rows, columns, bits, group, scale_bits, zero_bits) → bits per weight, everything stored."""
    for case in FORMATS:
        got = number(effective_bits(*case), "The answer")
        _judge_cost(got, *case)
    return "scales, zero points and short last groups are all paid for"


def _judge_cost(got, rows, columns, bits, group, scale_bits, zero_bits) -> None:
    stored, n = _stored_bits(rows, columns, bits, group, scale_bits, zero_bits), rows * columns
    wanted, overhead = stored / n, scale_bits + zero_bits
    if same(got, wanted):
        return
    shape = f"{rows} × {columns} in groups of {group}"
    mistakes = {
        "You counted the weights only. Every group also stores a scale.": bits,
        f"That is the total. Divide by the {n:,} weights.": stored,
        "Those are bytes per weight: a byte has 8 bits.": wanted / 8,
        "You counted the scale in bytes: scale_bits is given in bits already.": bits + overhead / 8 / group,
        "A zero point is stored per group too: add zero_bits.": bits
        + math.ceil(columns / group) * scale_bits / columns,
        "One scale per row would cost that. There is one per group.": bits + overhead / columns,
        f"{shape}: the last group of a row may be shorter, and its scale is stored all the same. Round the number of "
        "groups up.": bits + columns // group * overhead / columns,
        f"{shape}: formula for rows that divide evenly. Count groups per row, and round up.": bits + overhead / group,
        f"{shape}: groups do not run across rows. Round up per row, then multiply by the rows.": (
            bits + math.ceil(n / group) * overhead / n
        ),
    }
    for hint, value in mistakes.items():
        if same(got, value):
            raise Hint(hint)
    raise Hint(
        f"{shape}, {bits} bits, scales of {scale_bits}, zero points of {zero_bits}: {got:.4f}, not {wanted:.4f}."
    )


# ------------------------------------------------------------------ 22.5


def _round_trip(v: float, limit: float, bits: int) -> float:
    top = 2 ** (bits - 1) - 1
    return max(-top, min(top, round(v / (limit / top)))) * (limit / top)


def _clip_errors(x, bits, limits) -> np.ndarray:
    return np.array(
        [sum((v - _round_trip(v, c, bits)) ** 2 for v in map(float, x)) / len(x) for c in map(float, limits)]
    )


@check("22.5")
def check_best_limit(best_limit) -> str:
    """best_limit(x, bits, limits) → the limit with the smallest mean square error."""
    rng = np.random.default_rng(225)
    x = np.append(rng.normal(size=1500), [6.0, -5.5])
    limits = np.array([4.0, 1.0, 6.0, 2.0, 0.5, 2.5, 40.0, 3.0, 1.5, 5.0])  # the worst at 3 bits is the largest
    for bits in (3, 4, 8):
        got = number(best_limit(x.copy(), bits, limits.copy()), "The limit")
        _judge_limit(got, x, bits, limits)
    return "the best limit at 3, 4 and 8 bits"


def _largest_errors(x, bits, limits) -> np.ndarray:
    return np.array([max(abs(v - _round_trip(v, c, bits)) for v in map(float, x)) for c in map(float, limits)])


def _judge_limit(got, x, bits, limits) -> None:
    errors = _clip_errors(x, bits, limits)
    wanted = limits[errors.argmin()]
    if same(got, wanted):
        return
    if same(got, errors.argmin()):
        raise Hint("That is the position of the best limit in the list. Return the limit itself.")
    if same(got, errors.min()):
        raise Hint("That is the smallest error. Return the limit that gives it.")
    if same(got, limits[errors.argmax()]):
        raise Hint("That is the worst limit: take the smallest error, argmin and not argmax.")
    if not np.isclose(limits, got).any():
        raise Hint(f"{got:g} is not in `limits`: choose one of them.")
    if same(got, limits[_largest_errors(x, bits, limits).argmin()]) or same(got, np.abs(x).max()):
        raise Hint(f"{got:g} keeps the *largest* error small, as if nothing might be clipped. At {bits} bits the many "
                   "ordinary values pay for it with a coarse step: average the squared errors.")  # fmt: skip
    if same(got, limits.min()):
        raise Hint("You chose the smallest limit, as if values outside cost nothing. Clip them and count their error "
                   "too: without np.clip the integers run past the grid's end.")  # fmt: skip
    raise Hint(f"At {bits} bits you chose {got:g}; {wanted:g} has a smaller mean square error. Levels from zero to the "
               f"limit: 2**(bits-1) − 1 = {2 ** (bits - 1) - 1}. Squares, not absolute values.")  # fmt: skip


# ------------------------------------------------------------------ 22.6


def _product_example(seed: int, tokens: int, inputs: int, outputs: int):
    """qx uint8, sx, zx (tokens, 1); qw int8, sw (outputs, 1)."""
    rng = np.random.default_rng(seed)
    qx = rng.integers(0, 256, size=(tokens, inputs)).astype(np.uint8)
    zx = rng.integers(100, 156, size=(tokens, 1))
    qw = rng.integers(-127, 128, size=(outputs, inputs)).astype(np.int8)
    sx, sw = rng.uniform(0.01, 0.1, size=(tokens, 1)), rng.uniform(0.001, 0.01, size=(outputs, 1))
    return qx, sx, zx, qw, sw


def _product_reference(qx, sx, zx, qw, sw) -> np.ndarray:
    """Dequantize one value at a time and add in float."""
    y = np.empty((len(qx), len(qw)))
    for t in range(len(qx)):
        for o in range(len(qw)):
            pairs = zip(qx[t].tolist(), qw[o].tolist(), strict=True)
            y[t, o] = float(sx[t, 0]) * float(sw[o, 0]) * sum((a - int(zx[t, 0])) * b for a, b in pairs)
    return y


@check("22.6")
def check_int8_linear(int8_linear) -> str:
    """int8_linear(qx, sx, zx, qw, sw) → (tokens, outputs) floats, summed in integers."""
    square = _product_example(2, 6, 6, 6)  # first: here a wrong axis gives a wrong value, and so a hint, not an error
    for case in (square, _product_example(1, 3, 64, 5), _loud_example()):
        with np.errstate(all="ignore"):
            got = numbers(int8_linear(*(part.copy() for part in case)), "The product")
        _judge_product(got, *case)
    return "equal to the dequantized product, with long loud rows too"


def _loud_example():
    """Sums beyond 2**24, where float32 loses units and nothing narrower than int32 is wide enough."""
    qx, qw = np.full((2, 1201), 255, np.uint8), np.full((3, 1201), 127, np.int8)
    qw[:, 0], qx[:, 0] = 126, 253
    return qx, np.ones((2, 1)), np.zeros((2, 1), int), qw, np.ones((3, 1))


def _judge_product(got, qx, sx, zx, qw, sw) -> None:
    wanted = _product_reference(qx, sx, zx, qw, sw)
    if got.shape != wanted.shape:
        raise Hint(f"The product has shape {got.shape}, expected {wanted.shape}: tokens by outputs, so qx @ qw.T.")
    if same(got, wanted, 1e-10):
        return
    total = qx.astype(np.int64) @ qw.astype(np.int64).T
    exact, scales = total - zx * qw.astype(np.int64).sum(1), sx * sw.T
    for hint, value in _product_mistakes(qx, sx, zx, qw, sw, total, exact, scales).items():
        if same(got, value, 1e-7):
            raise Hint(hint)
    if same(got, wanted, 1e-3):
        raise Hint("Almost: a float32 holds integers exactly up to 2**24 only. Add in int32, scale at the end.")
    raise Hint(f"A value is wrong: {first_difference(got, wanted)}.")


def _product_mistakes(qx, sx, zx, qw, sw, total, exact, scales) -> dict[str, np.ndarray]:
    """Hint → what that mistake would have returned."""
    wide = qw.astype(np.int64)
    sums = wide.sum(1)
    found = {
        "You converted to int8, where inputs above 127 wrap and sums wrap again. Convert both to int32 first.": (
            (qx.astype(np.int8) @ qw.T - zx * sums) * scales
        ),
        "The sum wrapped in 16 bits: NumPy multiplies uint8 by int8 in int16, and one product nearly fills it. Convert "
        "both to int32 first.": (total.astype(np.int16) - zx * sums) * scales,
        "The zero point is missing: subtract zx times the sum of each weight row.": total * scales,
        "The zero point's correction has the wrong sign: it is subtracted.": (2 * total - exact) * scales,
        "You subtracted zx once. It stands beside every weight of the row: zx times the row's sum.": (total - zx)
        * scales,
        "You subtracted zx in uint8, where 3 − 5 is 254: convert qx to int32 first.": (
            (qx - zx.astype(np.uint8)).astype(np.int64) @ wide.T
        )
        * scales,
        "Integers came back: multiply by the scales, sx of the token and sw of the output.": exact * 1.0,
        "The weights' scales are missing.": exact * sx,
        "The tokens' scales are missing.": exact * sw.T,
        "You divided by the scales. A scale is the size of a step: multiply.": exact / scales,
    }
    if len(qx) == len(qw):
        found["sw is (outputs, 1): as it stands it scales the tokens. Transpose it."] = exact * sx * sw
    if qw.shape[0] == qw.shape[1]:
        found["The correction sums over the outputs. It needs each output's own sum over its inputs: axis=1."] = (
            total - zx * wide.sum(0)
        ) * scales
        found["A row of w is one output: multiply by qw.T."] = (qx.astype(np.int64) @ wide - zx * sums) * scales
    return found
