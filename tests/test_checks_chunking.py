"""Chapter 41's checks accept other right answers, and name mistakes that the solutions do not list."""

from itertools import groupby, pairwise

import numpy as np
import pytest

from workbench.checks.chunking import _cut, check_cut, check_holders, check_lost
from workbench.checks.chunking_use import _fill, check_equal_size, check_fill


def cut_by_walking(text, size, overlap):
    found, at = [], 0
    while text and (not found or found[-1][1] < len(text)):
        found.append([np.int64(at), np.int64(min(at + size, len(text)))])
        at += size - overlap
    return found


def holders_by_sets(span, chunks):
    inside = {(span[0], place) for place in range(span[1], span[2])}
    return tuple(n for n, (p, a, b) in enumerate(chunks) if inside <= {(p, place) for place in range(a, b)})


def lost_by_letters(text, ranges):
    free = [(at, all(not a <= at < b for a, b in ranges)) for at in range(len(text))]
    runs = [[at for at, _ in run] for is_free, run in groupby(free, key=lambda one: one[1]) if is_free]
    return [(run[0], run[-1] + 1) for run in runs if any(not text[at].isspace() for at in run)]


def size_by_bisect(cut, entries, largest):
    from bisect import bisect_left

    sizes = range(1, largest + 1)
    place = bisect_left(sizes, -entries, key=lambda size: -len(cut(size)))
    return sizes[place] if place < len(sizes) else None


def fill_by_letters(ranges, order, budget):
    seen, out = set(), []
    for number in order:
        page, start, end = ranges[number]
        stretch = None
        for at in range(start, end):
            if budget > 0 and (page, at) not in seen:
                seen.add((page, at))
                budget -= 1
                stretch = [page, stretch[1] if stretch else at, at + 1]
            elif stretch:
                out.append(tuple(stretch))
                stretch = None
        out += [tuple(stretch)] if stretch else []
    return out


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_cut, cut_by_walking),
        (check_holders, holders_by_sets),
        (check_lost, lost_by_letters),
        (check_equal_size, size_by_bisect),
        (check_fill, fill_by_letters),
    ],
)
def test_other_right_answers_pass(check, answer):
    report = check.judge(answer)
    assert report.passed is True, report


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_cut_keeps_every_character_and_repeats_what_it_should(size):
    for overlap in range(size):
        for length in range(30):
            chunks = _cut(length, size, overlap)
            assert {at for a, b in chunks for at in range(a, b)} == set(range(length))
            for (a, b), (c, d) in pairwise(chunks):
                assert b - c == overlap
                assert a < c
                assert b < d


def test_a_span_no_longer_than_the_overlap_and_one_stands_whole_in_some_chunk():
    """What chapter 41 says in prose: only a longer one can be torn."""
    for size, overlap in ((5, 2), (8, 3), (6, 0)):
        for length in range(1, 30):
            chunks = _cut(length, size, overlap)
            for start in range(length):
                for end in range(start + 1, min(start + overlap + 1, length) + 1):
                    assert any(a <= start and end <= b for a, b in chunks)


def test_the_reference_context_never_pays_twice():
    for order in ([0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0]):
        for budget in range(60):
            places = [(p, at) for p, a, b in _fill(order, budget) for at in range(a, b)]
            assert len(places) == len(set(places)) <= budget


MISTAKES = [
    (check_cut, lambda text, size, overlap: _cut(len(text), size, overlap)[::-1], "in the order of the text"),
    (check_cut, lambda text, size, overlap: {0: size}, "Return a list of pairs"),
    (check_cut, lambda text, size, overlap: [(0.0, 1.0)], "whole numbers"),
    (check_cut, lambda text, size, overlap: _cut(len(text), 1, 0), "begins size - overlap after"),
    (check_holders, lambda span, chunks: [float(n) for n in holders_by_sets(span, chunks)], "whole numbers"),
    (check_holders, lambda span, chunks: [n + 1 for n in holders_by_sets(span, chunks)], "count from zero"),
    (check_holders, lambda span, chunks: holders_by_sets(span, chunks)[-1:], "the last of them"),
    (check_lost, lambda text, ranges: [(a, b - 1) for a, b in lost_by_letters(text, ranges)], "not in it"),
    (check_lost, lambda text, ranges: [text[a:b] for a, b in lost_by_letters(text, ranges)], "not the texts"),
    (check_equal_size, lambda cut, entries, largest: len(cut(0)), "from 1 on"),
    (check_equal_size, lambda cut, entries, largest: len(cut(2.5)), "from 1 on"),
    (check_equal_size, lambda cut, entries, largest: float(size_by_bisect(cut, entries, largest) or 1), "whole number"),
    (check_fill, lambda ranges, order, budget: [ranges[n] for n in order], "The budget ends before"),
    (check_fill, lambda ranges, order, budget: [*fill_by_letters(ranges, order, budget), (9, 4, 4)], "without text"),
]


@pytest.mark.parametrize(("check", "answer", "hint"), MISTAKES)
def test_mistakes_that_the_notebook_does_not_list(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message, report
