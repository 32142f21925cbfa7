"""Checks of chapter 33's bookkeeping: inputs and targets, bits per byte, the schedule of the learning rate."""

import math
from collections.abc import Callable

import numpy as np

from workbench.checks.answers import number, parts
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 33.1


def _windows(ids: list[int], context: int) -> tuple[np.ndarray, np.ndarray]:
    """Character by character: row r, place t reads ids[r·context + t] and predicts the one after it."""
    rows = 0
    while (rows + 1) * context + 1 <= len(ids):
        rows += 1
    read = [[ids[r * context + t] for t in range(context)] for r in range(rows)]
    after = [[ids[r * context + t + 1] for t in range(context)] for r in range(rows)]
    return np.array(read).reshape(rows, context), np.array(after).reshape(rows, context)


def _window_mistake(x, y, ids, context) -> str | None:
    right_x, right_y = _windows(ids, context)
    if np.array_equal(x, right_y) and np.array_equal(y, right_x):
        return "Inputs and targets are swapped: the target is the character *after* the input."
    if np.array_equal(x, y) and x.shape[-1:] == (context,):
        return (
            "Your targets are the inputs. A model that returns what it reads would have a loss of zero: shift by one."
        )
    if x.shape == y.shape == right_x.shape and np.array_equal(x, right_x):
        if np.array_equal(y, np.roll(right_x, -1, axis=1)):
            return "The last target of each row is its own first character. It should be the next row's first."
        if np.array_equal(y, _windows(ids[1:] + ids[-1:], context)[1][: len(y)]):
            return "Your targets are two places ahead. The next character is one place ahead."
    if x.ndim == 2 and x.shape[1] == context - 1:
        return "Your rows are one too short: cut context + 1 characters, of which the last is only a target."
    if x.shape[0] == right_x.shape[0] + 1:
        return (
            "One row too many: the very last character has no successor, so a row that ends on it has no last target."
        )
    if x.ndim == 2 and x.shape[0] < right_x.shape[0] and x.shape[1] == context:
        return "Some characters are never a target: the next row begins where this one's *inputs* end."
    if x.ndim == 2 and x.shape[0] > right_x.shape[0] and x.shape[1] == context:
        return "Your windows overlap. Here each character is read once: step by `context`, not by one."
    return None


@check("33.1")
def check_cut_windows(cut_windows: Callable) -> str:
    """cut_windows(ids, context) → inputs, targets, both (n, context)."""
    for length, context in ((13, 4), (12, 4), (9, 4), (40, 7), (5, 4)):
        ids = [(7 * i * i + 3 * i) % 101 for i in range(length)]
        x, y = parts(cut_windows(list(ids), context), ("inputs", "targets"))
        right = _windows(ids, context)
        if x.ndim != 2 or y.ndim != 2:
            raise Hint(f"Two tables are asked for, n rows by context columns; yours have {x.ndim} and {y.ndim} axes.")
        if np.array_equal(x, right[0]) and np.array_equal(y, right[1]):
            continue
        told = _window_mistake(x, y, ids, context)
        wanted = f"expected two arrays of shape {right[0].shape}, with targets one place ahead"
        raise Hint(told or f"{length} ids, context {context}: {wanted}; you have {x.shape} and {y.shape}.")
    return "each character is read once, and each has the one after it as its target"


# ------------------------------------------------------------------ 33.2

BYTE_CASES = (
    (3.2, ["low", "er", " taxi"]),
    (2.0, ["né", "e ", "語", "?"]),
    (0.7, ["🙂", "🙂"]),
    (5.1, ["a"]),
)


def _bits_per_byte(loss: float, tokens: list[str]) -> float:
    return len(tokens) * loss * math.log2(math.e) / len("".join(tokens).encode())


