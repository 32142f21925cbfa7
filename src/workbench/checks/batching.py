"""Checks of chapter 21's first exercises: the gain of a batch, what padding wastes, vectors back in their order.

Each check computes the right answer in another way than the chapter does, and the answers of well-known slips, so
that a hint can name the slip.
"""

import numpy as np

from workbench.checks.answers import NONE, number, numbers
from workbench.checks.napkin import must_refuse
from workbench.checks.queueing import recognise
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 21.1


def _gain_slips(shared: float, own: float, b: int) -> dict[str, float]:
    alone, together = shared + own, shared + own * b
    return {
        "That is how much longer the batch takes. Asked for is throughput: b answers in that time.": together / alone,
        "You forgot that a batch gives b answers: multiply by b.": alone / together,
        "That is the limit for endless batches, 1 + a/c. This batch has b requests.": 1 + shared / own,
        "That would be the gain if requests shared everything. Each pays for itself as well.": float(b),
        "Upside down: batched throughput over throughput one by one is asked for.": together / (alone * b),
        "You pay the shared part b times in the batch. It is paid once.": alone * b / (b * shared + own * b),
        "You left the shared part out of the single request: alone, it pays both.": b * own / together,
        "You left the own part out of the single request: alone, it pays both.": b * shared / together,
        "That is a throughput. Divide it by the throughput one by one.": b / together,
    }


@check("21.1")
def check_batch_gain(batch_gain) -> str:
    """batch_gain(shared_s, own_s, b) → throughput of batches of b over batches of one."""
    for shared, own, b in ((0.012, 0.0015, 16), (0.0004, 0.021, 8), (0.02, 0.005, 4)):
        got = np.array(number(batch_gain(shared, own, b), "The gain"))
        wanted = np.array((b / (shared + own * b)) / (1 / (shared + own)))
        recognise(got, wanted, {hint: np.array(v) for hint, v in _gain_slips(shared, own, b).items()}, "The gain")
    must_refuse(batch_gain, (0.01, 0.001, 0), "A batch of nobody")
    return "right for a search, for an encoder, and for something between"


# ------------------------------------------------------------------ 21.2


def _rectangles(lengths: np.ndarray, size: int) -> list[tuple[int, int]]:
    """(texts, longest) of each batch, in the order given."""
    parts = [lengths[i : i + size] for i in range(0, len(lengths), size)]
    return [(len(part), int(part.max())) for part in parts]


def _waste_slips(lengths: np.ndarray, size: int) -> dict[str, float]:
    needed, shapes = lengths.sum(), _rectangles(lengths, size)
    computed = sum(n * longest for n, longest in shapes)
    whole = len(lengths) // size * size
    parts = [lengths[i : i + size] for i in range(0, len(lengths), size)]
    by_length = sum(n * longest for n, longest in _rectangles(np.sort(lengths), size))
    return {
        "That is padding per *needed* token. A share of the computed tokens is asked for.": computed / needed - 1,
        "That is the share that was needed. The rest is padding.": needed / computed,
        "You padded to the longest of all texts. A batch is padded to the longest of its own.": (
            1 - needed / (len(lengths) * lengths.max())
        ),
        "The last batch is smaller: it has no rows for texts that do not exist.": (
            1 - needed / sum(size * longest for _, longest in shapes)
        ),
        "You left out the last, smaller batch. It is computed too.": (
            1 - lengths[:whole].sum() / sum(n * longest for n, longest in shapes if n == size)
        ),
        "You averaged the batches' shares. A batch of long texts is more work: add the tokens first.": float(
            np.mean([1 - part.sum() / (len(part) * part.max()) for part in parts])
        ),
        "You sorted the texts. The order given is the order in which they come.": 1 - needed / by_length,
        "That is a number of tokens. Divide by the computed ones.": float(computed - needed),
    }


@check("21.2")
def check_padding_share(padding_share) -> str:
    """padding_share(lengths, size) → share of the computed tokens that are padding, in the order given."""
    rng = np.random.default_rng(212)
    for n, size in ((23, 4), (50, 16), (9, 2)):
        lengths = rng.integers(3, 90, n)
        got = np.array(number(padding_share(lengths.copy(), size), "The share"))
        slips = {hint: np.array(value) for hint, value in _waste_slips(lengths, size).items()}
        computed = np.concatenate([np.full(k, longest) for k, longest in _rectangles(lengths, size)])
        recognise(got, np.array(np.mean(computed - lengths) / np.mean(computed)), slips, "The share of padding")
    alone = number(padding_share(np.array([7, 30, 4]), 1), "The share")
    if abs(alone) > 1e-9:
        raise Hint("One by one nothing is padded: the share is 0.")
    return "equal to counting the cells of every rectangle"


# ------------------------------------------------------------------ 21.3


class Encoder:
    """Stands in for a model: text → (its number, its length); remembers what it was asked."""

    def __init__(self):
        self.asked: list[list[str]] = []

    def __call__(self, texts) -> np.ndarray:
        self.asked.append([str(text) for text in texts])
        return np.array([[float(text.split()[0]), len(text)] for text in self.asked[-1]])

    def computed(self) -> int:
        return sum(len(batch) * max(map(len, batch)) for batch in self.asked if batch)


def _texts() -> list[str]:
    rng = np.random.default_rng(213)
    return [f"{i} " + "x" * int(rng.integers(1, 200)) for i in range(37)]


@check("21.3")
def check_embed_sorted(embed_sorted) -> str:
    """embed_sorted(texts, encode, size) → vectors (len(texts), …), in the order of texts, encoded in sorted batches."""
    texts, size, encoder = _texts(), 8, Encoder()
    answer = embed_sorted(list(texts), encoder, size)
    if answer is None:
        raise Hint(NONE)
    got, wanted = numbers(answer, "The vectors"), Encoder()(texts)
    if not encoder.asked:
        raise Hint("You never called encode: it turns a list of texts into their vectors.")
    if max(map(len, encoder.asked)) > size:
        raise Hint(f"A batch of {max(map(len, encoder.asked))} texts, where {size} is the most.")
    if got.shape != wanted.shape:
        raise Hint(f"One vector for each of {len(texts)} texts: shape {wanted.shape}, you returned {got.shape}.")
    order = np.argsort([len(text) for text in texts], kind="stable")
    if not np.array_equal(got, wanted):
        for name in (order, order[::-1]):
            if np.array_equal(got, wanted[name]):
                raise Hint("Good vectors, of other texts: put each back where its text stands.")
            if np.array_equal(got, wanted[name][name]):
                raise Hint("You applied the order a second time. Undo it: vectors[order] = …, on the left.")
        raise Hint("A text got another's vector. Write each batch's vectors to the positions its texts came from.")
    if len(encoder.asked) == len(texts):
        raise Hint(f"You encode one by one. Batches of up to {size} are asked for.")
    right = Encoder()
    for i in range(0, len(order), size):
        right([texts[k] for k in order[i : i + size]])
    if encoder.computed() > 1.1 * right.computed():
        more = encoder.computed() / right.computed()
        raise Hint(f"Your batches compute {more:.1f} times what sorted ones do: sort by length before cutting.")
    return "sorted inside, in order outside"
