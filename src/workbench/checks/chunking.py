"""Checks of chapter 41's first exercises: cut without losing a character, find a span's chunks, find lost text.

Each case is small enough to be printed in a hint; the expected answer comes from a walk over single characters.
"""

from itertools import pairwise

from workbench.checks.answers import NONE
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ whole numbers in tuples


def is_whole(value) -> bool:
    """Is it an integer, NumPy's included, and no bool?"""
    return hasattr(value, "__index__") and not isinstance(value, bool) and not hasattr(value, "__len__")


def ranges_of(answer, width: int, what: str) -> list[tuple[int, ...]]:
    """`answer` as a list of tuples of `width` whole numbers.  Raises Hint that says what it is instead."""
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, list | tuple):
        raise Hint(f"Return a list of {what}, not {type(answer).__name__}.")
    for one in answer:
        if isinstance(one, str):
            raise Hint(f"Return {what}, not the texts: a text alone cannot say where it stands.")
        if not isinstance(one, list | tuple) or len(one) != width or not all(is_whole(part) for part in one):
            raise Hint(f"Each element should be {what.removesuffix('s')} of whole numbers, not {short(one)}.")
    return [tuple(int(part) for part in one) for one in answer]


def short(value) -> str:
    """A value in at most forty characters, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:37]}…"


# ------------------------------------------------------------------ 41.1

CUTS = [  # characters, size, overlap
    (10, 4, 0),
    (12, 4, 0),
    (10, 4, 1),
    (13, 4, 1),
    (11, 5, 3),
    (12, 6, 3),
    (3, 8, 2),
    (2, 8, 4),
    (1, 1, 0),
    (0, 4, 1),
]


def _cut(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    chunks = [(0, min(size, length))] if length else []
    while chunks and chunks[-1][1] < length:
        start = chunks[-1][0] + size - overlap
        chunks.append((start, min(start + size, length)))
    return chunks


def _cut_hint(got: list[tuple[int, int]], length: int, size: int, overlap: int) -> str:
    held = {place for start, end in got for place in range(max(start, 0), min(end, length))}
    if not length:
        return "An empty text has no chunks: return an empty list."
    if any(start < 0 or end > length for start, end in got):
        return "A chunk ends behind the text, or begins before it: the last one ends where the text ends."
    if any(end - start > size for start, end in got):
        return f"A chunk has more than {size} characters. The overlap is part of the size, not added to it."
    if held != set(range(length)):
        if held and held == set(range(max(held) + 1)):
            return "The end of the text is in no chunk. The last chunk may be shorter than the others."
        return f"The text between some chunks is in none: character {min(set(range(length)) - held)} is lost."
    if got != sorted(got):
        return "Return the chunks in the order of the text."
    if any(end <= start for start, end in got):
        return "A chunk is empty."
    if any(a[0] <= b[0] and b[1] <= a[1] for a, b in pairwise(got)):
        return "A chunk lies wholly inside the one before: it adds nothing but an entry. Stop at the end of the text."
    if len(got) > 1 and overlap != size - overlap and got[1][0] - got[0][0] == overlap:
        return "The next chunk begins size - overlap later, not overlap later."
    return "Each chunk begins size - overlap after the one before."


@check("41.1")
def check_cut(cut) -> str:
    """cut(text, size, overlap) → list of (start, end)."""
    for length, size, overlap in CUTS:
        text = "abcdefghijklmnopqrstuvwxyz"[:length]
        got = ranges_of(cut(text, size, overlap), 2, "pairs")
        if got != _cut(length, size, overlap):
            hint = _cut_hint(got, length, size, overlap)
            raise Hint(f"{hint} ({length} characters, size {size}, overlap {overlap}: {short(got)}.)")
    return "every character is in a chunk, and no chunk is for nothing"


# ------------------------------------------------------------------ 41.2

CHUNKS = [(0, 0, 10), (0, 8, 18), (0, 9, 30), (1, 0, 20), (1, 20, 40), (0, 30, 40)]
SPANS = [(0, 9, 10), (0, 2, 6), (0, 0, 10), (0, 8, 12), (0, 9, 18), (1, 18, 22), (1, 20, 40), (2, 0, 4), (0, 25, 35)]


def _holding(span) -> list[int]:
    page, start, end = span
    places = {(page, place) for place in range(start, end)}
    return [n for n, (p, a, b) in enumerate(CHUNKS) if places <= {(p, place) for place in range(a, b)}]


def _holder_mistakes(span) -> dict[str, list[int]]:
    page, start, end = span
    here = [(n, a, b) for n, (p, a, b) in enumerate(CHUNKS) if p == page]
    right = _holding(span)
    return {
        "You did not look at the page: the same numbers stand on every page.": [
            n for n, (_, a, b) in enumerate(CHUNKS) if a <= start and end <= b
        ],
        "A chunk that only touches the span holds a part of the answer. The whole span must be inside.": [
            n for n, a, b in here if a < end and start < b
        ],
        "The span may begin where the chunk begins, and end where it ends: <=, not <.": [
            n for n, a, b in here if a < start and end < b
        ],
        "The span's end is the first character that is not in it, and so is the chunk's: end <= end.": [
            n for n, a, b in here if a <= start and end < b
        ],
        "The span may begin where the chunk begins.": [n for n, a, b in here if a < start and end <= b],
        "Chunks overlap, so several may hold the span. You returned one of them.": right[:1],
        "Chunks overlap, so several may hold the span. You returned the last of them.": right[-1:],
        "A chunk that begins inside the span and one that ends inside it hold halves of the answer.": [
            n for n, a, b in here if a <= start < b or a < end <= b
        ],
        "Numbers count from zero, as in the list.": [n + 1 for n in right],
    }


@check("41.2")
def check_holders(holders) -> str:
    """holders(span, chunks) → list of numbers."""
    for span in SPANS:
        got = holders(span, list(CHUNKS))
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, list | tuple):
            raise Hint(f"Return a list of numbers of chunks, not {type(got).__name__}.")
        if len(got) == len(CHUNKS) and all(isinstance(one, bool) for one in got):
            raise Hint("That is a mask, one bool for each chunk. The numbers of the chunks that hold it are asked for.")
        if any(isinstance(one, list | tuple) for one in got):
            raise Hint("Return the numbers of the chunks in the list, not the chunks.")
        if not all(is_whole(one) for one in got):
            raise Hint(f"Return whole numbers, the chunks' places in the list, not {short(got)}.")
        got, right = [int(one) for one in got], _holding(span)
        if got == right:
            continue
        for hint, mistake in _holder_mistakes(span).items():
            if got == mistake:
                raise Hint(f"{hint} (Span {span}: {short(got)}, expected {right}.)")
        raise Hint(f"Span {span} of the chunks {CHUNKS} is in {right}, in this order; you say {short(got)}.")
    return "whole spans, on their page, in every chunk that holds them"


# ------------------------------------------------------------------ 41.3

LOSSES = [  # text, ranges
    ("abcdefgh", [(0, 8)]),
    ("abcdefgh", [(0, 3), (5, 8)]),
    ("abcdefgh", [(2, 8)]),
    ("abcdefgh", [(0, 6)]),
    ("abcdefgh", []),
    ("abcdefgh", [(5, 8), (0, 3)]),
    ("abcdefghij", [(0, 8), (2, 4), (9, 10)]),
    ("abcdefgh", [(0, 5), (2, 5), (6, 8)]),
    ("abc  fgh", [(0, 3), (5, 8)]),
    ("abc\n\nfgh\n", [(0, 3), (5, 8)]),
    ("ab cd ef gh", [(0, 3), (9, 11)]),
    ("ab . cd", [(0, 2), (5, 7)]),
    ("", []),
]


def _lost(text: str, ranges, blank=str.isspace) -> list[tuple[int, int]]:
    free = [not any(start <= place < end for start, end in ranges) for place in range(len(text))]
    edges = [place for place in range(len(text) + 1) if ([False, *free, False][place : place + 2].count(True)) == 1]
    stretches = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in stretches if not blank(text[start:end])]


def _gaps(text: str, ranges, first=True, last=True) -> list[tuple[int, int]]:
    """Stretches between neighbours in the order given, each compared with the one before it only."""
    ends = [0] if first else []
    borders = [*ends, *(end for _, end in ranges)]
    starts = [start for start, _ in (ranges if first else ranges[1:])] + ([len(text)] if last else [])
    pairs = list(zip(borders, starts, strict=False))
    return [(a, b) for a, b in pairs if a < b and not text[a:b].isspace()]


def _lost_mistakes(text: str, ranges) -> dict[str, list[tuple[int, int]]]:
    right = _lost(text, ranges)
    inner = [(a, b) for a, b in right if ranges and a > 0 and b < len(text)]
    return {
        "White space alone is no loss: leave out stretches that hold nothing else.": _lost(
            text, ranges, blank=lambda stretch: False
        ),
        "Text behind the last chunk is lost as well.": [(a, b) for a, b in right if b < len(text)],
        "Text before the first chunk is lost as well.": [(a, b) for a, b in right if a > 0],
        "Text before the first chunk and behind the last one is lost as well.": inner,
        "A chunk may lie inside an earlier one: compare with the furthest end so far, not with the last.": _gaps(
            text, sorted(ranges)
        ),
        "Chunks come in any order: sort them first.": _gaps(text, ranges),
        "Report each stretch as a whole, blanks inside and at its ends included.": [
            (place, place + 1) for a, b in right for place in range(a, b) if not text[place].isspace()
        ],
        "Return a stretch as (start, end), the end being the first character that is not in it.": [
            (a, b - 1) for a, b in right
        ],
    }


@check("41.3")
def check_lost(lost) -> str:
    """lost(text, ranges) → list of (start, end)."""
    for text, ranges in LOSSES:
        answer = lost(text, list(ranges))
        if is_whole(answer) or isinstance(answer, float):
            raise Hint("A number cannot say where the hole is, and overlap hides it from a sum. Return the stretches.")
        got, right = ranges_of(answer, 2, "pairs"), _lost(text, ranges)
        if got == right:
            continue
        for hint, mistake in _lost_mistakes(text, ranges).items():
            if got == mistake:
                raise Hint(f"{hint} ({text!r} with {ranges}: {short(got)}, expected {right}.)")
        raise Hint(f"{text!r} with {ranges} loses {right}; you say {short(got)}.")
    return "every hole, wherever it is and in whatever order the chunks come"
