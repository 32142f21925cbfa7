"""Chapter 21's batch simulator and plans, taken from the notebook's own cells."""

from bisect import bisect_right

import numpy as np
import pytest

from workbench.checks.batching_plan import plan
from workbench.layout import Layout
from workbench.runner import notebooks

CHAPTER = Layout.find().notebooks / "21_batch_requests.ipynb"
CELLS = ["policies", "deadline-policy", "simulate", "plans", "budget"]


@pytest.fixture(scope="module")
def chapter():
    """The namespace of the simulator's, the policies' and the plans' cells."""
    sources = {cell.get("id"): cell.source for cell in notebooks.read(CHAPTER).cells}
    names = {"np": np, "bisect_right": bisect_right, "lengths": np.random.default_rng(1).integers(4, 90, 70)}
    for cell in CELLS:
        exec(sources[cell], names)
    return names


def service_s(k):
    return 1.0 + 0.2 * k


def arrivals(rate, n=400):
    return np.cumsum(np.random.default_rng(7).exponential(1 / rate, n))


@pytest.mark.parametrize("rate", [0.2, 0.9, 2.0, 4.0])
@pytest.mark.parametrize("size", [1, 4, 16])
def test_the_deadline_policy_equals_an_independent_batcher(chapter, rate, size):
    arrive = arrivals(rate)
    latency, sizes = chapter["simulate"](arrive, service_s, size, chapter["deadline"](5.0, 1.0, 0.2))
    batches = plan(arrive, arrive + 5.0, service_s, size)
    ends = np.empty(len(arrive))
    for start, members in batches:
        ends[members] = start + service_s(len(members))
    assert sizes.tolist() == [len(members) for _, members in batches]
    assert np.allclose(latency, ends - arrive)


def test_a_saturated_worker_serves_full_batches(chapter):
    latency, sizes = chapter["simulate"](arrivals(50.0), service_s, 16, chapter["at_once"]())
    assert (sizes[1:-1] == 16).all()
    assert latency[-1] > latency[0]


def test_a_lonely_request_waits_for_the_timer_and_no_longer(chapter):
    arrive = np.arange(1, 20) * 100.0
    for wait in (0.0, 2.5):
        latency, sizes = chapter["simulate"](arrive, service_s, 16, chapter["timer"](wait))
        assert np.allclose(latency, wait + service_s(1))
        assert (sizes == 1).all()


def test_a_lonely_request_with_a_deadline_is_answered_at_its_deadline(chapter):
    latency, _ = chapter["simulate"](np.arange(1, 20) * 100.0, service_s, 16, chapter["deadline"](7.0, 1.0, 0.2))
    assert np.allclose(latency, 7.0)


def test_plans_hold_every_text_once_and_keep_the_budget(chapter):
    lengths = chapter["lengths"]
    order = np.argsort(lengths, kind="stable")
    for batches in (chapter["chunks"](order, 16), chapter["within_budget"](order, 512)):
        assert sorted(i for batch in batches for i in batch) == list(range(70))
    assert max(len(batch) * lengths[batch].max() for batch in batches) <= 512