@check("33.2")
def check_bits_per_byte(bits_per_byte: Callable) -> str:
    """bits_per_byte(loss, tokens) → float.  loss: nats per token; tokens: list of str."""
    for loss, tokens in BYTE_CASES:
        got, wanted = number(bits_per_byte(loss, list(tokens)), "the answer"), _bits_per_byte(loss, tokens)
        if math.isclose(got, wanted, rel_tol=1e-9):
            continue
        size, characters = len("".join(tokens).encode()), len("".join(tokens))
        bits = loss / math.log(2)
        known = {
            "Those are nats per byte: divide by log 2 to get bits.": wanted * math.log(2),
            "You multiplied by log 2. A bit is *smaller* than a nat, so there are more of them: divide.": (
                wanted * math.log(2) ** 2
            ),
            "Those are bits per token: the tokens differ between models, the bytes do not.": bits,
            "The ratio is upside down: tokens over bytes, since the whole loss is loss × tokens.": (
                bits * size / len(tokens)
            ),
            "You divided by characters. In UTF-8 an é takes two bytes, 語 three: encode, then count.": (
                bits * len(tokens) / characters
            ),
            "That is the loss of the whole text in bits: divide by its bytes.": bits * len(tokens),
        }
        near = (hint for hint, value in known.items() if math.isclose(got, value, rel_tol=1e-9))
        raise Hint(next(near, f"{loss} nats per token on {tokens}: you have {got:.6g}, expected {wanted:.6g}."))
    return "equal to bits over UTF-8 bytes, on text of one to four bytes per character"


# ------------------------------------------------------------------ 33.3

RATE_CASES = ((1.0, 100, 10), (3e-4, 40, 8), (0.02, 12, 1))


def _rate(step: int, steps: int, warm: int, peak: float, *, ahead=1, low=0.1, inside=True) -> float:
    """By cases: a line up, then half a cosine from the peak down to `low` of it."""
    if step < warm:
        return peak * (step + ahead) / warm
    done = (step - warm) / (steps - 1 - warm) if inside else step / (steps - 1)
    return peak * (low + (1 - low) * (1 + math.cos(math.pi * done)) / 2)


def _curve(rate: Callable, steps: int, warm: int, peak: float) -> np.ndarray:
    return np.array([number(rate(step, steps, warm, peak), "the rate") for step in range(steps)])


def _rate_mistake(got: np.ndarray, steps: int, warm: int, peak: float) -> str | None:
    def like(**how):
        return np.allclose(got, [_rate(s, steps, warm, peak, **how) for s in range(steps)], rtol=1e-9, atol=1e-12)

    if like(ahead=0):
        return "The first step has a rate of zero and teaches nothing: step 0 is the first of `warm`, not the zeroth."
    if like(low=0):
        return "You fall to zero. The task says a tenth of the peak: the last steps should still move."
    if like(inside=False):
        return "Your cosine starts at step 0, so the rate jumps down where the warm-up ends. Start it there."
    if got[-1] < 0:
        return "The rate becomes negative: a cosine goes down to −1. Lift and halve it: (1 + cos) / 2."
    if np.allclose(got[warm:], peak):
        return "After the warm-up the rate stays at its peak. It is to fall along half a cosine."
    if (warm > 1 and np.allclose(got[:warm], peak)) or (warm > 1 and got[0] > got[1]):
        return "There is no warm-up: the first `warm` steps rise in a line to the peak."
    falling = peak * np.linspace(1, 0.1, steps - warm)
    if np.allclose(got[warm:], falling, rtol=1e-9):
        return "You fall in a line. A cosine stays high at first, and is slow again at the end."
    return None


@check("33.3")
def check_learning_rate(learning_rate: Callable) -> str:
    """learning_rate(step, steps, warm, peak) → float; steps are counted from 0."""
    for peak, steps, warm in RATE_CASES:
        got = _curve(learning_rate, steps, warm, peak)
        wanted = np.array([_rate(step, steps, warm, peak) for step in range(steps)])
        if np.allclose(got, wanted, rtol=1e-9, atol=1e-12):
            continue
        if told := _rate_mistake(got, steps, warm, peak):
            raise Hint(told)
        at = int(np.argmax(~np.isclose(got, wanted, rtol=1e-9, atol=1e-12)))
        raise Hint(
            f"{steps} steps, {warm} warm, peak {peak}: at step {at} you have {got[at]:.6g}, not {wanted[at]:.6g}."
        )
    return "up in a line, at the peak when the warm-up ends, and at a tenth of it on the last step"
