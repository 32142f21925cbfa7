"""Chapter 22's checks: right answers pass in any honest form; other mistakes get their hint."""

import math

import numpy as np
import pytest

from workbench.checks import quantize, quantize_use

CHECKS = {
    "22.1": quantize.check_quantize_rows,
    "22.2": quantize.check_quantize_asymmetric,
    "22.3": quantize.check_silent_rows,
    "22.4": quantize_use.check_effective_bits,
    "22.5": quantize_use.check_best_limit,
    "22.6": quantize_use.check_int8_linear,
}


def refused(number: str, answer, hint: str = "") -> None:
    report = CHECKS[number].judge(answer)
    assert report.passed is False, report
    assert hint in report.message
    assert len(report.message) > 15
    assert "\n" not in report.message


def rows_in_plain_python(w, bits):
    top = 2 ** (bits - 1) - 1
    scales = [max(map(abs, row)) / top or 3.0 for row in w.tolist()]
    rows = [[round(v / s) for v in row] for row, s in zip(w.tolist(), scales, strict=True)]
    return np.array(rows, np.int8), [[s] for s in scales]


def asymmetric_with_list(x, bits):
    low, high = min(0, *x), max(0, *x)
    scale = (high - low) / 255 or 7.0
    zero = np.float64(np.rint(-low / scale))
    return [np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8), np.array([scale]), zero]


def silent_in_decibels(w, w_hat, floor_db):
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10((w**2).sum(1) / ((w - w_hat) ** 2).sum(1))
    return [i for i, value in enumerate(ratio) if value < floor_db][::-1]


def bits_by_counting(rows, columns, bits, group, scale_bits, zero_bits):
    return np.array([bits + math.ceil(columns / group) * (scale_bits + zero_bits) / columns])


def limit_by_loop(x, bits, limits):
    steps = limits / (2 ** (bits - 1) - 1)
    errors = [((x - np.clip(np.rint(x / s) * s, -c, c)) ** 2).sum() for s, c in zip(steps, limits, strict=True)]
    return limits[int(np.argmin(errors))]


def product_in_floats(qx, sx, zx, qw, sw):
    return ((qx.astype(float) - zx) * sx) @ (qw.astype(float) * sw).T


OTHER_WAYS = dict(
    zip(
        CHECKS,
        (
            *(rows_in_plain_python, asymmetric_with_list, silent_in_decibels),
            *(bits_by_counting, limit_by_loop, product_in_floats),
        ),
        strict=True,
    )
)


@pytest.mark.parametrize("number", CHECKS)
def test_another_way_to_be_right_passes_twice(number):
    for _ in range(2):
        report = CHECKS[number].judge(OTHER_WAYS[number])
        assert report.passed is True, report.message


MORE = [
    ("22.1", lambda w, bits: w, "Return 2 things"),
    ("22.1", lambda w, bits: (np.zeros(w.shape, np.int8), np.ones(5)), "keep the axis"),
    ("22.1", lambda w, bits: (np.zeros(w.shape, np.int8), np.ones((3, 1))), "one per row"),
    ("22.1", lambda w, bits: (np.zeros(w.shape, np.int8), np.ones((5, 1))), "Row 0 got the scale 1"),
    ("22.1", lambda w, bits: (rows_in_plain_python(w, bits)[0][:2], rows_in_plain_python(w, bits)[1]), "shape (2, 16)"),
    ("22.1", lambda w, bits: (w, np.abs(w).max(1, keepdims=True) / (2**bits - 1) + 1e-20), "One bit is the sign"),
    ("22.1", lambda w, bits: (rows_in_plain_python(w, bits)[0].astype(int), rows_in_plain_python(w, bits)[1]), "int64"),
    ("22.2", lambda x, bits: (x, np.ones(2), 0), "One scale and one zero point"),
    ("22.2", lambda x, bits: (x, 1.0, 0), "your scale is 1"),
    ("22.2", lambda x, bits: (asymmetric_with_list(x, bits)[0][:1], *asymmetric_with_list(x, bits)[1:]), "shape (1,)"),
    ("22.3", lambda w, w_hat, floor: np.array([2.5]), "look like decibels"),
    ("22.3", lambda w, w_hat, floor: np.array([0, 1]), "you name the rows [0, 1]"),
    ("22.4", lambda *_: 4.2, "4.2000, not 4.5000"),
    ("22.4", lambda *_: [4, 5], "one number"),
    ("22.5", lambda x, bits, limits: 5.0, "has a smaller mean square error"),
    ("22.6", lambda *parts: product_in_floats(*parts)[:, :1], "tokens by outputs"),
    ("22.6", lambda *parts: product_in_floats(*parts) + 1, "A value is wrong"),
]


@pytest.mark.parametrize(("number", "answer", "hint"), MORE)
def test_other_mistakes_are_told_what_to_look_at(number, answer, hint):
    refused(number, answer, hint)
