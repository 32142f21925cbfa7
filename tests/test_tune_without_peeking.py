"""Chapter 57's cells agree with the formulas of its exercises, and its proof tells honest searches from others."""

import numpy as np
import pytest
from scipy.stats import kstest
from solved import BOOK

from workbench.checks.searching import SCORES, STEPS, _best, _halve
from workbench.runner import notebooks

STEM = "57_tune_without_peeking"


def cells(*names: str, **given) -> dict:
    """What these cells of the chapter define."""
    source = {cell.id: cell.source for cell in notebooks.read(BOOK.notebooks / f"{STEM}.ipynb").cells}
    found = {"np": np, **given}
    for name in names:
        exec(source[name], found)
    return found


def test_draws_are_even_in_the_exponent():
    log_uniform, rng = cells("log-uniform")["log_uniform"], np.random.default_rng(0)
    exponents = np.log10([log_uniform(1e-4, 1e-1, rng) for _ in range(2000)])
    assert kstest(exponents, "uniform", (-4, 3)).pvalue > 0.01
    assert kstest(np.log10(rng.uniform(1e-4, 1e-1, 2000)), "uniform", (-4, 3)).pvalue < 1e-6


def test_halving_is_the_exercise_s():
    halve = cells("halving-code", RUNGS=STEPS)["halve"]
    assert tuple(map(int, halve(SCORES))) == _halve(SCORES, STEPS)


@pytest.mark.parametrize("trials", [1, 3, 10, 30])
def test_the_gift_of_equal_settings_is_the_exact_one(trials):
    rng, p, size = np.random.default_rng(1), 0.7, 40
    table = rng.random((30, 4000)) < p
    one_search = cells("gift-code", "one-search", world=table[:, None])["one_search"]
    gifts = [one_search(size, trials, rng)[0] for _ in range(600)]
    assert np.mean(gifts) == pytest.approx(_best(p, size, trials) - p, abs=0.015)


def test_a_number_without_effect_explains_little_and_a_deciding_one_all():
    explained, rng = cells("importance-code")["explained"], np.random.default_rng(0)
    scores = np.repeat(np.arange(5.0), 40)
    assert explained(np.arange(200), scores) == pytest.approx(1)
    assert explained(rng.permutation(200), scores) < 0.1


def test_the_proof_counts_shuffles_that_change_the_choice():
    import torch

    peeks = cells("peeks", torch=torch)["peeks"]
    data = {"test": (torch.zeros(64, 1), torch.arange(64) % 4)}
    assert peeks(lambda data: 3, data) == 0
    assert peeks(lambda data: int(data["test"][1][0]), data, forms=30) > 10
