"""Checks of chapter 44: citations that resolve, lines that hold an answer, whose error it was, and a threshold.

Each check asks for what a well-known mistake gets wrong, and knows the mistake by what it returns.
"""

from workbench.checks.answers import NONE, number, parts
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 44.1

CORPUS = {"uart/1": "The port is 5555. The port may change.", "uart/2": "Parity is even."}
CITATIONS = (  # (passage, start, end, quote), resolves?, hint
    (
        ("uart/1", 0, 17, "The port is 5555."),
        True,
        "This citation is right: the end is exclusive, text[0:17] is the quote.",
    ),
    (("uart/2", 10, 15, "even."), True, "The end is exclusive, as in a Python slice: text[10:15] is 'even.'."),
    (
        ("uart/1", 22, 39, "The port is 5555."),
        False,
        "The quote stands somewhere in the passage, but not at this place: look at text[start:end].",
    ),
    (("uart/2", 0, 8, "The port"), False, "This quote stands in another passage, and the citation names uart/2."),
    (
        ("uart/9", 0, 8, "The port"),
        False,
        "A passage that does not exist does not resolve: return False, do not raise.",
    ),
    (
        ("uart/2", 10, 15, "Even."),
        False,
        "A quote is exact: 'Even.' is not 'even.', and capitals may matter in a manual.",
    ),
    (("uart/2", 10, 14, "even."), False, "The address covers only a part of the quote: the two must be equal."),
    (("uart/2", 4, 4, ""), False, "An empty quote supports nothing: it does not resolve."),
)


@check("44.1")
def check_resolves(resolves) -> str:
    """resolves(passage, start, end, quote, corpus) → does corpus[passage][start:end] exist and equal the quote?"""
    for citation, wanted, hint in CITATIONS:
        try:
            got = resolves(*citation, dict(CORPUS))
        except KeyError:
            raise Hint("A passage that does not exist does not resolve: return False, do not raise.") from None
        if _yes(got) != wanted:
            raise Hint(hint)
    return "right passage, right place, same words"


def _yes(answer) -> bool:
    if answer is None:
        raise Hint(NONE)
    if number(answer, "the answer") not in (0, 1):
        raise Hint("Return True or False.")
    return bool(answer)


# ------------------------------------------------------------------ 44.2

LINES = ["Baud rates go up to 5555.", "The port is 555.", "It is the port 5555 by default.", "Use port 5555."]
ANSWERS = (
    ("port 5555", 2, "The words should stand together and in order, the first line that has them so: number 2."),
    ("555", 1, "'555' stands inside '5555', but as a part of a word. Compare whole words."),
    ("5555 port", None, "The words of '5555 port' stand in no line in this order: None."),
    ("Port", 1, "Capitals do not matter: words() folds them."),
    ("unknown", None, "An answer that declines has no source: None."),
    ("", None, "An empty answer stands in every line and says nothing: None."),
    ("9999", None, "No line holds '9999': None."),
    ("Baud rates", 0, "Line 0 holds this answer. Beware of 0 taken for False."),
)


@check("44.2")
def check_cite(cite) -> str:
    """cite(answer, lines) → the number of the first line that holds the answer's words in order, or None."""
    returned = [cite(answer, list(LINES)) for answer, _, _ in ANSWERS]
    if all(got is None for got in returned):
        raise Hint(NONE)
    for got, (_, wanted, hint) in zip(returned, ANSWERS, strict=True):
        if got is not None and (isinstance(got, bool) or not isinstance(got, int)):
            raise Hint("Return the number of the line, an int, or None.")
        if got != wanted:
            raise Hint(hint)
    return "whole words, in order, the first line, and nothing for nothing"


# ------------------------------------------------------------------ 44.3

NOW = [1, 1, 0, 0, 0, 0, 1, 0, 0, 0]
BEST = [1, 0, 1, 1, 0, 0, 0, 0, 1, 0]
BOXES = ("right", "lost by retrieval", "lost after retrieval")


