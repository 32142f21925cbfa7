"""Checks of chapter 20's first exercises: FLOPs, bytes, the roof, and reading it.

Each check compares an answer with an independent reference and recognises well-known mistakes by what they would
have returned.
"""

import numpy as np

from workbench.checks.answers import NONE, number, numbers, same
from workbench.checks.report import Hint, check


def recognise(got: float, wanted: float, mistakes: dict[str, float], what: str) -> None:
    """Pass when `got` is `wanted`; otherwise raise the hint of the mistake that returns it, or a plain one."""
    if same(got, wanted, 1e-6):
        return
    for hint, value in mistakes.items():
        if same(got, value, 1e-6):
            raise Hint(hint)
    raise Hint(f"{what}: you have {got:.6g}, expected {wanted:.6g}.")


# ------------------------------------------------------------------ 20.1

LAYERS = ((1, 9, 384, 1536), (8, 128, 384, 1536), (3, 50, 96, 256))  # batch, tokens, width, hidden


def _counted_layer_flops(batch: int, tokens: int, width: int, hidden: int) -> int:
    """By PyTorch's counter, on tensors without numbers."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        x = torch.empty(batch, tokens, width)
        for _ in range(4):
            x @ torch.empty(width, width)
        x @ torch.empty(width, hidden) @ torch.empty(hidden, width)
        torch.bmm(torch.bmm(x, x.transpose(1, 2)), x)
    return counter.get_total_flops()


def _layer_mistakes(batch: int, tokens: int, width: int, hidden: int) -> dict[str, float]:
    projections, mlp = 8 * tokens * width**2, 4 * tokens * width * hidden
    attention = 4 * tokens**2 * width
    one = projections + mlp + attention
    return {
        "Exactly half: a multiplication and an addition are two operations, 2·m·n·k for each product.": (
            batch * one / 2
        ),
        "You forgot the batch: each text passes through the layer.": one,
        "The attention is missing: two products, scores and weighted sum, grow with tokens².": (
            batch * (projections + mlp)
        ),
        "You counted one of attention's two products. There are the scores q·kᵀ and the weighted sum of v.": (
            batch * (one - attention / 2)
        ),
        "Attention across texts: you squared batch × tokens. A token looks at the tokens of its own text only.": (
            batch * (projections + mlp) + 4 * (batch * tokens) ** 2 * width
        ),
        "You counted three projections. After query, key and value there is the output projection.": (
            batch * (one - projections / 4)
        ),
        "You counted one matrix of the feed-forward pair. There is one up and one down.": batch * (one - mlp / 2),
        "Attention looks at every token: tokens², not tokens.": batch * (projections + mlp + 4 * tokens * width),
    }


@check("20.1")
def check_layer_flops(layer_flops) -> str:
    """layer_flops(batch, tokens, width, hidden) → FLOPs of one encoder layer's products."""
    for shape in LAYERS:
        got = number(layer_flops(*shape), "the FLOPs")
        recognise(got, _counted_layer_flops(*shape), _layer_mistakes(*shape), f"FLOPs of {shape}")
    return "equal to PyTorch's own counter, for a query, a batch and an odd shape"


# ------------------------------------------------------------------ 20.2

QUANTIZED = ((1, 576, 1536, 4, 32), (16, 640, 192, 8, 64), (7, 1024, 320, 4, 64))  # rows, in, out, bits, group


def _bytes(rows: int, n_in: int, n_out: int, bits: int, group: int) -> float:
    weights = sum(bits for _ in range(n_in)) * n_out / 8
    scales = 2 * len(range(0, n_in, group)) * n_out
    return weights + scales + 4 * rows * n_in + 4 * rows * n_out


def _byte_mistakes(rows: int, n_in: int, n_out: int, bits: int, group: int) -> dict[str, float]:
    n, right, vectors = n_in * n_out, _bytes(rows, n_in, n_out, bits, group), 4 * rows * (n_in + n_out)
    return {
        "You took bits for bytes: eight bits are one byte.": right + n * bits * 7 / 8,
        "The scales are missing: two bytes for each group of weights. They are read, too.": right - 2 * n / group,
        "You read the weights once per row. One product reads them once, whatever the rows: that is its point.": (
            rows * (right - vectors) + vectors
        ),
        "You counted the weights only. In this exercise the vectors count as well: rows in, and rows out.": (
            right - vectors
        ),
        "The outputs are missing: rows × n_out numbers are written.": right - 4 * rows * n_out,
        "The inputs are missing: rows × n_in numbers are read.": right - 4 * rows * n_in,
        "The vectors stay fp32: four bytes each, whatever the weights have.": (right - vectors + vectors * bits / 32),
        "One scale per weight? A whole group shares one.": right - 2 * n / group + 2 * n,
        "A scale has two bytes here (fp16), not four.": right + 2 * n / group,
    }


@check("20.2")
def check_layer_bytes(layer_bytes) -> str:
    """layer_bytes(rows, n_in, n_out, bits, group) → bytes that one quantized linear layer moves."""
    for shape in QUANTIZED:
        got = number(layer_bytes(*shape), "the bytes")
        recognise(got, _bytes(*shape), _byte_mistakes(*shape), f"bytes of {shape}")
    return "weights, their scales and the vectors, at four and at eight bits"


# ------------------------------------------------------------------ 20.3

