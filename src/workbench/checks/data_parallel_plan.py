"""Checks for chapter 55, second part: tensors for ranks, and what a card holds and sends."""

import heapq
from collections.abc import Callable

import numpy as np

from workbench.checks.answers import NONE, parts, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 55.4


def _greedy(sizes: list[int], ranks: int) -> list[int]:
    """Load of each rank after dealing out the largest first, each to the emptiest."""
    loads = [0] * ranks
    for size in sorted(sizes, reverse=True):
        heapq.heapreplace(loads, loads[0] + size)
    return loads


def _owners(answer, sizes: list[int], ranks: int) -> list[int]:
    """`answer` as one owner per tensor.  Raises Hint that says what it is instead."""
    if answer is None:
        raise Hint(NONE)
    try:
        owners = np.asarray(answer)
    except ValueError:
        owners = np.array(None)
    if owners.dtype == object or owners.ndim == 2:
        raise Hint("You returned a list per rank, or something else: one owner per tensor is asked for.")
    if owners.dtype.kind not in "iu" or owners.ndim != 1:
        raise Hint("Return a list of whole numbers: the owner of each tensor.")
    if len(owners) != len(sizes):
        raise Hint(f"One owner for each of {len(sizes)} tensors is expected, you have {len(owners)}.")
    if len(owners) and not (owners.min() >= 0 and owners.max() < ranks):
        raise Hint(f"Ranks count from 0 to {ranks - 1}; yours go from {owners.min()} to {owners.max()}.")
    return owners.tolist()


def _load(owners: list[int], sizes: list[int], ranks: int) -> np.ndarray:
    return np.bincount(owners, weights=sizes, minlength=ranks)


@check("55.4")
def check_deal_out(deal_out: Callable) -> str:
    """deal_out(sizes, ranks) → the owner of each tensor; the fullest rank no fuller than by the greedy rule."""
    gpt = [8192, 10240, *[64, 64, 12288, 192, 4096, 64, 16384, 256, 16384, 64] * 2, 64, 8192, 128]
    for sizes, ranks in ((gpt, 2), ([1, 1, 1, 1, 2, 2, 4], 3), ([2, 3, 4, 6, 7, 8], 2), ([100, 1, 1, 1], 2), ([5], 4)):
        owners = _owners(deal_out(list(sizes), ranks), sizes, ranks)
        fullest, wanted = _load(owners, sizes, ranks).max(), max(_greedy(sizes, ranks))
        if fullest > wanted:
            _name_partition(owners, sizes, ranks, int(fullest), wanted)
    return "largest first, to the emptiest"


def _name_partition(owners, sizes, ranks, fullest: int, wanted: int) -> None:
    n, down = len(sizes), sorted(range(len(sizes)), key=lambda i: -sizes[i])
    unsorted, load = [], [0] * ranks
    by_size, load_by_size = [], [0] * ranks
    for i in range(n):
        unsorted.append(load.index(min(load)))
        load[unsorted[-1]] += sizes[i]
        by_size.append(load_by_size.index(min(load_by_size)))
        load_by_size[by_size[-1]] += sizes[down[i]]
    by_count = [0] * n
    for turn, i in enumerate(down):
        by_count[i] = turn % ranks
    named = {
        "That is dealing like cards: the bytes of the tensors do not matter to it.": [i % ranks for i in range(n)],
        "Not the largest first: a large tensor that comes last finds no room any more.": unsorted,
        "The owners are to be in the order of the tensors; yours are in the order of their sizes.": by_size,
        "Each goes to the rank with least bytes, not fewest tensors.": by_count,
        "All to one rank: nothing is shared.": [owners[0]] * n,
    }
    hint = f"Sizes {sizes[:7]} on {ranks} ranks: the fullest holds {fullest} bytes, {wanted} are possible."
    raise Hint(next((text for text, wrong in named.items() if owners == wrong), hint))


# ------------------------------------------------------------------ 55.5


def _per_card(numbers: float, cards: int, stage: int) -> tuple[float, float]:
    """Rajbhandari and others (2020), sections 5 and 7, with 2 + 2 + 12 bytes a number."""
    kept = np.where(np.array([3, 2, 1]) <= stage, 1 / cards, 1.0)
    return float(kept @ [2, 2, 12]) * numbers, (3 if stage == 3 else 2) * 2 * numbers * (1 - 1 / cards)


@check("55.5")
def check_per_card(per_card: Callable) -> str:
    """per_card(numbers, cards, stage) → (bytes held, bytes sent per step) by a card."""
    for numbers, cards in ((7_000_000_000, 8), (1_000_000, 2), (5_000, 1)):
        for stage in range(4):
            held, sent = parts(per_card(numbers, cards, stage), ("bytes held", "bytes sent"))
            if held.size != 1 or sent.size != 1:
                raise Hint("Both are single numbers: the bytes that one card holds, and those that it sends.")
            _judge_held(held.item(), numbers, cards, stage)
            _judge_sent(sent.item(), numbers, cards, stage)
    return "sixteen bytes a number, divided as the stage says"


def _judge_held(got: float, numbers: float, cards: int, stage: int) -> None:
    wanted = _per_card(numbers, cards, stage)[0]
    if same(got, wanted):
        return
    by = cards if stage else 1
    named = {
        "Stage 1 divides the optimizer's part alone, stage 2 gradients too, stage 3 also weights: you are one "
        "stage ahead.": _per_card(numbers, cards, min(stage + 1, 3))[0],
        "Stage 1 divides the optimizer's part, stage 2 gradients too, stage 3 also weights: you are one stage "
        "behind.": _per_card(numbers, cards, max(stage - 1, 0))[0],
        "The 32-bit copy of the weights is missing: the optimizer keeps 4 + 4 + 4 bytes a number.": (
            wanted - 4 * numbers / by
        ),
        "The optimizer's part is missing, or what it keeps is counted in 16 bits.": wanted - 12 * numbers / by,
        "Those are numbers, not bytes.": wanted / 16,
        "All of it divided by the cards: that is stage 3 alone.": 16 * numbers / cards,
    }
    hint = f"{numbers:,} numbers, {cards} cards, stage {stage}: {wanted:,.0f} bytes a card, you have {got:,.0f}."
    raise Hint(next((text for text, wrong in named.items() if same(got, wrong)), hint))


def _judge_sent(got: float, numbers: float, cards: int, stage: int) -> None:
    wanted = _per_card(numbers, cards, stage)[1]
    if same(got, wanted):
        return
    two = _per_card(numbers, cards, 0)[1]
    named = {
        "Stage 3 sends half as much again: the weights are gathered twice.": two if stage == 3 else None,
        "Only stage 3 gathers the weights twice; stages 0 to 2 send two shares.": 1.5 * two if stage < 3 else None,
        "Weights and gradients travel in 16 bits: two bytes a number.": 2 * wanted,
        "Bytes are asked for: two a number.": wanted / 2,
        "A card keeps its own part: (n − 1)/n of everything is sent, not all.": (3 if stage == 3 else 2) * 2 * numbers,
    }
    hint = f"{numbers:,} numbers, {cards} cards, stage {stage}: {wanted:,.0f} bytes sent, you have {got:,.0f}."
    raise Hint(next((t for t, wrong in named.items() if wrong is not None and same(got, wrong)), hint))
