"""Checks of chapter 43's exercises: MaxSim, a second order that loses nothing, a leak, the bytes of token vectors.

Each check asks for what a well-known mistake gets wrong, one case at a time, and says what it is.
"""

import math

import numpy as np

from workbench.checks.answers import NONE, number
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 43.1

QUESTION = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
PASSAGE = np.array([[0.8, 0.6], [0.28, 0.96], [0.0, -1.0], [0.6, 0.8]])
THERE = np.array([True, True, True, False])
FAR = np.array([[-1.0, 0.0], [0.0, -1.0], [0.0, 0.0]])


@check("43.1")
def check_maxsim(maxsim) -> str:
    """maxsim(question, passage, there) → float."""

    def asked(question, passage, there) -> float:
        return number(maxsim(question.copy(), passage.copy(), there.copy()), "MaxSim")

    similar = QUESTION @ PASSAGE[:3].T
    want = similar.max(1).sum()
    everything = THERE | True
    if not math.isclose(asked(QUESTION, PASSAGE, everything), (QUESTION @ PASSAGE.T).max(1).sum(), rel_tol=1e-6):
        got, all_similar = asked(QUESTION, PASSAGE, everything), QUESTION @ PASSAGE.T
        if math.isclose(got, all_similar.max(0).sum(), rel_tol=1e-6):
            raise Hint("You let each token of the passage choose: that rewards long passages. The question's tokens "
                       "choose.")  # fmt: skip
        if math.isclose(got, all_similar.mean(1).sum(), rel_tol=1e-6):
            raise Hint("You average over the passage's tokens. Each question token takes its best partner: max.")
        if math.isclose(got, all_similar.max(1).mean(), rel_tol=1e-6):
            raise Hint("The sum over the question's tokens is asked for, not the mean.")
        if math.isclose(got, all_similar.max(), rel_tol=1e-6):
            raise Hint("That is the one best pair. Every token of the question contributes its best.")
        raise Hint(f"Without padding you answer {got:.4f}, expected {all_similar.max(1).sum():.4f}.")
    if not math.isclose(asked(QUESTION, PASSAGE, THERE), want, rel_tol=1e-6):
        raise Hint("A padding token was chosen as a partner: only tokens with there = True may be.")
    if not math.isclose(asked(QUESTION, FAR, np.array([True, True, False])), -0.6, rel_tol=1e-6):
        raise Hint("Padding counted as cosine 0, which beats a negative one: put −inf there, or leave it out.")
    return "each token of the question takes its best partner, and padding is nobody's"


# ------------------------------------------------------------------ 43.2

RANKING = ["a", "b", "c", "d", "e"]
SCORES = {"a": 0.1, "b": 0.5, "c": 0.9, "d": 2.0, "e": 3.0}


@check("43.2")
def check_rerank(rerank) -> str:
    """rerank(ranking, scores, k) → list."""

    def asked(ranking, scores, k) -> list:
        given = list(ranking)
        got = rerank(given, dict(scores), k)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, list | tuple):
            raise Hint(f"Return a list of ids, not {type(got).__name__}.")
        if not all(isinstance(name, str) for name in got):
            raise Hint("Return a list of the ids themselves, as they stand in the ranking.")
        if given != list(ranking):
            raise Hint("You changed the ranking that was given: work on a copy, the caller may need the first order.")
        return list(got)

    got = asked(RANKING, SCORES, 3)
    if got == ["c", "b", "a"]:
        raise Hint("You lost what stands behind rank k. It stays, in its old order, behind the reranked ones.")
    if got == ["e", "d", "c", "b", "a"]:
        raise Hint("Only the first k are looked at twice: d and e were never scored in real life.")
    if got[:3] == ["a", "b", "c"]:
        raise Hint("The first k should be sorted by score, the highest first.")
    if got != ["c", "b", "a", "d", "e"]:
        raise Hint(f"You make {got} of {RANKING} with k = 3, expected c, b, a, d, e.")
    if asked(RANKING, {"a": 1, "b": 1, "c": 1}, 3) != RANKING:
        raise Hint("Equal scores keep the order of the first stage: it is the best guess that there is.")
    if asked(RANKING, {"b": 0.5, "c": -0.5}, 3) != ["b", "c", "a", "d", "e"]:
        raise Hint("a has no score (its deadline passed): it goes behind the scored ones of the first k, before d.")
    if asked(RANKING[:2], SCORES, 3) != ["b", "a"]:
        raise Hint("A ranking shorter than k is sorted whole.")
    return "sorted where it was looked at, kept where it was not"


