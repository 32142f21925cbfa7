"""Checks of chapter 30's algorithm: replace a pair, encode by rank.  Mistakes are known by the ids they return."""

import random
from collections.abc import Callable
from itertools import pairwise

from workbench.checks.answers import NONE
from workbench.checks.report import Hint, check


def ids_of(answer, what: str = "the ids") -> list[int]:
    """`answer` as a list of int.  Raises Hint that says what it is instead."""
    if answer is None:
        raise Hint(NONE)
    if isinstance(answer, str | bytes | dict) or not hasattr(answer, "__iter__"):
        raise Hint(f"{what} should be a list of int, not {type(answer).__name__}.")
    found = list(answer)
    if not all(isinstance(i, int) and not isinstance(i, bool) for i in found):
        raise Hint(f"{what} should be a list of int; there is something else in it.")
    return found


# ------------------------------------------------------------------ 30.1


def replaced(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """By consuming a stack from the left."""
    rest, out = list(reversed(ids)), []
    while rest:
        out.append(rest.pop())
        if rest and (out[-1], rest[-1]) == pair:
            rest.pop()
            out[-1] = new
    return out


def _all_starts(ids, pair, new):
    starts = {i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) == pair}
    return [new if i in starts else n for i, n in enumerate(ids) if i in starts or i - 1 not in starts]


def _first_only(ids, pair, new):
    for i in range(len(ids) - 1):
        if (ids[i], ids[i + 1]) == pair:
            return [*ids[:i], new, *ids[i + 2 :]]
    return list(ids)


def _from_the_right(ids, pair, new):
    return replaced(ids[::-1], pair[::-1], new)[::-1]


def _without_the_last(ids, pair, new):
    whole = replaced(ids, pair, new)
    return whole[:-1] if tuple(ids[-2:]) != pair else whole


def _either_order(ids, pair, new):
    rest, out = list(reversed(ids)), []
    while rest:
        out.append(rest.pop())
        if rest and {out[-1], rest[-1]} == set(pair) and (pair[0] != pair[1] or out[-1] == rest[-1]):
            rest.pop()
            out[-1] = new
    return out


JOIN_MISTAKES = {
    "Occurrences overlap: in [7, 7, 7] the pair (7, 7) occurs once. Skip both numbers after a hit.": _all_starts,
    "You replaced the first occurrence only; every one is to go.": _first_only,
    "You went from the right. In [7, 7, 7] the left pair is replaced: [9, 7].": _from_the_right,
    "The last number got lost: it has no right neighbour, and stays.": _without_the_last,
    "A pair has an order: (1, 2) is not (2, 1).": _either_order,
    "You inserted the new number and kept the old ones.": lambda ids, pair, new: [
        n for i, a in enumerate(ids) for n in ([new, a] if tuple(ids[i : i + 2]) == pair else [a])
    ],
}
JOIN_CASES = [
    ([5, 1, 2, 5, 1, 2, 3], (1, 2), 256),
    ([7, 7, 7], (7, 7), 9),
    ([7, 7, 7, 7, 1, 7, 7, 7, 2], (7, 7), 9),
    ([2, 1, 2, 1], (1, 2), 300),
    ([3, 1, 2], (1, 2), 256),
    ([1], (1, 2), 256),
    ([], (1, 2), 256),
    ([4, 5, 6], (1, 2), 256),
]


@check("30.1")
def check_replace_pair(replace_pair: Callable) -> str:
    """replace_pair(ids, pair, new) → list of int."""
    for ids, pair, new in JOIN_CASES:
        given = list(ids)
        got, wanted = ids_of(replace_pair(given, pair, new)), replaced(ids, pair, new)
        if given != ids:
            raise Hint("You changed the list that was given. Return a new one: the old one is still needed.")
        if got != wanted:
            named = (hint for hint, wrong in JOIN_MISTAKES.items() if got == wrong(ids, pair, new))
            raise Hint(next(named, f"{pair} → {new} in {ids}: you have {got}, expected {wanted}."))
    return "equal to consuming it from the left, where the pair overlaps itself and where there is none too"


