"""Checks for chapter 52, second half: a checkpoint chosen without the test, a file that is proven harmless."""

from collections.abc import Callable

import numpy as np

from workbench.checks.answers import NONE, number
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 52.4


def _one_error(dev: dict[int, np.ndarray], paired: bool = True) -> int:
    best = max(dev, key=lambda count: (dev[count].mean(), -count))

    def within(count: int) -> bool:
        lost = dev[best].astype(float) - dev[count]
        spread = lost.std() if paired else np.sqrt(dev[best].var() + dev[count].var())
        return lost.mean() <= spread / len(lost) ** 0.5 + 1e-12

    return min(count for count in dev if within(count))


def _checkpoints(case: int) -> dict[int, np.ndarray]:
    """count of examples → right or wrong on forty dev sentences."""
    place = np.arange(40)
    if case == 0:  # 18, then 21 of the same and others; the last gains nothing
        return {100: place < 6, 400: place < 20, 1600: (place < 19) | (place > 37), 6400: place < 18}
    if case == 1:  # each has all that the one before has: a small gain is a sure one
        return {100: place < 12, 400: place < 18, 1600: place < 21, 6400: place < 21}
    return {100: place < 20, 400: (place >= 2) & (place < 23), 1600: place < 3}


@check("52.4")
def check_choose(choose: Callable) -> str:
    """choose(dev) → the smallest count within one paired standard error of the best.  dev: count → (n,) bool."""
    for case in range(3):
        dev = _checkpoints(case)
        wanted = _one_error(dev)
        got = number(choose({count: hits.copy() for count, hits in dev.items()}), "The count")
        if got == wanted:
            continue
        best = max(dev, key=lambda count: (dev[count].mean(), -count))
        named = {
            max(dev): "That is the largest; more data did not help here.",
            _one_error(dev, paired=False): "The same sentences were asked: take the error of the differences, sentence "
            "by sentence, not of two separate shares.",
            best: "That is the best on dev; a smaller one is within one standard error of it.",
            min(dev): "That is the smallest; it is worse than the best by more than a standard error.",
        }
        shares = {count: round(float(hits.mean()), 3) for count, hits in dev.items()}
        raise Hint(named.get(got, f"Of {shares} {wanted} is asked for, you have {got:g}."))
    return "the smallest that is not shown to be worse, and nobody looked at the test"


# ------------------------------------------------------------------ 52.5


def _files(case: int) -> tuple[np.ndarray, dict[str, tuple[float, np.ndarray]]]:
    """The model's right answers, and name → (MB, right answers of the file)."""
    rng = np.random.default_rng(case)
    count = (400, 100, 400)[case]
    model = rng.random(count) < 0.7

    def changed(lost: int, won: int) -> np.ndarray:
        hits = model.copy()
        hits[np.flatnonzero(model)[:lost]] = False
        hits[np.flatnonzero(~model)[:won]] = True
        return hits

    if case == 1:  # few sentences: 6 lost, 2 won is "not significant", and far from proven harmless
        return model, {"F16": (270.0, changed(1, 0)), "Q4_1": (98.0, changed(6, 2))}
    if case == 2:
        return model, {"F16": (270.0, changed(60, 0)), "Q4_1": (98.0, changed(90, 2))}
    return model, {"F16": (270.0, changed(1, 1)), "Q8_0": (144.0, changed(3, 2)), "Q4_1": (98.0, changed(40, 4))}


def _smallest(model, files, passes) -> str | None:
    fit = [(size, name) for name, (size, hits) in files.items() if passes(hits.astype(float) - model)]
    return min(fit)[1] if fit else None


@check("52.5")
def check_ship(ship: Callable) -> str:
    """ship(model, files, margin) → the smallest file proven to lose less than margin points, or None."""
    for case in range(3):
        model, files = _files(case)
        margin = 5.0

        def error(d: np.ndarray) -> float:
            return 196 * d.std() / len(d) ** 0.5

        wanted = _smallest(model, files, lambda d: 100 * d.mean() - error(d) > -margin)  # noqa: B023
        got = ship(model.copy(), {name: (size, hits.copy()) for name, (size, hits) in files.items()}, margin)
        if (got is None or isinstance(got, str)) and got == wanted:
            continue
        if got is None:
            raise Hint(NONE if case == 0 else f"{wanted} is proven to lose less than the margin.")
        if not isinstance(got, str) or got not in files:
            what = repr(got) if isinstance(got, str) else f"a {type(got).__name__}"
            raise Hint(f"The name of a file is asked for, or None: not {what:.40}.")
        if wanted is None:
            raise Hint("No file is proven harmless there: None is the answer.")
        named = {
            max(files, key=lambda name: files[name][0]): "That one is safe, and a smaller one is proven safe as well.",
            min(files, key=lambda name: files[name][0]): "That is the smallest file, and it loses too much.",
        }
        if got == _smallest(model, files, lambda d: 100 * d.mean() + error(d) >= 0) and case:
            named[got] = (
                "'Not significantly worse' proves nothing with few sentences: the interval's lower end has to stay "
                "above -margin."
            )
        raise Hint(named.get(got, f"{wanted} is asked for, not {got}."))
    return "the smallest that is proven harmless, and nothing where nothing is proven"
