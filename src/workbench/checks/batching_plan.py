"""Checks of chapter 21's later exercises: batches within a token budget, and a deadline batcher."""

from collections.abc import Callable

import numpy as np

from workbench.checks.answers import NONE
from workbench.checks.napkin import must_refuse
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 21.4


def _batches(answer, n: int) -> list[list[int]]:
    """`answer` as lists of positions, each of range(n) exactly once.  Raises Hint."""
    if answer is None:
        raise Hint(NONE)
    try:
        batches = [[int(i) for i in batch] for batch in answer]
    except (TypeError, ValueError):
        raise Hint("Return a list of batches, each a list of positions.") from None
    if any(not batch for batch in batches):
        raise Hint("One of your batches is empty.")
    flat = [i for batch in batches for i in batch]
    missing, twice = sorted(set(range(n)) - set(flat)), sorted({i for i in flat if flat.count(i) > 1})
    if missing == sorted(set(range(n)) - set(range(n - len(missing)))) and set(flat) - set(range(n)):
        raise Hint("Those are lengths, or not positions at all: positions count from 0.")
    if twice:
        raise Hint(f"Text {twice[0]} is in more than one batch, or twice in one.")
    if set(flat) - set(range(n)):
        raise Hint("Those are lengths, or not positions at all: positions count from 0.")
    if missing:
        raise Hint(f"{len(missing)} of {n} texts are in no batch. Was the last batch kept?")
    return batches


