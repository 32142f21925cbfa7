"""Checks of chapter 25's int8 exercises: find the layer that breaks it, and move an outlier into the weights."""

from collections.abc import Callable

import numpy as np

from workbench.checks.answers import first_difference, parts, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 25.2

NAMES = [f"block.{i}.{kind}" for i in range(4) for kind in ("up", "down")]
MODELS = [  # what each layer costs alone (nats); pairs that cost more together
    ({"block.2.down": 0.25, "block.1.down": 0.09, "block.0.up": 0.05}, {("block.1.down", "block.3.up"): 0.4}),
    ({"block.0.down": 0.30, "block.3.down": 0.28, "block.1.up": 0.1}, {("block.3.down", "block.2.up"): 0.2}),
    ({"block.3.down": 0.5, "block.0.up": 0.02}, {}),
    ({"block.1.up": 0.2, "block.2.up": 0.19}, {("block.1.up", "block.2.up"): -0.15, ("block.0.down", "block.3.up"): 0.3,
                                               ("block.0.down", "block.1.down"): 0.2}),
]  # fmt: skip
SOUND = 3.8


def _loss(model, rounded) -> float:
    alone, pairs = model
    named = set(rounded)
    return SOUND + sum(alone.get(n, 0.001) for n in named) + sum(v for pair, v in pairs.items() if named >= set(pair))


def _counted(model):
    """The loss that a learner's code may ask for, and how often it did."""
    calls = []

    def loss(rounded):
        if isinstance(rounded, str):
            raise Hint("loss takes a collection of names, not one name: loss([name]).")
        unknown = [n for n in rounded if n not in NAMES]
        if unknown:
            raise Hint(f"loss takes the names of layers; {unknown[0]!r} is none.")
        calls.append(1)
        return _loss(model, rounded)

    return loss, calls


def _answers(model) -> tuple[str, str, str, str]:
    """(worst alone, best spared, least alone, worst spared)."""
    alone = {n: _loss(model, [n]) for n in NAMES}
    spared = {n: _loss(model, [m for m in NAMES if m != n]) for n in NAMES}
    pick = (max(alone, key=alone.get), min(spared, key=spared.get))
    return (*pick, min(alone, key=alone.get), max(spared, key=spared.get))


def _judge_pair(got: tuple, model) -> None:
    alone, spared, least, worst_spared = _answers(model)
    if any(not isinstance(name, str) or name not in NAMES for name in got):
        raise Hint("Return names of layers, as they are in `layers`.")
    if got == (alone, spared):
        return
    if got == (spared, alone):
        raise Hint("The right two, in the other order: first the layer that is worst alone, then the one to spare.")
    if got[0] == least:
        raise Hint("Your first layer does the *least* alone: the largest loss is the most damage.")
    if got[1] == worst_spared and got[1] != spared:
        raise Hint("Sparing your second layer heals the least. After sparing, the *smallest* loss is the best.")
    if got[0] == got[1] == alone:
        raise Hint("You asked one question twice. What a layer does alone need not be what sparing it gains.")
    if got[0] == got[1] == spared:
        raise Hint("Your first answer is the one to spare. Alone, in a sound model, another layer does more.")
    raise Hint(f"Expected {alone} alone and {spared} to spare; you have {got[0]} and {got[1]}.")


@check("25.2")
def check_find_breakers(find_breakers: Callable) -> str:
    """find_breakers(layers, loss) → (the layer that does most alone, the layer whose sparing gains most)."""
    for model in MODELS:
        loss, calls = _counted(model)
        answer = find_breakers(list(NAMES), loss)
        if answer is None:
            raise Hint("Your function returned None: is the `return` missing?")
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Hint("Return two names: the layer that is worst alone, and the layer to spare.")
        _judge_pair(tuple(answer), model)
        if len(calls) > 4 * len(NAMES):
            raise Hint(f"Right, after {len(calls)} runs of the model for {len(NAMES)} layers; two for each are enough.")
    return "both questions answered, also where damages do not add up"


# ------------------------------------------------------------------ 25.3


def _example(seed: int, silent: bool):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(6, 5)), rng.normal(size=(4, 5)) * 0.1
    x[0, 3] = -400.0  # a massive activation: one token, one channel
    if silent:
        x[:, 1], w[:, 2] = 0.0, 0.0
    return x, w


def _factors(x, w, alpha) -> np.ndarray:
    """One factor per channel, by a loop over channels; 1 where there is nothing to balance."""
    out = []
    for j in range(x.shape[1]):
        a, b = max(abs(v) for v in x[:, j]), max(abs(v) for v in w[:, j])
        out.append(a**alpha / b ** (1 - alpha) if a and b else 1.0)
    return np.array(out)


def _smooth_mistakes(x, w, alpha) -> dict[str, tuple]:
    s, swapped = _factors(x, w, alpha), _factors(x, w, 1 - alpha)
    signed = np.maximum(x.max(0), 1e-12) ** alpha / np.maximum(w.max(0), 1e-12) ** (1 - alpha)
    return {
        "The wrong way round: divide the inputs by s, multiply the weights.": (x * s, w / s),
        "Both divided: the product has changed. What x loses, w must gain.": (x / s, w / s),
        "Only the inputs are smoothed: the product has changed. Multiply the weights by s.": (x / s, w),
        "alpha is the power of the *inputs'* maximum, 1 − alpha that of the weights'.": (x / swapped, w * swapped),
        "Maximum of what? Take absolute values first: the loudest number here is negative.": (x / signed, w * signed),
        "You left everything as it was.": (x, w),
    }


@check("25.3")
def check_smooth(smooth: Callable) -> str:
    """smooth(x, w, alpha) → (x / s, w * s) with s = max|x_j|**alpha / max|w_j|**(1 − alpha) per channel."""
    for seed, silent, alpha in ((1, False, 0.8), (2, False, 0.5), (3, True, 0.5)):
        x, w = _example(seed, silent)
        with np.errstate(all="ignore"):
            got_x, got_w = parts(smooth(x.copy(), w.copy(), alpha), ("the smoothed inputs", "the scaled weights"))
        if got_x.shape != x.shape or got_w.shape != w.shape:
            raise Hint(f"Shapes must stay {x.shape} and {w.shape}; you have {got_x.shape} and {got_w.shape}. One "
                       "factor per channel: channels are the columns of both.")  # fmt: skip
        _judge_smooth(got_x, got_w, x, w, alpha, silent)
    return "the product is unchanged, the outlier is shared out, silent channels are left alone"


def _judge_smooth(got_x, got_w, x, w, alpha, silent) -> None:
    s = _factors(x, w, alpha)
    if same(got_x, x / s) and same(got_w, w * s):
        return
    if silent and not (np.isfinite(got_x).all() and np.isfinite(got_w).all()):
        raise Hint("A channel that is all zeros, in x or in w, has nothing to balance: let its factor be 1.")
    for hint, (wrong_x, wrong_w) in _smooth_mistakes(x, w, alpha).items():
        if same(got_x, wrong_x) and same(got_w, wrong_w):
            raise Hint(hint)
    if not np.allclose(got_x @ got_w.T, x @ w.T):
        raise Hint("x @ w.T has changed. Whatever you divide a channel of x by, multiply that channel of w with.")
    if silent and same(np.delete(got_x, [1, 2], 1), np.delete(x / s, [1, 2], 1)):
        raise Hint("A channel that is all zeros, in x or in w, has nothing to balance: let its factor be 1.")
    raise Hint("The product is right, the factors are not. " + first_difference(got_x, x / s) + " in x / s.")
