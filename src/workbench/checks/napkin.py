"""Checks of chapter 11: sizes on a napkin.

Each check computes the right answer and the answers of well-known slips on cases where they all differ, so that a
hint can name the slip.  References are written out in base units, step by step.
"""

import math
from collections.abc import Callable
from fractions import Fraction

from workbench.checks.answers import number
from workbench.checks.report import Hint, check

Slips = dict[str, float]


def _same(a: float, b: float, rtol: float = 1e-6) -> bool:
    return math.isclose(a, b, rel_tol=rtol, abs_tol=1e-12)


def _judge(answer, wanted: float, slips: Slips, what: str, unit: str) -> None:
    """Accept `wanted`; refuse with the hint of the slip that gives this answer, or with both numbers."""
    got = number(answer, what)
    if _same(got, wanted):
        return
    for hint, value in slips.items():
        if _same(got, value):
            raise Hint(hint)
    raise Hint(f"{what} should be {wanted:.6g} {unit} here, you returned {got:.6g}.")


def must_refuse(function: Callable, arguments: tuple, because: str) -> None:
    """The learner's function must raise ValueError for these arguments."""
    try:
        answer = function(*arguments)
    except ValueError:
        return
    except NotImplementedError:
        raise
    except Exception as error:
        raise Hint(f"{because}: raise ValueError, not {type(error).__name__}.") from None
    raise Hint(f"{because}: raise ValueError. You returned {answer!r}.")


# ------------------------------------------------------------------ 11.1


@check("11.1")
def check_peak_requests_per_s(peak_requests_per_s) -> str:
    """peak_requests_per_s(people, requests_each_per_day, active_h, peak_factor) → requests per second."""
    for people, each, active_h, factor in ((500, 12, 8, 2.0), (30_000, 4, 10, 3.5)):
        a_day, active_s = people * each, active_h * 60 * 60
        slips = {
            "You spread the requests over 24 hours. Nobody asks at night: divide by the active hours only.": (
                a_day / 86_400 * factor
            ),
            "That is the mean. What must be served is the peak: multiply by the peak factor.": a_day / active_s,
            "You divided by the peak factor. The busiest time has more than the mean, not less.": (
                a_day / active_s / factor
            ),
            "That is per hour. An hour has 3,600 seconds.": a_day / active_h * factor,
            "That is per minute. An hour has 3,600 seconds, not 60.": a_day / (active_h * 60) * factor,
            "That is one person's rate: multiply by the people.": each / active_s * factor,
            "You took requests per person for the requests of all: multiply by requests_each_per_day.": (
                people / active_s * factor
            ),
        }
        answer = peak_requests_per_s(people, each, active_h, factor)
        _judge(answer, a_day / active_s * factor, slips, "The peak", "requests/s")
    return "people, hours and peak are all in it, per second"


# ------------------------------------------------------------------ 11.2


@check("11.2")
def check_ready_after_s(ready_after_s) -> str:
    """ready_after_s(weights_gib, link_gbit_per_s, efficiency, load_s) → seconds until a new server can serve."""
    for gib, gbit, efficiency, load_s in ((15.0, 10.0, 0.8, 20.0), (130.0, 25.0, 0.6, 95.0)):
        bits = gib * 2**30 * 8
        link = gbit * 10**9
        slips = {
            "You divided bytes by bits: a link is sold in bits per second, a file has eight bits per byte.": (
                gib * 2**30 / (link * efficiency) + load_s
            ),
            "Your two gigas are the same size. A GiB is 2³⁰ bytes, a Gbit is 10⁹ bits: seven percent.": (
                gib * 8 / (gbit * efficiency) + load_s
            ),
            "You forgot the efficiency: a link never gives all that its name says.": bits / link + load_s,
            "You multiplied the time by the efficiency: then a worse link would be faster. Divide.": (
                bits / link * efficiency + load_s
            ),
            "That is the download only. Loading onto the card comes on top: add load_s.": bits / (link * efficiency),
        }
        answer = ready_after_s(gib, gbit, efficiency, load_s)
        _judge(answer, bits / (link * efficiency) + load_s, slips, "The time", "s")
    return "bits, bytes and both kinds of giga are where they belong"


# ------------------------------------------------------------------ 11.3


CARDS = ((24, 8, 64, 1100, 0.1), (80, 16, 160, 900, 0.05), (48, 20, 64, 1000, 0.08))


def _slots(card_bytes: float, weights_bytes: float, note_bytes: float) -> int:
    return math.floor(max(0.0, card_bytes - weights_bytes) / note_bytes)


