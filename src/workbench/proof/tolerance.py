"""The same text, but for digits that depend on the processor."""

import re
from collections.abc import Iterable

from workbench.errors import WorkbenchError

# A number on its own: the digits of "p95", "int8" or "1.2.3" belong to a name and are compared as text.
NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
TAG = re.compile(r"tolerance-(.+)")


def of_tags(tags: Iterable[str]) -> float | None:
    """The tolerance a cell asks for: ["tolerance-1e-3"] → 0.001.  Raises WorkbenchError on a strange one."""
    asked = [match[1] for tag in tags if (match := TAG.fullmatch(tag))]
    if not asked:
        return None
    try:
        tolerance = float(asked[0])
    except ValueError:
        tolerance = 0.0
    if len(asked) > 1 or not 0 < tolerance < 1:
        raise WorkbenchError(f"cell tag 'tolerance-{asked[-1]}' is no tolerance", "use one tag such as tolerance-1e-3")
    return tolerance


def same_within(ref: str, test: str, tolerance: float) -> bool:
    """Whether numbers agree within a relative tolerance (absolute beside a zero) and all else to the letter.

    ("loss 3.721", "loss 3.722", 1e-3) → True;  ("loss 3.721", "cost 3.721", 1e-3) → False.
    """
    if NUMBER.split(ref) != NUMBER.split(test):
        return False
    pairs = zip(NUMBER.findall(ref), NUMBER.findall(test), strict=True)
    return all(_near(_number(a), _number(b), tolerance) for a, b in pairs)


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _near(ref: float, test: float, tolerance: float) -> bool:
    scale = abs(ref) if ref and test else 1.0
    return abs(ref - test) <= tolerance * scale * (1 + 1e-9)
