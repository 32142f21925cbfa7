"""Checks of chapter 15's first exercises: a bill in tokens, an answer in words, a split without leaks."""

import numpy as np

from workbench.checks.answers import NONE, number, numbers, parts
from workbench.checks.drift import recognise
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 15.1

BILLS = ((350, 1, 0.15, 0.60), (1200, 400, 2.5, 10.0), (0, 50, 1.0, 4.0))  # tokens in, out, dollars a million in, out


def _bill_mistakes(tokens_in, tokens_out, price_in, price_out) -> dict[str, float]:
    """hint → dollars per thousand requests that the mistake returns."""
    right = (tokens_in * price_in + tokens_out * price_out) / 1000
    return {
        "The prices are for a million tokens, you took them for one token: divide by 1,000,000.": right * 1e6,
        "The prices are for a million tokens, you took them for a thousand.": right * 1000,
        "That is the cost of one request. A thousand are asked for.": right / 1000,
        "That is the cost of a million requests. A thousand are asked for.": right * 1000,
        "You forgot the tokens that the model writes. They have a price of their own, and it is the higher one.": (
            tokens_in * price_in / 1000
        ),
        "You charged the tokens that are read at the price of written ones, and the other way round.": (
            (tokens_in * price_out + tokens_out * price_in) / 1000
        ),
        "You charged all tokens at the price of read ones: written tokens have their own.": (
            (tokens_in + tokens_out) * price_in / 1000
        ),
        "You charged all tokens at the price of written ones: read tokens have their own.": (
            (tokens_in + tokens_out) * price_out / 1000
        ),
        "You forgot the tokens that the model reads.": tokens_out * price_out / 1000,
    }


@check("15.1")
def check_dollars_per_thousand(dollars_per_thousand) -> str:
    """dollars_per_thousand(tokens_in, tokens_out, price_in, price_out) → dollars for a thousand requests."""
    for case in BILLS:
        tokens_in, tokens_out, price_in, price_out = case
        wanted = (tokens_in * price_in + tokens_out * price_out) / 1000
        got = number(dollars_per_thousand(*case), "the bill")
        recognise(got, wanted, _bill_mistakes(*case), "The bill")
    return "what is read and what is written, each at its own price"


# ------------------------------------------------------------------ 15.2

ANSWERS = {  # what the model wrote → what it means
    "spam": True,
    "good": False,
    "Spam.": True,
    "**Good**\n": False,
    "This e-mail is spam": True,
    "This is a good e-mail.": False,
    "not spam": False,
    "This is not spam.": False,
    "It isn't spam!": False,
    "No spam here": False,
    "Is it spam or good?": None,
    "Not spam, it is good.": False,
    "The goods will be shipped tomorrow.": None,
    "I would ask the spammer.": None,
    "I cannot read e-mails.": None,
    "": None,
}
UNDECIDED = "An answer that says neither, or both, is None: guessing False would hide that the model did not answer."
READER_HINTS = {
    "not spam": '"not spam" contains "spam". Look at the word before it.',
    "It isn't spam!": "\"isn't spam\" is a no as well: not, no and isn't, directly before spam.",
    "No spam here": '"no spam" is a no as well: not, no and isn\'t, directly before spam.',
    "Is it spam or good?": 'When both words are said ("spam or good?"), nothing is decided: None.',
    "Spam.": "Models capitalise and punctuate: compare words in lower case, without marks.",
    "**Good**\n": "Models write **bold** and line breaks: compare words, without marks around them.",
    "This e-mail is spam": "The verdict may stand anywhere in the answer, not only at its beginning.",
    "This is not spam.": '"not spam" counts anywhere in the answer.',
    "The goods will be shipped tomorrow.": '"goods" is not "good": look for whole words.',
    "I would ask the spammer.": '"spammer" is not "spam": look for whole words.',
    "I cannot read e-mails.": UNDECIDED,
    "": "An empty answer is None.",
}


