"""Checks of chapter 24's counting exercises: positions, bytes of a configuration, conversations in pages.

Each check compares with an independent reference and knows common mistakes by the numbers they return.
"""

from collections.abc import Callable

from workbench.checks.answers import number, same
from workbench.checks.report import Hint, check


def tell_apart(got: float, wanted: float, mistakes: dict[str, float], what: str) -> None:
    """Pass when `got` is `wanted`; else raise the hint of the first mistake that returns it, or a plain one."""
    if same(got, wanted):
        return
    for hint, value in mistakes.items():
        if same(got, value):
            raise Hint(hint)
    raise Hint(f"{what}: you have {got:,.6g}, expected {wanted:,.6g}.")


# ------------------------------------------------------------------ 24.1


def _positions(prompt: int, new: int, cached: bool) -> int:
    """By playing it: which positions does each pass read?"""
    known, length, read = 0, prompt, 0
    for _ in range(new):
        read += length - known
        known = length if cached else 0
        length += 1
    return read


def _cached_mistakes(prompt: int, new: int) -> dict[str, float]:
    return {
        "You count the last token too. It is written, and never read: nothing comes after it.": prompt + new,
        "You forgot the prompt. It has to be read once, cache or not.": new - 1,
        "You forgot the prompt, and you count the last token, which nobody reads.": new,
        "With a cache each position is read once; you have the sum without one. Is the flag the wrong way round?": (
            _positions(prompt, new, cached=False)
        ),
    }


def _plain_mistakes(prompt: int, new: int) -> dict[str, float]:
    return {
        "Every pass of yours reads the finished text. The first one reads only the prompt.": (prompt + new) * new,
        "Every pass of yours reads the text of the last pass. The first one reads only the prompt.": (
            (prompt + new - 1) * new
        ),
        "Off by one: the first new token is written after reading the prompt, not the prompt and one more.": (
            _positions(prompt + 1, new, cached=False)
        ),
        "You read the prompt once only. Without a cache every pass reads it again.": prompt + new * (new - 1) // 2,
        "You forgot the prompt: without a cache every pass reads it again.": new * (new - 1) // 2,
        "That is the number with a cache. Without one, every pass reads everything.": prompt + new - 1,
    }


@check("24.1")
def check_positions_read(positions_read: Callable) -> str:
    """positions_read(prompt, new, cached) → how many positions are processed in all."""
    for prompt, new in ((16, 256), (7, 5), (100, 3), (5, 1)):
        for cached, mistakes in ((True, _cached_mistakes), (False, _plain_mistakes)):
            got = number(positions_read(prompt, new, cached), "the count")
            what = f"{new} new tokens after {prompt}, {'with' if cached else 'without'} a cache"
            tell_apart(got, _positions(prompt, new, cached), mistakes(prompt, new), what)
    for cached in (True, False):
        if number(positions_read(9, 0, cached), "the count") != 0:
            raise Hint("No new token, no pass: for new = 0 nothing is read, the prompt neither.")
    return "equal to playing it pass by pass, with one new token and with none too"


# ------------------------------------------------------------------ 24.2

CONFIGS = [
    dict(hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3),
    dict(hidden_size=4096, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, vocab_size=128_256),
    dict(hidden_size=640, num_hidden_layers=18, num_attention_heads=4, num_key_value_heads=1, head_dim=256),
    dict(hidden_size=4096, num_hidden_layers=31, num_attention_heads=32),  # no grouping: the field is left out
    dict(hidden_size=2560, num_hidden_layers=36, num_attention_heads=20, num_key_value_heads=4, head_dim=None),
]


def _parts(config: dict) -> tuple[int, int, int, int, int]:
    """(layers, query heads, key/value heads, head width, hidden size) of a configuration."""
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    return (
        config["num_hidden_layers"],
        heads,
        config.get("num_key_value_heads") or heads,
        width,
        config["hidden_size"],
    )