# ------------------------------------------------------------------ 30.2


def _encode(word: bytes, merges: dict) -> list[int]:
    """By replaying the training: every merge once, in order."""
    ids = list(word)
    for pair, new in merges.items():
        ids = replaced(ids, pair, new)
    return ids


def _strings(merges: dict) -> dict[int, bytes]:
    known = {b: bytes([b]) for b in range(256)}
    for (a, b), new in merges.items():
        known[new] = known[a] + known[b]
    return known


def _longest_match(word: bytes, merges: dict) -> list[int]:
    by_length = sorted(_strings(merges).items(), key=lambda item: -len(item[1]))
    ids = []
    while word:
        i, token = next((i, token) for i, token in by_length if word.startswith(token))
        ids, word = [*ids, i], word[len(token) :]
    return ids


def _leftmost(word: bytes, merges: dict) -> list[int]:
    ids = list(word)
    while True:
        hits = [i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) in merges]
        if not hits:
            return ids
        i = hits[0]
        ids = [*ids[:i], merges[ids[i], ids[i + 1]], *ids[i + 2 :]]


def _one_merge(word: bytes, merges: dict) -> list[int]:
    present = [pair for pair in merges if pair in set(pairwise(word))]
    return replaced(list(word), present[0], merges[present[0]]) if present else list(word)


def _latest_first(word: bytes, merges: dict) -> list[int]:
    ids = list(word)
    while hits := [p for p in pairwise(ids) if p in merges]:
        best = max(hits, key=merges.get)
        ids = replaced(ids, best, merges[best])
    return ids


ENCODE_MISTAKES = {
    "You took the longest token that fits. Byte-pair encoding merges what was learnt *first*, whatever comes out.": (
        _longest_match
    ),
    "You merged the leftmost pair of the table. The one learnt first goes first, wherever it stands.": _leftmost,
    "You stopped after one merge. Merged numbers form new pairs: go on until none is in the table.": _one_merge,
    "You merged the pair learnt *last* first: the smallest new number is the earliest.": _latest_first,
    "Those are the bytes: nothing was merged.": lambda word, merges: list(word),
}


def _grown(letters: str, count: int, seed: int) -> dict:
    """A random but possible table of merges over `letters`."""
    rng, known, merges = random.Random(seed), [ord(letter) for letter in letters], {}
    while len(merges) < count:
        pair = (rng.choice(known), rng.choice(known))
        if pair not in merges:
            merges[pair] = 256 + len(merges)
            known.append(merges[pair])
    return merges


TOY = [
    "bc",
    "ab",
    "cd",
    (258, "e"),
    "yz",
    "xy",
    ("x", 260),
    "pq",
    "qr",
]  # in abcdexyzpqr each mistake shows differently


def _encode_cases():
    toy = {tuple(ord(i) if isinstance(i, str) else i for i in pair): 256 + n for n, pair in enumerate(TOY)}
    yield from ((word, toy) for word in (b"abcdexyzpqr", b"abc", b"cdecde", b"ab", b"a", b""))
    rng = random.Random(30)
    for seed in range(8):
        merges = _grown("abc", 12, seed)
        yield from ((bytes(rng.choices(b"abc", k=rng.randint(2, 14))), merges) for _ in range(12))


@check("30.2")
def check_encode_word(encode_word: Callable) -> str:
    """encode_word(word, merges) → list of int.  word: bytes; merges: (int, int) → int, in order of training."""
    for word, merges in _encode_cases():
        got, wanted = ids_of(encode_word(word, dict(merges))), _encode(word, merges)
        if got != wanted:
            named = (hint for hint, wrong in ENCODE_MISTAKES.items() if got == wrong(word, merges))
            raise Hint(next(named, f"{word!r}: you have {got}, expected {wanted}."))
    return "equal to replaying the whole training, on a hundred words and nine tables"
