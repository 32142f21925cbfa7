"""Chapter 46's tests of prompts agree with SciPy's and with chapter 42's; its checks accept other right ways."""

import ast
import json

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from solved import BOOK, solved

from workbench.checks import prompting
from workbench.runner import notebooks

STEM = "46_engineer_prompts"


def cells(stem: str, *names: str) -> dict:
    """What these cells of a chapter define."""
    source = {cell.id: cell.source for cell in notebooks.read(BOOK.notebooks / f"{stem}.ipynb").cells}
    found = {"np": np, "binom": binom, "json": json}
    for name in names:
        exec(source[name], found)
    return found


def function(stem: str, name: str):
    """The function of that name, from the cell of that name."""
    (cell,) = [cell for cell in notebooks.read(BOOK.notebooks / f"{stem}.ipynb").cells if cell.id == name]
    made = next(part for part in ast.parse(cell.source).body if getattr(part, "name", "") == name)
    found: dict = {}
    exec(ast.unparse(made), found)
    return found[name]


def test_uneven_is_the_exact_binomial_test():
    uneven = cells(STEM, "mcnemar")["uneven"]
    for b in range(13):
        for c in range(13):
            known = binomtest(b, b + c).pvalue if b + c else 1.0
            assert uneven(b, c) == pytest.approx(known, abs=1e-12)


def test_mcnemar_takes_one_pair_or_many():
    mcnemar = cells(STEM, "mcnemar")["mcnemar"]
    right = np.random.default_rng(0).random((5, 3, 40)) < 0.7
    together = mcnemar(right[:, 1:], right[:, :1])
    assert together.shape == (5, 2)
    assert together[4, 1] == mcnemar(right[4, 2], right[4, 0])


def test_holm_is_that_of_chapter_42():
    ours, theirs = cells(STEM, "holm")["holm"], function("42_retrieve_sparse_dense_hybrid", "holm")
    for seed in range(20):
        p = np.random.default_rng(seed).random(7) ** 2
        assert ours(p) == pytest.approx([theirs(dict(enumerate(p)))[i] for i in range(7)])


def test_the_grammar_s_every_text_is_valid_and_near_misses_are_not():
    chapter = cells(STEM)
    chapter |= {"FIELDS": ["what", "place", "number"], "WHAT": ["door", "power"], "PLACES": ["fridge", "cold room"]}
    source = {cell.id: cell.source for cell in notebooks.read(BOOK.notebooks / f"{STEM}.ipynb").cells}
    for name in ("proof", "valid"):
        exec(source[name].partition("good = sum")[0], chapter)
    assert all(chapter["valid"](text) for text in chapter["allowed"])
    assert len(set(chapter["allowed"])) == 2 * 2 * 99
    good = '{"what": "door", "place": "fridge", "number": 3}'
    assert chapter["valid"](good)
    for change in (("door", "window"), ("fridge", "cellar"), ("3", "3.0"), ("3", "true"), ("what", "who"), ("}", "")):
        assert chapter["valid"](good.replace(*change)) is None, change


def test_other_right_answers_pass():
    import re

    def by_search(reply, labels):
        found = [x for x in labels if re.search(rf"(?<!\w){x}(?!\w)", reply, re.IGNORECASE)]
        return found[0] if len(found) == 1 else None

    def letter_by_letter(prefix, labels):
        following = set()
        for label in labels:
            if len(label) > len(prefix) and label[: len(prefix)] == prefix:
                following |= {label[len(prefix)]}
        return frozenset(following), any(label == prefix for label in labels)

    assert prompting.check_reply.judge(by_search).passed is True
    assert prompting.check_allowed.judge(letter_by_letter).passed is True


def test_a_choice_by_a_one_sided_test_is_refused():
    def one_sided(right, level):
        p = [binomtest(int((new & ~right[0]).sum()), max(1, int((new ^ right[0]).sum())), alternative="greater").pvalue
             for new in right[1:]]  # fmt: skip
        good = [n for n, value in enumerate(p, 1) if value * len(p) < level]
        return max(good, key=lambda n: right[n].sum(), default=0)

    report = prompting.check_choose.judge(one_sided)
    assert "two-sided" in report.message, report


def test_the_solution_s_room_is_the_chapter_s():
    longest = solved(STEM)["longest"]
    what, places = ["temperature", "humidity", "door"], ["fridge", "cold room"]
    number = ([str(n) for n in range(1, 10)], {"repeat": [str(n) for n in range(10)], "most": 1})
    grammar = (' {"what": "', what, '", "place": "', places, '", "number": ', number, "}")
    assert longest(grammar) == max(
        len(f' {{"what": "{w}", "place": "{p}", "number": 99}}') for w in what for p in places
    )
