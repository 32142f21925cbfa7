"""Checks for chapter 56: an answer's log-probability, DPO and its gradient, win rates, a reward hack, a KL budget."""

from collections.abc import Callable

import numpy as np

from workbench.checks.answers import number, parts
from workbench.checks.report import Hint, check


def _close(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-7, atol=1e-12))


def _named(got: float, wrong: dict[str, float], hint: str) -> str:
    """The hint of the first mistake that gives this number, else `hint`."""
    return next((text for text, value in wrong.items() if _close(got, value)), hint)


# ------------------------------------------------------------------ 56.1


def _surprises(scores: np.ndarray, ids: list[int], places: range) -> float:
    """Σ log softmax(scores[t])[ids[t + 1]] over the places t, one by one."""
    total = 0.0
    for t in places:
        row = scores[t] - scores[t].max()
        total += row[ids[t + 1]] - np.log(np.exp(row).sum())
    return float(total)


@check("56.1")
def check_answer_logp(answer_logp: Callable) -> str:
    """answer_logp(scores, ids, begin, end) → log p of ids[begin:end] given what stands before."""
    rng = np.random.default_rng(561)
    for tokens, begin, end in ((9, 4, 7), (6, 1, 6), (12, 5, 10)):
        scores = 3 * rng.normal(size=(tokens, 11))
        ids = rng.integers(1, 11, tokens).tolist()
        answer = range(begin - 1, end - 1)
        wanted = _surprises(scores, ids, answer)
        got = number(answer_logp(scores.copy(), list(ids), begin, end), "The log-probability")
        if _close(got, wanted):
            continue
        later = range(begin, min(end, tokens - 1))
        itself = sum(_surprises(scores, [0, *ids][: t + 2], range(t, t + 1)) for t in range(begin, end))
        raw = sum(scores[t, ids[t + 1]] for t in answer)
        wrong = {
            "No shift: the scores at a place are for the token after it.": itself,
            "The first token of the answer is missing: it is read from the scores of the prompt's last token.": (
                _surprises(scores, ids, range(begin, end - 1))
            ),
            "One place too late: the answer's first token is judged by the scores of the token before it.": (
                _surprises(scores, ids, later)
            ),
            "The prompt is counted, too: only ids[begin:end] are the answer.": _surprises(scores, ids, range(end - 1)),
            "Padding is counted, too: the answer ends before `end`.": _surprises(
                scores, ids, range(begin - 1, tokens - 1)
            ),
            "That is the mean over the tokens; a probability is a product, its logarithm a sum.": wanted
            / (end - begin),
            "The sign: a log-probability is not positive, a loss is.": -wanted,
            "Those are raw scores: subtract the logarithm of the sum of their exponentials, place by place.": float(
                raw
            ),
            "That is the probability; its logarithm is asked for.": float(np.exp(wanted)),
        }
        raise Hint(_named(got, wrong, f"{tokens} tokens, answer at {begin}:{end}: {wanted:.4f}, you have {got:.4f}."))
    return "the answer's tokens, each from the place before it, and no others"


# ------------------------------------------------------------------ 56.2


