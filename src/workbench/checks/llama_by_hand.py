"""Checks of chapter 32's exercises about arrays: a block, a norm, rows between two rotary orders."""

from collections.abc import Callable
from struct import pack, unpack_from

import numpy as np

from workbench.checks.answers import numbers
from workbench.checks.kv_cache_tensors import expect
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 32.1


def _block(rng: np.random.Generator) -> bytes:
    """A Q4_1 block: two 16-bit floats, 16 bytes of two 4-bit numbers each."""
    return (
        pack("<ee", rng.uniform(0.01, 0.2), rng.uniform(-1, -0.1)) + rng.integers(0, 256, 16, dtype=np.uint8).tobytes()
    )


def _weights(block: bytes) -> tuple[float, float, list[int], list[int]]:
    d, m = unpack_from("<ee", block)
    return d, m, [byte % 16 for byte in block[4:]], [byte // 16 for byte in block[4:]]


@check("32.1")
def check_unpack(unpack: Callable) -> str:
    """unpack(block): 20 bytes of Q4_1 → its 32 weights."""
    rng = np.random.default_rng(321)
    for _ in range(3):
        block = _block(rng)
        d, m, low, high = _weights(block)
        q = np.array(low + high, dtype=float)
        neighbours = np.array([low, high], dtype=float).T.ravel()
        signed = np.where(q > 7, q - 16, q)
        swapped_d, swapped_m = unpack_from(">ee", block)
        mistakes = {
            "Your pairs lie side by side: you read byte i as weights 2i and 2i + 1. All low halves come first, then "
            "all high halves.": d * neighbours + m,
            "High halves first: weights 0 to 15 are the *low* halves of the bytes.": d * np.array(high + low) + m,
            "That is Q4_0, where numbers are shifted by 8. Q4_1 adds the block's own m.": d * (q - 8),
            "You shifted by 8 and added m: a 4-bit number is 0 to 15 here, m does the shifting.": d * (q - 8) + m,
            "You read the numbers as signed. They are 0 to 15; m makes them negative.": d * signed + m,
            "m is added here, not subtracted.": d * q - m,
            "d and m are swapped: the step comes first.": m * q + d,
            "m is missing: d·q is only the distance from the lowest level.": d * q,
            "Those are the 4-bit numbers. A weight is d·q + m.": q,
            "Your two floats are read with the high byte first. GGUF is little-endian.": swapped_d * q + swapped_m,
        }
        with np.errstate(all="ignore"):
            got = numbers(unpack(block), "the weights")
        expect(got.astype(float), d * q + m, mistakes, rtol=1e-5)
    return "32 weights from 20 bytes, in the file's order"


# ------------------------------------------------------------------ 32.2


def _normed(x: np.ndarray, gain: np.ndarray, epsilon: float) -> np.ndarray:
    """By the definition, row by row, in Python's floats."""
    out = np.empty(x.shape)
    for where in np.ndindex(x.shape[:-1]):
        row = [float(value) for value in x[where]]
        rms = (sum(value * value for value in row) / len(row) + epsilon) ** 0.5
        out[where] = [value / rms * g for value, g in zip(row, gain, strict=True)]
    return out


@check("32.2")
def check_rms_norm(rms_norm: Callable) -> str:
    """rms_norm(x, gain, epsilon): x (…, n), gain (n,) → same shape as x."""
    rng = np.random.default_rng(322)
    for shape, size in (((5, 5), 1.0), ((2, 3, 8), 1.0), ((4, 6), 1e-3)):
        x, gain, epsilon = rng.normal(0.5, 1, size=shape) * size, rng.uniform(0.5, 2, size=shape[-1]), 1e-5
        square = (x**2).mean(axis=-1, keepdims=True)
        centred = x - x.mean(axis=-1, keepdims=True)
        mistakes = {
            "You subtract the mean first: that is LayerNorm. This norm leaves the mean where it is.": _normed(
                centred, gain, epsilon
            ),
            "You divide by the standard deviation, which leaves out the mean. The root mean square takes the numbers "
            "as they are.": x / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) * gain,
            "You divide by the vector's length: take the *mean* of the squares, not their sum.": x
            / np.sqrt((x**2).sum(axis=-1, keepdims=True) + epsilon)
            * gain,
            "The root is missing: you divide by the mean square.": x / (square + epsilon) * gain,
            "epsilon belongs under the root, with the mean of the squares.": x / (np.sqrt(square) + epsilon) * gain,
            "epsilon is missing. On a small vector it matters.": x / np.sqrt(square) * gain,
            "The gain is missing.": x / np.sqrt(square + epsilon),
            "Gemma's norm multiplies by 1 + gain; this one by gain.": x / np.sqrt(square + epsilon) * (1 + gain),
            "One root mean square for the whole array. Each vector (the last axis) has its own.": x
            / np.sqrt((x**2).mean() + epsilon)
            * gain,
        }
        if x.ndim == 2:
            mistakes["You averaged over the first axis: a position's own numbers lie along the last."] = (
                x / np.sqrt((x**2).mean(axis=0) + epsilon) * gain
            )
        with np.errstate(all="ignore"):
            got = numbers(rms_norm(x.copy(), gain.copy(), epsilon), "the result")
        expect(got, _normed(x, gain, epsilon), mistakes, rtol=1e-7)
    return "right for one axis more, and for vectors so small that epsilon counts"


# ------------------------------------------------------------------ 32.3


@check("32.3")
def check_to_halves(to_halves: Callable) -> str:
    """to_halves(w, heads): rows of each head from neighbouring pairs to first and second halves.  (n, m) → (n, m)."""
    for heads, d, columns in ((3, 8, 5), (2, 6, 12), (1, 4, 4)):
        w = np.arange(heads * d * columns, dtype=float).reshape(heads * d, columns)
        rows = [h * d + 2 * j + odd for h in range(heads) for odd in (0, 1) for j in range(d // 2)]
        back = np.argsort(rows)
        whole = np.r_[0 : heads * d : 2, 1 : heads * d : 2]
        mistakes = {
            "That is the way back: from halves to neighbours.": w[back],
            "You reordered the matrix as a whole: each head keeps its own rows, reorder inside it.": w[whole],
            "Nothing moved.": w,
            "You moved columns. A query's numbers come from the *rows* of its matrix.": np.concatenate(
                [w[:, 0::2], w[:, 1::2]], axis=1
            ),
            "Odd rows first: the first half holds the even rows of the head.": w[
                [h * d + 2 * j + odd for h in range(heads) for odd in (1, 0) for j in range(d // 2)]
            ],
            "You reversed the rows of each head.": w.reshape(heads, d, columns)[:, ::-1].reshape(w.shape),
        }
        mistakes = {hint: value for hint, value in mistakes.items() if not np.array_equal(value, w[rows])}
        expect(numbers(to_halves(w.copy(), heads), "the matrix"), w[rows], mistakes)
    if np.shape(to_halves(np.zeros((4, 2)), 2)) != (4, 2):
        raise Hint("With two numbers per head there is nothing to reorder, and the shape should stay.")
    return "each head's rows: the even ones, then the odd ones"
