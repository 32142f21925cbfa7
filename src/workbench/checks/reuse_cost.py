"""Checks of chapter 26's later exercises: a threshold chosen by cost, and the tokens that a block cache saves."""

import math

import numpy as np

from workbench.checks.answers import number, numbers, same
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 26.4


def _bill(similarity, right, threshold, call, wrong, above=lambda s, t: s >= t) -> float:
    total = 0.0
    for s, good in zip(similarity, right, strict=True):
        served = above(s, threshold)
        total += (0 if good else wrong) if served else call
    return total


def _best(candidates, bill) -> float:
    """The candidate with the lowest bill, the largest of several."""
    return min(sorted(candidates, reverse=True), key=bill)


def _example(seed: int, n: int, noise: float):
    rng = np.random.default_rng(seed)
    similarity = np.round(rng.uniform(0.5, 1, n), 3)
    return similarity, rng.uniform(size=n) < similarity**noise


def _threshold_mistakes(similarity, right, call, wrong) -> dict[str, float]:
    seen = sorted(set(similarity.tolist()))
    every = [*seen, math.inf]
    bill = {t: _bill(similarity, right, t, call, wrong) for t in every}
    served = {t: similarity >= t for t in every}
    best = _best(every, bill.get)
    accuracy = {t: np.mean(served[t] == right) for t in every}
    positive = {t: (served[t] & right).sum() for t in every}
    f1 = {t: 2 * positive[t] / max(1, served[t].sum() + right.sum()) for t in every}
    per_hit = {t: bill[t] / served[t].sum() for t in seen}
    strict = _best(every, lambda t: _bill(similarity, right, t, call, wrong, lambda s, u: s > u))
    return {
        "That is the bill. The threshold that has it is asked for.": bill[best],
        "That is the position of a threshold. Return the threshold itself.": float(seen.index(best))
        if best in seen
        else -1.0,
        "You did not consider serving nothing: float('inf') is a candidate, and here it is the cheapest.": _best(
            seen, bill.get
        ),
        "You serve when the cosine is above the threshold. At the threshold itself it is served too: >=.": strict,
        "You count mistakes of both kinds alike: a needless call and a wrong answer have different prices.": _best(
            every, lambda t: -accuracy[t]
        ),
        "You maximised F1. It knows no prices: minimise the bill.": _best(every, lambda t: -f1[t]),
        "You divided by the number of hits. All requests have to be paid for, the misses too.": _best(
            seen, per_hit.get
        ),
        "You left the wrong answers out of the bill: then serving everything is cheapest.": seen[0],
        "You left the calls out of the bill: then serving nothing is cheapest.": _best(
            every, lambda t: _bill(similarity, right, t, 0, wrong)
        ),
        "Several thresholds cost the same. The largest is asked for: it serves the fewest wrong answers.": min(
            every, key=lambda t: (bill[t], t)
        ),
    }


@check("26.4")
def check_threshold(cheapest_threshold) -> str:
    """cheapest_threshold(similarity, right, call, wrong) → float."""
    cases = [(*_example(6, 50, 2), 1.0, 3.0), (*_example(13, 60, 3), 1.0, 4.0), (*_example(5, 40, 6), 2.0, 9.0)]
    cases += [(np.array([0.9, 0.8, 0.7]), np.array([False, False, True]), 1.0, 5.0)]  # nothing is worth serving
    cases += [(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 1.0, 2.0)]  # 0.9 and 0.7 cost the same
    for similarity, right, call, wrong in cases:
        every = [*similarity.tolist(), math.inf]
        best = _best(every, lambda t, c=(similarity, right), p=(call, wrong): _bill(*c, t, *p))
        got = number(cheapest_threshold(similarity.copy(), right.copy(), call, wrong), "the threshold")
        if same(got, best):
            continue
        for hint, value in _threshold_mistakes(similarity, right, call, wrong).items():
            if same(got, value):
                raise Hint(hint)
        raise Hint(f"Your threshold {got:g} costs {_bill(similarity, right, got, call, wrong):g}, and {best:g} costs "
                   f"{_bill(similarity, right, best, call, wrong):g}.")  # fmt: skip
    return "the cheapest of all candidates, with and without a reason to serve anything"


# ------------------------------------------------------------------ 26.5


def _blocks(prompt, size) -> list[tuple]:
    """Each full block together with everything before it."""
    return [tuple(prompt[:end]) for end in range(size, len(prompt) + 1, size)]


def _read(prompts, size, *, remember=None, name=None, cap=True) -> list[int]:
    """Tokens to compute per prompt.  remember: how many earlier prompts; name: what identifies a block."""
    name = name or (lambda whole: whole)
    out = []
    for i, prompt in enumerate(prompts):
        earlier = prompts[:i] if remember is None else prompts[max(0, i - remember) : i]
        known = {name(block) for old in earlier for block in _blocks(old, size)}
        reused = 0
        for block in _blocks(prompt, size):
            if name(block) not in known or (cap and len(block) == len(prompt)):
                break
            reused = len(block)
        out.append(len(prompt) - reused)
    return out


def _prompts(seed: int, size: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    head, other = (rng.integers(0, 50, 3 * size + 2).tolist() for _ in range(2))
    tail = [rng.integers(50, 99, n).tolist() for n in (3, size, 5, 2 * size)]
    same_middle = other[:size] + head[size:]  # a known first block, then blocks known from another prompt
    whole = head[: 2 * size]
    return [head + tail[0], other + tail[1], head + tail[2], same_middle, other + tail[3], whole, whole, [7, 8]]


def _read_mistakes(prompts, size) -> dict[str, list[int]]:
    right = _read(prompts, size)
    lengths = [len(prompt) for prompt in prompts]
    return {
        "Those are the tokens that are reused. The tokens that must be computed are asked for.": [
            n - r for n, r in zip(lengths, right, strict=True)
        ],
        "You reuse parts of blocks. Only full blocks are kept: round down to a multiple of block.": _read(prompts, 1),
        "You remember the previous prompt only. The blocks of all earlier prompts are kept.": _read(
            prompts, size, remember=1
        ),
        "You compare a block's own tokens. Keys and values depend on all tokens before it: compare the whole "
        "prefix.": _read(prompts, size, name=lambda whole: whole[-size:]),
        "A prompt was reused to its very end. Its last token must be computed, and with it its block.": _read(
            prompts, size, cap=False
        ),
        "You compute everything each time: nothing is reused.": lengths,
    }


@check("26.5")
def check_prefill(prefill_tokens) -> str:
    """prefill_tokens(prompts, block) → one number per prompt."""
    for seed, size in ((1, 4), (2, 16), (3, 1)):
        prompts = _prompts(seed, size)
        wanted = _read(prompts, size)
        got = numbers(prefill_tokens([list(p) for p in prompts], size), "the tokens")
        if got.shape == () and same(got, sum(wanted)):
            raise Hint("That is the sum. One number per prompt is asked for.")
        if got.shape != (len(prompts),):
            raise Hint(f"One number per prompt is asked for: {len(prompts)} of them, you returned shape {got.shape}.")
        if same(got, wanted):
            continue
        for hint, value in _read_mistakes(prompts, size).items():
            if same(got, value):
                raise Hint(hint)
        first = int(np.argmax(got != wanted))
        raise Hint(f"Prompt {first}, of {len(prompts[first])} tokens in blocks of {size}: you compute "
                   f"{got[first]:g}, expected {wanted[first]}.")  # fmt: skip
    return "full blocks of all earlier prompts, prefix by prefix, and never the last token"
