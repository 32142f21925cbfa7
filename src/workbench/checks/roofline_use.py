"""Checks of chapter 20's last exercises: predict tokens per second, choose the change that helps."""

from workbench.checks.answers import NONE, number
from workbench.checks.report import Hint, check
from workbench.checks.roofline import recognise

# ------------------------------------------------------------------ 20.5

# weights, bits per weight, layers, key-value width, context, users, GB/s.  Keys and values: two bytes a number.
SERVICES = (
    dict(parameters=135e6, bits=32, layers=30, kv_width=192, context=2000, users=1, gb_per_s=20.0),
    dict(parameters=8e9, bits=4.5, layers=32, kv_width=1024, context=8000, users=16, gb_per_s=900.0),
    dict(parameters=1e9, bits=16, layers=16, kv_width=512, context=500, users=4, gb_per_s=60.0),
)


def _rate(parameters, bits, layers, kv_width, context, users, gb_per_s, **other) -> float:
    """Tokens per second of all users together; `other` spoils one part of the formula."""
    weights = parameters * bits / 8 * other.get("weights_times", 1)
    cache = 2 * 2 * layers * kv_width * context * other.get("cache_times", users)
    return users * gb_per_s * other.get("giga", 1e9) / (weights + cache) * other.get("scale", 1)


def _rate_mistakes(service: dict) -> dict[str, float]:
    users = service["users"]
    spoilt = {
        "You forgot the keys and values. Each step reads those of every token before, for every user.": dict(
            cache_times=0
        ),
        "You read the weights once per user. A step reads them once for all of them: that is why batching pays.": dict(
            weights_times=users
        ),
        "Each user has keys and values of their own: that part grows with users.": dict(cache_times=1),
        "That is one user's rate. A step writes one token for each user; all together are asked for.": dict(
            scale=1 / users
        ),
        "You took bits for bytes: divide by eight.": dict(weights_times=8),
        "A GB of bandwidth is 10⁹ bytes; you took a GiB.": dict(giga=2**30),
        "You counted keys and forgot the values (or one byte for two): 2 × 2 bytes a token, layer and column.": dict(
            cache_times=users / 2
        ),
        "That is seconds per 10⁹ tokens: you forgot the giga in GB.": dict(giga=1),
    }
    return {hint: _rate(**service, **how) for hint, how in spoilt.items()}


@check("20.5")
def check_tokens_per_s(tokens_per_s) -> str:
    """tokens_per_s(parameters, bits, layers, kv_width, context, users, gb_per_s) → tokens a second, all users."""
    for service in reversed(SERVICES):
        got = number(tokens_per_s(**service), "the rate")
        recognise(got, _rate(**service), _rate_mistakes(service), "tokens per second")
    return "weights shared, keys and values not: right for one user and for sixteen"


# ------------------------------------------------------------------ 20.6

# seconds of reading, arithmetic, overhead; changes: name → the factor by which each term's time is multiplied
CASES = (
    (
        dict(reading=50.0, arithmetic=3.0, overhead=7.0),
        {
            "int8 arithmetic": dict(arithmetic=0.1),
            "4-bit weights": dict(reading=0.25, arithmetic=4.0),
            "compiled engine": dict(overhead=0.1),
        },
    ),
    (
        dict(reading=4.0, arithmetic=30.0, overhead=1.0),
        {
            "4-bit weights": dict(reading=0.1, arithmetic=1.3),
            "int8 arithmetic": dict(arithmetic=0.5, reading=0.5),
            "compiled engine": dict(overhead=0.01),
        },
    ),
    (
        dict(reading=6.0, arithmetic=2.0, overhead=9.0),
        {
            "int8 everything": dict(reading=0.25, arithmetic=0.5),
            "compiled engine": dict(overhead=0.2),
            "8-bit weights": dict(reading=0.3, arithmetic=1.5),
        },
    ),
    (
        dict(reading=10.0, arithmetic=9.0, overhead=0.5),
        {
            "4-bit weights": dict(reading=0.2, arithmetic=2.5),
            "prune a fifth": dict(reading=0.8, arithmetic=0.8),
            "compiled engine": dict(overhead=0.5),
        },
    ),
    (
        dict(reading=5.0, arithmetic=5.0, overhead=2.0),
        {
            "4-bit weights": dict(reading=0.5, arithmetic=2.0),
            "debug build": dict(overhead=2.0),
        },
    ),
)


def _after(terms: dict, factors: dict) -> float:
    return sum(terms[name] * factors.get(name, 1.0) for name in terms)


def _best(terms: dict, changes: dict) -> tuple[str | None, float]:
    before = sum(terms.values())
    gains = {name: before / _after(terms, factors) for name, factors in changes.items()}
    name = max(gains, key=gains.get)
    return (name, gains[name]) if gains[name] > 1 else (None, 1.0)


def _name_mistakes(terms: dict, changes: dict) -> dict[str, str]:
    largest = max(terms, key=terms.get)
    return {
        "You looked at the largest term alone. A change may lengthen another one: add all three.": min(
            changes, key=lambda name: changes[name].get(largest, 1.0)
        ),
        "You looked for the largest term left (max); on this machine the terms add up.": min(
            changes, key=lambda name: max(terms[t] * changes[name].get(t, 1.0) for t in terms)
        ),
        "You chose the change with the most impressive factor. What counts is the time that is left: the sum of all "
        "terms.": min(changes, key=lambda name: min(changes[name].values())),
    }


@check("20.6")
def check_best_change(best_change) -> str:
    """best_change(terms, changes) → (name, speed-up) of the change that helps most; (None, 1.0) if none helps."""
    for terms, changes in CASES:
        got = best_change(dict(terms), {name: dict(factors) for name, factors in changes.items()})
        if got is None:
            raise Hint(NONE)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise Hint("Return two things: the name of the change and its speed-up.")
        _judge_change(got[0], got[1], terms, changes)
    return "five cases, one of them better left alone"


def _judge_change(name, gain, terms: dict, changes: dict) -> None:
    wanted, speed_up = _best(terms, changes)
    if not (name is None or (isinstance(name, str) and name in changes)):
        shown = " ".join(repr(name).split())[:80]
        raise Hint(f"The first thing is a name out of {', '.join(changes)}, or None; you returned {shown}.")
    if name != wanted:
        if wanted is None:
            raise Hint("Here every change makes it slower. Then the answer is (None, 1.0).")
        for hint, mistake in _name_mistakes(terms, changes).items():
            if name == mistake:
                raise Hint(hint)
        raise Hint(f"Of {', '.join(changes)} you chose {name}; add up what is left of the three terms for each.")
    mistakes = {
        "That is the share of time left. A speed-up is the time before over the time after.": 1 / speed_up,
        "That is the share of time saved. A speed-up is the time before over the time after.": 1 - 1 / speed_up,
    }
    if wanted is not None:
        touched = changes[wanted]
        alone = sum(terms[t] for t in touched) / sum(terms[t] * f for t, f in touched.items())
        mistakes["That is the speed-up of the terms that change. The others still take their time (Amdahl)."] = alone
    recognise(number(gain, "the speed-up"), speed_up, mistakes, "The speed-up")
