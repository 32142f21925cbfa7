"""Checks of chapter 26's first exercises: what may be a key, and how long an answer lives.

Each check asks for what a well-known mistake gets wrong, one case at a time, and says what it is.
"""

from workbench.checks.answers import NONE
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 26.1

CASES = [  # question, key, hint
    ("dark mode", "dark mode", "A question that is in order already should come back as it is."),
    ("Dark MODE", "dark mode", "Capitals are still there: two people type the same question differently."),
    ("  dark mode ", "dark mode", "Blanks at the ends are still there."),
    ("dark \t mode\n", "dark mode", "Blanks, tabs and line ends inside a question should become one blank."),
    ("5 to 3", "5 to 3", "You changed the order of the words, or dropped some: 5 to 3 is not 3 to 5."),
    ("dark mode?", "dark mode", "A question mark at the end should go."),
    ("dark mode ?!?", "dark mode", "Several signs at the end, with a blank before them, should all go."),
    ("dark mode?\n", "dark mode", "Cut the blanks first or together: a line end hides the question mark."),
    ("firmware 2.3?", "firmware 2.3", "You removed signs inside the question: 2.3 became another version."),
    ("is it -18 °C", "is it -18 °c", "You removed a minus or a unit: −18 °C and 18 °C have different answers."),
    (".5 degrees", ".5 degrees", "Cut at the end only: at the beginning a sign may be part of a number."),
    ("?? is it on", "?? is it on", "Cut at the end only: what stands at the beginning stays."),
    ("do not cancel", "do not cancel", "You dropped words. Without its 'not' it is the opposite question."),
    ("fridge 33, 3", "fridge 33, 3", "You dropped characters that stand there twice."),
    ("Straße?", "strasse", "lower() leaves some pairs apart, such as STRASSE and Straße. casefold() is made for it."),
]


@check("26.1")
def check_normalise(normalise) -> str:
    """normalise(question) → str."""
    for question, key, hint in CASES:
        got = normalise(question)
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, str):
            raise Hint(f"A key of text should be a str, not {type(got).__name__}.")
        if got != key:
            raise Hint(f"{hint} ({question!r} became {got!r}.)")
    return "one key for one question, and signs that matter stay"


# ------------------------------------------------------------------ 26.2


def _new(cache_class, size, ttl):
    cache = cache_class(size, ttl)
    if not (hasattr(cache, "get") and hasattr(cache, "put")):
        raise Hint("A cache needs the methods get(key, now) and put(key, value, now).")
    return cache


def _expect(got, wanted, hint: str) -> None:
    if got != wanted:
        raise Hint(f"{hint} (You answered {got!r}, expected {wanted!r}.)")


def _stores(cache_class) -> None:
    cache = _new(cache_class, 2, 10)
    _expect(cache.get("a", 0), None, "An empty cache answers None.")
    cache.put("a", 1, 0)
    _expect(cache.get("a", 1), 1, "What was put a second ago should be there.")
    cache.put("zero", 0, 1)
    _expect(cache.get("zero", 2), 0, "0 is an answer too: test for None or absence, not for truth.")
    other = _new(cache_class, 2, 10)
    _expect(other.get("a", 2), None, "Two caches share one store: create it in __init__, not in the class.")


def _expires(cache_class) -> None:
    cache = _new(cache_class, 2, 10)
    cache.put("a", 1, 0)
    _expect(cache.get("a", 8), 1, "An answer younger than ttl is served.")
    hint = "Reading renewed the lifetime. A popular answer would then never expire, however wrong it has become."
    _expect(cache.get("a", 12), None, hint)
    cache.put("b", 2, 20)
    _expect(cache.get("b", 30), None, "At the age of exactly ttl an answer is gone: served while age < ttl.")
    cache.put("b", 3, 40)
    cache.put("b", 4, 46)
    _expect(cache.get("b", 53), 4, "A new put begins a new lifetime, with the new value.")


