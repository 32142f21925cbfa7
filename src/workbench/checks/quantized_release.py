"""Checks of chapter 23's last exercises: a paired interval of agreement, and a release decision.

Each check compares an answer with an independent reference, and recognises well-known mistakes by what they return.
"""

import numpy as np

from workbench.checks.answers import NONE, number, parts, same
from workbench.checks.quantized_model import refuse_known
from workbench.checks.report import Hint, check

# ------------------------------------------------------------------ 23.4


def _judged() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two models' similarities and people's, (12, 12) symmetric, and 400 draws of 12 texts."""
    rng = np.random.default_rng(234)
    base = rng.normal(size=(12, 4))
    human = base @ base.T + rng.normal(0, 1.0, (12, 12))
    fp32, int8 = base @ base.T, base @ base.T + rng.normal(0, 1.2, (12, 12))
    same_both_ways = [np.triu(m, 1) + np.triu(m, 1).T + np.diag(np.full(12, 9.0)) for m in (fp32, int8, human)]
    return (*same_both_ways, rng.integers(12, size=(400, 12)))


def _ratio(fp32, int8, human, a, b) -> float:
    """Agreement of int8 over agreement of fp32 on the pairs (a, b)."""
    return np.corrcoef(int8[a, b], human[a, b])[0, 1] / np.corrcoef(fp32[a, b], human[a, b])[0, 1]


def _ratios(fp32, int8, human, draws, *, copies=False, inverted=False, paired=True) -> list[float]:
    """One ratio per draw, by a plain double loop; the options are the known mistakes."""
    found = []
    for i, drawn in enumerate(draws):
        pairs = [_pairs(drawn, copies), _pairs(drawn if paired else draws[i - 1], copies)]
        top, bottom = (np.corrcoef(m[a, b], human[a, b])[0, 1] for m, (a, b) in zip((int8, fp32), pairs, strict=True))
        found.append(bottom / top if inverted else top / bottom)
    return found


def _pairs(drawn, copies: bool) -> tuple[list, list]:
    n = len(drawn)
    kept = [(drawn[i], drawn[j]) for i in range(n) for j in range(i + 1, n) if copies or drawn[i] != drawn[j]]
    return [a for a, _ in kept], [b for _, b in kept]


@check("23.4")
def check_agreement_kept(agreement_kept) -> str:
    """agreement_kept(fp32, int8, human, draws) → (low, high), 95 % interval of the paired ratio over draws."""
    data = _judged()
    low, high = parts(agreement_kept(*(m.copy() for m in data)), ("the low end", "the high end"))
    got = np.array([number(low, "The low end"), number(high, "The high end")])
    wanted = np.quantile(_ratios(*data), [0.025, 0.975])
    if same(got, wanted[::-1], 1e-6):
        raise Hint("The ends are swapped: low first.")
    refuse_known(got, wanted, _agreement_mistakes(data))
    if not same(got, wanted, 1e-6):
        raise Hint(f"You return [{got[0]:.3f}, {got[1]:.3f}], expected [{wanted[0]:.3f}, {wanted[1]:.3f}].")
    return "texts are resampled, copies are left out, both models see the same draw"


def _agreement_mistakes(data) -> dict:
    fp32, int8, human, _ = data
    first, second = np.triu_indices(len(human), 1)
    alone = [_ratio(fp32, int8, human, first, second)] * 2
    ends = [0.025, 0.975]
    return {
        "You kept pairs of a text with its own copy: their similarity was never judged; drop them.": np.quantile(
            _ratios(*data, copies=True), ends
        ),
        "You divided fp32's agreement by int8's: what is *kept* is int8 over fp32.": np.quantile(
            _ratios(*data, inverted=True), ends
        ),
        "The two models were read on different draws: the interval is of the paired ratio, one draw for both.": (
            np.quantile(_ratios(*data, paired=False), ends)
        ),
        "Those are the 5 % and 95 % points: a 95 % interval leaves 2.5 % at each end.": np.quantile(
            _ratios(*data), [0.05, 0.95]
        ),
        "Both ends are the ratio of the whole set: compute one ratio per draw, then take quantiles.": alone,
    }


# ------------------------------------------------------------------ 23.5

BUDGET = {"kept": 0.97, "speedup": 1.5, "size_mb": 30.0}
CASES = [  # (agreement kept, speed-up, size in MB, verdict, what the case is about)
    ((0.975, 1.01), (1.8, 2.1), 23.4, "ship", "every low end is inside the budget"),
    ((0.93, 0.96), (1.8, 2.1), 23.4, "stop", "even the high end of the agreement is below the budget"),
    ((0.94, 1.02), (1.8, 2.1), 23.4, "measure more", "the agreement's interval holds the limit"),
    ((0.93, 0.99), (1.8, 2.1), 23.4, "measure more", "the agreement may still be inside, its middle below or not"),
    ((0.975, 1.01), (1.2, 1.4), 23.4, "stop", "even the high end of the speed-up is below the budget"),
    ((0.975, 1.01), (1.4, 1.9), 23.4, "measure more", "the speed-up's interval holds the limit"),
    ((0.975, 1.01), (1.8, 2.1), 59.1, "stop", "the file is too large, and no measurement makes it smaller"),
    ((0.94, 1.02), (1.2, 1.4), 23.4, "stop", "one limit is certainly missed, whatever more data say of the other"),
    ((0.97, 1.01), (1.5, 2.1), 30.0, "ship", "exactly on the limit is inside"),
]


@check("23.5")
def check_decide(decide) -> str:
    """decide(kept, speedup, size_mb, budget) → "ship", "stop" or "measure more"."""
    answers = []
    for kept, speedup, size_mb, _, _ in CASES:
        answers.append(decide(kept, speedup, size_mb, dict(BUDGET)))
        _judge_word(answers[-1])
    wanted = [case[3] for case in CASES]
    if answers == wanted:
        _judge_other_budget(decide)
        return "you ship on the low ends, stop on the high ends, and ask for data in between"
    if answers == [_by(kept, speedup, size, max) for kept, speedup, size, _, _ in CASES]:
        raise Hint("You ship when the *high* end is inside: that is hope. The low end is what you can promise.")
    if answers == [_by(kept, speedup, size, np.mean) for kept, speedup, size, _, _ in CASES]:
        raise Hint("You judge the middle of the interval and throw its width away: what it does not settle is open.")
    if answers == [_by(kept, speedup, size, min) for kept, speedup, size, _, _ in CASES]:
        raise Hint("Not sure is not the same as no: an interval that holds the limit asks to measure more.")
    raise Hint(_first_wrong(answers))


def _by(kept, speedup, size_mb, end) -> str:
    inside = end(kept) >= BUDGET["kept"] and end(speedup) >= BUDGET["speedup"] and size_mb <= BUDGET["size_mb"]
    return "ship" if inside else "stop"


def _judge_word(answer) -> None:
    if answer is None:
        raise Hint(NONE)
    if isinstance(answer, bool | np.bool_):
        raise Hint('A yes or no has no room for "we do not know yet": return "ship", "stop" or "measure more".')
    if not isinstance(answer, str) or answer not in ("ship", "stop", "measure more"):
        raise Hint(f'Return "ship", "stop" or "measure more", not {str(answer)[:40]!r}.')


def _first_wrong(answers) -> str:
    for (kept, speedup, size_mb, wanted, why), answer in zip(CASES, answers, strict=True):
        if answer != wanted:
            case = f"kept {kept}, speed-up {speedup}, {size_mb} MB"
            return f'{case}: you say "{answer}", but {why}: "{wanted}".'
    return "Every case is right."


def _judge_other_budget(decide) -> None:
    strict = {"kept": 0.99, "speedup": 3.0, "size_mb": 10.0}
    if decide((0.995, 1.01), (3.2, 3.4), 9.0, strict) != "ship" or decide((0.975, 1.01), (1.8, 2.1), 23.4, strict) != (
        "stop"
    ):
        raise Hint("With another budget your verdict does not change: read the limits from `budget`.")
