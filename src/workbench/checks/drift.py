"""Checks of chapter 14's first exercises: statistics of drift, PSI and KS.

Each check compares an answer with an independent, slow reference, and recognises well-known mistakes by what they
would have returned.
"""

import math
from bisect import bisect_right

import numpy as np

from workbench.checks.answers import number, same
from workbench.checks.report import Hint, check


def recognise(got: float, wanted: float, mistakes: dict[str, float | list[float]], what: str) -> None:
    """Pass when `got` is `wanted`; otherwise raise the hint of the mistake that returns it, or a plain one."""
    if same(got, wanted, 1e-6):
        return
    for hint, values in mistakes.items():
        if any(same(got, value, 1e-6) for value in np.ravel(values)):
            raise Hint(hint)
    raise Hint(f"{what} is {got:.4g}, expected {wanted:.4g}.")


# ------------------------------------------------------------------ 14.1

EMPTY = "An empty bin makes the logarithm infinite. Add half a reading to every bin, of both samples."


def _counts(sample, edges) -> list[int]:
    counts = [0] * (len(edges) + 1)
    for reading in sample:
        counts[bisect_right(edges, reading)] += 1
    return counts


def _psi(reference, window, edges, extra=0.5, term=lambda r, w: (w - r) * math.log(w / r)) -> float:
    r, w = ([c + extra for c in _counts(sample, edges)] for sample in (reference, window))
    return sum(term(a / sum(r), b / sum(w)) for a, b in zip(r, w, strict=True))


def _inner_edges(sample, bins) -> list[float]:
    return [float(e) for e in np.quantile(sample, np.arange(1, bins) / bins)]


def _psi_mistakes(reference, window, bins) -> dict[str, float]:
    edges, low, high = _inner_edges(reference, bins), reference.min(), reference.max()
    inside = window[(window >= low) & (window <= high)]
    both = np.concatenate([reference, window])
    r, w = (np.array(_counts(sample, edges)) + 0.5 for sample in (reference, window))
    return _guard_mistakes(reference, window, edges) | {
        "You cut the bins from the window: they move along with the drift. Cut them from the reference.": (
            _psi(reference, window, _inner_edges(window, bins))
        ),
        "You cut the bins from both samples together; a monitor's bins are fixed before the window arrives.": (
            _psi(reference, window, _inner_edges(both, bins))
        ),
        "Your bins have equal widths. Equal shares of the reference are asked for: quantiles.": (
            _psi(reference, window, list(np.linspace(low, high, bins + 1)[1:-1]))
        ),
        "That is one Kullback–Leibler divergence. PSI adds both directions: (w − r)·ln(w / r).": (
            _psi(reference, window, edges, term=lambda a, b: b * math.log(b / a))
        ),
        "That is one Kullback–Leibler divergence, from reference to window. PSI adds both directions.": (
            _psi(reference, window, edges, term=lambda a, b: a * math.log(a / b))
        ),
        "You drop readings outside the reference's range, and those are the ones that drifted. The outer bins are "
        "open.": _psi(reference, inside, edges),
        "You compare counts, and the samples have different sizes. Divide by the sum first.": (
            float(np.sum((w - r) * np.log(w / r)))
        ),
        "Your logarithm has base 10; PSI takes the natural one.": _psi(reference, window, edges) / math.log(10),
        "Your logarithm has base 2; PSI takes the natural one.": _psi(reference, window, edges) / math.log(2),
    }


@check("14.1")
def check_psi(psi) -> str:
    """psi(reference, window, bins) → float, half a reading added to each bin."""
    rng = np.random.default_rng(14)
    for shift, bins in ((0.3, 10), (1.6, 10), (1.6, 5)):
        reference, window = rng.normal(size=300), rng.normal(shift, 0.7, size=40)
        with np.errstate(all="ignore"):
            got = number(psi(reference.copy(), window.copy(), bins), "PSI")
        if not math.isfinite(got):
            raise Hint(EMPTY)
        wanted = _psi(reference, window, _inner_edges(reference, bins))
        recognise(got, wanted, _psi_mistakes(reference, window, bins), "PSI")
    return "equal to the definition, with empty bins and readings outside the reference's range"


