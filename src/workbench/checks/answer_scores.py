"""Checks of chapter 40: words of an answer, token F1, the best of several keys, and what declining is worth.

Each check asks for what a well-known mistake gets wrong, and knows the mistake by what it returns.
"""

from collections import Counter

from workbench.checks.answers import NONE, number, parts
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 40.1


def _list(answer) -> list[str]:
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, list | tuple) or not all(isinstance(word, str) for word in answer):
        raise Hint(f"Return a list of str, not {type(answer).__name__}.")
    return list(answer)


WORDS = (
    ("Port 5555", ["port", "5555"], "Capitals are still there: casefold() the text."),
    ("No.", ["no"], "A sign at the end of a word is still there: 'No.' should give ['no']."),
    ('(yes), "no"!', ["yes", "no"], "Signs around a word should go: '(yes),' gives 'yes'."),
    ("0.1 s", ["0.1", "s"], "The decimal point is gone: '0.1' must stay one word, or a factor of ten goes unseen."),
    ("cache.enable_memory", ["cache.enable_memory"], "A name with a dot in it should stay one word."),
    (
        "--connect=under-reset",
        ["connect=under-reset"],
        "Only signs at the ends go; inside '--connect=under-reset' they stay.",
    ),
    ("a port, the PORT", ["port", "port"], "Articles a, an, the should go, and repeated words stay."),
    ("  two\t\nblanks ", ["two", "blanks"], "Any run of blanks, tabs and line ends separates words."),
    ("...", [], "What is only signs is no word: '...' gives []."),
    ("", [], "An empty text has no words: []."),
)


@check("40.1")
def check_words(words) -> str:
    """words(text) → the words of a text: casefolded, cut at blanks, signs cut at both ends, no articles."""
    for text, wanted, hint in WORDS:
        if _list(words(text)) != wanted:
            raise Hint(hint)
    return "signs inside a word stay, signs around it go"


# ------------------------------------------------------------------ 40.2


def overlap(answer: list[str], key: list[str]) -> float:
    """Token F1 by taking words away one by one."""
    left, common = list(key), 0
    for word in answer:
        if word in left:
            left.remove(word)
            common += 1
    return 2 * common / (len(answer) + len(key)) if common else 0.0


def _as_sets(answer, key):
    common = len(set(answer) & set(key))
    return 2 * common / (len(set(answer)) + len(set(key))) if common else 0.0


def _every_hit(answer, key):
    common = sum(word in key for word in answer)
    return 2 * common / (len(answer) + len(key)) if common else 0.0


def _precision(answer, key):
    return (Counter(answer) & Counter(key)).total() / len(answer) if answer else 0.0


def _recall(answer, key):
    return (Counter(answer) & Counter(key)).total() / len(key) if key else 0.0


def _mean(answer, key):
    return (_precision(answer, key) + _recall(answer, key)) / 2


MISTAKES = (
    (_as_sets, "You compared sets: a word that the key has twice counts twice."),
    (_every_hit, "A repeated word in the answer can be matched only as often as the key has it."),
    (
        _precision,
        "That is precision, the share of the answer that is right. F1 also asks how much of the key was found.",
    ),
    (_recall, "That is recall, the share of the key that was found. A longer answer should cost something."),
    (_mean, "That is the plain mean of precision and recall. F1 is the harmonic mean: 2c / (p + k)."),
)
PAIRS = (
    (["port", "5555"], ["5555"]),
    (["5555", "5555", "5555"], ["5555"]),
    (["a1", "a1", "b"], ["a1", "a1"]),
    (["no"], ["no"]),
    (["one", "two", "three"], ["three", "four", "two", "five"]),
)


@check("40.2")
def check_f1(f1) -> str:
    """f1(answer, key), lists of words → 2 × common / (words of both), common counted with repetition."""
    got = [number(f1(list(a), list(k)), "F1") for a, k in PAIRS]
    for mistake, hint in MISTAKES:
        wrong = [mistake(a, k) for a, k in PAIRS]
        if wrong != [overlap(a, k) for a, k in PAIRS] and _near(got, wrong):
            raise Hint(hint)
    for (a, k), value in zip(PAIRS, got, strict=True):
        if abs(value - overlap(a, k)) > 1e-9:
            raise Hint(f"For {a} and {k} you have {value:.3f}, expected {overlap(a, k):.3f}.")
    for a, k in ((["x"], ["y"]), ([], ["y"]), (["x"], [])):
        if number(f1(a, k), "F1") != 0:
            raise Hint(f"Nothing in common is 0, also when one side is empty: {a} and {k}.")
    return "repetition counts as often as the key has it, and every extra word costs"


