"""Checks for chapter 53: levels, what an interval allows to say, bytes to weights, bytes stored, QLoRA's memory."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from workbench.checks.answers import NONE, number, numbers, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 53.1


def _upper(count: int, last: float) -> list[float]:
    """Quantiles of the normal distribution from `last` down towards 1/2, which is left out, largest first."""
    return [NormalDist().inv_cdf(last + (0.5 - last) * step / count) for step in range(count)]


def _levels(bits: int, last: float) -> np.ndarray:
    half = 2 ** (bits - 1)
    found = np.array(sorted([-q for q in _upper(half - 1, last)] + [0.0] + _upper(half, last)))
    return found / found[-1]


@check("53.1")
def check_levels(levels: Callable) -> str:
    """levels(bits, last) → the normal levels, ascending: 2^(bits-1) positive, one fewer negative, and zero."""
    for bits, last in ((4, 0.9677083), (3, 0.93), (2, 0.8)):
        wanted, half = _levels(bits, last), 2 ** (bits - 1)
        got = numbers(levels(bits, last), "The levels")
        if got.shape != wanted.shape:
            raise Hint(f"{bits} bits number {2**bits} levels; yours have shape {got.shape}.")
        if same(got, wanted, rtol=1e-6):
            continue
        raise Hint(_wrong_levels(got, wanted, half, last))
    return "sixteen levels from a bell, and zero among them"


def _wrong_levels(got: np.ndarray, wanted: np.ndarray, half: int, last: float) -> str:
    raw = wanted * _upper(half, last)[0]
    without = _upper(half, last)
    symmetric = np.array([-q for q in without] + without[::-1]) / without[0]
    if not np.isfinite(got).all():
        return "Not finite: the quantile of 1 is infinite. Begin at `last`."
    named = {
        "Even steps: the levels are quantiles of the normal distribution.": np.linspace(-1, 1, 2 * half),
        "Not scaled: divide by the largest, so that it is 1.": raw,
        "Zero is missing: a weight that is zero has to stay it.": symmetric,
        "The sides are swapped: the positive one has a level more.": -wanted[::-1],
        "Descending: give them in ascending order.": wanted[::-1],
    }
    begin = [np.round(values[:3], 3).tolist() for values in (got, wanted)]
    hint = f"{len(wanted)} levels: yours begin with {begin[0]}, expected are {begin[1]}."
    return next((text for text, wrong in named.items() if same(got, wrong, rtol=1e-6)), hint)


# ------------------------------------------------------------------ 53.2

VERDICTS = ("no difference that matters", "a difference that matters", "undecided")


def _verdict(low: float, high: float, margin: float) -> str:
    if -margin < low and high < margin:
        return VERDICTS[0]
    return VERDICTS[1] if low >= margin or high <= -margin else VERDICTS[2]


@check("53.2")
def check_verdict(verdict: Callable) -> str:
    """verdict(low, high, margin) → one of three sentences on a difference whose interval is low … high."""
    cases = [(-0.02, 0.03, 0.1), (-0.5, 0.6, 0.1), (0.02, 0.05, 0.1), (0.2, 0.4, 0.1), (-0.4, -0.2, 0.1)]
    cases += [(0.05, 0.3, 0.1), (-0.3, 0.05, 0.1), (-0.09, -0.01, 0.1)]
    for low, high, margin in cases:
        got, wanted = verdict(low, high, margin), _verdict(low, high, margin)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, str) or got not in VERDICTS:
            raise Hint(f"Return one of these: {'; '.join(VERDICTS)}.")
        if got == wanted:
            continue
        where = f"From {low} to {high} with a margin of {margin}: {wanted}."
        if low <= 0 <= high and got == VERDICTS[0]:
            raise Hint(f"{where} That zero lies inside says little: a wide interval holds zero, and much else.")
        if got == VERDICTS[0] and low < -margin:
            raise Hint(f"{where} The other side counts, too: a difference may matter downwards.")
        if wanted == VERDICTS[0]:
            raise Hint(f"{where} It may be real and still too small to matter: all of it lies inside the margin.")
        if got == VERDICTS[1]:
            raise Hint(f"{where} A part of the interval is inside the margin: that much is not shown.")
        raise Hint(where)
    return "three answers, and the third is honest"


# ------------------------------------------------------------------ 53.3


@check("53.3")
def check_dequantize(dequantize: Callable) -> str:
    """dequantize(packed, scales, levels, block) → the weights: two to a byte, the earlier one in the upper half."""
    rng = np.random.default_rng(53)
    for block, blocks in ((4, 3), (8, 2), (2, 5)):
        levels = np.sort(rng.uniform(-1, 1, 16))
        codes = rng.permutation(np.arange(block * blocks) % 16).astype(np.uint8)
        scales = rng.uniform(0.5, 2, blocks)
        packed = (codes[::2] << 4 | codes[1::2]).astype(np.uint8)
        got = numbers(dequantize(packed.copy(), scales.copy(), levels.copy(), block), "The weights")
        wanted = np.array([levels[code] * scales[i // block] for i, code in enumerate(codes.tolist())])
        if got.shape != wanted.shape:
            raise Hint(f"{len(packed)} bytes hold {len(wanted)} weights, in one row; yours have shape {got.shape}.")
        if same(got, wanted):
            continue
        each = np.repeat(scales, block)
        swapped = codes.reshape(-1, 2)[:, ::-1].ravel()
        halves = np.concatenate([codes[::2], codes[1::2]])
        named = {
            "The halves are swapped: the earlier weight is in the upper four bits.": levels[swapped] * each,
            "Those are the levels: each block's scale is missing.": levels[codes],
            "All upper halves, then all lower ones: the two of a byte are neighbours.": levels[halves] * each,
            "Those are codes times scales: look each code up in `levels` first.": codes * each,
            "The scales change with every weight: one serves a whole block.": levels[codes]
            * np.resize(scales, len(each)),
        }
        hint = f"The weight of code {codes[0]} in the first block is {wanted[0]:.4f}; yours is {got[0]:.4f}."
        raise Hint(next((text for text, wrong in named.items() if same(got, wrong)), hint))
    return "two weights out of each byte, in their order and size"


# ------------------------------------------------------------------ 53.4


@check("53.4")
def check_stored(stored: Callable) -> str:
    """stored(count, block, outer) → bytes of `count` weights in four bits, their scales in eight, all told."""
    for count, block, outer in ((1_048_576, 64, 256), (576 * 192, 64, 256), (4096 * 11, 32, 128), (640, 64, 256)):
        blocks = -(-count // block)
        groups = -(-blocks // outer)
        wanted = count // 2 + blocks + 4 * groups + 4
        got = number(stored(count, block, outer), "The bytes")
        if got == wanted:
            continue
        named = {
            wanted - 4: "The mean that was taken from the scales is a number, too: four bytes.",
            wanted - 4 * groups: "The largest of every `outer` scales is missing, four bytes each.",
            wanted - 4 * groups - 4: "What turns eight bits back into scales is missing: a largest each, and the mean.",
            count // 2: "Those are the weights. Their scales take room as well.",
            count // 2 + 4 * blocks: "That is before the second quantization: a scale now takes one byte.",
            count // 2 + 5 * blocks: "The scales themselves are not kept: their eight bits take their place.",
            count + wanted - count // 2: "Two weights share a byte.",
            count // 2
            + blocks
            + 4 * (blocks // outer)
            + 4: "The last group of scales may be short; it has a largest, too.",
            8 * wanted: "Those are bits.",
        }
        hint = f"{count:,} weights, block {block}, outer {outer}: {wanted:,} bytes, you have {got:,.1f}."
        raise Hint(named.get(got, hint))
    return "to the byte, the last group included"


# ------------------------------------------------------------------ 53.5


@check("53.5")
def check_qlora_bytes(qlora_bytes: Callable) -> str:
    """qlora_bytes(width, inner, layers, vocab, r) → bytes of a QLoRA training, activations left out."""
    for width, inner, layers, vocab, r in (
        (4096, 11008, 32, 32_000, 8),
        (512, 1024, 2, 1000, 4),
        (1024, 4096, 3, 64, 16),
    ):
        matrices = layers * (4 * width**2 + 3 * inner * width)
        four = matrices // 2 + matrices // 64 + matrices // (64 * 256) * 4
        tables = 2 * 2 * vocab * width
        moving = layers * r * (4 * 2 * width + 3 * (width + inner))
        wanted = four + tables + 16 * moving
        got = number(qlora_bytes(width, inner, layers, vocab, r), "The bytes")
        if np.isclose(got, wanted, rtol=1e-9):
            continue
        attention = layers * r * 8 * width
        named = {
            four + 16 * moving: "The table of tokens and the head are missing; nobody rounds them.",
            wanted - tables / 2: "Two tables: one for the tokens that come in, one for those that go out.",
            wanted + tables: "Table and head are kept in 16 bits, two bytes a number.",
            four + tables: "Adapters are what is trained: they, their gradients and Adam's means are missing.",
            four + tables + 4 * moving: "The adapters move: each number has a gradient and two means beside it.",
            four + tables + 12 * moving: "Four things for each number that moves: itself, its gradient, two means.",
            four + tables + 16 * attention: "Adapters stand beside all seven matrices, not only attention's four.",
            matrices // 2 + tables + 16 * moving: "Four bits and nothing else: the scales are missing.",
            matrices // 2
            + matrices // 16
            + tables
            + 16 * moving: "Scales in 32 bits: the second quantization is asked for.",
            4 * matrices + tables + 16 * moving: "That is LoRA: the matrices are in 32 bits.",
            2 * matrices + tables + 16 * moving: "That is LoRA: the matrices are in 16 bits.",
            four + 12 * matrices + tables: "Frozen matrices have neither gradients nor means; adapters have.",
            wanted / 1e9: "Those are gigabytes; bytes are asked for.",
        }
        hint = f"Width {width}, {layers} layers: {wanted:,} bytes are expected, you have {got:,.0f}."
        raise Hint(next((text for value, text in named.items() if np.isclose(got, value, rtol=1e-9)), hint))
    return "a model of seven billion fits where its own 16 bits would not"
