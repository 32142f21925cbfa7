"""Chapter 53's checks accept independent implementations, and name mistakes that the sheet does not list."""

import numpy as np
import pytest
import torch

from workbench.checks.four_bits import check_dequantize, check_levels, check_qlora_bytes, check_stored, check_verdict


def levels_by_torch(bits, last):
    """Through the inverse error function, one side after the other."""
    half = 2 ** (bits - 1)

    def side(count):
        chance = torch.linspace(last, 0.5, count + 1, dtype=torch.float64)[:-1]
        return (2**0.5 * torch.erfinv(2 * chance - 1)).tolist()

    positive = side(half)
    return [-q / positive[0] for q in side(half - 1)] + [0.0] + [q / positive[0] for q in positive[::-1]]


def verdict_by_sets(low, high, margin):
    inside = np.abs(np.linspace(low, high, 10_001)) < margin
    words = {(True, True): "no difference that matters", (False, False): "a difference that matters"}
    return words.get((bool(inside.all()), bool(inside.any())), "undecided")


def dequantize_one_by_one(packed, scales, levels, block):
    found = []
    for byte in packed.tolist():
        for code in divmod(byte, 16):
            found.append(levels[code] * scales[len(found) // block])
    return found


def stored_by_arrays(count, block, outer):
    scales = np.zeros(len(range(0, count, block)), np.uint8)
    largest = np.zeros(len(range(0, len(scales), outer)), np.float32)
    return np.zeros(count // 2, np.uint8).nbytes + scales.nbytes + largest.nbytes + np.float32(0).nbytes


def qlora_in_bits(width, inner, layers, vocab, r):
    per_weight = 4 + 8 / 64 + 32 / (64 * 256)
    bits = 2 * vocab * width * 16
    for m, n in layers * [*4 * [(width, width)], (inner, width), (inner, width), (width, inner)]:
        bits += m * n * per_weight + 4 * 32 * r * (m + n)
    return bits / 8


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_levels, levels_by_torch),
        (check_verdict, verdict_by_sets),
        (check_dequantize, dequantize_one_by_one),
        (check_stored, stored_by_arrays),
        (check_qlora_bytes, qlora_in_bits),
    ],
)
def test_another_right_answer_passes(check, answer):
    report = check.judge(answer)
    assert report.passed is True, report


@pytest.mark.parametrize(
    ("check", "answer", "hint"),
    [
        (check_levels, lambda bits, last: levels_by_torch(bits, last)[::-1], "Descending"),
        (check_levels, lambda bits, last: levels_by_torch(bits, last)[1:], "number 16 levels"),
        (check_verdict, lambda low, high, margin: "equal", "Return one of these"),
        (check_verdict, lambda low, high, margin: "undecided", "no difference that matters"),
        (check_dequantize, lambda packed, scales, levels, block: packed, "in one row"),
        (check_stored, lambda count, block, outer: count // 2, "Those are the weights"),
        (check_stored, lambda count, block, outer: stored_by_arrays(count, block, outer) + 1, "bytes, you have"),
        (check_qlora_bytes, lambda *sizes: qlora_in_bits(*sizes) / 1e9, "gigabytes"),
        (check_qlora_bytes, lambda width, inner, layers, vocab, r: 0, "are expected"),
    ],
)
def test_a_mistake_is_named(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message
