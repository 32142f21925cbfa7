"""Chapter 52's checks accept other ways to be right, and refuse mistakes that the notebook does not list."""

import json
from fractions import Fraction

import numpy as np
import pytest

from workbench.checks.finetuned import check_adapter_size, check_gain_interval, check_same_rule
from workbench.checks.finetuned_release import check_choose, check_ship


def test_an_adapters_size_may_be_counted_matrix_by_matrix():
    def size(config, model, bytes_each):
        head, total = model["hidden_size"] // model["heads"], 0
        for _ in config["layers_to_transform"]:
            for module in config["target_modules"]:
                ends = {"q": model["heads"] * head, "k": model["kv_heads"] * head, "v": model["kv_heads"] * head}
                ends |= {"o": model["hidden_size"], "g": model["intermediate_size"], "u": model["intermediate_size"]}
                start = model["intermediate_size"] if module[0] == "d" else model["hidden_size"]
                a = np.empty((config["r"], start), np.int8)
                b = np.empty((ends.get(module[0], model["hidden_size"]), config["r"]), np.int8)
                total += (a.size + b.size) * bytes_each
        return total

    assert check_adapter_size.judge(size).passed


def test_an_adapter_of_a_alone_is_named():
    def only_a(config, model, each):
        widths = [model["intermediate_size" if m == "down_proj" else "hidden_size"] for m in config["target_modules"]]
        return each * config["r"] * sum(widths) * len(config["layers_to_transform"])

    assert "That is A alone" in check_adapter_size.judge(only_a).message


def test_rules_may_be_compared_as_sets_of_facts():
    minutes = {"s": Fraction(1, 60), "min": 1, "h": 60}

    def facts(text):
        try:
            rule = json.loads(text)
            found = {(key, one) for key in ("at", "tell") for one in rule.get(key, ())}
            found |= {key for key in rule}
            if "for" in rule:
                count, unit = rule["for"].split(" ")
                found.add(int(count) * minutes[unit])
        except Exception:
            return text
        return found

    assert check_same_rule.judge(lambda answer, gold: facts(answer) == facts(gold)).passed


@pytest.mark.parametrize("answer", ["yes", 1, [True]])
def test_a_verdict_is_true_or_false(answer):
    assert "True or False is asked for" in check_same_rule.judge(lambda *_: answer).message


def test_an_interval_may_come_from_the_standard_error():
    def normal(new, old):
        each = 100 * (np.mean(new, 0) - old)
        half = 1.96 * each.std(ddof=1) / len(each) ** 0.5
        return each.mean(), each.mean() - half, each.mean() + half

    assert check_gain_interval.judge(normal).passed


def test_the_interval_of_one_seed_is_refused():
    def one_seed(new, old):
        each = 100 * (new[0] - old.astype(float))
        half = 1.96 * each.std() / len(each) ** 0.5
        return each.mean(), each.mean() - half, each.mean() + half

    assert "the mean over seeds and sentences" in check_gain_interval.judge(one_seed).message


def test_a_checkpoint_may_be_chosen_by_counting():
    def choose(dev):
        top = max(hits.sum() for hits in dev.values())
        best = min(count for count, hits in dev.items() if hits.sum() == top)
        for count, hits in sorted(dev.items()):
            lost, won = (dev[best] & ~hits).sum(), (hits & ~dev[best]).sum()
            n, mean = len(hits), (lost - won) / len(hits)
            if mean <= np.sqrt(((lost + won) / n - mean**2) / n):
                return count

    assert check_choose.judge(choose).passed


def test_a_file_may_be_proven_from_the_changed_answers_alone():
    def ship(model, files, margin):
        fit = {}
        for name, (size, hits) in files.items():
            lost, won, n = (model & ~hits).sum(), (hits & ~model).sum(), len(model)
            mean = (won - lost) / n
            half = 1.96 * np.sqrt(((won + lost) / n - mean**2) / n)
            if 100 * (mean - half) > -margin:
                fit[size] = name
        return fit[min(fit)] if fit else None

    assert check_ship.judge(ship).passed
