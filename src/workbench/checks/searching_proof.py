"""Check of chapter 57's exercise on proof: does a search look at what it must not see?"""

import numpy as np

from workbench.checks.answers import NONE
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 57.5

SETTINGS, DEV, TEST = 8, 40, 128


class _World:
    """Answers of some settings to dev and test, and searches over them.  Seeded: the same at every call."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.dev, self.test = rng.integers(0, 4, DEV), rng.integers(0, 4, TEST)
        self.on_dev, self.on_test = self._answers(rng, self.dev), self._answers(rng, self.test)
        self.on_dev[1] = self.on_dev[0]  # two settings that dev cannot tell apart …
        self.on_dev[:2, :36] = self.dev[:36]  # … and that are the best on it

    @staticmethod
    def _answers(rng, wanted: np.ndarray) -> np.ndarray:
        answers = np.tile(wanted, (SETTINGS, 1))
        wrong = rng.random(answers.shape) < 0.4
        return np.where(wrong, rng.integers(0, 4, answers.shape), answers)

    def honest(self, dev, test) -> int:
        return int(np.argmax((self.on_dev == dev).mean(1)))

    def peeking(self, dev, test) -> int:
        return int(np.argmax(np.hstack([self.on_dev == dev, 2 * (self.on_test == test)]).mean(1)))

    def on_ties(self, dev, test) -> int:
        """Looks at test only where dev is undecided."""
        return int(np.argmax((self.on_dev == dev).mean(1) + 1e-6 * (self.on_test == test).mean(1)))


@check("57.5")
def check_peeks(peeks) -> str:
    """peeks(search, dev, test, rng) → True where the choice of search(dev, test) depends on the test's answers."""

    def asked(world: _World, search) -> bool:
        dev, test = world.dev.copy(), world.test.copy()
        answer = peeks(search, dev, test, np.random.default_rng(0))
        if answer is None:
            raise Hint(NONE)
        if not isinstance(answer, bool | np.bool_):
            raise Hint(f"Return True or False, not {type(answer).__name__}.")
        if not (np.array_equal(dev, world.dev) and np.array_equal(test, world.test)):
            raise Hint("You shuffled the caller's own answers. Shuffle a copy (rng.permutation returns one), or you "
                       "compare a shuffle with itself.")  # fmt: skip
        return bool(answer)

    worlds = [_World(seed) for seed in range(12)]
    if any(asked(world, world.honest) for world in worlds):
        raise Hint("You accuse a search that never looks at test. Change the test's answers and nothing else: "
                   "dev stays as it is. (Or do you return True where the choice stays?)")  # fmt: skip
    caught = [asked(world, world.peeking) for world in worlds]
    if not any(caught):
        raise Hint("A search that chooses on dev and test together got away. Compare its choice for the test's "
                   "answers as they are with its choice for shuffled ones.")  # fmt: skip
    if not all(caught):
        raise Hint(f"Of {len(worlds)} peeking searches {len(worlds) - sum(caught)} got away: a changed test may lead "
                   "to the same choice by chance. Try several shuffles.")  # fmt: skip
    caught = [asked(world, world.on_ties) for world in worlds]
    if not all(caught):
        raise Hint(f"Of {len(worlds)} searches that look at test only where dev is undecided "
                   f"{len(worlds) - sum(caught)} got away. One shuffle is a coin toss; try twenty.")  # fmt: skip
    return "honest searches pass, and those that look only now and then are caught"