def _near(got, wanted) -> bool:
    return all(abs(a - b) <= 1e-9 for a, b in zip(got, wanted, strict=True))


# ------------------------------------------------------------------ 40.3

KEYS = (
    ("eight bytes", ["8", "8 bytes", "eight bytes"], 1.0),
    ("8", ["8", "8 bytes"], 1.0),
    ("the port 5555", ["5555", "port 5555"], 0.8),
    ("nothing", ["no", "none"], 0.0),
)


def _plain(answer: str, key: str) -> float:
    return overlap(answer.split(), key.split())


@check("40.3")
def check_best(best) -> str:
    """best(answer, keys, f1) → the best F1 of the answer over its accepted keys."""
    got = [number(best(a, list(keys), _plain), "the best score") for a, keys, _ in KEYS]
    if _near(got, [_plain(a, keys[0]) for a, keys, _ in KEYS]):
        raise Hint("You looked at the first key only: the others are accepted too.")
    if _near(got, [sum(_plain(a, k) for k in keys) / len(keys) for a, keys, _ in KEYS]):
        raise Hint("That is the mean over keys: a right answer would be punished for each other way to say it.")
    if _near(got, [_plain(a, " ".join(keys)) for a, keys, _ in KEYS]):
        raise Hint("You joined the keys into one: no single answer could reach full marks.")
    if _near(got, [min(_plain(a, k) for k in keys) for a, keys, _ in KEYS]):
        raise Hint("That is the worst match. One accepted key is enough.")
    for (answer, keys, wanted), value in zip(KEYS, got, strict=True):
        if not _near([value], [wanted]):
            raise Hint(f"For {answer!r} and {keys} you have {value:.3f}, expected {wanted:.3f}.")
    return "one accepted wording is enough"


# ------------------------------------------------------------------ 40.4

CASES = (  # (declined, answerable), precision, recall
    (([1, 1, 0, 0, 0], [0, 1, 0, 1, 1]), 0.5, 0.5),
    (([1, 1, 1, 1], [1, 1, 1, 0]), 0.25, 1.0),
    (([0, 1, 0, 0, 1, 0], [0, 0, 0, 1, 0, 1]), 1.0, 0.5),
)


@check("40.4")
def check_declining(declining) -> str:
    """declining(declined, answerable), lists of bool → (precision, recall) of saying "I do not know"."""
    got = []
    for (declined, answerable), _, _ in CASES:
        answer = declining([bool(d) for d in declined], [bool(a) for a in answerable])
        precision, recall = parts(answer, ("precision", "recall"))
        got.append((number(precision, "precision"), number(recall, "recall")))
    wanted = [(p, r) for _, p, r in CASES]
    if _pairs(got, [(r, p) for p, r in wanted]):
        raise Hint("Precision and recall are swapped: precision is a share of the declined questions.")
    if _pairs(got, [_of_answerable(d, a) for (d, a), _, _ in CASES]):
        raise Hint("You counted declined *answerable* questions as right. Declining is right where there is no answer.")
    if _pairs(got, [(_agree(d, a), _agree(d, a)) for (d, a), _, _ in CASES]):
        raise Hint("That is accuracy. Precision and recall look at declined questions and at unanswerable ones.")
    for (case, p, r), (precision, recall) in zip(CASES, got, strict=True):
        if abs(precision - p) > 1e-9 or abs(recall - r) > 1e-9:
            raise Hint(
                f"For declined {case[0]}, answerable {case[1]} you have {precision:.2f}, {recall:.2f}, not {p}, {r}."
            )
    if number(parts(declining([False], [False]), ("precision", "recall"))[0], "precision") != 0:
        raise Hint("Nothing declined: call the precision 0, do not divide by zero.")
    if number(parts(declining([True], [True]), ("precision", "recall"))[1], "recall") != 0:
        raise Hint("Nothing unanswerable: call the recall 0, do not divide by zero.")
    return "either alone can be won by a constant; together they cannot"


def _pairs(got, wanted) -> bool:
    return all(_near(a, b) for a, b in zip(got, wanted, strict=True))


def _of_answerable(declined, answerable) -> tuple[float, float]:
    hits = sum(d and a for d, a in zip(declined, answerable, strict=True))
    return hits / max(1, sum(declined)), hits / max(1, sum(answerable))


def _agree(declined, answerable) -> float:
    return sum(d != a for d, a in zip(declined, answerable, strict=True)) / len(declined)