# ------------------------------------------------------------------ 43.3

TRAIN = {"q1": {"p1", "p2"}, "q2": {"p3"}, "q9": set()}
TEST = {"t3": {"p2", "p7"}, "t1": {"p3"}, "t2": {"p8"}, "q1": {"p9"}, "t4": set()}


@check("43.3")
def check_leaks(leaks) -> str:
    """leaks(train, test) → sorted list of test ids."""

    def asked(train, test) -> list:
        got = leaks({name: set(of) for name, of in train.items()}, {name: set(of) for name, of in test.items()})
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, list | tuple | set) or not all(isinstance(name, str) for name in got):
            raise Hint("Return a sorted list of ids of test questions.")
        return got

    got = asked(TRAIN, TEST)
    if set(got) == {"q1"}:
        raise Hint("You compare the questions' ids. The same answer under another id leaks just as well.")
    if set(got) == {"p2", "p3"}:
        raise Hint("Those are the shared passages. Which test questions do they spoil?")
    if set(got) == {"t1"}:
        raise Hint("One shared answering passage is enough; t3 shares p2 and has another one.")
    if set(got) == {"q1", "q2"}:
        raise Hint("Those are the training questions. The spoilt ones stand in test.")
    if "t4" in got:
        raise Hint("t4 has no answering passage: it shares none, although q9 has none either.")
    if set(got) == {"q1", "t1", "t3"}:
        raise Hint("q1 of test has the id of a training question, and another answer. Ids say nothing.")
    if list(got) != ["t1", "t3"]:
        raise Hint(f"You find {list(got)}, expected the sorted list ['t1', 't3'].")
    if list(asked({}, TEST)) or list(asked(TRAIN, {})):
        raise Hint("With one side empty, nothing leaks: an empty list.")
    return "leaks are found by answers"


# ------------------------------------------------------------------ 43.4

LENGTHS = [10, 300, 254, 255, 0]


@check("43.4")
def check_bytes(token_bytes) -> str:
    """token_bytes(lengths, dimensions, bytes_each, limit=256) → int."""

    def asked(*case) -> float:
        return number(token_bytes(*case), "The number of bytes")

    want = (12 + 256 + 256 + 256 + 2) * 384 * 2
    got = asked(list(LENGTHS), 384, 2)
    mistakes = {
        "The model's two marks have vectors as well: a text of 10 tokens has 12.": (10 + 256 + 254 + 255) * 768,
        "A text is cut at the limit, marks included: 300 tokens keep 256 vectors, not 302.": (12 + 302 + 256 + 257 + 2)
        * 768,
        "The marks come out of the limit: 255 tokens and two marks still make 256 vectors.": (12 + 258 + 256 + 257 + 2)
        * 768,
        "Nobody stores padding: count each text's own tokens, not n times the longest.": 5 * 256 * 768,
        "You count numbers, not bytes: each takes bytes_each.": want // 2,
        "Those are bits.": want * 8,
        "That is one vector per text.": 5 * 768,
    }
    for hint, wrong in mistakes.items():
        if got == wrong:
            raise Hint(hint)
    if got != want:
        raise Hint(f"For texts of {LENGTHS} tokens you have {got:,.0f} bytes, expected {want:,}.")
    if asked(list(LENGTHS), 128, 1, 100) != (12 + 100 * 3 + 2) * 128:
        raise Hint("With limit = 100, 128 dimensions and one byte each you are off: use the arguments.")
    if asked([], 384, 2) != 0:
        raise Hint("No text, no bytes.")
    return "every token, its marks, up to the limit"
