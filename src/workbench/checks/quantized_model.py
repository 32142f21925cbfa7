"""Checks of chapter 23's first exercises: size, drift, and reading a quantization report.

Each check compares an answer with an independent reference, and recognises well-known mistakes by what they return.
"""

import math
from itertools import combinations

import numpy as np

from workbench.checks.answers import NONE, number, numbers, same
from workbench.checks.report import Hint, check

BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1, "uint8": 1, "int64": 8}

# ------------------------------------------------------------------ 23.1

TENSORS = [
    ((30522, 384), "int8"),
    ((512, 384), "float32"),
    ((384, 1536), "int8"),
    ((1536,), "float32"),
    ((), "float32"),
    ((), "uint8"),
    ((3, 2), "int64"),
]


@check("23.1")
def check_stored_mb(stored_mb) -> str:
    """stored_mb(tensors) → megabytes of a list of (shape, dtype name)."""
    _judge_mb(stored_mb(list(TENSORS)), TENSORS)
    scalars = [((), "float32")] * 1000
    if not same(number(stored_mb(scalars), "The size"), 4e-3, 1e-9):
        raise Hint("A scalar has shape () and holds one number: the product of no factors is 1, not 0.")
    if number(stored_mb([]), "The size") != 0:
        raise Hint("An empty file stores 0 megabytes.")
    return "every tensor is counted in bytes, scalars and 8-byte integers included"


def _judge_mb(answer, tensors) -> None:
    got = number(answer, "The size")
    elements = [math.prod(shape) for shape, _ in tensors]
    widths = [BYTES[dtype] for _, dtype in tensors]
    wanted = sum(n * w for n, w in zip(elements, widths, strict=True)) / 1e6
    mistakes = {
        "You counted numbers, not bytes: a float32 takes 4 bytes, an int8 takes 1.": sum(elements) / 1e6,
        "You gave every number 4 bytes: the dtype of each tensor decides.": 4 * sum(elements) / 1e6,
        "Those are bits: divide by 8.": 8 * wanted,
        "Those are bytes: a megabyte is 1,000,000 of them.": wanted * 1e6,
        "You divided by 1024 twice: that is MiB. Disks, files and this book count MB = 1,000,000 bytes.": (
            wanted * 1e6 / 2**20
        ),
        "You added the lengths of the axes: a (512, 384) tensor holds 512 × 384 numbers.": (
            sum(sum(shape) * w for (shape, _), w in zip(tensors, widths, strict=True)) / 1e6
        ),
    }
    refuse_known(got, wanted, mistakes)
    if not same(got, wanted, 1e-9):
        if abs(got - wanted) < 1e-5:
            raise Hint("Almost: the small tensors are missing. A scalar has shape () and holds one number.")
        raise Hint(f"For the example file you return {got:.6g}; {wanted:.6g} MB is stored. Check each dtype's width.")


def refuse_known(got, wanted, mistakes: dict) -> None:
    """Raise the hint of the mistake that `got` is, unless it is also right."""
    if same(got, wanted, 1e-9):
        return
    for hint, value in mistakes.items():
        if same(got, value, 1e-7):
            raise Hint(hint)


# ------------------------------------------------------------------ 23.2


def _vectors() -> tuple[np.ndarray, np.ndarray]:
    """Vectors of unlike lengths, (5, 8); the last copy points the other way."""
    rng = np.random.default_rng(232)
    a = rng.normal(size=(5, 8)) * np.array([[1.0], [3.0], [0.2], [1.0], [2.0]])
    b = 1.7 * a + 0.3 * rng.normal(size=(5, 8))
    b[4] = -b[4]
    return a, b


@check("23.2")
def check_drift(drift) -> str:
    """drift(reference, candidate) → 1 − cosine per row."""
    a, b = _vectors()
    got = numbers(drift(a.copy(), b.copy()), "The drift")
    cosine = np.array([_cosine(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)])
    _judge_drift_shape(got, a, b, cosine)
    mistakes = {
        "Those are cosines: they are 1 for a vector that did not move. Drift is 1 − cosine.": cosine,
        "The rows do not have length 1: divide the dot product by both lengths.": 1 - (a * b).sum(axis=1),
        "You divided by one of the two lengths only: a longer copy is not a drifted one.": (
            1 - (a * b).sum(axis=1) / (a * a).sum(axis=1)
        ),
        "You took |cosine|: a vector that turned round would count as unmoved.": 1 - abs(cosine),
        "That is a distance, not 1 − cosine: it grows when a vector only gets longer.": np.linalg.norm(a - b, axis=1),
    }
    refuse_known(got, 1 - cosine, mistakes)
    if not same(got, 1 - cosine, 1e-6):
        row = int(np.argmax(abs(got - (1 - cosine))))
        raise Hint(f"Row {row}: you return {got[row]:.4g}, expected {1 - cosine[row]:.4g}.")
    return "direction only: scaling a vector is no drift, turning it round is 2"


