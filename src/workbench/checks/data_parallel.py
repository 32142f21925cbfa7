"""Checks for chapter 55, first part: an accumulation, who saw what, a ring."""

from collections.abc import Callable

import numpy as np

from workbench.checks.answers import NONE, numbers, parts, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 55.1


@check("55.1")
def check_accumulate(accumulate: Callable) -> str:
    """accumulate(means, counts) → gradient of the whole batch's mean from the pieces' means and counts."""
    rng = np.random.default_rng(55)
    for counts in ([3, 40, 12], [5, 5], [7, 0, 90, 2]):
        tokens = [rng.normal(size=(n, 4)) for n in counts]  # one gradient per judged token
        means = [each.mean(0) if len(each) else np.full(4, np.nan) for each in tokens]
        wanted = np.concatenate(tokens).mean(0)
        got = numbers(accumulate([mean.copy() for mean in means], list(counts)), "The gradient")
        if got.shape != wanted.shape:
            raise Hint(f"The gradient has shape {wanted.shape}, like each piece's; yours has {got.shape}.")
        if same(got, wanted):
            continue
        _name_accumulation(got, means, counts)
    return "one division, by the whole batch's count"


def _name_accumulation(got: np.ndarray, means: list, counts: list[int]) -> None:
    if np.isnan(got).any():
        raise Hint("An empty piece spoils the sum: 0 × nan is nan. Leave pieces without judged tokens out.")
    full = [(mean, n) for mean, n in zip(means, counts, strict=True) if n]
    summed = sum(n * mean for mean, n in full)
    mean_of_means = sum(mean for mean, _ in full)
    named = {
        "That is the mean of means: a token of a short piece would weigh more. Weight each piece by its count.": (
            mean_of_means / len(full),
            mean_of_means / len(counts),
        ),
        "That is the gradient of the summed loss: divide by the whole batch's count, once.": (summed,),
        "You divided by the number of pieces; the sum over tokens is divided by the number of tokens.": (
            summed / len(full),
            summed / len(counts),
        ),
        "The means are added, not averaged: each is to be weighted by its share of the tokens.": (mean_of_means,),
    }
    for text, wrong in named.items():
        if any(same(got, each) for each in wrong):
            raise Hint(text)
    raise Hint(f"Counts {counts}: another gradient is expected. A token's weight is one over the whole batch's count.")


# ------------------------------------------------------------------ 55.2


def _slow_audit(seen: list[list[int]], n: int) -> tuple[list[int], list[int]]:
    every = [row for rows in seen for row in rows]
    return [i for i in range(n) if i not in every], [i for i in range(n) if every.count(i) > 1]


@check("55.2")
def check_audit(audit: Callable) -> str:
    """audit(seen, n) → (rows that nobody saw, rows seen more than once), both sorted."""
    cases = [
        ([[0, 2, 4], [1, 3, 0]], 6, "a sampler's padding"),
        ([[5, 1, 3], [5, 1, 3]], 6, "twins"),
        ([[4, 4, 0], [2, 1], [3]], 7, "a row twice on one rank"),
        ([[], [1, 0]], 4, "a rank without rows"),
        ([[0, 1], [2, 3]], 4, "a clean epoch"),
    ]
    for seen, n, name in cases:
        wanted = _slow_audit(seen, n)
        got = parts(audit([list(rows) for rows in seen], n), ("unseen", "repeated"))
        got = tuple(each.reshape(-1).tolist() for each in got)
        if got != tuple(wanted):
            _name_audit(got, wanted, seen, n, name)
    return "every row accounted for"


