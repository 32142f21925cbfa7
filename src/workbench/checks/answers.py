"""Read a learner's answer: numbers where numbers are asked for, and one clear hint where they are not."""

import numpy as np

from workbench.checks.report import Hint

NONE = "Your function returned None: is the `return` missing?"


def numbers(answer, what: str) -> np.ndarray:
    """`answer` as an array of numbers.  Raises Hint that says what it is instead."""
    if answer is None:
        raise Hint(NONE)
    try:
        array = np.asarray(answer)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "iufb":
        raise Hint(f"{what} should be numbers, not {type(answer).__name__}.")
    return array


def number(answer, what: str) -> float:
    """`answer` as one number.  Raises Hint for anything else, an array of several included."""
    array = numbers(answer, what)
    if array.size != 1:
        raise Hint(f"{what} should be one number, not an array of shape {array.shape}.")
    return float(array.reshape(()))


def parts(answer, names: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """`answer` as a tuple of len(names) arrays.  Raises Hint when it is something else."""
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, tuple | list) or len(answer) != len(names):
        raise Hint(f"Return {len(names)} things, in this order: {', '.join(names)}.")
    return tuple(numbers(part, name) for part, name in zip(answer, names, strict=True))


def same(a, b, rtol: float = 1e-9) -> bool:
    """Do the two have one shape and, within rtol, the same numbers?"""
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=rtol, atol=1e-12))


def first_difference(got: np.ndarray, wanted: np.ndarray) -> str:
    """Where two arrays of one shape, not `same`, first differ: "at [2, 0] you have 3, expected 4"."""
    where = tuple(int(i) for i in np.argwhere(~np.isclose(got, wanted, rtol=1e-9, atol=1e-12))[0])
    return f"at {list(where)} you have {got[where]:g}, expected {wanted[where]:g}"