def _memory_mistakes(config: dict, tokens: int, batch: int, size: int) -> dict[str, float]:
    layers, heads, kv_heads, width, hidden = _parts(config)
    one = layers * kv_heads * width * tokens * batch * size  # keys only, in bytes
    right = 2 * one / 2**30
    return {
        "Keys *and* values are kept: a factor of two is missing.": right / 2,
        "You count query heads; only key/value heads are kept. (Hidden size over *key/value* heads as a head's width "
        "comes to the same.)": right * heads / kv_heads,
        "That is GB, powers of ten. GiB are asked for: divide by 2**30.": 2 * one / 1e9,
        "Every conversation has a cache of its own: the batch is missing.": right / batch,
        "Every layer has a cache of its own: the number of layers is missing.": right / layers,
        "The configuration says head_dim, and it is not hidden_size over heads: use it where it is given.": (
            right / width * (hidden // heads)
        ),
        "You used the hidden size as the width of a head.": right / width * hidden,
        "bytes_per_number is given in bytes already; you have bits.": right * 8,
        "That is bytes. GiB are asked for.": right * 2**30,
        "That is MiB. GiB are asked for.": right * 2**10,
        "That is one token's share: the number of tokens is missing.": right / tokens,
    }


def _call_with(cache_gib: Callable, config: dict, *rest) -> float:
    try:
        return number(cache_gib(dict(config), *rest), "the memory")
    except KeyError as missing:
        name = missing.args[0] if missing.args else "?"
        cure = {
            "num_key_value_heads": "A model without grouped heads leaves num_key_value_heads out: then every query "
            "head has its own.",
            "head_dim": "Many configurations leave head_dim out: then it is hidden_size over query heads.",
        }
        raise Hint(cure.get(name, f"This configuration has no field {name!r}.")) from None
    except TypeError:
        if config.get("head_dim", 1) is None:
            raise Hint("head_dim can be there and be None: treat that like a missing field.") from None
        raise


@check("24.2")
def check_cache_gib(cache_gib: Callable) -> str:
    """cache_gib(config, tokens, batch, bytes_per_number) → GiB; config has the field names of a config.json."""
    for config in CONFIGS:
        for tokens, batch, size in ((4096, 3, 2), (700, 5, 1)):
            layers, _, kv_heads, width, _ = _parts(config)
            got = _call_with(cache_gib, config, tokens, batch, size)
            wanted = sum(size for _ in ("k", "v")) * layers * kv_heads * width * tokens * batch / 2**30
            tell_apart(got, wanted, _memory_mistakes(config, tokens, batch, size), "GiB")
    return "right for grouped and ungrouped heads, with head_dim given, missing and None"


# ------------------------------------------------------------------ 24.6


def _admitted(lengths, memory, weights, per_token, page, *, pages_of=None, budget=None, skip=False, strict=False):
    """How many conversations get in, by handing out pages one conversation after the other."""
    free = max(0, memory - weights) // (page * per_token) if budget is None else budget
    count = 0
    for length in lengths:
        need = -(-length // page) if pages_of is None else pages_of(length)
        if need > free or (strict and need == free):
            if skip:
                continue
            break
        free, count = free - need, count + 1
    return count


def _pages_mistakes(lengths, memory, weights, per_token, page) -> dict[str, float]:
    case = (lengths, memory, weights, per_token, page)
    tokens = max(0, memory - weights) // per_token
    return {
        "You let later conversations overtake one that does not fit. The first that does not fit stops the queue.": (
            _admitted(*case, skip=True)
        ),
        "You forgot the weights: they lie in the same memory.": _admitted(*case, budget=memory // (page * per_token)),
        "A page belongs to one conversation: its last, half-filled page counts whole. Round up, per conversation.": (
            _admitted(*case, pages_of=lambda length: length, budget=tokens)
        ),
        "You round the pages of a conversation down; the last tokens need a page too.": (
            _admitted(*case, pages_of=lambda length: length // page)
        ),
        "Always one page more than needed: a length that fills its pages exactly needs no further one.": (
            _admitted(*case, pages_of=lambda length: length // page + 1)
        ),
        "You reserve the longest conversation's pages for each. Pages are handed out by need.": (
            _admitted(*case, pages_of=lambda length: -(-max(lengths) // page)) if lengths else 0
        ),
        "A conversation that takes exactly the last free page fits.": _admitted(*case, strict=True),
        "You took page for a size in bytes; it is a number of tokens.": _admitted(
            *case, budget=max(0, memory - weights) // page
        ),
    }


PAGED = [  # lengths, memory, weights, bytes per token, tokens per page; in the first, mistakes differ from each other
    ([48, 64, 32, 16, 64, 48, 31, 20, 17, 33, 32, 5, 31, 17, 64, 130], 602_000, 176_000, 1000, 16),
    ([100, 500, 300, 40, 900, 60], 2_000_000, 900_000, 1000, 16),
    ([33, 33, 33, 33, 33, 33], 260_000, 100_000, 1000, 16),
    ([17, 17, 17, 17, 17], 80_000, 16_000, 1000, 16),
    ([32, 16, 48, 16, 9], 130_000, 18_000, 1000, 16),
    ([10, 700, 10, 10, 10], 400_000, 0, 1000, 16),
    ([15, 31, 15, 31, 15, 31], 96_000, 32_000, 1000, 16),
    ([64, 64, 64], 250_000, 50_000, 1000, 16),
]


@check("24.6")
def check_admitted(admitted: Callable) -> str:
    """admitted(lengths, memory, weights, bytes_per_token, page) → how many of the queue get in."""
    for case in PAGED:
        got = number(admitted(list(case[0]), *case[1:]), "the number of conversations")
        tell_apart(got, _admitted(*case), _pages_mistakes(*case), f"Conversations of {case[0]} tokens")
    if number(admitted([5, 5], 1000, 4000, 10, 16), "the number of conversations") != 0:
        raise Hint("The weights alone do not fit: then no conversation gets in, and no negative number either.")
    if number(admitted([], 1000, 0, 1, 16), "the number of conversations") != 0:
        raise Hint("An empty queue admits nobody.")
    return "equal to handing out pages one by one: full pages, the queue's order, weights that do not fit"
