"""Checks for chapter 51: an update's directions, an adapter's bytes, merging one, its gradients, two made one."""

from collections.abc import Callable

import numpy as np

from workbench.checks.answers import number, numbers, parts, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 51.1


def _made_of(singular: list[float], shape: tuple[int, int], rng) -> np.ndarray:
    """A matrix of this shape with these singular values."""
    left = np.linalg.qr(rng.normal(size=(shape[0], len(singular))))[0]
    right = np.linalg.qr(rng.normal(size=(shape[1], len(singular))))[0]
    return (left * singular) @ right.T


def _first(shares: np.ndarray, share: float) -> int:
    return int((np.cumsum(shares) < share).sum()) + 1


@check("51.1")
def check_directions(directions: Callable) -> str:
    """directions(matrix, share) → how many singular directions carry `share` of the squared norm."""
    rng = np.random.default_rng(51)
    cases = [([16.0, 4, 2, 1, 0.5], (12, 7), 0.9), ([3.0, 3, 3, 3, 1, 1], (6, 20), 0.6), ([5.0, 1, 1, 1], (9, 9), 0.95)]
    for singular, shape, share in cases:
        s = np.array(singular)
        wanted = _first(s**2 / (s**2).sum(), share)
        got = number(directions(_made_of(singular, shape, rng), share), "The count")
        if got == wanted:
            continue
        named = {
            len(s): "That is the matrix's rank: the directions that carry nearly nothing count there, too.",
            wanted - 1: "One too few: with yours the share is not reached yet.",
            wanted + 1: "One too many: the share was reached a direction earlier.",
            min(shape): "Those are all the directions there are; count only until the share is reached.",
            _first(s / s.sum(), share): "Energy is the square: you added up the singular values themselves.",
        }
        hint = f"Singular values {singular}, share {share}: {wanted} directions, you have {got:g}."
        raise Hint(named.get(got, hint))
    return "as many directions as it takes, and not one more"


# ------------------------------------------------------------------ 51.2


@check("51.2")
def check_adapter_bytes(adapter_bytes: Callable) -> str:
    """adapter_bytes(shapes, r) → bytes of A and B, their gradients and Adam's two means, in 32 bits."""
    for shapes, r in ([[(200, 576)], 8], [[(576, 576), (192, 576), (1536, 576), (576, 1536)], 4], [[(10, 3)], 1]):
        thin = sum(r * (m + n) for m, n in shapes)
        got = number(adapter_bytes(list(shapes), r), "The bytes")
        if np.isclose(got, 16 * thin, rtol=1e-12):
            continue
        named = {
            thin: "Those are numbers; each takes four bytes.",
            4 * thin: "That is the adapter itself. Each number also has a gradient and two means of Adam.",
            8 * thin: "Two things per number; A and B, their gradient and Adam's two means are four.",
            12 * thin: "Three things per number; A and B, their gradient and Adam's two means are four.",
            16 * sum(m * n for m, n in shapes): "That is full training: an adapter has r (m + n) numbers, not m n.",
            16 * sum(r * m * n for m, n in shapes): "r m n is more than the matrix has: an adapter has r (m + n).",
            16 * sum(r * m for m, n in shapes): "That is B alone. A has r rows as long as the input.",
            16 * sum(r * n for m, n in shapes): "That is A alone. B has a row for each output.",
            16 * sum(m + n for m, n in shapes): "The rank is missing: A has r rows and B has r columns.",
        }
        hint = f"Shapes {shapes}, r = {r}: {16 * thin:,} bytes are expected, you have {got:,.0f}."
        raise Hint(next((text for value, text in named.items() if np.isclose(got, value, rtol=1e-12)), hint))
    return "four things per number that moves, four bytes each"


# ------------------------------------------------------------------ 51.3


def _adapter(rng, rows: int, columns: int, r: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(r, columns)), rng.normal(size=(rows, r))


@check("51.3")
def check_merge(merge: Callable) -> str:
    """merge(w, a, b, alpha, stabilised) → w plus the adapter, scaled by alpha/r or alpha/√r; w itself is left alone."""
    rng = np.random.default_rng(52)
    for rows, columns, r, stabilised in ((5, 5, 2, False), (7, 4, 3, False), (4, 6, 4, True)):
        w, (a, b), alpha = rng.normal(size=(rows, columns)), _adapter(rng, rows, columns, r), 6.0
        given = w.copy()
        scale = alpha / (np.sqrt(r) if stabilised else r)
        got = numbers(merge(given, a.copy(), b.copy(), alpha, stabilised), "The merged matrix")
        if not np.array_equal(given, w):
            raise Hint("You changed the matrix that was given: merged twice, it would carry the adapter twice.")
        if got.shape != w.shape:
            raise Hint(f"The merged matrix has the shape of w, {w.shape}; yours has {got.shape}.")
        if same(got, w + scale * b @ a):
            continue
        other = alpha / (r if stabilised else np.sqrt(r))
        named = {
            "That is the change alone: the frozen matrix is missing.": scale * b @ a,
            "The scale is missing: B A is multiplied by alpha / r.": w + b @ a,
            "You multiplied by alpha and did not divide by the rank.": w + alpha * b @ a,
            "You divided by the rank and left alpha out.": w + scale / alpha * b @ a,
            "The other scale: alpha / √r where it is stabilised, alpha / r where it is not.": w + other * b @ a,
            "That takes the adapter out again: the change is added.": w - scale * b @ a,
        }
        if rows == columns:
            named["Transposed: the change is B A, rows of B and columns of A."] = w + scale * (b @ a).T
        hint = "The merged matrix is w + scale · B A; yours is another."
        raise Hint(next((text for text, wrong in named.items() if same(got, wrong)), hint))
    return "one matrix that does the work of three"


