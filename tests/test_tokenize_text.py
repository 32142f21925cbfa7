"""Chapter 30's tokenizer, from the notebook's own cells: nothing is ever lost, and its ids are the library's."""

import random
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "30_tokenize_text.ipynb"
CELLS = {cell.get("id"): cell.source for cell in notebooks.read(CHAPTER).cells}
WANTED = [
    "imports",
    "join",
    "vocabulary",
    "split",
    "count-pairs",
    "count-all-pairs",
    "shown",
    "as-shown",
    "train",
    "train-equal",
    "encode-piece",
    "encode",
    "decode",
    "equal",
    "digits",
    "marks",
    "looks",
    "looks-of",
]
NAMES: dict = {}
for wanted in WANTED:
    exec(CELLS[wanted], NAMES)

BOOK = [CELLS[key] for key in CELLS] + [
    "नमस्ते दुनिया, स्वाधीनता",
    "人人生而自由 🙂🙂",
    "1,234.50  20\t\t7 don't I'LL",
    " \n\n \r\n x ",
]
MERGES = NAMES["train"](BOOK, 600)
KNOWN = NAMES["vocabulary"](MERGES)
LIBRARY = NAMES["in_library"](MERGES)
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"]).filter(lambda c: unicodedata.category(c) != "Cn")
ODD = st.sampled_from(
    ["\u0301", "\u200d", "👩‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "\x1d", "\x00", "ा", "्", "\u202e", "\ufeff", "  ", "\t", "'s", "é", "٣", "½"]
)
PIECES = st.lists(st.one_of(st.text(max_size=8), ODD, st.sampled_from(BOOK[-4:])), max_size=12).map("".join)


def encode(text: str, **how) -> list[int]:
    return NAMES["encode"](text, MERGES, **how)


def decode(ids: list[int]) -> str:
    return NAMES["decode"](ids, KNOWN)


@settings(max_examples=600, deadline=None)
@given(PIECES)
def test_any_unicode_text_comes_back(text):
    assert decode(encode(text)) == text


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_it_comes_back_whatever_the_cuts_are(text):
    assert decode(encode(text, cut=NAMES["MARKS"])) == text
    assert b"".join(NAMES["cut_digits_first"](text)).decode() == text


def test_every_character_of_unicode_comes_back():
    for start in range(0, 0x110000, 0x1000):
        text = "".join(chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c < 0xE000)
        assert b"".join(NAMES["pieces"](text)).decode() == text
    for c in [*range(0x300), *random.Random(0).sample(range(0xE000, 0x110000), 2000)]:
        assert decode(encode(chr(c))) == chr(c)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(st.text(ASSIGNED, max_size=8), ODD, st.sampled_from(BOOK[-4:])), max_size=12).map("".join))
def test_the_ids_are_the_librarys(text):
    assert encode(text) == LIBRARY.encode(text).ids


def test_bytes_that_are_no_character_are_shown_and_stop_nothing():
    assert decode([0xFF, ord("a"), 0xE0, 0xA4]) == "\ufffda\ufffd"


def test_a_half_surrogate_is_refused_not_changed():
    with pytest.raises(UnicodeEncodeError):
        encode("a\ud800")


def test_without_merges_there_is_one_token_for_each_byte():
    text = "".join(BOOK[-4:])
    assert NAMES["encode"](text, {}) == list(text.encode())


def slowly(texts: list[str], count: int) -> dict:
    """The definition: count all pairs anew for every merge."""
    words = Counter(piece for text in texts for piece in NAMES["pieces"](text))
    state, merges = {word: list(word) for word in words}, {}
    place = {b: i for i, b in enumerate(NAMES["ORDER"])}
    while len(merges) < count:
        pairs: Counter = Counter()
        for word, ids in state.items():
            for pair in pairwise(ids):
                pairs[pair] += words[word]
        if not pairs:
            return merges
        best = min(pairs, key=lambda p: (-pairs[p], [place.get(i, i) for i in p]))
        merges[best] = 256 + len(merges)
        state = {word: NAMES["join"](ids, best, merges[best]) for word, ids in state.items()}
    return merges


def test_the_fast_trainer_is_the_definition():
    assert list(NAMES["train"](BOOK, 150).items()) == list(slowly(BOOK, 150).items())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab '", max_size=12), max_size=5))
def test_the_fast_trainer_is_the_definition_where_pairs_overlap(texts):
    assert list(NAMES["train"](texts, 12).items()) == list(slowly(texts, 12).items())


def test_a_prefix_of_the_merges_is_a_tokenizer_and_never_a_better_one():
    lengths = []
    for k in (0, 10, 100, 600):
        some = dict(list(MERGES.items())[:k])
        lengths.append(sum(len(NAMES["encode"](text, some)) for text in BOOK))
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 4


def test_digits_cut_first_leave_spaces_together():
    assert NAMES["pieces"]("a  20") == [b"a", b" ", b" 20"]
    assert NAMES["cut_digits_first"]("a  20") == [b"a", b"  ", b"2", b"0"]


def test_marks_stay_with_their_letters_and_change_nothing_for_english():
    cut = NAMES["MARKS"].findall
    assert cut("स्वाधीनता है") == ["स्वाधीनता", " है"]
    english = [text for text in BOOK if text.isascii()]
    assert [cut(text) for text in english] == [NAMES["SPLIT"].findall(text) for text in english]


def test_looking_is_counted_and_does_not_change_the_ids():
    NAMES["merges"] = MERGES
    assert NAMES["looks"]("aaaa") > NAMES["looks"]("a a ") >= 1
    assert NAMES["encode"]("the same", NAMES["Counting"](MERGES)) == encode("the same")