def _cosine(x: list, y: list) -> float:
    dot = math.fsum(p * q for p, q in zip(x, y, strict=True))
    return dot / math.sqrt(math.fsum(p * p for p in x) * math.fsum(q * q for q in y))


def _judge_drift_shape(got, a, b, cosine) -> None:
    if got.size == 1:
        raise Hint("One number for all texts: return one drift per row, so that a single ruined text can be seen.")
    if got.shape == (len(a), len(b)):
        raise Hint("That is every row against every row. A text is compared with its own copy: the diagonal.")
    if got.shape == (a.shape[1],):
        raise Hint("Those are columns. A text is a row: sum along axis=1.")
    if got.shape != cosine.shape:
        raise Hint(f"The drift has shape {got.shape}, expected {cosine.shape}: one number per row.")


# ------------------------------------------------------------------ 23.3

REPORT = {  # kind: (drift that goes away when it stays fp32, extra megabytes)
    "query, key, value": (0.030, 8.0),
    "attention output": (0.022, 2.7),
    "feed-forward up": (0.050, 10.6),
    "feed-forward down": (0.028, 6.0),
}
ROOMS = (2.0, 5.0, 9.0, 11.0, 14.0, 40.0)  # megabytes allowed; at 9, 11 and 14 every greedy rule fails once


def _best(report: dict, room_mb: float) -> set:
    """The subset of largest total drift that fits, by trying all."""
    subsets = [set(c) for size in range(len(report) + 1) for c in combinations(report, size)]
    fitting = [s for s in subsets if sum(report[k][1] for k in s) <= room_mb + 1e-9]
    return max(fitting, key=lambda s: sum(report[k][0] for k in s))


def _greedy(room_mb: float, rank, most: int = 9) -> set:
    """Take kinds in the order of `rank`, largest first, while they fit; at most so many."""
    taken, left = set(), room_mb
    for kind in sorted(REPORT, key=lambda k: -rank(*REPORT[k])):
        if REPORT[kind][1] <= left + 1e-9 and len(taken) < most:
            taken, left = taken | {kind}, left - REPORT[kind][1]
    return taken


SPARING_MISTAKES = {
    "You returned the kinds to quantize: asked for are those to leave in fp32.": lambda room: (
        REPORT.keys() - _best(REPORT, room)
    ),
    "One kind where more fit: any set of kinds within the room may stay fp32.": lambda room: _greedy(
        room, lambda drift, mb: drift, most=1
    ),
    "Taking the worst offender first uses the room that two smaller ones would use better.": lambda room: _greedy(
        room, lambda drift, mb: drift
    ),
    "Taking the smallest first ignores how much drift each removes.": lambda room: _greedy(room, lambda drift, mb: -mb),
    "Drift per megabyte is a good rule and not the best: the room left over is wasted. Compare whole sets.": (
        lambda room: _greedy(room, lambda drift, mb: drift / mb)
    ),
}


@check("23.3")
def check_kinds_to_spare(kinds_to_spare) -> str:
    """kinds_to_spare(report, room_mb) → the set of kinds to leave in fp32."""
    answers = [_kinds(kinds_to_spare(dict(REPORT), room)) for room in ROOMS]
    best = [_best(REPORT, room) for room in ROOMS]
    if answers != best:
        for hint, mistake in SPARING_MISTAKES.items():
            if answers == [mistake(room) for room in ROOMS]:
                raise Hint(hint)
        raise Hint(_first_bad_set(answers, best))
    if _kinds(kinds_to_spare(dict(reversed(REPORT.items())), 11.0)) != _best(REPORT, 11.0):
        raise Hint("The answer changed when the report listed its kinds in another order: compare all sets.")
    return "the best set for every room, also where the best single kind is not in it"


def _kinds(answer) -> set:
    """A learner's answer as a set of the report's names."""
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, set | frozenset | list | tuple):
        raise Hint(f"Return a set of kinds (names of the report), not {type(answer).__name__}.")
    unknown = sorted(str(kind) for kind in answer if not isinstance(kind, str) or kind not in REPORT)
    if unknown:
        raise Hint(f"{unknown[0]!r} is not a kind of the report: return its names.")
    return set(answer)


def _first_bad_set(answers, best) -> str:
    for room, got, wanted in zip(ROOMS, answers, best, strict=True):
        spent = sum(REPORT[kind][1] for kind in got)
        if spent > room + 1e-9:
            return f"Those kinds take {spent:.1f} MB more and {room:.1f} MB are allowed."
        if got != wanted:
            return f"With {room:.1f} MB another set removes more drift: compare the totals of all sets that fit."
    return "Every set is right."