def _guard_mistakes(reference, window, edges) -> dict[str, float | list[float]]:
    """What other guards against empty bins return: leaving them out, or a tiny epsilon."""
    r, w = (np.array(_counts(sample, edges)) / len(sample) for sample in (reference, window))
    full = (r > 0) & (w > 0)
    epsilons = [10.0**-k for k in range(2, 17)]
    tiny = [(np.maximum(r, e), np.maximum(w, e)) for e in epsilons] + [(r + e, w + e) for e in epsilons]
    return {
        "You leave empty bins out, and an emptied bin is the loudest sign of drift. Add half a reading.": (
            float(np.sum((w - r)[full] * np.log(w[full] / r[full])))
        ),
        "Your guard against empty bins is so small that its size decides the PSI. Add half a reading.": [
            float(np.sum((b - a) * np.log(b / a))) for a, b in tiny
        ],
    }


# ------------------------------------------------------------------ 14.2


def _gap(reference, window, at, sides=(bisect_right, bisect_right), sizes=None) -> list[float]:
    """F_reference − F_window at each point of `at`, by bisection in sorted lists."""
    a, b = sorted(reference), sorted(window)
    n, m = sizes or (len(a), len(b))
    return [sides[0](a, x) / n - sides[1](b, x) / m for x in at]


def _ks_examples() -> list[tuple[np.ndarray, np.ndarray]]:
    """A window below the reference, one above it, and whole numbers with many ties."""
    rng = np.random.default_rng(1)  # a seed for which every known mistake returns another number
    return [
        (rng.normal(size=61), rng.normal(-0.8, 1, size=17)),
        (rng.normal(size=61), rng.normal(0.8, 1, size=17)),
        (rng.integers(0, 6, size=50) * 1.0, rng.integers(2, 8, size=20) * 1.0),
    ]


def _ks_mistakes(reference, window) -> dict[str, float]:
    everywhere = [*reference, *window]
    grids = (np.linspace(min(s), max(s), k) for s in (reference, everywhere) for k in (10, 11, 20, 50, 100))
    n, m = len(reference), len(window)
    signed, wrong_n = _gap(reference, window, everywhere), _gap(reference, window, everywhere, sizes=(n + m, n + m))
    return {
        "You took the largest signed gap: it misses drift in the other direction. Take the absolute value.": max(
            signed
        ),
        "You took the largest signed gap (window − reference): take the absolute value.": -min(signed),
        "You looked at the reference's points only; the largest gap may lie at a window's reading.": (
            max(map(abs, _gap(reference, window, reference)))
        ),
        "You looked at the window's points only; the largest gap may lie at a reading of the reference.": (
            max(map(abs, _gap(reference, window, window)))
        ),
        "That is a distance between the means, in units of the readings. A gap between shares is asked for.": (
            abs(float(np.mean(reference) - np.mean(window)))
        ),
        "Each distribution function is a share of its own sample: divide by its own length.": max(map(abs, wrong_n)),
        "A regular grid steps over the largest gap. The functions jump at data points: look there.": [
            max(map(abs, _gap(reference, window, grid))) for grid in grids
        ],
    }


@check("14.2")
def check_ks(ks) -> str:
    """ks(reference, window) → the largest gap, 0 to 1."""
    from scipy.stats import ks_2samp

    for reference, window in _ks_examples():
        got = number(ks(reference.copy(), window.copy()), "the gap")
        wanted = max(map(abs, _gap(reference, window, [*reference, *window])))
        if same(got, ks_2samp(reference, window).pvalue, 1e-3):
            raise Hint("That is a p-value. The gap itself is asked for.")
        recognise(got, wanted, _ks_mistakes(reference, window), "The gap")
    return "equal to the definition: windows below, windows above, and ties"
