"""Checks of chapter 27's later exercises: counting FLOPs, the distillation loss, the best speed a cut can give.

Each check compares an answer with an independent reference, and recognises well-known mistakes by what they return.
"""

import math

import numpy as np

from workbench.checks.answers import number
from workbench.checks.pruning import refuse_known
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 27.3

SHAPES = ((6, 384, 1536, 32), (2, 384, 768, 128), (1, 8, 20, 1), (12, 768, 3072, 512))


@check("27.3")
def check_flops(flops) -> str:
    """flops(layers, width, hidden, tokens) → floating-point operations of an encoder's matrix products."""
    for layers, width, hidden, tokens in SHAPES:
        got = number(flops(layers, width, hidden, tokens), "The count")
        _judge_flops(got, layers, width, hidden, tokens)
    if number(flops(0, 384, 1536, 32), "The count") != 0:
        raise Hint("Without layers there is nothing to multiply.")
    return "projections, feed-forward and attention, a multiplication and an addition each"


def _count(layers, width, hidden, tokens, projections=4, attention=2) -> int:
    """2 FLOPs for each weight and token, and for each pair of tokens."""
    weights = projections * width * width + 2 * width * hidden
    return 2 * layers * (tokens * weights + attention * tokens * tokens * width)


def _judge_flops(got, layers, width, hidden, tokens) -> None:
    shape = (layers, width, hidden, tokens)
    wanted = _count(*shape)
    refuse_known(got, wanted, {
        "Half: a multiply-accumulate is two operations, a multiplication and an addition.": wanted / 2,
        "One layer's work: there are `layers` of them.": wanted / layers if layers > 1 else math.nan,
        "One token's weights: every token passes through every weight.": (
            2 * layers * (4 * width**2 + 2 * width * hidden) if tokens > 1 else math.nan
        ),
        "The attention itself is missing: queries × keys, then weights × values, each tokens² · width.": (
            _count(*shape, attention=0)
        ),
        "Attention multiplies twice: queries × keys, and the weights × values.": _count(*shape, attention=1),
        "Query, key, value, *and* output: four projections.": _count(*shape, projections=3),
        "The feed-forward block has two matrices: up and down.": (
            _count(*shape) - 2 * layers * tokens * width * hidden
        ),
        "Attention costs tokens², not tokens: every token looks at every token.": (
            _count(*shape, attention=0) + 4 * layers * tokens * width if tokens > 1 else math.nan
        ),
    })  # fmt: skip
    if got != wanted:
        raise Hint(f"For layers, width, hidden, tokens = {shape} you return {got:.6g}; it is {wanted:,}.")


# ------------------------------------------------------------------ 27.5


def _logits() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(275)
    return rng.normal(size=(6, 5)) * 2, rng.normal(size=(6, 5)) * 3


def _log_softmax(z: np.ndarray) -> np.ndarray:
    """Row by row in plain Python: the largest is taken out first."""
    rows = []
    for row in z.tolist():
        top = max(row)
        total = top + math.log(math.fsum(math.exp(v - top) for v in row))
        rows.append([v - total for v in row])
    return np.array(rows)


def _cross(student, teacher, t_student: float, t_teacher: float) -> float:
    """Mean over rows of −Σ p·log q."""
    return float(-(np.exp(_log_softmax(teacher / t_teacher)) * _log_softmax(student / t_student)).sum(axis=1).mean())


@check("27.5")
def check_distillation_loss(distillation_loss) -> str:
    """distillation_loss(student, teacher, temperature) → T² times the mean cross-entropy of soft targets."""
    student, teacher = _logits()
    for temperature in (2.0, 1.0, 5.0):
        got = number(distillation_loss(student.copy(), teacher.copy(), temperature), "The loss")
        _judge_loss(got, student, teacher, temperature)
    large = np.array([[1000.0, -1000.0, 0.0]])
    with np.errstate(all="ignore"):
        got = number(distillation_loss(large, large.copy(), 1.0), "The loss")
    if not math.isfinite(got) or abs(got) > 1e-6:
        raise Hint("With logits of ±1000 your softmax overflows: subtract each row's largest logit first.")
    return "both sides softened, mean over mails, T² in front, and no overflow"