def _name_audit(got, wanted, seen, n, name) -> None:
    if got == wanted[::-1] and got != wanted:
        raise Hint("The two are swapped: unseen rows first, repeated ones second.")
    if got == _slow_audit(seen[:1], n):
        raise Hint("Rank 0 alone: a row counts as seen when any rank has seen it.")
    unseen, repeated = got
    if sorted(unseen) == wanted[0] and sorted(repeated) == wanted[1]:
        raise Hint("The right rows, but not sorted.")
    if sorted(set(repeated)) == wanted[1] and len(repeated) > len(wanted[1]):
        raise Hint("A row that was seen several times is listed once.")
    if unseen != wanted[0] and unseen == [row for row in wanted[0] if row < max(map(max, filter(None, seen)))]:
        raise Hint(f"The last rows are missing: there are {n}, whatever the largest number in the logs.")
    apart = {row for rows in seen for row in rows if rows.count(row) > 1}
    if unseen == wanted[0] and set(wanted[1]) - set(repeated) <= apart:
        raise Hint("A row that was seen twice by one rank alone is a repetition, too.")
    raise Hint(f"In the case of {name}, {seen} of {n} rows: unseen {wanted[0]}, repeated {wanted[1]} are expected.")


# ------------------------------------------------------------------ 55.3


class _Wire:
    """What the ranks pass on, counted.  Arrays are copied on the way, as by a network."""

    def __init__(self, ranks: int):
        self.numbers = np.zeros(ranks)

    def pass_on(self, sent) -> list[np.ndarray]:
        if not isinstance(sent, list | tuple) or len(sent) != len(self.numbers):
            raise Hint(f"pass_on takes a list with one array per rank, {len(self.numbers)} here.")
        arrays = [np.array(each, dtype=float) for each in sent]
        self.numbers += [each.size for each in arrays]
        return [arrays[-1], *arrays[:-1]]


@check("55.3")
def check_ring(ring: Callable) -> str:
    """ring(vectors, pass_on) → one sum per rank, by messages to the right neighbour of at most 2 (n−1)/n vectors."""
    rng = np.random.default_rng(56)
    for ranks, size in ((4, 12), (2, 6), (3, 9), (1, 2)):
        vectors, wire = [rng.normal(size=size) for _ in range(ranks)], _Wire(ranks)
        given = [vector.copy() for vector in vectors]
        answer = ring(given, wire.pass_on)
        if answer is None:
            raise Hint(NONE)
        if not isinstance(answer, list | tuple) or len(answer) != ranks:
            raise Hint(f"Return a list with one vector per rank, {ranks} here.")
        got = [numbers(each, "A rank's vector") for each in answer]
        if any(each.shape != (size,) for each in got):
            raise Hint(f"Every rank's vector has {size} numbers, as at the start.")
        if not all(map(np.array_equal, given, vectors)):
            raise Hint("You changed the vectors that were given: they are the ranks' gradients, still needed.")
        _judge_ring(got, vectors, wire.numbers)
    return "every rank has the sum, and nobody sent two vectors"


def _judge_ring(got: list, vectors: list, sent: np.ndarray) -> None:
    total, ranks, size = np.sum(vectors, axis=0), len(vectors), len(vectors[0])
    right = [np.isclose(each, total, rtol=1e-9) for each in got]
    allowed = 2 * (ranks - 1) * size // ranks
    if all(map(np.all, right)):
        if ranks > 1 and not sent.any():
            raise Hint("Nothing was sent: no rank can know the others' vectors. Use pass_on.")
        if sent.max() > allowed:
            raise Hint(
                f"Right sums, but too much was sent: {sent.max():g} numbers by one of {ranks} ranks, "
                f"{allowed} are enough. Send parts, not whole vectors."
            )
        return
    if all(np.allclose(each * ranks, total) for each in got):
        raise Hint("That is the mean; the sum is asked for.")
    if any(each.any() for each in right) and sent.max() == allowed:
        raise Hint("In the second half complete parts arrive: they replace what is there, nothing is added any more.")
    if all(each.sum() == size // ranks for each in right):
        raise Hint("That is the first half: each rank has one part complete. Now the complete parts travel around.")
    raise Hint(f"With {ranks} ranks, rank {[bool(r.all()) for r in right].index(False)} does not end with the sum.")