@check("11.3")
def check_slots(slots) -> str:
    """slots(card_gb, weights_gb, kv_kib_per_token, tokens, kept_free) → requests that fit at once."""
    for card, weights, kib, tokens, free in CARDS:
        note, g = kib * 2**10 * tokens, 10**9
        right = _slots(card * g * (1 - free), weights * g, note)
        room = card * g * (1 - free) - weights * g
        slips = {
            "You rounded up: the last one does not fit. Round down.": right + 1,
            "A request is whole or not there: round down to an integer.": room / note,
            "You forgot to keep a part of the card free: buffers and fragments live there.": _slots(
                card * g, weights * g, note
            ),
            "You kept a part of what the weights leave over free; asked is that part of the whole card.": _slots(
                (card - weights) * g * (1 - free), 0, note
            ),
            "You forgot the weights: they are on the card, too.": _slots(card * g * (1 - free), 0, note),
            "You took the card's GB for GiB. Its 24 GB are 24·10⁹ bytes.": _slots(
                card * 2**30 * (1 - free), weights * 2**30, note
            ),
            "You took a KiB for 1,000 bytes. It is 1,024.": _slots(
                card * g * (1 - free), weights * g, kib * 1000 * tokens
            ),
            "That is for one token each: a request holds the notes of all its tokens.": _slots(
                card * g * (1 - free), weights * g, kib * 2**10
            ),
        }
        _judge(slots(card, weights, kib, tokens, free), right, slips, "The number of requests", "")
    if number(slots(24, 30, 128, 3300, 0.1), "The number of requests") != 0:
        raise Hint("The weights alone do not fit on that card: return 0, not a negative number of requests.")
    return "what fits, fits: weights, free part and both kinds of kilo included"


# ------------------------------------------------------------------ 11.4


@check("11.4")
def check_pool_size(pool_size) -> str:
    """pool_size(requests_per_s, service_ms, utilisation, spare) → workers; ValueError for impossible input."""
    for rate, service_ms, share, spare in ((26, 120, 0.6, 3), (10, 300, 0.6, 2), (171, 45, 0.7, 3)):
        busy = Fraction(rate) * service_ms / 1000
        exact = busy / Fraction(str(share))
        slips = {
            "You took milliseconds for seconds: divide service_ms by 1,000.": math.ceil(exact * 1000) + spare,
            "You multiplied by the utilisation: then workers would be *more* than busy. Divide.": (
                math.ceil(busy * Fraction(str(share))) + spare
            ),
            "You forgot the utilisation: a pool that is always busy has a queue without end.": math.ceil(busy) + spare,
            "You forgot the spare: one worker is always being replaced.": math.ceil(exact),
            "You rounded to the nearest or down: then the pool is busier than allowed. Round up.": (
                math.floor(exact) + spare
            ),
            "Where it comes out even you add a worker that nobody needs: use math.ceil, not int(…) + 1.": (
                math.floor(exact) + 1 + spare
            ),
            "You rounded the busy workers up before dividing by the utilisation: round once, at the end.": (
                math.ceil(math.ceil(busy) / Fraction(str(share))) + spare
            ),
            "A spare is a whole worker on top: add it after dividing and rounding.": math.ceil(
                (busy + spare) / Fraction(str(share))
            ),
            "There is no fraction of a worker: round up.": float(exact) + spare,
        }
        _judge(pool_size(rate, service_ms, share, spare), math.ceil(exact) + spare, slips, "The pool", "workers")
    must_refuse(pool_size, (10, 100, 1.0, 1), "At a utilisation of 1 (or more) the queue never ends")
    must_refuse(pool_size, (-10, 100, 0.6, 1), "A negative rate is a slip")
    return "rounded once, upwards, with the spare on top; impossible input is refused"


# ------------------------------------------------------------------ 11.5


@check("11.5")
def check_break_even(break_even) -> str:
    """break_even(usd_per_hour, machines, usd_per_million_tokens, tokens_each, own_usd_each) → requests per day."""
    for hour, machines, price, tokens, own in ((1.0, 2, 0.6, 3300, 0.0002), (4.5, 3, 2.5, 1200, 0.0011)):
        rent, api = hour * 24 * machines, price * tokens / 10**6
        slips = {
            "Upside down: dollars per day divided by dollars per request gives requests per day.": (api - own) / rent,
            "You ignored own_usd_each: each request saves the API's price *minus* what it costs on your machine.": (
                rent / api
            ),
            "You added own_usd_each to the API's price. Your own cost makes a request save less, not more.": (
                rent / (api + own)
            ),
            "That is one hour's rent. A day has 24.": hour * machines / (api - own),
            "That is per month. Asked is per day.": rent * 30 / (api - own),
            "You forgot the number of machines: the spare is paid, too.": hour * 24 / (api - own),
            "The price is per *million* tokens.": rent / (price * tokens / 10**3 - own),
            "You took the price per million tokens for the price of a request.": rent / (price - own),
        }
        _judge(break_even(hour, machines, price, tokens, own), rent / (api - own), slips, "Break-even", "requests/day")
    try:
        never = number(break_even(1.0, 2, 0.1, 1000, 0.0002), "Break-even")
    except ZeroDivisionError:
        never = math.nan
    if never != math.inf:
        raise Hint("Where your own cost per request is above the API's price, owning never pays: return math.inf.")
    return "found where it exists, infinite where it does not"
