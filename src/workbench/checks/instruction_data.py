"""Checks for chapter 50: which tokens are learnt from, which test texts have leaked, who may look at whom, padding."""

import numpy as np

from workbench.checks.answers import NONE, first_difference, number, numbers
from workbench.checks.report import Hint, check

IGNORED = -100


@check("50.1")
def check_answer_labels(answer_labels) -> str:
    """answer_labels(ids, begin, length) → labels: the answer's own ids, -100 before it and on the padding."""
    ids, begin, length = np.array([1, 9, 8, 2, 1, 7, 6, 5, 2, 2, 2]), 5, 9  # 2 is the end mark, and pads
    wanted = np.array([IGNORED] * 5 + [7, 6, 5, 2] + [IGNORED] * 2)
    got = numbers(answer_labels(ids.copy(), begin, length), "The labels").ravel()
    if got.shape != wanted.shape:
        raise Hint(f"One label for each token: {len(wanted)} are asked for, you returned {len(got)}.")
    if np.array_equal(got, ids):
        raise Hint("Nothing is masked: the model would learn to write the user's part, too.")
    if np.array_equal(got[:-1], wanted[1:]) or np.array_equal(got[1:], wanted[:-1]):
        raise Hint("Shifted by one: the loss shifts the labels itself, a label stands at its own token.")
    if (got[:begin] != IGNORED).any():
        raise Hint(f"Tokens before the answer still have labels: everything before place {begin} is -100.")
    if got[begin] == IGNORED:
        raise Hint("The answer's first token has no label: the model would never learn to begin.")
    if got[length - 1] == IGNORED:
        raise Hint(
            "The end mark has no label: the model would never learn to stop. Padding is told by place, not by id."
        )
    if (got[length:] != IGNORED).any():
        raise Hint("The padding has labels: the model would learn to go on with end marks for ever.")
    if not np.array_equal(got, wanted):
        raise Hint(f"The answer's labels are its own ids: {first_difference(got, wanted)}.")
    return "the answer and its end are learnt from, and nothing else"


@check("50.2")
def check_leaked(leaked) -> str:
    """leaked(test, train, n, floor) → indices of test texts of whose runs of n words one training text holds floor."""
    test = ["Call the chef when fridge 3 is warm", "Is the door open?", "Log it if freezer 2 has no power at all"]
    copy = "a user wrote: CALL the chef, when fridge 3 is warm! please answer"
    spread = ["log it if freezer", "freezer 2 has no power", "no power at all"]
    cases = [
        ([*test[1:2], "nothing to see"], [1], "An exact copy was let through."),
        ([copy], [0], "A copy with other capitals and commas was let through: compare words, casefolded."),
        (spread, [], "Three texts together are not a leak: one training text has to hold the runs."),
        (["nothing like it at all"], [], "A text that shares nothing was accused."),
        (["call the chef when fridge 3 is cold"], [0], "Most of a text's runs are enough: it need not be all of them."),
    ]
    for train, wanted, hint in cases:
        got = leaked(list(test), list(train), 3, 0.6)
        if got is None:
            raise Hint(NONE)
        found = numbers(list(got) if isinstance(got, set | tuple) else got, "The indices").ravel()
        if found.dtype.kind == "b":
            raise Hint("Right idea, wrong shape: indices are asked for, you returned a mask.")
        if not all(float(place).is_integer() for place in found):
            raise Hint("Indices are whole numbers: places in the list of test texts.")
        if sorted(map(int, found)) != wanted:
            raise Hint(hint)
    return "copies are caught in any clothes, and strangers left alone"


@check("50.3")
def check_packed_mask(packed_mask) -> str:
    """packed_mask(lengths) → (T, T) bool: may token i (row) look at token j (column)?"""
    for lengths in ([3, 2], [1, 4, 2], [5]):
        total = sum(lengths)
        wanted = np.zeros((total, total), bool)
        for start, length in zip(np.cumsum([0, *lengths[:-1]]), lengths, strict=True):
            for i in range(length):
                wanted[start + i, start : start + i + 1] = True
        got = numbers(packed_mask(list(lengths)), "The mask")
        if got.shape != wanted.shape:
            raise Hint(f"The mask of {total} tokens is {total} × {total}, yours has shape {got.shape}.")
        if got.dtype.kind == "f" and not set(np.unique(got)) <= {0.0, 1.0}:
            raise Hint("Return who may look, true or false: the large negative numbers come later.")
        got = got.astype(bool)
        causal = np.tril(np.ones_like(wanted))
        if np.array_equal(got, causal) and len(lengths) > 1:
            raise Hint("The second example reads the first one's answer: cut the triangle into blocks.")
        if np.array_equal(got, ~wanted):
            raise Hint("Upside down: true means that a token may look.")
        if (got & ~causal).any():
            raise Hint("A token sees what comes after it: row i may look at columns up to i.")
        if not got.diagonal().all():
            raise Hint("A token may look at itself.")
        if not np.array_equal(got, wanted):
            raise Hint(f"With lengths {lengths}, {first_difference(got.astype(int), wanted.astype(int))}.")
    return "every example sees itself and its past, and nobody else"


@check("50.4")
def check_wasted(wasted) -> str:
    """wasted(lengths, size) → the share of a padded epoch that is padding, in batches of `size` in the given order."""
    lengths = [10, 30, 20, 20, 50, 10, 40]
    for size in (2, 3, 1, 7):
        rows = [lengths[at : at + size] for at in range(0, len(lengths), size)]
        computed = sum(max(row) * len(row) for row in rows)
        wanted = (computed - sum(lengths)) / computed
        got = number(wasted(list(lengths), size), "The share")
        if np.isclose(got, wanted):
            continue
        if np.isclose(got, 1 - wanted):
            raise Hint("That is the share that is used; the rest is asked for.")
        if np.isclose(got, (computed - sum(lengths)) / sum(lengths)):
            raise Hint("You divided by the real tokens: the share is of everything that is computed.")
        if np.isclose(got, 1 - sum(lengths) / (max(lengths) * len(lengths))):
            raise Hint("Each batch is only as wide as its own longest example, not as the longest of all.")
        if np.isclose(got, 1 - sum(lengths) / sum(max(row) * size for row in rows)):
            raise Hint("The last batch has fewer rows: nobody pads a batch with empty examples.")
        if np.isclose(got, np.mean([1 - sum(row) / (max(row) * len(row)) for row in rows])):
            raise Hint("A mean of shares counts a short batch like a long one: add up tokens first.")
        raise Hint(f"With batches of {size}: {computed - sum(lengths)} of {computed} tokens are padding.")
    return "padding counted, batch by batch"
