"""Checks of chapter 46: read a reply, allow what a format allows, bound its length, read a record, choose a prompt."""

import json
from copy import deepcopy
from math import comb

import numpy as np

from workbench.checks.answers import NONE, number
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 46.1

LABELS = ("bool", "int", "float", "str")
REPLIES = [  # reply, what it says, hint
    ("int", "int", "A reply that is exactly a label should come back as that label."),
    ("", None, "An empty reply says nothing: None."),
    (" float\n", "float", "Blanks and line ends around the label do not matter."),
    ("Bool", "bool", "Capitals do not matter."),
    ("str.", "str", "A full stop behind the label does not matter."),
    ('"str"', "str", "Quotation marks around the label do not matter."),
    ("The type is bool.", "bool", "One label in a sentence, and no other: that is what it says."),
    ("I do not know", None, "No label at all: None, not a guess."),
    ("integer", None, "int stands inside integer, but a reply is read in whole words."),
    ("strange", None, "str stands inside strange, but a reply is read in whole words."),
    ("int or float", None, "Two different labels: the reply does not decide, and neither should you."),
    ("int, int", "int", "The same label twice is one label."),
    ("not bool but int", None, "Two labels stand there. Reading 'not' is the next model's work: None."),
]


@check("46.1")
def check_reply(read_reply) -> str:
    """read_reply(reply, labels) → one of the labels or None."""
    for reply, wanted, hint in REPLIES:
        got = read_reply(reply, LABELS)
        if got is None and wanted is not None:
            raise Hint(NONE if reply == "int" else f"{hint} ({reply!r} became None.)")
        if got is not None and not isinstance(got, str):
            raise Hint(f"Return a label, a str, or None; not {type(got).__name__}.")
        if got != wanted:
            raise Hint(f"{hint} ({reply!r} became {got!r}.)")
    return "whole words, one label, and no guess"


# ------------------------------------------------------------------ 46.2

ALLOWED = [  # prefix, labels
    ("", ("bool", "int", "str")),
    ("b", ("bool", "int", "str")),
    ("in", ("int", "integer")),
    ("int", ("int", "integer")),
    ("int", ("int", "float")),
    ("x", ("bool", "int")),
    ("integer", ("int", "integer")),
    ("", ("float", "frac", "int")),
    ("f", ("float", "frac", "int")),
]


def _allowed(prefix: str, labels) -> tuple[set, bool]:
    going = [label[len(prefix) :] for label in labels if label.startswith(prefix)]
    return {rest[0] for rest in going if rest}, "" in going


@check("46.2")
def check_allowed(allowed) -> str:
    """allowed(prefix, labels) → (set of characters, may it end here)."""
    for prefix, labels in ALLOWED:
        got = allowed(prefix, labels)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise Hint("Return two things: the set of characters that may come next, and whether it may end here.")
        characters, end = got
        if isinstance(characters, str | bytes) or not isinstance(characters, set | frozenset | list | tuple):
            raise Hint("The characters that may come next are a set.")
        if not isinstance(end, bool | np.bool_):
            raise Hint("Whether the text may end here is True or False.")
        if not all(isinstance(one, str) for one in characters):
            raise Hint("The set holds characters, each a str of length one.")
        wanted, may_end = _allowed(prefix, labels)
        case = f"after {prefix!r} with {labels}: {sorted(characters)}, {bool(end)}, not {sorted(wanted)}, {may_end}"
        if any(len(one) != 1 for one in characters):
            raise Hint(f"One character each, not the rest of a label ({case}).")
        if set(characters) - wanted:
            hint = "A character leads to no label" if prefix else "Only first characters of labels can begin"
            raise Hint(f"{hint} ({case}).")
        if wanted - set(characters):
            raise Hint(f"A character that leads to a label is missing: a longer label may go on where a shorter ends "
                       f"({case}).")  # fmt: skip
        if bool(end) != may_end:
            hint = "The text may end where it is a whole label" if may_end else "A text that is no label may not end"
            raise Hint(f"{hint} ({case}).")
    return "every path leads to a label, and every label can be reached"


# ------------------------------------------------------------------ 46.3

TEXT = "A text is as long as it is"
CHOICE = "A choice takes one of its parts, the longest counts"
SEQUENCE = "A sequence takes all of its parts, one after another"
REPEAT = "A part is repeated as often as it may be"
ENDLESS = "A grammar that goes on without a limit has no longest text: None"
NOTHING = "Nothing, repeated for ever, is still nothing"
GRAMMARS = [  # grammar, longest, hint
    ("bool", 4, TEXT),
    ("", 0, "An empty text has no characters: 0"),
    (["int", "float", "str"], 5, CHOICE),
    (("{", "}", "more"), 6, SEQUENCE),
    ({"repeat": "0", "most": 3}, 3, REPEAT),
    (("a", ["b", "cde"], {"repeat": ["0", "10"], "most": 4}), 12, REPEAT),
    ({"repeat": "0", "most": None}, None, ENDLESS),
    (("a", {"repeat": " ", "most": None}, "b"), None, ENDLESS),
    (["a", {"repeat": ("b", "c"), "most": None}], None, ENDLESS),
    ({"repeat": {"repeat": "x", "most": None}, "most": 3}, None, ENDLESS),
    ({"repeat": "", "most": None}, 0, NOTHING),
    ({"repeat": {"repeat": "x", "most": None}, "most": 0}, 0, "What may be repeated no times adds nothing"),
    (("", [("ab", "c"), {"repeat": "d", "most": 2}]), 3, SEQUENCE),
]