def _evicts(cache_class) -> None:
    cache = _new(cache_class, 2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.put("c", 3, 2)
    held = [cache.get(key, 3) for key in "abc"]
    _expect(held.count(None), 1, "Three answers in a cache for two: exactly one should have gone.")
    _expect(held, [None, 2, 3], "You evicted the newest. The least recently used goes: here the oldest.")
    cache = _new(cache_class, 2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.get("a", 2)
    cache.put("c", 3, 3)
    hint = "That is first in, first out. a was read after b, so b goes: get must count as a use."
    _expect([cache.get(key, 4) for key in "abc"], [1, None, 3], hint)
    cache = _new(cache_class, 2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.put("b", 5, 2)
    _expect([cache.get(key, 3) for key in "ab"], [1, 5], "Replacing a value needs no room: nothing should be evicted.")
    cache = _new(cache_class, 2, 100)
    cache.put("a", 1, 0)
    cache.put("b", 2, 1)
    cache.put("a", 5, 2)
    cache.put("c", 3, 3)
    _expect([cache.get(key, 4) for key in "abc"], [5, None, 3], "put is a use too: a was written after b, so b goes.")


@check("26.2")
def check_cache(cache_class) -> str:
    """A class Cache(size, ttl) with get(key, now) and put(key, value, now)."""
    if not isinstance(cache_class, type):
        raise Hint("Give the check the class itself, Cache, not an object of it.")
    for scenario in (_stores, _expires, _evicts):
        scenario(cache_class)
    return "stores, expires from the put, and evicts the least recently used"


# ------------------------------------------------------------------ 26.3

REQUEST = {
    "question": "what is my door code",
    "tenant": "north",
    "private": True,
    "language": "en",
    "model": "m1",
    "prompt_version": 7,
    "request_id": "r-1",
    "time": 1000,
}


def _key(cache_key, **changes):
    got = cache_key(REQUEST | changes)
    if got is None:
        raise Hint(NONE)
    if isinstance(got, int):
        raise Hint("A hash is a number of few bits, and hash() of a text changes from process to process. "
                   "Return the parts themselves, as a tuple.")  # fmt: skip
    try:
        hash(got)
    except TypeError:
        raise Hint(f"A key must be hashable, and a {type(got).__name__} is not: return a tuple.") from None
    return got


@check("26.3")
def check_key(cache_key) -> str:
    """cache_key(request) → hashable."""
    public = {"question": "dark mode", "private": False}
    if _key(cache_key) == _key(cache_key, tenant="south"):
        raise Hint("Two customers share the answer to a private question. That is a leak: the key lacks its owner.")
    for name, value in (("model", "m2"), ("prompt_version", 8), ("language", "de"), ("question", "dark mode")):
        if _key(cache_key, **public | {name: value, "tenant": "x"}) == _key(
            cache_key, **public | {"tenant": "x"} | ({"question": "export"} if name == "question" else {})
        ):
            raise Hint(f"Requests that differ in {name} share an answer. It depends on {name}: put it into the key.")
    if _key(cache_key) != _key(cache_key, request_id="r-2"):
        raise Hint("Your key holds the request's id: no two requests will ever share an answer.")
    if _key(cache_key) != _key(cache_key, time=2000):
        raise Hint("Your key holds the time: no two requests will ever share an answer.")
    if _key(cache_key, **public) != _key(cache_key, **public, tenant="south"):
        raise Hint("Safe, and it gives the sharing away: a public answer does not depend on the customer.")
    glued = [{"tenant": "a", "question": "bc"}, {"tenant": "ab", "question": "c"}]
    models = [{"model": "m1", "language": "1"}, {"model": "m", "language": "11"}]
    marks = [{"tenant": t, "question": q} for t, q in (("a|b", "c"), ("a", "b|c"))]
    marks += [{"tenant": t, "question": q} for t, q in (("a:b", "c"), ("a", "b:c"))]
    for one, two in (glued, models, marks[:2], marks[2:]):
        if _key(cache_key, **one) == _key(cache_key, **two):
            raise Hint(
                f"Glued texts are ambiguous: {one} and {two} get the same key. Keep the parts apart, in a tuple."
            )
    return "private answers stay with their owner, public ones are shared, and nothing collides"
