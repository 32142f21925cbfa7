"""Checks of chapter 24's exercises about arrays: shared heads, the mask behind a past, keys at their positions."""

from collections.abc import Callable
from itertools import product

import numpy as np

from workbench.checks.answers import first_difference, numbers, same
from workbench.checks.report import Hint, check


def expect(got: np.ndarray, wanted: np.ndarray, mistakes: dict[str, np.ndarray], rtol: float = 1e-9) -> None:
    """Pass when `got` is `wanted`; else raise the hint of the mistake that gives it, or say where they differ."""
    if same(got, wanted, rtol):
        return
    for hint, value in mistakes.items():
        if same(got, value, rtol):
            raise Hint(hint)
    if got.shape != wanted.shape:
        raise Hint(f"Your array has shape {got.shape}, expected {wanted.shape}.")
    raise Hint(f"Not equal: {first_difference(got * 1.0, wanted * 1.0)}.")


# ------------------------------------------------------------------ 24.3


def _shared_mistakes(x: np.ndarray, heads: int) -> dict[str, np.ndarray]:
    kv_heads = len(x)
    times = heads // kv_heads
    return {
        "Your order is 0, 1, 2, 0, 1, 2 …: the whole row of heads, repeated (np.tile; in torch, x.repeat). "
        "Neighbouring query heads share: 0, 0, 0, 1, 1, 1 … (np.repeat; in torch, repeat_interleave).": np.tile(
            x, (times, 1, 1)
        ),
        "You repeated positions, not heads: the axis of the heads is the first.": np.repeat(x, times, axis=1),
        "You repeated numbers inside a head: the axis of the heads is the first.": np.repeat(x, times, axis=2),
        "You repeated each head `heads` times. Each key/value head serves heads / kv_heads query heads.": np.repeat(
            x, heads, axis=0
        ),
        "You flattened the array: np.repeat needs axis=0.": np.repeat(x, times),
        "Nothing is repeated yet.": x,
        "Each head comes out `kv_heads` times; heads / kv_heads times is asked for.": np.repeat(x, kv_heads, axis=0),
    }


@check("24.3")
def check_share_heads(share_heads: Callable) -> str:
    """share_heads(x, heads): x (kv_heads, seen, d) → (heads, seen, d), query head h's keys at index h."""
    rng = np.random.default_rng(24)
    for kv_heads, heads in ((3, 9), (2, 8), (1, 4), (5, 5)):
        x = rng.normal(size=(kv_heads, 6, 4))
        wanted = np.empty((heads, 6, 4))
        for h in range(heads):
            wanted[h] = x[h * kv_heads // heads]
        expect(numbers(share_heads(x.copy(), heads), "the heads"), wanted, _shared_mistakes(x, heads))
    return "query head h reads key/value head h // group, with one key/value head and with no sharing too"


# ------------------------------------------------------------------ 24.4


def _visible(new: int, past: int) -> np.ndarray:
    """By asking each pair: may the query at position past + i look at position j?"""
    seen = np.zeros((new, past + new), dtype=bool)
    for i, j in product(range(new), range(past + new)):
        seen[i, j] = j <= past + i
    return seen


def _mask_mistakes(new: int, past: int) -> dict[str, np.ndarray]:
    wanted, all_of = _visible(new, past), (new, past + new)
    return {
        "Inverted: True means *may look* here.": ~wanted,
        "Your triangle starts at column 0, so the new positions see too little of the past. Query i stands at "
        "position past + i: shift the triangle by past.": np.tril(np.ones(all_of, bool)),
        "A position may look at itself; your triangle begins one column too late.": np.tril(
            np.ones(all_of, bool), past - 1
        ),
        "Off by one: your queries see one position of the future.": np.tril(np.ones(all_of, bool), past + 1),
        "That hides the future among the new ones, and the past is missing: past + new columns.": _visible(new, 0),
        "That is the mask of the whole text, past + new rows. Only the new positions ask.": _visible(past + new, 0),
        "All True: the new positions see each other's future.": np.ones(all_of, bool),
        "Transposed: queries are rows, keys are columns.": wanted.T,
        "The past is hidden: the new positions see only each other.": np.hstack(
            [np.zeros((new, past), bool), _visible(new, 0)]
        ),
    }


@check("24.4")
def check_visible(visible: Callable) -> str:
    """visible(new, past) → bool (new, past + new): may new query i look at position j?"""
    for new, past in ((4, 3), (3, 7), (1, 5), (5, 0), (1, 0)):
        got = numbers(visible(new, past), "the mask")
        if got.dtype.kind == "f" and np.isneginf(got).any():
            raise Hint("That is the mask that is added to the scores. True and False are asked for.")
        if got.dtype.kind != "b" and not np.isin(got, (0, 1)).all():
            raise Hint("The mask should hold True and False only.")
        expect(got.astype(bool), _visible(new, past), _mask_mistakes(new, past))
    return "right for a prefill, for one token behind a past, and for a chunk behind a past"


# ------------------------------------------------------------------ 24.5


def turn(x: np.ndarray, first: int) -> np.ndarray:
    """What learners are given as `rotate`: positions first, first + 1, … along axis 1.  x: (heads, new, d)."""
    if x.ndim != 3:
        raise Hint(f"rotate takes (heads, new, d), you gave it shape {x.shape}.")
    half = x.shape[-1] // 2
    angles = np.arange(first, first + x.shape[1])[:, None] * 100.0 ** (-np.arange(half) / half)
    turned = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag], axis=-1)


