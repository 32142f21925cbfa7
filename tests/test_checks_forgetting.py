"""Chapter 54's checks accept independent implementations, and name mistakes that the sheet does not list."""

import math
import re
import string

import numpy as np
import pytest

from workbench.checks.forgetting import check_choose_within, check_drop_interval, check_perplexity_ratio
from workbench.checks.forgetting_choice import check_decide, check_mix


def by_products(before, after):
    """exp of minus the mean, token by token, in plain Python."""
    told = [[float(p) for text in texts for p in text] for texts in (before, after)]
    perplexities = [math.exp(-math.fsum(row) / len(row)) for row in told]
    return perplexities[1] / perplexities[0]


def by_hand(before, after, family, picks):
    names, means = sorted(set(family.tolist())), []
    for row in picks:
        drawn = [at for number in row for at in range(len(family)) if family[at] == names[number]]
        means.append(float(np.mean([before[at] - after[at] for at in drawn])))
    return np.mean(before) - np.mean(after), np.percentile(means, 2.5), np.percentile(means, 97.5)


def by_sorting(trainings, budget):
    ranked = sorted(trainings, key=lambda one: (-one["task"], one["lost"]))
    return next((one["name"] for one in ranked if one["high"] <= budget), "none")


def by_steps(lessons, prompts, judged, share):
    def bare(text):
        return text.translate(str.maketrans("", "", string.punctuation)).lower().split()

    left = [prompt for prompt in prompts if bare(prompt) not in [bare(text) for text in judged]]
    count = round(len(lessons) / (1 - share) - len(lessons))
    places = {round((at + 0.5) * (len(lessons) + count) / count): prompt for at, prompt in enumerate(left[:count])}
    rest = iter(lessons)
    return [places[at] if at in places else next(rest) for at in range(len(lessons) + count)]


def by_tables(options, requests, changes, needed):
    prices = {"none": math.inf}
    for name, row in options.items():
        if not row["low"] < needed:
            prices[name] = sum(np.array([row["before"], row["each"], row["change"]]) * [1, requests, changes])
    return min(prices, key=lambda name: prices[name])


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_perplexity_ratio, by_products),
        (check_drop_interval, by_hand),
        (check_choose_within, by_sorting),
        (check_mix, by_steps),
        (check_decide, by_tables),
    ],
)
def test_another_right_answer_is_accepted(check, answer):
    assert check.judge(answer).passed, check.judge(answer).message


@pytest.mark.parametrize(
    ("check", "answer", "hint"),
    [
        (check_perplexity_ratio, lambda a, b: math.log(by_products(a, b)), "That is the difference in nats"),
        (check_drop_interval, lambda b, a, f, p: (a.mean(), 0, 0), "That is the share after"),
        (check_drop_interval, lambda b, a, f, p: ((b - a).mean(), *by_hand(a, 0 * a, f, p)[1:]), "of the share after"),
        (check_choose_within, lambda rows, budget: "none", "there is one"),
        (check_choose_within, lambda rows, budget: "distilled", "Return one of the names"),
        (check_mix, lambda *a: [text for text in by_steps(*a) for _ in range(1 + (text in a[1]))], "comes twice"),
        (check_mix, lambda *a: [*by_steps(*a), "Be good."], "neither a lesson nor a prompt"),
        (check_mix, lambda *a: by_steps(*a[:3], 0.5), "prompts make it"),
        (check_mix, lambda *a: [re.sub("fridge", "freezer", text) for text in by_steps(*a)], "All lessons"),
        (check_decide, lambda *a: "none", "The cheapest that is good enough"),
        (check_decide, lambda *a: ["prompt"], "Return one of the names"),
    ],
)
def test_further_mistakes_are_named(check, answer, hint):
    report = check.judge(answer)
    assert report.passed is False
    assert hint in report.message
