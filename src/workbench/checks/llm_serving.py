"""Checks of chapter 25's serving exercises: what bytes allow, what a stream says, when a batch is done."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from workbench.checks.answers import number, numbers, parts, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 25.1

PER_32 = {"F32": 128, "F16": 64, "Q8_0": 34, "Q4_1": 20, "Q4_0": 18}  # bytes that 32 weights take
TIED = [
    ("token_embd.weight", (49152, 576), "Q8_0"),
    ("blk.0.attn_norm.weight", (576,), "F32"),
    ("blk.0.attn_q.weight", (576, 576), "Q4_1"),
    ("blk.0.ffn_down.weight", (576, 1536), "Q4_1"),
    ("blk.0.ffn_up.weight", (1536, 576), "Q4_0"),
    ("output_norm.weight", (576,), "F32"),
]
UNTIED = [*TIED, ("output.weight", (49152, 576), "F16")]


def _bytes(tensors, per_32=PER_32, table=None) -> float:
    """Bytes of one step.  table: count the token table (True, False), or only where it is the head too (None)."""
    names = [name for name, *_ in tensors]
    count = "output.weight" not in names if table is None else table
    kept = [t for t in tensors if count or t[0] != "token_embd.weight"]
    return sum(math.prod(shape) / 32 * per_32[kind] for _, shape, kind in kept)


def _ceiling_mistakes(tensors, rate) -> dict[str, float]:
    def per_s(**how):
        return rate * 1e9 / _bytes(tensors, **how)

    right = per_s()
    return {
        "Without output.weight the token table is the head too, and a head is read whole at every step.": (
            per_s(table=False)
        ),
        "With an output.weight of its own, the token table is only looked up, one row a step: do not count it.": (
            per_s(table=True)
        ),
        "Q4_1 keeps a scale and a minimum for 32 weights, 16 bits each: 20 bytes, not 16.": (
            per_s(per_32=PER_32 | {"Q4_1": 16})
        ),
        "Q4_1 keeps a minimum beside the scale: 20 bytes for 32 weights, not 18.": per_s(per_32=PER_32 | {"Q4_1": 18}),
        "Q8_0 keeps a scale for 32 weights: 34 bytes, not 32.": per_s(per_32=PER_32 | {"Q8_0": 32}),
        "No format stores its scales for nothing: Q8_0, Q4_0 and Q4_1 take 34, 18 and 20 bytes for 32 weights.": (
            per_s(per_32=PER_32 | {"Q8_0": 32, "Q4_0": 16, "Q4_1": 16})
        ),
        "That is 2**30 bytes to a GB. Bandwidth is given in powers of ten.": right * 2**30 / 1e9,
        "That is eight times too few: the formats' sizes are in bytes already.": right / 8,
        "That is eight times too many: a byte has 8 bits.": right * 8,
        "That is seconds per token. Tokens per second are asked for.": 1 / right,
        "You left out the factor 1e9: GB/s are given.": right / 1e9,
    }


@check("25.1")
def check_tokens_per_s(tokens_per_s: Callable) -> str:
    """tokens_per_s(tensors, gb_per_s) → the decode rate that reading every weight once a step allows."""
    for tensors in (TIED, UNTIED):
        for rate in (24.0, 100.0):
            got = number(tokens_per_s(list(tensors), rate), "The rate")
            if math.isclose(got, rate * 1e9 / _bytes(tensors), rel_tol=1e-3):  # one looked-up row more is fine
                continue
            for hint, value in _ceiling_mistakes(tensors, rate).items():
                if math.isclose(got, value, rel_tol=1e-3):
                    raise Hint(hint)
            raise Hint(f"At {rate:g} GB/s you have {got:,.4g} tokens/s, expected {rate * 1e9 / _bytes(tensors):,.4g}.")
    return "right for a tied head and for one of its own, scales and minima included"


# ------------------------------------------------------------------ 25.4

STREAMS = [  # sent at, chunks of (arrival, text)
    (
        100.0,
        [
            (100.05, None),
            (100.4, "The"),
            (100.42, " sea"),
            (100.44, " is"),
            (100.47, " deep"),
            (100.6, "."),
            (100.61, ""),
        ],
    ),
    (7.0, [(7.3, ""), (9.0, "A"), (9.1, "b"), (9.15, None), (9.3, "c"), (9.31, "d"), (9.32, None)]),
]


def _read(sent, chunks, whole=False):
    """(time to first, gaps) of the chunks with text, or of all."""
    at = [t for t, text in chunks if text or whole]
    return at[0] - sent, [b - a for a, b in itertools.pairwise(at)]


def _p95(gaps) -> float:
    """Linear interpolation between order statistics, by hand."""
    ranked, place = sorted(gaps), 0.95 * (len(gaps) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])


@check("25.4")
def check_read_stream(read_stream: Callable) -> str:
    """read_stream(sent_s, chunks) → (time to first token, 95th percentile of the gaps, tokens per second)."""
    for sent, chunks in STREAMS:
        answer = parts(read_stream(sent, list(chunks)), ("time to first token", "p95 of the gaps", "tokens per second"))
        first, gap, rate = (number(part, "each of the three") for part in answer)
        _judge_first(first, sent, chunks)
        _judge_gap(gap, sent, chunks)
        _judge_rate(rate, sent, chunks)
    return "right for streams with empty chunks at the start, in the middle and at the end"


def _recognise(got: float, wanted: float, mistakes: dict[str, float], what: str) -> None:
    if same(got, wanted, 1e-6):
        return
    for hint, value in mistakes.items():
        if same(got, value, 1e-6):
            raise Hint(hint)
    raise Hint(f"{what}: you have {got:.4g}, expected {wanted:.4g}.")


def _judge_first(got, sent, chunks) -> None:
    right = _read(sent, chunks)[0]
    mistakes = {
        "The first chunk carries no text; a reader sees nothing yet. Count chunks with text.": chunks[0][0] - sent,
        "That is the clock's time. Subtract the moment of sending.": right + sent,
        "You counted from the first chunk. The user waits from the moment of sending.": right + sent - chunks[0][0],
        "That is milliseconds; seconds are asked for.": right * 1e3,
    }
    _recognise(got, right, mistakes, "Time to first token (s)")


def _judge_gap(got, sent, chunks) -> None:
    first, gaps = _read(sent, chunks)
    every = _read(sent, chunks, whole=True)[1]
    mistakes = {
        "The wait for the first token is not a gap between tokens: leave it out.": _p95([first, *gaps]),
        "You counted empty chunks as tokens.": _p95(every),
        "That is the mean gap. The 95th percentile is what a reader notices.": float(np.mean(gaps)),
        "That is the median gap; the 95th percentile is asked for.": float(np.median(gaps)),
        "That is the longest gap; the 95th percentile (np.percentile) is asked for.": max(gaps),
        "np.percentile takes 95, np.quantile 0.95: you asked for the 0.95th percentile.": float(
            np.percentile(gaps, 0.95)
        ),
    }
    _recognise(got, _p95(gaps), mistakes, "95th percentile of the gaps (s)")


def _judge_rate(got, sent, chunks) -> None:
    first, gaps = _read(sent, chunks)
    n, long = len(gaps) + 1, sum(gaps)
    mistakes = {
        "n tokens have n − 1 gaps: from the first to the last token, only n − 1 were produced.": n / long,
        "You divided by the whole wait. Decode begins at the first token: prefill has its own number.": (
            n / (first + long)
        ),
        "You divided n − 1 tokens by the whole wait. Decode begins at the first token.": (n - 1) / (first + long),
        "You counted empty chunks as tokens.": (len(chunks) - 1) / (chunks[-1][0] - chunks[0][0]),
        "That is seconds per token.": long / (n - 1),
    }
    _recognise(got, (n - 1) / long, mistakes, "Tokens per second of decode")


# ------------------------------------------------------------------ 25.5

BATCHES = [  # lengths, slots, (seconds of a step, seconds for each active request)
    ([5, 2, 7, 3, 4, 1], 2, (0.01, 0.002)),
    ([3, 9, 1, 1, 6, 2, 2, 8], 3, (0.02, 0.001)),
    ([4, 4, 4, 4], 8, (0.01, 0.01)),
    ([6], 1, (0.01, 0.0)),
]


def _play(lengths, slots, step_s, *, static=False, late=False, full=False, order=None) -> list[float]:
    """Finish times, by playing the steps."""
    waiting = list(order or range(len(lengths)))
    left, done, now, active = list(lengths), [0.0] * len(lengths), 0.0, []
    while waiting or active:
        if not (static and active):
            while waiting and len(active) < slots:
                active.append(waiting.pop(0))
        now += step_s(slots if full else len(active))
        for i in active:
            left[i] -= 1
            if not left[i]:
                done[i] = now
        ended = [i for i in active if not left[i]]
        active = [i for i in active if left[i]]
        if late and ended and waiting and active:  # a freed place stands empty for a step
            now += step_s(len(active))
            for i in active:
                left[i] -= 1
                if not left[i]:
                    done[i] = now
            active = [i for i in active if left[i]]
    return done


def _batch_mistakes(lengths, slots, step_s) -> dict[str, list]:
    n = range(len(lengths))
    return {
        "That is static batching: you let the whole batch end before anybody new gets in.": (
            _play(lengths, slots, step_s, static=True)
        ),
        "A freed slot is taken before the next step, not one step later.": _play(lengths, slots, step_s, late=True),
        "A step costs what its *active* requests cost, not all slots.": _play(lengths, slots, step_s, full=True),
        "That is one slot. Up to `slots` requests decode together.": _play(lengths, 1, step_s),
        "That is a slot for everybody: only `slots` requests decode at a time.": _play(lengths, len(lengths), step_s),
        "Requests are admitted in the order given, not the shortest first.": (
            _play(lengths, slots, step_s, order=sorted(n, key=lambda i: lengths[i]))
        ),
        "Requests are admitted in the order given, first come first served; you serve the last first.": (
            _play(lengths, slots, step_s, order=list(n)[::-1])
        ),
        "Those are sorted by time. Return them in the order of the requests.": sorted(_play(lengths, slots, step_s)),
        "Those are times in service. The wait for a slot counts as well.": [
            length * step_s(slots) for length in lengths
        ],
    }


@check("25.5")
def check_finish_times(finish_times: Callable) -> str:
    """finish_times(lengths, slots, step_s) → when each request is done, all having come at 0."""
    for lengths, slots, (fixed, each) in BATCHES:
        step_s = lambda active, fixed=fixed, each=each: fixed + each * active  # noqa: E731
        got = numbers(finish_times(list(lengths), slots, step_s), "The times")
        wanted = _play(lengths, slots, step_s)
        if got.shape != (len(lengths),):
            raise Hint(f"One time for each of the {len(lengths)} requests, please; you have shape {got.shape}.")
        if same(got, wanted, 1e-6):
            continue
        for hint, value in _batch_mistakes(lengths, slots, step_s).items():
            if same(got, value, 1e-6):
                raise Hint(hint)
        raise Hint(f"lengths {lengths}, {slots} slots: you have {np.round(got, 3).tolist()}, expected "
                   f"{np.round(wanted, 3).tolist()}.")  # fmt: skip
    return "equal to playing it step by step: slots refilled at once, steps priced by who is active"