def _fewest(lengths: np.ndarray, budget: int) -> int:
    """Fewest batches of neighbours in sorted order: from the longest down, each as full as it can be."""
    left, count = np.sort(lengths), 0
    while len(left):
        left, count = left[: -min(len(left), budget // left[-1])], count + 1
    return count


@check("21.4")
def check_token_batches(token_batches) -> str:
    """token_batches(lengths, budget) → lists of positions, each rectangle at most `budget` tokens."""
    rng = np.random.default_rng(214)
    for n, budget in ((60, 512), (25, 100), (7, 200)):
        lengths = rng.integers(4, 88, n)
        batches = _batches(token_batches(lengths.copy(), budget), n)
        for batch in batches:
            area = len(batch) * lengths[batch].max()
            if area > budget and lengths[batch].sum() <= budget:
                raise Hint(
                    f"A batch needs {lengths[batch].sum()} tokens and computes {area}, with a budget of {budget}: "
                    "padding counts. Texts times the longest."
                )
            if area > budget:
                raise Hint(f"A batch computes {area} tokens, with a budget of {budget}.")
        if len(batches) == n:
            raise Hint("Every text is alone. Put as many together as the budget allows.")
        if len(batches) > _fewest(lengths, budget) * 1.15 + 1:
            raise Hint(f"{len(batches)} batches; {_fewest(lengths, budget)} are enough. Sort by length before filling.")
    must_refuse(token_batches, (np.array([5, 101, 3]), 100), "A text is longer than the budget")
    return "within the budget, every text once, and hardly more batches than needed"


# ------------------------------------------------------------------ 21.5


def plan(
    arrive: np.ndarray,
    deadline: np.ndarray,
    service: Callable[[int], float],
    size: int,
    *,
    reserve: Callable[[int], float] | None = None,
    watch: str = "urgent",
    take: str = "urgent",
    busy: bool = True,
    full_goes: bool = True,
) -> list[tuple[float, list[int]]]:
    """The deadline batcher, interval by interval between arrivals; the options are a learner's slips."""
    reserve = reserve or service
    left, free, batches = list(range(len(arrive))), 0.0, []
    while left:
        later = [float(arrive[i]) for i in left if arrive[i] > max(free, arrive[left[0]])]
        for begin, end in zip([max(free, float(arrive[left[0]])), *later], [*later, np.inf], strict=True):
            here = [i for i in left if arrive[i] <= begin]
            k = min(len(here), size)
            first = here[0] if watch == "oldest" else min(here, key=lambda i: deadline[i])
            go = begin if k == size and full_goes else max(begin, float(deadline[first]) - reserve(k))
            if go < end:
                break
        chosen = here if take == "oldest" else sorted(here, key=lambda i: deadline[i])
        batches.append((go, sorted(chosen[:k])))
        left = [i for i in left if i not in chosen[:k]]
        free = go + service(k) if busy else go
    return batches


def _world(seed: int, n: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    arrive = 1 + np.cumsum(rng.exponential(1 / rate, n))
    return arrive, arrive + rng.choice([3.0, 8.0], n) + rng.uniform(0, 0.5, n)


def _slips(arrive, deadline, service, size) -> dict[str, list]:
    world = (arrive, deadline, service, size)
    return {
        "You start at the deadline itself: the answer is then late by the whole service.": plan(
            *world, reserve=lambda k: 0.0
        ),
        "You reserve the time of a full batch. This batch has k requests: service_s(k).": plan(
            *world, reserve=lambda k: service(size)
        ),
        "You reserve the time of one request. This batch has k requests: service_s(k).": plan(
            *world, reserve=lambda k: service(1)
        ),
        "You look at the deadline of the oldest. A later request may be more urgent.": plan(
            *world, watch="oldest", take="oldest"
        ),
        "You start for the most urgent and then take the oldest: the urgent one may be left behind.": plan(
            *world, take="oldest"
        ),
        "You look at the deadline of the oldest, although you take the most urgent.": plan(*world, watch="oldest"),
        "You never wait. Between the last request and the latest moment others may come.": plan(
            *world, reserve=lambda k: np.inf
        ),
        "A full batch cannot grow: start it at once.": plan(*world, full_goes=False),
        "The worker is still busy with the last batch: start when it is free.": plan(*world, busy=False),
    }


def _planned(answer) -> list[tuple[float, list[int]]]:
    if answer is None:
        raise Hint(NONE)
    try:
        return [(float(start), sorted(int(i) for i in members)) for start, members in answer]
    except (TypeError, ValueError):
        raise Hint("Return a list of pairs: when the batch starts, and the positions of its requests.") from None


def _equal(got: list, wanted: list) -> bool:
    return [m for _, m in got] == [m for _, m in wanted] and np.allclose([s for s, _ in got], [s for s, _ in wanted])


@check("21.5")
def check_deadline_batches(deadline_batches) -> str:
    """deadline_batches(arrive_s, deadline_s, service_s, max_size) → [(start, positions), …]."""
    for seed, rate, size in ((2, 2.0, 4), (1, 0.9, 4), (2, 2.0, 3), (3, 3.0, 4), (4, 0.3, 4), (5, 1.4, 1)):
        arrive, deadline = _world(seed, 40, rate)

        def service(k):
            return 1.0 + 0.2 * k

        got = _planned(deadline_batches(arrive.copy(), deadline.copy(), service, size))
        wanted = plan(arrive, deadline, service, size)
        if _equal(got, wanted):
            continue
        served = sorted(i for _, members in got for i in members)
        if served != list(range(len(arrive))):
            raise Hint(f"Each of {len(arrive)} requests is in exactly one batch; yours hold {len(served)}.")
        if max(len(members) for _, members in got) > size:
            raise Hint(f"A batch is larger than max_size = {size}.")
        if any(start < arrive[members].max() - 1e-9 for start, members in got):
            raise Hint("A batch starts before one of its requests has arrived: nobody knows the future.")
        for hint, slip in _slips(arrive, deadline, service, size).items():
            if _equal(got, slip):
                raise Hint(hint)
        at = next(
            (k for k, pair in enumerate(zip(got, wanted, strict=False)) if not _equal(*map(lambda x: [x], pair))), 0
        )
        raise Hint(
            f"Batch {at} should start at {wanted[at][0]:.3f} with {wanted[at][1]}, "
            f"yours starts at {got[at][0]:.3f} with {got[at][1]}."
        )
    return "right in thin, dense and overloaded traffic, and for batches of one"
