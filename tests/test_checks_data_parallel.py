"""Chapter 55's checks accept independent implementations, and name mistakes that the sheet does not list."""

from itertools import product

import numpy as np
import pytest

from workbench.checks.data_parallel import check_accumulate, check_audit, check_ring
from workbench.checks.data_parallel_plan import check_deal_out, check_per_card


def by_average(means, counts):
    kept = np.array(counts) > 0
    return np.average(np.array(means)[kept], axis=0, weights=np.array(counts)[kept])


def by_sets(seen, n):
    found, twice = set(), set()
    for row in (row for rows in seen for row in rows):
        (twice if row in found else found).add(row)
    return sorted(set(range(n)) - found), sorted(twice)


def ring_of_rows(vectors, pass_on):
    """Parts as the columns of a table, the two halves written apart."""
    n = len(vectors)
    table = np.array([np.split(v, n) for v in vectors])
    for turn in range(n - 1):
        got = pass_on([table[r, (r - turn) % n] for r in range(n)])
        for r in range(n):
            table[r, (r - turn - 1) % n] += got[r]
    for turn in range(n - 1):
        got = pass_on([table[r, (r + 1 - turn) % n] for r in range(n)])
        for r in range(n):
            table[r, (r - turn) % n] = got[r]
    return list(table.reshape(n, -1))


def by_trying_all(sizes, ranks):
    """The best of all partitions where there are few, else the greedy one."""
    if ranks ** len(sizes) > 10_000:
        order, owner, load = np.argsort(sizes)[::-1], np.zeros(len(sizes), int), np.zeros(ranks)
        for i in order:
            owner[i] = load.argmin()
            load[owner[i]] += sizes[i]
        return owner
    return min(
        product(range(ranks), repeat=len(sizes)), key=lambda owner: np.bincount(owner, weights=sizes).max()
    )  # fmt: skip


def by_table(numbers, cards, stage):
    held = [(2, 2, 12), (2, 2, 12 / cards), (2, 2 / cards, 12 / cards), (2 / cards, 2 / cards, 12 / cards)][stage]
    return numbers * sum(held), [4, 4, 4, 6][stage] * numbers * (1 - 1 / cards)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_accumulate, by_average),
        (check_audit, by_sets),
        (check_ring, ring_of_rows),
        (check_deal_out, by_trying_all),
        (check_per_card, by_table),
    ],
)
def test_independent_implementations_pass(check, answer):
    assert check.judge(answer).passed, check.judge(answer)


def spoils(vectors, pass_on):
    sums = ring_of_rows(vectors, pass_on)
    vectors[0][:] = 0
    return sums


@pytest.mark.parametrize(
    ("check", "answer", "hint"),
    [
        (check_accumulate, lambda means, counts: np.nansum(means, axis=0), "added, not averaged"),
        (check_accumulate, lambda means, counts: by_average(means, counts)[:1], "like each piece's"),
        (check_accumulate, lambda means, counts: 0 * by_average(means, counts), "another gradient"),
        (check_audit, lambda seen, n: [part[::-1] for part in by_sets(seen, n)], "not sorted"),
        (check_audit, lambda seen, n: ([1], []), "are expected"),
        (check_ring, lambda vectors, pass_on: ring_of_rows(vectors, pass_on)[0], "one vector per rank"),
        (check_ring, lambda vectors, pass_on: pass_on(vectors[:1]), "one array per rank"),
        (check_ring, lambda vectors, pass_on: [v[:1] for v in ring_of_rows(vectors, pass_on)], "as at the start"),
        (check_ring, spoils, "still needed"),
        (check_ring, lambda vectors, pass_on: [v.copy() for v in vectors], "does not end with the sum"),
        (check_deal_out, lambda sizes, ranks: [0] * len(sizes), "nothing is shared"),
        (check_deal_out, lambda sizes, ranks: [ranks] * len(sizes), "Ranks count from 0"),
        (check_deal_out, lambda sizes, ranks: [0], "One owner for each"),
        (check_per_card, lambda p, n, s: (by_table(p, n, max(s - 1, 0))[0], by_table(p, n, s)[1]), "behind"),
        (check_per_card, lambda p, n, s: (by_table(p, n, s)[0], by_table(p, n, 3)[1]), "Only stage 3 gathers"),
        (check_per_card, lambda p, n, s: (16 * p / n, 0), "stage 3 alone"),
        (check_per_card, lambda p, n, s: (by_table(p, n, s)[0] / 16, 0), "numbers, not bytes"),
        (check_per_card, lambda p, n, s: (np.ones(2), 0), "single numbers"),
    ],
)
def test_further_mistakes_are_named(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message
