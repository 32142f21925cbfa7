"""Claims: say what a number should be, show what it is, leave a record.  Never raises."""

import html
import math
from dataclasses import asdict, dataclass, field

from workbench import provenance
from workbench.intervals import Estimate

MIME = "application/vnd.workbench.claim+json"
MARKS = {True: "✓", False: "✗", None: "–"}
CLASSES = {True: "wb-held", False: "wb-missed", None: "wb-unclaimed"}
AT_MOST_ONE = {"cosine", "correlation"}  # units in which 1 is a verdict: nothing else is called 1


@dataclass(frozen=True)
class Claim:
    """One judged number: what the ledger, the prose and the evidence page are made of."""

    id: str
    says: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    bound: dict = field(default_factory=dict)
    held: bool | None = None
    control: bool = False
    why_not: str | None = None
    profile: str | None = None
    machine: str | None = None

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": to_text(self), "text/html": to_html(self), MIME: asdict(self)}

    def __repr__(self) -> str:
        return to_text(self)


def claim(
    id: str,
    value: "float | Estimate",
    *,
    says: str,
    unit: str = "",
    at_least: float | None = None,
    at_most: float | None = None,
    close_to: float | None = None,
    rtol: float | None = None,
    control: bool = False,
    only_if: "provenance.Condition | None" = None,
) -> None:
    """Show, judge and record one number.

    id: "chapter_slug.what".  value: a number, or an Estimate with its interval (see `bootstrap`, `measure`).
    Exactly one bound: at_least, at_most, or close_to with rtol.  control: would this hold if the explanation
    were wrong?  only_if: a condition on the machine; elsewhere the claim prints "–" and is not judged.
    """
    from IPython.display import display

    bounds = {"at_least": at_least, "at_most": at_most, "close_to": close_to}
    bound = {name: limit for name, limit in bounds.items() if limit is not None}
    if close_to is not None:
        bound["rtol"] = rtol if rtol is not None else 0.05
    display(judge(id, value, says, unit, bound, control, only_if))


def judge(id, value, says, unit, bound: dict, control=False, only_if=None) -> Claim:
    """The Claim for `value`: held, missed, or not claimed (with the reason)."""
    number, low, high, n, problem = _numbers(value)
    context = provenance.current()
    bound = _finite(bound)
    if len(bound.keys() & {"at_least", "at_most", "close_to"}) != 1:
        problem = "not judged: give exactly one of at_least, at_most, close_to, as a finite number"
    held, why_not = (False, problem) if problem else (_holds(number, bound), None)
    if only_if is not None and not only_if:
        held, why_not = None, only_if.words
    elif context.get("profile") == "smoke":
        held, why_not = None, "smoke sizes are too small"
    return Claim(
        id, says, number, unit, low, high, n, bound, held, control, why_not,
        context.get("profile"), context.get("machine"),
    )  # fmt: skip


def _numbers(value):
    """(value, low, high, n, problem) of a number or an Estimate; what is not finite becomes None."""
    try:
        number = float(value)
    except Exception:  # whatever an odd object's __float__ raises
        return None, None, None, None, f"not a number: {type(value).__name__}"
    if not math.isfinite(number):
        return None, None, None, None, f"not a finite number: {number}"
    if isinstance(value, Estimate):
        return number, value.low, value.high, value.n, None
    return number, None, None, None, None


def _finite(bound: dict) -> dict:
    """`bound` as floats; empty where a limit is no finite number or a tolerance is negative."""
    try:
        limits = {name: float(limit) for name, limit in bound.items()}
    except Exception:  # as above
        return {}
    good = all(map(math.isfinite, limits.values())) and limits.get("rtol", 0) >= 0
    return limits if good else {}


def _holds(value: float, bound: dict) -> bool:
    if "at_least" in bound:
        return value >= bound["at_least"]
    if "at_most" in bound:
        return value <= bound["at_most"]
    return math.isclose(value, bound["close_to"], rel_tol=bound["rtol"])