@check("15.2")
def check_read_answer(read_answer) -> str:
    """read_answer(text) → True (spam), False (good) or None."""
    order = ["spam", "good", "not spam", "It isn't spam!", "No spam here", *ANSWERS]
    for text in dict.fromkeys(order):
        got, wanted = read_answer(text), ANSWERS[text]
        many = isinstance(got, str) or (isinstance(got, np.ndarray) and got.size != 1)
        if got is not None and (many or got not in (True, False)):
            raise Hint(f"Return True, False or None, not {type(got).__name__}.")
        if (None if got is None else bool(got)) is wanted:
            continue
        if text in ("spam", "good"):
            raise Hint(NONE if got is None else f'"{text}" alone should give {wanted}: True is spam, False is good.')
        raise Hint(READER_HINTS.get(text, f"{text!r} should give {wanted}, you return {got}."))
    return "verdicts, negations, marks, and answers that decide nothing"


# ------------------------------------------------------------------ 15.3

CAMPAIGNS = ("a", "b", "a", "c", "d", "b", "e", "e", "f", "a", "g", "c")  # in order of arrival
DAYS = (1, 1, 2, 3, 5, 6, 6, 7, 8, 8, 9, 9)
CUTOFF = 6


def _split(campaigns, days, cutoff) -> tuple[list[int], list[int]]:
    train = [i for i, day in enumerate(days) if day < cutoff]
    seen, test = {campaigns[i] for i in train}, []
    for i, campaign in enumerate(campaigns):
        if i not in train and campaign not in seen:
            seen.add(campaign)
            test.append(i)
    return train, test


def _split_hint(train: list[int], test: list[int]) -> str:
    """What is wrong with a split of CAMPAIGNS."""
    right_train, right_test = _split(CAMPAIGNS, DAYS, CUTOFF)
    learnt = {CAMPAIGNS[i] for i in train}
    if set(train) & set(test):
        return "Some mails are in both sets."
    if any(DAYS[i] > CUTOFF for i in train):
        return "You learn from the future: mails after the cutoff are in the training set. Split by day, not at random."
    if any(DAYS[i] == CUTOFF for i in train):
        return "A mail that arrives on the day of the cutoff belongs to the test: train on days before it."
    if learnt & {CAMPAIGNS[i] for i in test}:
        return "A campaign that was trained on is in the test: the model only has to remember it. Drop it there."
    if set(train) < set(right_train):
        return "You dropped mails from the training set. Keep them all; a repeated campaign is dropped from the test."
    if len({CAMPAIGNS[i] for i in test}) < len(test):
        return "One campaign is in the test twice: sent often enough it would decide the score. Keep its first mail."
    if set(test) < set(right_test):
        return "The test lacks mails of campaigns that were never seen: keep the first mail of each."
    return f"You return {train} and {test}, expected {right_train} and {right_test}."


@check("15.3")
def check_split_without_leaks(split_without_leaks) -> str:
    """split_without_leaks(campaigns, days, cutoff) → (training indices, test indices)."""
    for case in ((CAMPAIGNS, DAYS, CUTOFF), (("x", "y", "y"), (4, 9, 9), 9), (("x", "x"), (1, 2), 2)):
        got = parts(split_without_leaks(list(case[0]), list(case[1]), case[2]), ("training indices", "test indices"))
        if any(part.dtype == bool for part in got):
            raise Hint("Indices are asked for, you returned a mask (np.flatnonzero helps).")
        if not all(np.isfinite(part).all() for part in got):
            raise Hint("Indices are whole numbers, some of yours are no numbers at all.")
        train, test = (sorted(int(i) for i in numbers(part, "the indices").ravel()) for part in got)
        wanted = _split(*case)
        if case[0] is CAMPAIGNS and (train, test) != wanted:
            if train and (min(train + test) < 0 or max(train + test) >= len(DAYS)):
                raise Hint("Some of your indices lie outside the list of mails.")
            raise Hint(_split_hint(train, test))
        if (train, test) != wanted:
            raise Hint(f"For campaigns {case[0]} on days {case[1]} with cutoff {case[2]}, expected {wanted}.")
    return "the past trains, the future tests, and no campaign does both"