@check("56.2")
def check_dpo(dpo: Callable) -> str:
    """dpo(chosen, rejected, ref_chosen, ref_rejected, beta) → loss, its slope in chosen, its slope in rejected."""
    for chosen, rejected, ref_chosen, ref_rejected, beta in (
        (-12.0, -15.0, -13.0, -14.5, 0.5),
        (-30.0, -8.0, -22.0, -9.0, 0.1),
        (-5.0, -5.0, -4.0, -7.0, 2.0),
    ):
        margin = (chosen - ref_chosen) - (rejected - ref_rejected)
        loss = float(np.logaddexp(0, -beta * margin))
        pull = beta / (1 + np.exp(beta * margin))
        got = [float(part) for part in map(_one, parts(dpo(chosen, rejected, ref_chosen, ref_rejected, beta), _DPO))]
        if not _close(got[0], loss):
            wrong = {
                "The reference is missing: each log-probability is compared with the reference's.": np.logaddexp(
                    0, -beta * (chosen - rejected)
                ),
                "The sign inside: that loss falls when the *rejected* answer becomes likelier.": np.logaddexp(
                    0, beta * margin
                ),
                "Beta is missing.": np.logaddexp(0, -margin),
                "That is the probability of the preference; the loss is minus its logarithm.": np.exp(-loss),
                "The sign: a loss is minus a log-likelihood, and positive.": -loss,
                "That is the margin, before the sigmoid and the logarithm.": beta * margin,
            }
            raise Hint(_named(got[0], wrong, f"The loss should be {loss:.4f}, you have {got[0]:.4f}."))
        if _close(got[1], pull) and _close(got[2], -pull):
            raise Hint("Both slopes have the wrong sign: the loss falls when the chosen answer becomes likelier.")
        if _close(got[1], -pull) and _close(got[2], -pull):
            raise Hint("The rejected answer pulls the other way: its slope is minus that of the chosen one.")
        if _close(got[1], -pull / beta) or _close(got[1], pull / beta):
            raise Hint("Beta stands inside the sigmoid: the chain rule brings it out as a factor.")
        if _close(got[1], -beta + pull):
            raise Hint("σ of the wrong sign: a pair that is already right by far must hardly pull any more.")
        if not (_close(got[1], -pull) and _close(got[2], pull)):
            raise Hint(f"The slopes should be {-pull:.4f} and {pull:.4f}, you have {got[1]:.4f} and {got[2]:.4f}.")
    return "right, with slopes that sum to zero: the loss does not care where both go together"


_DPO = ("the loss", "its slope in chosen", "its slope in rejected")


def _one(part) -> float:
    return number(part, "Each of the three")


# ------------------------------------------------------------------ 56.3


@check("56.3")
def check_win_rate(win_rate: Callable) -> str:
    """win_rate(ours, theirs) → share of duels won, errors given (fewer is better), a tie is half a win."""
    for ours, theirs in (([0, 1, 2, 0, 3, 0, 0], [1, 1, 0, 0, 4, 2, 5]), ([0, 0, 0], [0, 0, 1]), ([5, 2], [1, 2])):
        a, b = np.array(ours), np.array(theirs)
        won, tied = (a < b).mean(), (a == b).mean()
        got = number(win_rate(a.copy(), b.copy()), "The win rate")
        if _close(got, won + tied / 2):
            continue
        wrong = {
            "Ties count as losses with you: a model against itself would then lose every duel.": won,
            "Ties count as wins with you: a model against itself would then win every duel.": won + tied,
            "Errors: fewer is better.": (a > b).mean() + tied / 2,
            "The sum over the duels; their mean is asked for.": float((a < b).sum() + (a == b).sum() / 2),
            "That is won minus lost; a win rate lies between 0 and 1, and 0.5 is a draw.": won - (a > b).mean(),
        }
        if won + (a > b).mean():
            wrong["Ties are left out with you: two models that nearly always agree would look far apart."] = won / (
                won + (a > b).mean()
            )
        raise Hint(_named(got, wrong, f"{ours} against {theirs}: {won + tied / 2:.3f} is right, you have {got:.3f}."))
    return "a model against itself has one half, as it should"


# ------------------------------------------------------------------ 56.4


def _first_hacked(proxy: np.ndarray, gold: np.ndarray, noise: float) -> int:
    for at in range(1, len(gold)):
        if gold[at] < max(gold[:at]) - noise and proxy[at] > proxy[0] + noise:
            return at
    return -1