PEAK, BANDWIDTH = 96.0, 24.0  # GFLOP/s, GB/s
AWRY = {
    "You took the larger of the two. A roof is the *lower* limit at each intensity.": lambda i, p, b: np.maximum(
        p, i * b
    ),
    "Beyond the ridge arithmetic is the limit: cut the slope off at the peak.": lambda i, p, b: i * b,
    "That is the flat part everywhere. Left of the ridge memory is the limit: intensity × bandwidth.": (
        lambda i, p, b: np.full(len(i), p)
    ),
    "You divided by the intensity. FLOP/byte × byte/s = FLOP/s: multiply.": lambda i, p, b: np.minimum(p, b / i),
    "GB here are 10⁹ bytes, as in GFLOP. You converted them to or from GiB (2³⁰).": (
        lambda i, p, b: np.minimum(p, i * b * 2**30 / 1e9)
    ),
    "GB here are 10⁹ bytes, as in GFLOP. You converted them to GiB (2³⁰).": (
        lambda i, p, b: np.minimum(p, i * b * 1e9 / 2**30)
    ),
    "Those are harmonic sums, as if the two times added up. The roof assumes that they overlap: min.": (
        lambda i, p, b: 1 / (1 / p + 1 / (i * b))
    ),
}


@check("20.3")
def check_attainable(attainable) -> str:
    """attainable(intensities, gflops, gb_per_s) → GFLOP/s that the roof allows, elementwise."""
    intensities = np.array([0.25, 0.5, 1.0, 3.0, 4.0, 5.0, 64.0])
    for peak, bandwidth in ((PEAK, BANDWIDTH), (2000.0, 100.0)):
        got = numbers(attainable(intensities.copy(), peak, bandwidth), "the roof").astype(float)
        if got.shape != intensities.shape:
            raise Hint(f"One value per intensity is asked for: shape {intensities.shape}, not {got.shape}.")
        wanted = np.array([min(peak, x * bandwidth) for x in intensities.tolist()])
        if same(got, wanted, 1e-9):
            continue
        for hint, wrong in AWRY.items():
            if same(got, wrong(intensities, peak, bandwidth), 1e-9):
                raise Hint(hint)
        where = int(np.argmax(~np.isclose(got, wanted)))
        raise Hint(f"at intensity {intensities[where]:g} you have {got[where]:g}, expected {wanted[where]:g}.")
    return "right on the slope, at the ridge and on the flat, for two machines"


# ------------------------------------------------------------------ 20.4

# name: (GFLOP, GB, seconds).  Intensities left, right and near the ridge of 4; some near the roof, some far below.
KERNELS = {
    "decode": (0.25, 0.5, 0.025),
    "prompt": (48.0, 0.5, 0.6),
    "tiny": (0.001, 0.001, 0.004),
    "packed": (6.0, 1.0, 0.2),
    "gather": (0.2, 1.2, 0.4),
    "edge": (4.8, 1.3, 0.06),
}
WORDS = {"memory", "compute", "neither"}


def _verdict(flops, n_bytes, seconds, peak, bandwidth, nearest=0.5) -> str:
    reading, arithmetic = n_bytes / bandwidth, flops / peak
    if max(reading, arithmetic) < nearest * seconds:
        return "neither"
    return "memory" if reading > arithmetic else "compute"


def _verdicts(judge) -> dict[str, str]:
    return {name: judge(*kernel) for name, kernel in KERNELS.items()}


def _misreadings() -> dict[str, dict[str, str]]:
    def side(flops, n_bytes, _):
        return "memory" if flops / n_bytes < PEAK / BANDWIDTH else "compute"

    def swapped(*kernel):
        return {"memory": "compute", "compute": "memory"}.get(_verdict(*kernel, PEAK, BANDWIDTH), "neither")

    def flat(flops, n_bytes, seconds):
        return "neither" if flops / seconds < PEAK / 2 else side(flops, n_bytes, seconds)

    return {
        "You judged by the side of the ridge alone. A kernel far below its roof is limited by neither ceiling: use the "
        "seconds.": _verdicts(side),
        "Memory and compute are swapped: *low* intensity, few FLOPs per byte, means waiting for memory.": (
            _verdicts(swapped)
        ),
        "You compared with the peak. Left of the ridge the roof is the slope: a decode step near it is doing well.": (
            _verdicts(flat)
        ),
        "The ridge lies at gflops / gb_per_s, not at 1 FLOP per byte.": _verdicts(
            lambda f, b, s: _verdict(f, b, s, PEAK, BANDWIDTH) if f / b < 1 else _verdict(f, 0, s, PEAK, BANDWIDTH)
        ),
        "Half of the roof counts as *at* the roof in this exercise; you asked for nine tenths.": (
            _verdicts(lambda f, b, s: _verdict(f, b, s, PEAK, BANDWIDTH, 0.9))
        ),
    }


@check("20.4")
def check_read_roofline(read_roofline) -> str:
    """read_roofline(kernels, gflops, gb_per_s) → {name: "memory" | "compute" | "neither"}."""
    got = read_roofline(dict(KERNELS), PEAK, BANDWIDTH)
    if got is None:
        raise Hint(NONE)
    if not isinstance(got, dict) or set(got) != set(KERNELS):
        raise Hint("Return a dict with one verdict for each kernel, under the kernel's name.")
    if not all(isinstance(word, str) and word in WORDS for word in got.values()):
        raise Hint('The verdicts are the words "memory", "compute" and "neither".')
    wanted = _verdicts(lambda *kernel: _verdict(*kernel, PEAK, BANDWIDTH))
    if got != wanted:
        for hint, wrong in _misreadings().items():
            if got == wrong:
                raise Hint(hint)
        name = next(name for name in KERNELS if got[name] != wanted[name])
        raise Hint(f"{name}: you say {got[name]}; compare its seconds with both ceilings.")
    return "six kernels, read as the picture says"
