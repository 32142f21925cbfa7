"""Checks of chapter 41's later exercises: the same index for every chunker, and a context that pays once."""

from workbench.checks.answers import NONE
from workbench.checks.chunking import is_whole, ranges_of, short
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 41.4

CALLS = 60  # of the cut; halving an interval of a million sizes needs twenty


class TooManyCalls(Exception):  # noqa: N818 - it ends a learner's loop
    """The answer tried one size after the other."""


class Counted:
    """A chunker of pages of these lengths that counts its calls.  floor: a size below makes no difference."""

    def __init__(self, lengths: tuple[int, ...], floor: int = 1):
        self.lengths, self.floor, self.calls, self.tried = lengths, floor, 0, set()

    def entries(self, size: int) -> int:
        return sum(-(-length // max(size, self.floor)) for length in self.lengths)

    def __call__(self, size: int) -> list[tuple[int, int, int]]:
        if not is_whole(size) or size < 1:
            raise Hint(f"A size is a whole number from 1 on: you cut with {short(size)}.")
        self.calls += 1
        self.tried.add(int(size))
        if self.calls > CALLS:
            raise TooManyCalls
        size = max(int(size), self.floor)
        return [
            (page, at, min(at + size, length))
            for page, length in enumerate(self.lengths)
            for at in range(0, length, size)
        ]


PAGES = (1000, 10, 10, 10, 370, 25)
SIZED = [  # lengths, floor, entries, largest
    ((1000,), 1, 10, 5000),
    (PAGES, 1, 20, 5000),
    (PAGES, 1, 14, 5000),
    (PAGES, 1, 6, 5000),
    (PAGES, 1, 7, 1000),
    (PAGES, 1, 10_000, 5000),
    (PAGES, 40, 500, 5000),
    (PAGES, 1, 6, 1000),
    (PAGES, 1, 5, 5000),
    (PAGES, 1, 6, 999),
]


def _smallest(cut: Counted, entries: int, largest: int) -> int | None:
    return next((size for size in range(1, largest + 1) if cut.entries(size) <= entries), None)


def _size_mistakes(cut: Counted, entries: int, largest: int) -> dict[str, int | None]:
    right = _smallest(cut, entries, largest)
    total = sum(cut.lengths)
    fits = [size for size in range(1, largest + 1) if cut.entries(size) <= entries]
    exact = [size for size in fits if cut.entries(size) == entries]
    return {
        "Dividing the characters by the entries forgets that every page ends with a shorter chunk: count.": max(
            -(-total // entries), 1
        ),
        "Characters over entries, rounded down, makes more entries than allowed: count them.": total // entries,
        "Of all sizes that fit, the smallest is asked for: larger chunks would leave entries unused.": max(
            fits, default=0
        ),
        "Exactly so many entries need not be possible: at most so many is asked for.": exact[0] if exact else None,
        "One size too large: this one makes no more entries than allowed, and so does the one below.": (right or 0) + 1,
        "One size too small: it still makes more entries than allowed.": (right or 0) - 1,
    }


@check("41.4")
def check_equal_size(equal_size) -> str:
    """equal_size(cut, entries, largest) → int or None."""
    for lengths, floor, entries, largest in SIZED:
        cut = Counted(lengths, floor)
        try:
            got = equal_size(cut, entries, largest)
        except TooManyCalls:
            raise Hint(f"You cut the corpus more than {CALLS} times: with a real one that takes hours. "
                       "Entries never grow with the size, so halve the interval.") from None  # fmt: skip
        right = _smallest(cut, entries, largest)
        case = f"pages of {lengths} characters, {entries} entries, largest size {largest}"
        if got is None and right is not None:
            raise Hint(NONE if right > 1 and cut.calls == 0 else f"There is a size that fits: {right} ({case}).")
        if got is None:
            continue
        if not is_whole(got):
            raise Hint(f"A size is a whole number, or None where no size fits; not {short(got)}.")
        if right is None:
            raise Hint(f"Not even the largest size makes so few entries: return None, not {short(got)} ({case}).")
        if int(got) == right:
            continue
        for hint, mistake in _size_mistakes(cut, entries, largest).items():
            if int(got) == mistake:
                raise Hint(f"{hint} ({case}: you say {got}, expected {right}.)")
        raise Hint(f"The smallest size that fits is {right}; you say {short(got)} ({case}).")
    return "the smallest size that fits, found by halving"


# ------------------------------------------------------------------ 41.5

RANGES = [(0, 0, 10), (0, 5, 15), (1, 5, 15), (0, 3, 8), (0, 20, 30), (0, 0, 40), (1, 0, 8)]
FILLS = [  # order, budget
    ([0, 4], 100),
    ([0, 2], 100),
    ([4, 0], 100),
    ([0, 4], 14),
    ([0, 4, 2], 20),
    ([0, 1], 100),
    ([0, 1, 4], 18),
    ([1, 0], 100),
    ([0, 3, 4], 100),
    ([0, 4, 5], 100),
    ([0, 4, 5], 26),
    ([0, 4, 5], 33),
    ([0, 1, 2, 6], 100),
    ([5, 0, 1, 2], 45),
    ([], 10),
    ([0], 0),
]


def _stretches(places) -> list[tuple[int, int, int]]:
    """(page, place) pairs in order → maximal stretches of neighbours."""
    found: list[list[int]] = []
    for page, place in places:
        if found and found[-1][0] == page and found[-1][2] == place:
            found[-1][2] += 1
        else:
            found.append([page, place, place + 1])
    return [tuple(one) for one in found]


def _fill(order, budget, twice=False, cut=True, skip=False, pages=True) -> list[tuple[int, int, int]]:
    """The context; the switches are learners' mistakes."""
    seen: set = set()
    context: list[tuple[int, int, int]] = []
    for number in order:
        page, start, end = RANGES[number]
        key = page if pages else 0
        new = [(page, i) for i in range(start, end) if twice or (key, i) not in seen]
        if skip and len(new) < end - start:
            continue
        for stretch in _stretches(new):
            length = stretch[2] - stretch[1]
            if length > budget and not cut:
                continue
            stretch = (page, stretch[1], stretch[1] + min(length, budget))
            budget -= stretch[2] - stretch[1]
            context += [stretch] if stretch[2] > stretch[1] else []
        seen |= {(key, i) for i in range(start, end)}
    return context


def _fill_mistakes(order, budget) -> dict[str, list]:
    right = _fill(order, budget)
    return {
        "You paid twice for text that is in the context already: take only what is new of a chunk.": _fill(
            order, budget, twice=True
        ),
        "You did not look at the page: the same places of another page are other text.": _fill(
            order, budget, pages=False
        ),
        "A chunk that is partly known still brings something new: take that part.": _fill(order, budget, skip=True),
        "The stretch that no longer fits whole is cut where the budget ends, and nothing comes after it.": _fill(
            order, budget, cut=False
        ),
        "The budget ends before: the last stretch is cut.": _fill(order, 10**6),
        "Keep the order of the ranking: the best comes first, also when it stands later on the page.": sorted(right),
        "A stretch without text does not belong in the context.": [*right, (0, 0, 0)],
    }


@check("41.5")
def check_fill(fill) -> str:
    """fill(ranges, order, budget) → list of (page, start, end)."""
    for order, budget in FILLS:
        answer = fill(list(RANGES), list(order), budget)
        got, right = ranges_of(answer, 3, "triples"), _fill(order, budget)
        if got == right:
            continue
        case = f"{[RANGES[n] for n in order]} by rank, budget {budget}: {short(got)}, expected {right}"
        for hint, mistake in _fill_mistakes(order, budget).items():
            if got == mistake:
                raise Hint(f"{hint} ({case}.)")
        if any(start >= end for _, start, end in got):
            raise Hint(f"A stretch without text does not belong in the context. ({case}.)")
        if sum(end - start for _, start, end in got) > budget:
            raise Hint(f"Your context is longer than the budget: the last stretch is cut. ({case}.)")
        if {(p, i) for p, a, b in got for i in range(a, b)} == {(p, i) for p, a, b in right for i in range(a, b)}:
            raise Hint(f"The right text, in other stretches or another order than asked for. ({case}.)")
        raise Hint(f"Not the context asked for. ({case}.)")
    return "what is new of each chunk, in the order of the ranking, to the last character of the budget"
