"""Checks for chapter 54: perplexity, a paired interval over families, a budget.  (`forgetting_choice` has the rest.)"""

from collections.abc import Callable
from copy import deepcopy

import numpy as np

from workbench.checks.answers import NONE, number, parts
from workbench.checks.report import Hint, check


def _close(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-7, atol=1e-12))


def _refuse(got: float, wrong: dict[str, float], otherwise: str) -> None:
    """Raise the hint of the first mistake that gives this number, else `otherwise`."""
    raise Hint(next((text for text, value in wrong.items() if _close(got, value)), otherwise))


def name_of(answer, known) -> str:
    """`answer` as one of the names, or "none".  Raises Hint for anything else."""
    if answer is None:
        raise Hint(NONE)
    if not isinstance(answer, str) or answer not in {*known, "none"}:
        raise Hint(f'Return one of the names {", ".join(known)}, or "none"; not {str(answer)[:30]!r}.')
    return answer


# ------------------------------------------------------------------ 54.1


def _texts(seed: int, lengths: list[int], worse: float) -> tuple[list, list]:
    """Log-probabilities of the tokens of some texts, before and after; short texts suffer most."""
    rng = np.random.default_rng(seed)
    before = [-rng.gamma(3, 1, size=n) for n in lengths]
    return before, [row - worse * rng.random(len(row)) * 30 / len(row) for row in before]


@check("54.1")
def check_perplexity_ratio(perplexity_ratio: Callable) -> str:
    """perplexity_ratio(before, after) → perplexity after over before, over all tokens of all texts."""
    for seed, lengths, worse in ((541, [5, 40, 300], 1.0), (542, [80, 10, 10, 10], 0.5), (543, [7, 200], -0.4)):
        before, after = _texts(seed, lengths, worse)
        every = [np.concatenate(rows) for rows in (before, after)]
        wanted = float(np.exp(every[0].mean() - every[1].mean()))
        got = number(perplexity_ratio(*deepcopy((before, after))), "The ratio")
        if _close(got, wanted):
            continue
        by_text = [np.array([row.mean() for row in rows]) for rows in (before, after)]
        wrong = {
            "A text of five tokens counts as much as one of three hundred with you: the mean is over tokens.": float(
                np.exp(by_text[0].mean() - by_text[1].mean())
            ),
            "A mean of the texts' ratios: long and short texts count alike, and one wild text decides.": float(
                np.exp(by_text[0] - by_text[1]).mean()
            ),
            "The other way round: after over before, so that more than 1 is worse.": 1 / wanted,
            "That is the ratio of the surprises; perplexity is the exponential of each.": float(
                every[1].mean() / every[0].mean()
            ),
            "That is the difference in nats; a ratio of perplexities is its exponential.": float(np.log(wanted)),
            "Natural logarithms go with e; with 2 for a base the ratio is another.": float(
                2 ** (every[0].mean() - every[1].mean())
            ),
            "The difference of the perplexities; their ratio is asked for.": float(
                np.exp(-every[1].mean()) - np.exp(-every[0].mean())
            ),
            "Sums instead of means: the ratio grows with the length of the texts.": float(
                np.exp(min(700.0, every[0].sum() - every[1].sum()))
            ),
        }
        _refuse(got, wrong, f"Texts of {lengths} tokens: {wanted:.4f} is right, you have {got:.4f}.")
    return "every token counts once, and 1 means that nothing was lost"


# ------------------------------------------------------------------ 54.2