# ------------------------------------------------------------------ 51.4


def _slow_gradients(x, g, a, b, scale) -> tuple[np.ndarray, np.ndarray]:
    """By differences: the loss Σ g·y is linear in A and in B, so a step of one is exact."""

    def loss(a, b):
        return float((g * (scale * x @ a.T @ b.T)).sum())

    slopes = []
    for side, matrix in enumerate((a, b)):
        slope = np.zeros_like(matrix)
        for place in np.ndindex(matrix.shape):
            moved = matrix.copy()
            moved[place] += 1.0
            slope[place] = loss(*((moved, b) if side == 0 else (a, moved))) - loss(a, b)
        slopes.append(slope)
    return slopes[0], slopes[1]


@check("51.4")
def check_gradients(gradients: Callable) -> str:
    """gradients(x, g, a, b, scale) → (dA, dB) for y = … + scale · x Aᵀ Bᵀ, with g = dL/dy; x: (n, in), g: (n, out)."""
    rng = np.random.default_rng(53)
    for n, rows, columns, r, scale in ((4, 5, 3, 2, 2.0), (3, 6, 7, 1, 0.5)):
        x, g = rng.normal(size=(n, columns)), rng.normal(size=(n, rows))
        a, b = _adapter(rng, rows, columns, r)
        wanted = _slow_gradients(x, g, a, b, scale)
        got = parts(gradients(x.copy(), g.copy(), a.copy(), b.copy(), scale), ("dA", "dB"))
        if got[0].shape == wanted[1].shape and got[1].shape == wanted[0].shape and got[0].shape != wanted[0].shape:
            raise Hint("The two are swapped: dA comes first, and has the shape of A.")
        for name, mine, right in zip(("dA", "dB"), got, wanted, strict=True):
            _judge_gradient(name, mine, right, n, scale)
    return "the chain rule by hand, both halves"


def _judge_gradient(name: str, got: np.ndarray, wanted: np.ndarray, n: int, scale: float) -> None:
    if got.shape == wanted.T.shape != wanted.shape:
        raise Hint(f"{name} is transposed: a gradient has the shape of what it is the gradient of.")
    if got.shape != wanted.shape:
        raise Hint(f"{name} has shape {got.shape}; a gradient has the shape of its matrix, {wanted.shape}.")
    if same(got, wanted, rtol=1e-7):
        return
    named = {
        f"The scale is missing in {name}: it multiplies the product, and so its slopes.": wanted / scale,
        f"The scale is squared in {name}.": wanted * scale,
        f"{name} is a mean over the rows of x: the rows' gradients are added.": wanted / n,
        f"{name} has the wrong sign: the gradient points uphill, the optimizer turns around.": -wanted,
    }
    hint = f"{name} is another than differences of the loss give."
    raise Hint(next((text for text, wrong in named.items() if same(got, wrong, rtol=1e-7)), hint))


# ------------------------------------------------------------------ 51.5


@check("51.5")
def check_combine(combine: Callable) -> str:
    """combine(first, second), each (a, b, scale) → (a, b) of rank r₁ + r₂, scale 1, that does the work of both."""
    rng = np.random.default_rng(54)
    for rows, columns, r1, r2 in ((6, 8, 2, 2), (9, 7, 3, 1)):
        (a1, b1), (a2, b2) = _adapter(rng, rows, columns, r1), _adapter(rng, rows, columns, r2)
        s1, s2 = 2.0, 0.5
        wanted = s1 * b1 @ a1 + s2 * b2 @ a2
        a, b = parts(combine((a1.copy(), b1.copy(), s1), (a2.copy(), b2.copy(), s2)), ("a", "b"))
        if a.ndim != 2 or b.ndim != 2 or a.shape[1:] != (columns,) or b.shape[:1] != (rows,):
            raise Hint(f"a has {columns} columns and b has {rows} rows; yours have shapes {a.shape} and {b.shape}.")
        if len(a) != b.shape[1]:
            raise Hint(f"They do not fit: a has {len(a)} rows and b {b.shape[1]} columns.")
        if same(b @ a, wanted, rtol=1e-7):
            if len(a) > r1 + r2:
                raise Hint(f"Right product, but not thin: rank {r1 + r2} is enough, you use {len(a)}.")
            continue
        named = {
            "You added the As and the Bs: (B₁ + B₂)(A₁ + A₂) has mixed terms that nobody trained. Stack them.": (
                (b1 + b2) @ (a1 + a2) if r1 == r2 else None
            ),
            "The scales are missing: with scale 1 for both, they have to go into a or b.": b1 @ a1 + b2 @ a2,
            "The scales are in a and in b, so they count twice: put them into one of the two.": (
                s1**2 * b1 @ a1 + s2**2 * b2 @ a2
            ),
            "A mean of the two: both are asked for in full.": wanted / 2,
            "That is the first adapter alone.": s1 * b1 @ a1,
            "That is the second adapter alone.": s2 * b2 @ a2,
            "The scales are swapped: each goes with its own adapter.": s2 * b1 @ a1 + s1 * b2 @ a2,
        }
        hint = "b @ a has to be s₁ B₁ A₁ + s₂ B₂ A₂; yours is another."
        raise Hint(next((t for t, wrong in named.items() if wrong is not None and same(b @ a, wrong, rtol=1e-7)), hint))
    return "two adapters in one, exactly"