def _each_at(k: np.ndarray, position: int) -> np.ndarray:
    """Every new key turned by the same position."""
    return np.concatenate([turn(k[:, i : i + 1], position) for i in range(k.shape[1])], axis=1)


def _key_mistakes(kept: np.ndarray, k: np.ndarray, past: int) -> dict[str, np.ndarray]:
    def behind(new):
        return np.concatenate([kept, new], axis=1)

    return {
        "Your new keys start at position 0 again. They stand behind the kept ones: first = number of kept keys.": (
            behind(turn(k, 0))
        ),
        "You turned the kept keys a second time. They were turned when they were kept; turn only the new ones.": (
            turn(behind(k), 0)
        ),
        "One place too late: positions count from 0, so the first new one is number `past`. (The bug of the "
        "chapter: fluent text, wrong scores.)": behind(turn(k, past + 1)),
        "One place too early: the last kept key already stands at past − 1.": behind(turn(k, past - 1)),
        "The new keys are not turned: a key carries its position.": behind(k),
        "The new keys come before the old ones. Append them behind.": np.concatenate([turn(k, past), kept], axis=1),
        "You joined them along the heads. Positions are axis 1.": _joined(kept, turn(k, past), 0),
        "You joined them along the numbers of a head. Positions are axis 1.": _joined(kept, turn(k, past), 2),
        "All your new keys stand at the same position; each stands one further than the one before.": (
            behind(_each_at(k, past))
        ),
        "Only the new keys came back. All of them are asked for, the kept ones first.": turn(k, past),
    }


def _joined(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    fits = all(n == m for i, (n, m) in enumerate(zip(a.shape, b.shape, strict=True)) if i != axis)
    return np.concatenate([a, b], axis=axis) if fits else np.empty(0)


@check("24.5")
def check_append_keys(append_keys: Callable) -> str:
    """append_keys(kept, k, rotate): kept (heads, past, d) turned, k (heads, new, d) not → (heads, past + new, d)."""
    rng = np.random.default_rng(24)
    for past, new in ((5, 5), (7, 3), (4, 1), (0, 6)):
        raw, k = rng.normal(size=(3, past, 8)), rng.normal(size=(3, new, 8))
        kept = turn(raw, 0)
        wanted = turn(np.concatenate([raw, k], axis=1), 0)  # what one pass over the whole text would keep
        got = numbers(append_keys(kept.copy(), k.copy(), turn), "the keys")
        expect(got, wanted, _key_mistakes(kept, k, past), rtol=1e-6)
    return "the same keys as one pass over the whole text: a chunk, a single token, an empty cache"
