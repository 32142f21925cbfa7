"""Chapter 12's simulator, taken from the notebook's own cells: short, right, and strict about its input."""

import math
from heapq import heappop, heappush, heapreplace

import numpy as np
import pytest

from workbench.layout import Layout
from workbench.runner import notebooks

CHAPTER = Layout.find().notebooks / "12_queue_requests.ipynb"
SIMULATOR = ["guard", "check-stream", "poisson", "waits", "simulate"]
THEORY = ["utilisation", "erlang", "mean-wait"]


@pytest.fixture(scope="module")
def sources():
    """Cell id → source."""
    return {cell.get("id"): cell.source for cell in notebooks.read(CHAPTER).cells}


@pytest.fixture(scope="module")
def chapter(sources):
    """The namespace of the simulator's and the formulas' cells."""
    names = {"math": math, "np": np, "heappop": heappop, "heappush": heappush, "heapreplace": heapreplace}
    for cell in ["lindley", *SIMULATOR, *THEORY]:
        exec(sources[cell], names)
    return names


def stream(seed=0, n=300, busy=0.9):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.exponential(1 / busy, n)), rng.exponential(1.0, n)


def test_the_simulator_has_at_most_sixty_lines(sources):
    assert sum(len([line for line in sources[cell].splitlines() if line.strip()]) for cell in SIMULATOR) <= 60


def test_three_ways_to_one_wait(chapter):
    arrive, service = stream()
    slowly = chapter["waits_slowly"](np.diff(arrive, prepend=0), service)
    assert chapter["waits"](arrive, service) == pytest.approx(slowly, abs=1e-9)
    assert chapter["simulate"](arrive, service) - arrive == pytest.approx(slowly, abs=1e-9)


def test_a_queue_by_hand(chapter):
    arrive, service = np.array([0.0, 1.0, 1.5, 9.0]), np.array([3.0, 1.0, 2.0, 1.0])
    assert chapter["simulate"](arrive, service).tolist() == [0, 3, 4, 9]
    assert chapter["simulate"](arrive, service, servers=2).tolist() == [0, 1, 2, 9]
    assert chapter["simulate"](arrive, service, rank=[0, 1, 0, 0]).tolist() == [0, 5, 3, 9]


def test_servers_that_rest_do_not_start_before_the_arrival(chapter):
    arrive, service = np.array([5.0, 5.0, 5.0]), np.ones(3)
    assert chapter["simulate"](arrive, service, servers=2).tolist() == [5, 5, 6]


def test_whoever_gives_up_costs_nothing(chapter):
    arrive, service = np.array([0.0, 1.0, 2.0]), np.array([5.0, 5.0, 1.0])
    start = chapter["simulate"](arrive, service, patience_s=3.0)
    assert start[[0, 2]].tolist() == [0, 5]
    assert math.isnan(start[1])


def test_work_is_conserved_whatever_the_order(chapter):
    arrive, service = stream(1)
    for rank in (None, service, -service):
        start = chapter["simulate"](arrive, service, rank=rank)
        order = np.argsort(start)
        assert (start[order][1:] >= (start + service)[order][:-1] - 1e-9).all()
        assert (start + service).max() == pytest.approx((chapter["simulate"](arrive, service) + service).max())


@pytest.mark.parametrize(("servers", "wanted"), [(1, 0.8), (2, 0.7111), (10, 0.4092)])
def test_erlangs_probability_as_in_the_tables(chapter, servers, wanted):
    assert chapter["erlang_c"](0.8 * servers, 1.0, servers) == pytest.approx(wanted, abs=1e-4)


def test_constant_services_wait_half_as_long(chapter):
    wait = chapter["mean_wait_s"]
    assert wait(0.8, 1.0) == pytest.approx(4.0)
    assert wait(0.8, 1.0, cv2=0.0) == pytest.approx(2.0)


EMPTY, ONE, BACK = np.array([]), np.array([1.0]), np.array([2.0, 1.0])
REFUSED = [
    ("poisson", (-5, 10, np.random.default_rng(0)), "positive rate"),
    ("poisson", (0, 10, np.random.default_rng(0)), "positive rate"),
    ("poisson", (math.nan, 10, np.random.default_rng(0)), "positive rate"),
    ("poisson", (1, 0, np.random.default_rng(0)), "at least one request"),
    ("simulate", (EMPTY, EMPTY), "at least one"),
    ("waits", (EMPTY, EMPTY), "at least one"),
    ("simulate", (ONE, BACK), "one service per arrival"),
    ("simulate", (ONE, -ONE), "services must be"),
    ("simulate", (ONE, ONE * math.nan), "services must be"),
    ("simulate", (-ONE, ONE), "arrivals must be"),
    ("simulate", (BACK, BACK), "in order of time"),
    ("simulate", (ONE, ONE, 0), "not 0"),
    ("simulate", (ONE, ONE, 1.5), "not 1.5"),
    ("simulate", (ONE, ONE, 1, [0, 1]), "one finite rank for each"),
    ("simulate", (BACK[::-1], BACK, 1, [0]), "one finite rank for each"),
    ("simulate", (ONE, ONE, 1, [math.nan]), "one finite rank for each"),
    ("simulate", (ONE, ONE, 1, None, -1.0), "a patience cannot be"),
    ("simulate", (ONE, ONE, 1, None, math.nan), "a patience cannot be"),
    ("seconds", (3, "min"), "unknown unit 'min'"),
    ("seconds", (-3, "ms"), "cannot be -3 ms"),
    ("seconds", (math.nan, "ms"), "cannot be nan"),
    ("utilisation", (10.0, 0.1), "from 1 on the queue grows for ever"),
    ("utilisation", (-1.0, 0.1), "positive"),
    ("utilisation", (1.0, -0.1), "positive"),
    ("erlang_c", (20.0, 0.1, 2), "from 1 on"),
    ("mean_wait_s", (2.0, 0.6), "from 1 on"),
    ("mean_wait_s", (0.5, 1.0, 1, -3.0), "is 0 or more"),
    ("mean_wait_s", (0.5, 1.0, 1, math.nan), "is 0 or more"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), REFUSED, ids=[f"{n} {w}" for n, _, w in REFUSED])
def test_bad_input_is_refused_in_words(chapter, name, arguments, words):
    with pytest.raises(ValueError, match=words):
        chapter[name](*arguments)
