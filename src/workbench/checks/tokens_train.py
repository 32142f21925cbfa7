"""Check of chapter 30's trainer: the most frequent pair of counted words, ties by the lowest pair."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from workbench.checks.answers import NONE
from workbench.checks.report import Hint, check
from workbench.checks.tokens import replaced


def _train(words: dict[bytes, int], count: int, *, weigh=True, tie=min, overlap=True, least=1, learnt_twice=False):
    state, merges = {word: list(word) for word in words}, {}
    while len(merges) < count:
        pairs: Counter = Counter()
        for word, ids in state.items():
            found = pairwise(ids)
            for pair in found if overlap else set(found):
                pairs[pair] += words[word] if weigh else 1
        top = max(pairs.values(), default=0)
        if top < least:
            break
        best = tie(pair for pair, n in pairs.items() if n == top)
        merges[best] = 256 + len(merges)
        state = {word: replaced(ids, best, merges[best]) for word, ids in state.items()}
    return merges


TRAIN_MISTAKES = {
    "You counted every word once. A pair occurs as often as its words do: add the word's count.": dict(weigh=False),
    "Ties: the lowest pair goes first. You took the highest.": dict(tie=max),
    "Ties: the lowest pair goes first. You took the one that came first.": dict(tie=lambda pairs: next(iter(pairs))),
    "A pair that occurs twice in a word counts twice.": dict(overlap=False),
}
TRAIN_CASES = [
    ({b"low": 5, b"lower": 2, b"newest": 6, b"widest": 3}, 8),
    ({b"abab": 1, b"cd": 1, b"ce": 1}, 3),
    ({b"zyzy": 3, b"bcbc": 3, b"xxxx": 2}, 5),
    ({b"banana": 4, b"bandana": 2, b"anna": 5, b"nab": 7}, 10),
    ({b"ab": 2}, 5),
    ({b"": 3, b"q": 1}, 2),
]


@check("30.5")
def check_learn_merges(learn_merges: Callable) -> str:
    """learn_merges(words, count) → dict (int, int) → int.  words: bytes → how often."""
    for words, count in TRAIN_CASES:
        got, wanted = learn_merges(dict(words), count), _train(words, count)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, dict):
            raise Hint(f"Return the merges as a dict from pair to number, not {type(got).__name__}.")
        if list(got.items()) == list(wanted.items()):
            continue
        if list(got) == list(wanted):
            raise Hint("Right pairs, wrong numbers: the first merge is 256, where the bytes end.")
        named = (hint for hint, how in TRAIN_MISTAKES.items() if list(got) == list(_train(words, count, **how)))
        raise Hint(next(named, f"{words}: your pairs are {list(got)}, expected {list(wanted)}."))
    return "equal to counting everything anew each time, ties and exhausted words included"