def _reaches_beyond(claim: Claim) -> bool:
    """Does it hold at its value, and not at both ends of its interval?"""
    ends = [end for end in (claim.low, claim.high) if end is not None]
    return claim.held is True and not all(_holds(end, claim.bound) for end in ends)


def to_text(claim: Claim) -> str:
    """The line that is the same wherever the claim holds."""
    line = f"{MARKS[claim.held]} {claim.says}: {bound_text(claim.bound, claim.unit)}"
    if claim.held is None:
        return f"{line} (not claimed here: {claim.why_not})"
    if claim.held:
        return line
    return f"{line}, {claim.why_not or 'measured ' + format_value(claim.value, claim.unit)}"


def bound_text(bound: dict, unit: str) -> str:
    """A bound in words: ({"at_least": 0.7}, "fraction") → "at least 70 %"."""
    for name in ("at_least", "at_most", "close_to"):
        if name in bound:
            words = f"{name.replace('_', ' ')} {format_value(bound[name], unit)}"
            return words + (f" (within {format_value(bound['rtol'], 'fraction')})" if name == "close_to" else "")
    return "no bound"


def format_value(value: float | None, unit: str = "", digits: int = 3) -> str:
    """A number as prose shows it: (0.7421, "fraction") → "74.2 %", (1.63, "ratio") → "1.63×"."""
    if value is None:
        return "no value"
    if unit == "fraction":
        return f"{_short_of(100, 100 * value, digits)} %"
    if unit in AT_MOST_ONE:
        return f"{_short_of(1, value, digits)} {unit}"
    if unit == "ratio":
        return f"{_significant(value, digits)}×"
    return f"{_significant(value, digits)} {unit}".rstrip()


def note(held: bool | None) -> str:
    """What stands behind a number that its claim does not stand for: missed, or gated on this machine."""
    if held is True:
        return ""
    return "(did not hold)" if held is False else "(not claimed here)"


def format_interval(low: float | None, high: float | None, unit: str = "") -> str:
    """An interval as prose shows it, "" where there is none: (0.7, 0.8, "fraction") → "70 % to 80 %"."""
    return "" if low is None or high is None else f"{format_value(low, unit)} to {format_value(high, unit)}"


def _short_of(whole: int, value: float, digits: int) -> str:
    """`value` with as many more digits as it takes not to call 99.96 "100"; float dust does not count."""
    text = _significant(value, digits)
    if text.lstrip("-") == str(whole) and not math.isclose(abs(value), whole, rel_tol=1e-12):
        return _short_of(whole, value, digits + 1)
    return text


def _significant(value: float, digits: int) -> str:
    """`value` to `digits` significant digits, without an exponent below a million, large integers whole."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) >= 10**digits:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.{digits - 1}e}"
    text = f"{value:.{digits}g}"
    return f"{value:.{digits + 3}f}".rstrip("0") if "e" in text and abs(value) > 1e-4 else text


def to_html(claim: Claim) -> str:
    """The card a reader sees: the verdict, the measured value with its interval, the bound."""
    interval = format_interval(claim.low, claim.high, claim.unit)
    spread = f' <span class="wb-interval">[{html.escape(interval)}, n = {claim.n:,}]</span>' if interval else ""
    kind = "control" if claim.control else "claim"
    note = f"not claimed here: {html.escape(claim.why_not or '')}" if claim.held is None else ""
    note = "the interval reaches beyond the bound" if _reaches_beyond(claim) else note
    note = note and f'<br><span class="wb-note">{note}</span>'
    value = html.escape(format_value(claim.value, claim.unit))
    return (
        f'<div class="wb-claim {CLASSES[claim.held]}" id="claim-{html.escape(claim.id)}">'
        f'<span class="wb-mark" title="{kind}">{MARKS[claim.held]}</span> {html.escape(claim.says)}: '
        f'<strong class="wb-number">{value}</strong>{spread} '
        f'<span class="wb-bound">{kind}, {html.escape(bound_text(claim.bound, claim.unit))}</span>{note}</div>'
    )