@check("44.3")
def check_divide(divide) -> str:
    """divide(now, oracle), lists of bool → shares (right, lost by retrieval, lost after retrieval) of all."""
    n = len(NOW)
    pairs = list(zip(NOW, BEST, strict=True))
    got = _shares(divide([bool(x) for x in NOW], [bool(x) for x in BEST]))
    right, by, after = (sum(p) / n for p in zip(*[(a, b and not a, not a and not b) for a, b in pairs], strict=True))
    best = sum(BEST) / n
    if _near(got, [n * right, n * by, n * after]):
        raise Hint("Those are counts: divide by the number of questions.")
    if _near(got, [right, best - right, 1 - best]):
        raise Hint(
            "Differences of totals hide questions that are right now and wrong from the oracle. Compare one by one."
        )
    if _near(got, [right, by, 1 - best]):
        raise Hint("1 − oracle counts questions that are right now as lost. Lost means wrong now.")
    if _near(got, [right, after, by]):
        raise Hint("The two losses are swapped: what the oracle mends was lost by retrieval.")
    if _near(got, [right, best, 1 - best]):
        raise Hint("Only questions that are wrong now can be lost: look at both lists together.")
    if not _near(got, [right, by, after]):
        raise Hint(f"Expected {right:.1f}, {by:.1f}, {after:.1f}, you have {', '.join(f'{x:.2f}' for x in got)}.")
    return "three boxes that add up to one"


def _shares(answer, names=BOXES) -> list[float]:
    return [number(part, name) for part, name in zip(parts(answer, names), names, strict=True)]


def _near(got, wanted) -> bool:
    return all(abs(a - b) <= 1e-9 for a, b in zip(got, wanted, strict=True))


# ------------------------------------------------------------------ 44.4

BEFORE = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
AFTER = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0]


@check("44.4")
def check_both_ways(both_ways) -> str:
    """both_ways(before, after) → (share of the wrong that was mended, share of the right that was made worse)."""
    names = ("mended", "made worse")
    got = _shares(both_ways([bool(x) for x in BEFORE], [bool(x) for x in AFTER]), names)
    if _near(got, [0.3, 0.1]):
        raise Hint("Those are shares of all questions. Ask: of those that were wrong before; of those that were right.")
    if _near(got, [0.25, 0.5]):
        raise Hint("The two are swapped: first what was mended, then what was made worse.")
    if _near(got, [0.5, 0.0]) or _near(got, [0.2, 0.0]):
        raise Hint("The net gain hides what got worse. Count the two directions apart.")
    if _near(got, [3, 1]):
        raise Hint("Those are counts: divide each by how many could have changed in this direction.")
    if _near(got, [3 / 6, 1 / 6]):
        raise Hint("Both are divided by what is right *now*. The share asks for what was wrong, or right, *before*.")
    if not _near(got, [0.5, 0.25]):
        raise Hint(f"Expected 0.50 and 0.25, you have {got[0]:.2f} and {got[1]:.2f}.")
    if not _near(_shares(both_ways([True, True], [True, False]), names), [0, 0.5]):
        raise Hint("Nothing was wrong before: call the mended share 0, do not divide by zero.")
    if not _near(_shares(both_ways([False, False], [True, False]), names), [0.5, 0]):
        raise Hint("Nothing was right before: call the share made worse 0, do not divide by zero.")
    return "a release note has both counts"


# ------------------------------------------------------------------ 44.5

SCORES = [0.9, 0.2, 0.5, 0.5, 0.7, 0.3, 0.8, 0.6, 0.4, 1.0]
BUDGETS = ((0.2, 0.4), (0.1, 0.3), (0.0, 0.2), (0.35, 0.5), (0.5, 0.6), (1.0, 1.0))


@check("44.5")
def check_threshold(threshold) -> str:
    """threshold(scores, budget) → the largest of the scores below which at most the share `budget` of them lies."""
    got = [number(threshold(list(SCORES), budget), "the threshold") for budget, _ in BUDGETS]
    if not all(any(_near([value], [score]) for score in SCORES) for value in got):
        raise Hint("The threshold should be one of the scores: a quantile interpolates between two of them.")
    if _near(got, [min(SCORES)] * len(got)):
        raise Hint(
            "That is the smallest score, which declines nothing. The largest that keeps within the budget is asked for."
        )
    if _near(got, [max(SCORES)] * len(got)):
        raise Hint(
            "With the largest score nearly everything is declined: the budget is a share of the questions, not a count."
        )
    if got[1] < 0.3 or got[2] < 0.2:
        raise Hint("Declined is what lies *below* the threshold; a score equal to it is answered.")
    if _near(got[:4], [wanted for _, wanted in BUDGETS[:4]]) and got[4] == 0.7:
        raise Hint("Scores repeat: count the questions below the threshold, not the different values.")
    for value, (budget, wanted) in zip(got, BUDGETS, strict=True):
        if abs(value - wanted) > 1e-9:
            below = sum(score < value for score in SCORES) / len(SCORES)
            raise Hint(
                f"For a budget of {budget} you have {value}, which declines {below:.2f} of them; {wanted} is it."
            )
    return "chosen where you may choose; the verdict comes from the other half"