@check("56.4")
def check_first_hacked(first_hacked: Callable) -> str:
    """first_hacked(proxy, gold, noise) → first checkpoint with proxy above its start, gold below its best; else -1."""
    cases = (
        ([0.5, 0.6, 0.75, 0.9, 0.9], [0.5, 0.58, 0.55, 0.3, 0.3], 0.05),
        ([0.5, 0.7, 0.8, 0.9, 0.95], [0.5, 0.7, 0.75, 0.66, 0.5], 0.05),
        ([0.5, 0.7, 0.8, 0.85, 0.9, 0.92], [0.5, 0.7, 0.67, 0.64, 0.61, 0.58], 0.05),
        ([0.5, 0.4, 0.3], [0.5, 0.4, 0.2], 0.05),
        ([0.5, 0.6, 0.7], [0.5, 0.6, 0.65], 0.05),
    )
    for proxy, gold, noise in cases:
        p, g = np.array(proxy), np.array(gold)
        wanted = _first_hacked(p, g, noise)
        got = number(first_hacked(p.copy(), g.copy(), noise), "The checkpoint")
        if got != wanted:
            hint = f"proxy {proxy}, gold {gold}, noise {noise}: {wanted} is right, you have {got:g}."
            raise Hint(next((text for text, mistake in _HACKED.items() if mistake(p, g, noise) == got), hint))
    return "where the two part, and not a checkpoint later"


def _first(found: np.ndarray) -> int:
    return int(np.flatnonzero(found)[0]) if found.any() else -1


def _fallen(gold: np.ndarray, noise: float) -> np.ndarray:
    return gold < np.maximum.accumulate(gold) - noise


_HACKED = {
    "That fall is within the noise: two checkpoints that differ by less are the same.": (
        lambda p, g, noise: _first(_fallen(g, 0) & (p > p[0] + noise))
    ),
    "Gold and proxy fall together there: bad, but no hack. The proxy must have risen.": (
        lambda p, g, noise: _first(_fallen(g, noise))
    ),
    "Compare gold with its best so far, not with the checkpoint before: a slow fall is a fall.": (
        lambda p, g, noise: _first((np.diff(g, prepend=g[0]) < -noise) & (p > p[0] + noise))
    ),
    "Compare gold with its best so far, not with its start: it may rise before it falls.": (
        lambda p, g, noise: _first((g < g[0] - noise) & (p > p[0] + noise))
    ),
    "That is gold's best checkpoint; asked for is the first one after it that is clearly worse.": (
        lambda p, g, noise: int(np.argmax(g))
    ),
    "That is the last checkpoint; the *first* that is clearly worse is asked for.": lambda p, g, noise: len(g) - 1,
}


# ------------------------------------------------------------------ 56.5


def _kl(reward: np.ndarray, reference: np.ndarray, beta: float) -> float:
    tilted = np.log(reference) + reward / beta
    policy = np.exp(tilted - tilted.max())
    policy /= policy.sum()
    return float((policy * np.log(policy / reference)).sum())


@check("56.5")
def check_choose_beta(choose_beta: Callable) -> str:
    """choose_beta(reward, reference, betas, budget) → smallest of betas whose best policy keeps KL ≤ budget."""
    rng = np.random.default_rng(565)
    betas = [1.0, 8.0, 0.25, 0.5, 4.0, 2.0]
    for budget in (1.0, 0.3, 0.05):
        reward, reference = rng.normal(size=6), rng.dirichlet(np.ones(6))
        spent = {beta: _kl(reward, reference, beta) for beta in betas}
        fitting = [beta for beta in betas if spent[beta] <= budget]
        got = number(choose_beta(reward.copy(), reference.copy(), list(betas), budget), "The beta")
        if got == min(fitting):
            continue
        if not np.isin(got, betas):
            raise Hint(f"Return one of the betas {betas}; you returned {got:g}.")
        if got == max(fitting):
            raise Hint("The safest: that leaves most of the budget unused. The smallest beta that fits is asked for.")
        if got == min(betas):
            raise Hint(f"The smallest of all: its policy is {spent[got]:.3f} nats away, and the budget is {budget}.")
        if got == fitting[0]:
            raise Hint("The first that fits; the betas are in no order.")
        if spent[got] > budget:
            raise Hint(f"Over budget: with beta {got:g} it is {spent[got]:.3f} nats away, allowed are {budget}.")
        raise Hint(f"With beta {got:g} it is {spent[got]:.3f} nats away; {min(fitting):g} uses the budget better.")
    return "as far as the budget allows, and no further"