@check("46.3")
def check_longest(longest) -> str:
    """longest(grammar) → the number of characters of the longest text, or None."""
    for grammar, wanted, hint in GRAMMARS:
        got = longest(deepcopy(grammar))
        if got is None and grammar == "bool":
            raise Hint(NONE)
        if got is not None:
            got = number(got, "the length of the longest text")
        if got != wanted:
            said = "None" if got is None else f"{got:g}"
            raise Hint(f"{hint} ({grammar!r} has {wanted}, you say {said}).")
    return "the room a reply needs, known before the model is asked"


# ------------------------------------------------------------------ 46.4

TYPES = {"name": str, "port": int, "secure": bool}
RECORDS = [  # text, record or None, hint
    ('{"name": "a", "port": 1, "secure": true}', {"name": "a", "port": 1, "secure": True}, "A good record comes back."),
    ('{"port": 1, "secure": false, "name": "a"}', {"name": "a", "port": 1, "secure": False}, "Order does not matter."),
    ("not json", None, "What does not parse is None, not an error."),
    ("", None, "An empty reply is None, not an error."),
    ('["name", "port", "secure"]', None, "JSON that is no object is no record."),
    ("null", None, "JSON that is no object is no record."),
    ('{"name": "a", "port": 1}', None, "A key is missing: None."),
    ('{"name": "a", "port": 1, "secure": true, "x": 0}', None, "A key too many: None."),
    ('{"name": "a", "port": "1", "secure": true}', None, 'A port of "1" is text, not a number: None.'),
    ('{"name": "a", "port": true, "secure": true}', None, "True is an int to Python's isinstance, and no port: None."),
    ('{"name": "a", "port": 1, "secure": 1}', None, "1 is not true: None."),
    ('{"name": "a", "port": 1.0, "secure": true}', None, "1.0 is a float: None."),
    ('{"name": "a", "port": 1, "secure": true} and more', None, "Text behind the record: None."),
]


@check("46.4")
def check_record(read_record) -> str:
    """read_record(text, types) → dict or None."""
    for text, wanted, hint in RECORDS:
        try:
            got = read_record(text, dict(TYPES))
        except json.JSONDecodeError:
            raise Hint(f"{hint} ({text!r} raised an error.)") from None
        if got is None and wanted is not None:
            raise Hint(NONE if text == RECORDS[0][0] else f"{hint} ({text!r} became None.)")
        if got is not None and not isinstance(got, dict):
            raise Hint(f"Return the record, a dict, or None; not {type(got).__name__}.")
        if got != wanted:
            raise Hint(f"{hint} ({text!r} became {got!r}.)")
    return "parsed, complete, nothing too much, and of the right types"


# ------------------------------------------------------------------ 46.5


def _p(new, old, sides=2) -> float:
    b, c = int(np.sum(new & ~old)), int(np.sum(old & ~new))
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return min(1.0, sides * tail)


def _rule(right, level, corrected=True, only_better=True, sides=2) -> int:
    p = [_p(new, right[0], sides) for new in right[1:]]
    order, worst, held = np.argsort(p, kind="stable"), 0.0, set()
    for place, which in enumerate(order):
        worst = max(worst, p[which] * ((len(p) - place) if corrected else 1))
        better = right[which + 1].sum() > right[0].sum() or not only_better
        if worst < level and better:
            held.add(int(which) + 1)
    return max(held, key=lambda n: (right[n].sum(), -n), default=0)


def _prompts(seed: int, chances, n: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    return np.array([np.where(rng.random(n) < 0.7, hard, rng.random(n)) < chance for chance in chances])


CASES = [
    _prompts(4, (0.5, 0.9, 0.98, 0.4)),
    _prompts(0, (0.5, 0.95, 0.5)),
    _prompts(1, (0.9, 0.4, 0.5)),
    _prompts(2, (0.6, 0.62, 0.6, 0.58)),
    _prompts(3, (0.5, 0.68, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)),
    np.ones((3, 20), bool),
    np.array([[False] * 7 + [True] * 13, [True] * 19 + [False]]),  # 7 to 1: beyond the level on one side only
]


@check("46.5")
def check_choose(choose) -> str:
    """choose(right, level) → the number of a prompt."""
    for right in CASES:
        got = number(choose(right.copy(), 0.05), "the number of the chosen prompt")
        wanted = _rule(right, 0.05)
        if got == wanted:
            continue
        sums = right.sum(axis=1).tolist()
        case = f"right answers {sums}, of {right.shape[1]}: you chose {got:g}, expected {wanted}"
        mistakes = {
            "Several prompts were tested: correct the p-values (Holm).": _rule(right, 0.05, corrected=False),
            "A new prompt could have been worse as well: the p-value is two-sided.": _rule(right, 0.05, sides=1),
            "The best on the sheet need not be better: keep prompt 0 unless the test says otherwise.": int(
                right.sum(axis=1).argmax()
            ),
            "A prompt can differ because it is worse. Only better ones may replace prompt 0.": _rule(
                right, 0.05, only_better=False
            ),
            "Prompt 0 is clearly beaten here: the test should say so.": 0,
            "That number counts the rivals from 0; prompt 0 is the one in use.": wanted - 1,
        }
        for hint, mistake in mistakes.items():
            if got == mistake:
                raise Hint(f"{hint} ({case}.)")
        raise Hint(f"Of the prompts that are better than prompt 0 after the correction, the one with most right "
                   f"answers is asked for ({case}).")  # fmt: skip
    return "better in pairs, corrected, or left alone"
