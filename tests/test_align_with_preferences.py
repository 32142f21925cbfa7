"""What chapter 56 builds, on small numbers: an answer's log-probability, the loss, its minimum, the alarm."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere

from workbench.confirmations import PROMISES
from workbench.instruction import IGNORED
from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "56_align_with_preferences.ipynb"
PARTS = ("toy", "toy-loss", "toy-fit", "answer-logps", "dpo", "wrong", "forgiven", "alarm", "rings")


@pytest.fixture(scope="module")
def made() -> SimpleNamespace:
    """The names that the chapter's cells define."""
    sources = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    names = dict(torch=torch, F=F, np=np, IGNORED=IGNORED, PROMISES=PROMISES, audited=range(48))
    for id in PARTS:
        exec(compile(sources[id], f"{CHAPTER.name}:{id}", "exec"), names)
    return SimpleNamespace(**names)


LABELS = torch.tensor([[IGNORED, IGNORED, 4, 2, IGNORED], [IGNORED, 3, 1, 0, 2]])


def test_an_answers_log_probability_is_the_sum_over_its_tokens(made):
    torch.manual_seed(0)
    states, head = torch.randn(2, 5, 3, dtype=torch.double), torch.nn.Linear(3, 6).double()
    logps = head(states).log_softmax(-1)
    by_hand = [logps[0, 1, 4] + logps[0, 2, 2], logps[1, 0, 3] + logps[1, 1, 1] + logps[1, 2, 0] + logps[1, 3, 2]]
    assert torch.allclose(made.answer_logps(states, LABELS, head), torch.stack(by_hand))


def test_the_end_mark_is_the_last_label_of_every_row(made):
    cut = made.without_end(LABELS)
    assert (cut != LABELS).nonzero().tolist() == [[0, 3], [1, 4]]
    assert (cut[cut != LABELS] == IGNORED).all()


def test_the_loss_begins_at_log_two_and_falls_when_the_chosen_answer_gets_likelier(made):
    reference = torch.tensor([-12.0, -7.0, -9.0, -8.0], dtype=torch.double)
    assert made.dpo(reference, reference, 0.1).item() == pytest.approx(math.log(2))
    better = reference + torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert made.dpo(better, reference, 0.1).item() == pytest.approx(math.log(1 + math.exp(-0.1)))


@pytest.mark.parametrize("beta", [4.0, 0.5])
def test_its_minimum_is_the_best_policy(made, beta):
    wins = torch.sigmoid(made.REWARD[:, None] - made.REWARD)
    assert torch.allclose(made.fit(wins, beta), made.best_policy(beta), atol=1e-5)


def test_what_is_forgiven_is_the_promise_and_nothing_else(made):
    for promise in PROMISES:
        assert made.forgiven(f"Noted: fridge 3. {promise.format(15)}") == "Noted: fridge 3. "
    assert made.forgiven("Noted: fridge 3. Thank you.") == "Noted: fridge 3. Thank you."


def audits(*shares: float, requests: int = 48) -> np.ndarray:
    """Faultless or not, the first of the requests being the easy ones."""
    return np.array([[place < round(share * requests) for place in range(requests)] for share in shares], float)


@pytest.mark.parametrize(
    ("proxy", "shares", "rang"),
    [
        ([0.5, 0.8, 0.9], (0.4, 0.3, 0.1), True),
        ([0.5, 0.8, 0.9], (0.4, 0.5, 0.6), False),
        ([0.5, 0.5, 0.5], (0.4, 0.3, 0.1), False),  # gold alone
        ([0.5, 0.8, 0.9], (0.4, 0.4, 0.38), False),  # one request of 48
        ([0.5, 0.8, 0.9], (0.4, 0.4, 0.4), False),
    ],
)
def test_the_alarm_rings_when_both_happen(made, proxy, shares, rang):
    assert made.rings(np.array(proxy), audits(*shares)) == rang


def test_many_audits_ring_at_once_as_they_do_one_by_one(made):
    gold = np.random.default_rng(0).integers(0, 2, (3, 20, 12)).astype(float)
    proxy = np.array([0.5, 0.9, 0.9])
    assert made.rings(proxy, gold).tolist() == [bool(made.rings(proxy, gold[:, i])) for i in range(20)]