def _judge_loss(got, student, teacher, t: float) -> None:
    wanted = t * t * _cross(student, teacher, t, t)
    entropy = _cross(teacher, teacher, t, t)
    if t > 1:
        refuse_known(got, wanted, {
            "Without T² the soft targets' gradient shrinks as 1/T²: multiply by temperature².": wanted / t**2,
            "T once: the gradient of softened logits shrinks as 1/T², so the factor is T².": wanted / t,
            "Only the student is softened: the teacher's logits are divided by T too.": (
                t * t * _cross(student, teacher, t, 1)
            ),
            "Only the teacher is softened: the student's logits are divided by T too.": (
                t * t * _cross(student, teacher, 1, t)
            ),
            "You multiplied the logits by T: a high temperature flattens, so divide.": (
                t * t * _cross(student, teacher, 1 / t, 1 / t)
            ),
        })  # fmt: skip
    targets = np.exp(_log_softmax(teacher / t))
    mean_of_all = -t * t * float((targets * _log_softmax(student / t)).mean())
    hard = -t * t * float(np.mean(_log_softmax(student / t)[np.arange(len(teacher)), teacher.argmax(axis=1)]))
    refuse_known(got, wanted, {
        "You swapped them: the teacher gives the probabilities, the student the logarithms.": (
            t * t * _cross(teacher, student, t, t)
        ),
        "That is the sum over mails: take the mean.": wanted * len(student),
        "You averaged over the classes too: sum over classes, mean over mails.": mean_of_all,
        "That is the Kullback–Leibler divergence: it has the same gradient, but asked for is the cross-entropy.": (
            wanted - t * t * entropy
        ),
        "That uses the teacher's best class only: soft targets are all of its probabilities.": hard,
        "The sign: a loss falls as the student agrees.": -wanted,
    })  # fmt: skip
    if not math.isclose(got, wanted, rel_tol=1e-6):
        raise Hint(f"At temperature {t:g} you return {got:.5g}, expected {wanted:.5g}.")


# ------------------------------------------------------------------ 27.6


def _profile() -> list[tuple[float, np.ndarray, np.ndarray]]:
    """(milliseconds, weights before, weights after) of four layers, each changed in its own way."""
    rng = np.random.default_rng(276)
    before = [rng.normal(size=shape) for shape in ((8, 8), (16, 8), (8, 16), (40, 8))]
    zeroed = np.where(rng.random((8, 8)) < 0.5, 0, before[0])
    table = before[3].copy()  # it takes no time and is by far the largest
    return list(zip((4.0, 5.0, 3.0, 0.5), before, (zeroed, before[1][:4], before[2][:, :8], table), strict=True))


def _bound(layers, size=np.size) -> float:
    total = math.fsum(ms for ms, _, _ in layers)
    return total / math.fsum(ms * size(after) / before.size for ms, before, after in layers)


@check("27.6")
def check_best_speedup(best_speedup) -> str:
    """best_speedup(layers) → the most that dense kernels can gain from this pruning."""
    layers = _profile()
    got = number(best_speedup([(ms, b.copy(), a.copy()) for ms, b, a in layers]), "The bound")
    _judge_bound(got, layers)
    zeros = [
        (ms, before, np.where(np.arange(before.size).reshape(before.shape) % 2, 0, before)) for ms, before, _ in layers
    ]
    if not math.isclose(number(best_speedup(zeros), "The bound"), 1, rel_tol=1e-9):
        raise Hint("All layers keep their shape here, half of their weights are zeros, and your bound is not 1.")
    if not math.isclose(number(best_speedup(layers[1:2]), "The bound"), 4, rel_tol=1e-9):
        raise Hint("One layer cut to a quarter of its rows: the bound is 4.")
    return "shapes count, zeros do not, and the time that was not cut stays"


def _judge_bound(got: float, layers) -> None:
    ratios = [before.size / after.size for _, before, after in layers]
    wanted, times = _bound(layers), [ms for ms, _, _ in layers]
    refuse_known(got, wanted, {
        "You counted zeros as saved work: a dense kernel multiplies them. Use the shapes.": (
            _bound(layers, np.count_nonzero)
        ),
        "That is time after over time before: a speed-up of 2 means half the time.": 1 / wanted,
        "A mean of the layers' ratios: add up the *times*, then divide once.": float(np.mean(ratios)),
        "You weighted the ratios by time: the total is a sum of times, so divide the sums.": float(
            np.average(ratios, weights=times)
        ),
        "The best layer's ratio: the others still take their time.": max(ratios),
        "You divided the numbers of weights: a large table may take no time at all. Weight by each layer's time.": (
            sum(b.size for _, b, _ in layers) / sum(a.size for _, _, a in layers)
        ),
        "The layers that were not cut are missing from the sum: their time stays.": _bound(layers[1:3]),
    })  # fmt: skip
    if not math.isclose(got, wanted, rel_tol=1e-9):
        raise Hint(f"For the example you return {got:.5g}; the bound is {wanted:.5g}.")