def _requests(case: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """before, after, family of each request, picks.  Families differ in size, and in how hard they are."""
    rng = np.random.default_rng(5420 + case)
    sizes = ([8, 2, 5, 3, 6, 4], [3, 9, 4, 4, 7])[case]
    family = np.repeat([f"{letter}-family" for letter in "cafebd"[: len(sizes)]], sizes)
    hard = np.repeat(rng.random(len(sizes)), sizes)
    before = (rng.random(len(family)) < 0.3 + 0.7 * hard).astype(float)
    after = before * (rng.random(len(family)) < np.repeat(rng.random(len(sizes)), sizes))
    return before, after, family, rng.integers(len(sizes), size=(400, len(sizes)))


def _drawn(values: np.ndarray, family: np.ndarray, picks: np.ndarray, sizes: bool = True) -> np.ndarray:
    """The mean of each draw of families, all of whose requests come along (or, without sizes, of their means)."""
    each = [values[family == name] for name in sorted(set(family))]
    total = np.array([part.sum() if sizes else part.mean() for part in each])
    count = np.array([len(part) if sizes else 1 for part in each])
    return total[picks].sum(1) / count[picks].sum(1)


@check("54.2")
def check_drop_interval(drop_interval: Callable) -> str:
    """drop_interval(before, after, family, picks) → mean drop, low, high; 95 %, families resampled, in pairs."""
    for case in range(2):
        before, after, family, picks = _requests(case)
        lost = before - after
        draws = _drawn(lost, family, picks)
        wanted = [lost.mean(), *np.quantile(draws, [0.025, 0.975])]
        answer = drop_interval(before.copy(), after.copy(), family.copy(), picks.copy())
        got = [number(part, "Each of the three") for part in parts(answer, ("the drop", "its low end", "its high end"))]
        if all(map(_close, got, wanted)):
            continue
        if all(map(_close, got, [-wanted[0], -wanted[2], -wanted[1]])):
            raise Hint("The sign: a drop is before minus after, positive when something was lost.")
        by_mean = _drawn(lost, family, picks, sizes=False)
        if not _close(got[0], wanted[0]):
            unweighted = np.mean([lost[family == name].mean() for name in set(family)])
            wrong = {"A mean of the families' means: families differ in size, and a request is a request.": unweighted}
            wrong["That is the share after; the drop is before minus after."] = after.mean()
            _refuse(got[0], wrong, f"The drop is {wanted[0]:.4f}, you have {got[0]:.4f}.")
        ends = [np.quantile(_drawn(values, family, picks), [0.025, 0.975]) for values in (before, after)]
        wrong = {
            "Those are two intervals, one taken from the other: resample the differences, request by request.": (
                ends[0][0] - ends[1][1]
            ),
            "A mean of the families' means: a family brings all of its requests along.": np.quantile(by_mean, 0.025),
            "That leaves out ten per cent; of 95 % two and a half lie below.": np.quantile(draws, 0.05),
            "That is the interval of the share after; the drop's is asked for.": ends[1][0],
            "The least of the draws: an interval of 95 % leaves two and a half per cent below.": draws.min(),
        }
        _refuse(got[1], wrong, f"From {wanted[1]:.4f} to {wanted[2]:.4f}; you have {got[1]:.4f} to {got[2]:.4f}.")
    return "in pairs, by family, and each family with all of its requests"


# ------------------------------------------------------------------ 54.3

TRAININGS = (
    {"name": "plain", "task": 0.62, "lost": 0.41, "high": 0.50},
    {"name": "rank 1", "task": 0.55, "lost": 0.22, "high": 0.33},
    {"name": "rehearsed", "task": 0.60, "lost": 0.08, "high": 0.17},
    {"name": "stopped", "task": 0.34, "lost": 0.05, "high": 0.11},
    {"name": "half the dose", "task": 0.60, "lost": 0.04, "high": 0.13},
    {"name": "noise", "task": 0.01, "lost": 0.01, "high": 0.06},
)


def _best(rows, budget: float, by: str = "high") -> str:
    fitting = [row for row in rows if row[by] <= budget]
    return max(fitting, key=lambda row: (row["task"], -row["lost"]))["name"] if fitting else "none"


@check("54.3")
def check_choose_within(choose_within: Callable) -> str:
    """choose_within(trainings, budget) → name: best task with `high` ≤ budget, the less lost of equals; else "none"."""
    known = [row["name"] for row in TRAININGS]
    for budget, order in ((0.2, 1), (0.12, -1), (0.35, -1), (0.02, 1), (0.2, -1)):
        rows = TRAININGS[::order]
        wanted = _best(rows, budget)
        got = name_of(choose_within(deepcopy(list(rows)), budget), known)
        if got == wanted:
            continue
        if wanted == "none":
            raise Hint(f'With a budget of {budget} none is shown to be safe: "none" is the answer, not {got}.')
        row = next((row for row in rows if row["name"] == got), None)
        if row is None:
            raise Hint(f"With a budget of {budget} there is one: {wanted}.")
        if row["lost"] <= budget < row["high"]:
            raise Hint(
                f"{got} loses {row['lost']} as measured, and as much as {row['high']} by its interval: over budget."
            )
        if row["high"] > budget:
            raise Hint(f"{got} is over the budget: it may lose {row['high']}, allowed are {budget}.")
        if row["task"] == next(one["task"] for one in rows if one["name"] == wanted):
            raise Hint(f"{got} and {wanted} are as good at the task; {wanted} loses less.")
        raise Hint(f"{got} is safe, and {wanted} is safe, too, and better at the task: use the budget.")
    return "the best at the task that is shown to stay within the budget"
