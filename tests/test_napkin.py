"""Chapter 11's calculator and simulators, taken from the notebook's own cells: right, and strict about input."""

import math
import re

import numpy as np
import pytest

from workbench.layout import Layout
from workbench.runner import notebooks

LAYOUT = Layout.find()
CHAPTER = LAYOUT.notebooks / "11_size_a_system_on_a_napkin.ipynb"
CELLS = [
    "imports",
    "units",
    "positive",
    "convert",
    "assume",
    "ranker",
    "little",
    "two-sizings",
    "simulate",
    "day",
    "bathtub",
    "level",
    "store",
    "almost-all",
    "rag",
    "rag-rate",
    "kv",
    "step",
    "answer-time",
    "rag-napkin",
    "card",
    "capacity",
    "fleet",
    "fleet-napkin",
    "drain",
    "recovery",
    "amplify",
    "prices",
    "break-even",
    "uneven",
]


@pytest.fixture(scope="module")
def chapter():
    """The namespace of the chapter's defining cells."""
    sources = {cell.get("id"): cell.source for cell in notebooks.read(CHAPTER).cells}
    names = {"profile": "cpu", "seed": 0}
    for cell in CELLS:
        exec(sources[cell], names)
    return names


@pytest.mark.parametrize(
    ("value", "unit", "into", "wanted"),
    [(1, "day", "s", 86400), (1e6, "1/day", "1/s", 11.574074), (8, "GB", "Gbit", 64), (1, "GiB", "MiB", 1024)],
)
def test_units_convert(chapter, value, unit, into, wanted):
    assert chapter["convert"](value, unit, into) == pytest.approx(wanted)
    assert chapter["convert"](chapter["convert"](value, unit, into), into, unit) == pytest.approx(value)


REFUSED = [
    ("convert", (1, "Gb", "GB"), "unknown unit 'Gb'"),
    ("convert", (1, "GB/", "GB/fortnight"), "unknown unit 'fortnight'"),
    ("convert", (1, "GB/s", "GB"), "do not convert"),
    ("convert", (-1, "GB", "B"), "value must be positive"),
    ("in_flight", (0, 1), "requests_per_s must be positive"),
    ("in_flight", (1, math.inf), "time_s must be positive and finite"),
    ("in_flight", (True, 1), "must be a number"),
    ("in_flight", ("12", 1), "must be a number, got '12'"),
    ("workers_needed", (10, 0.1, 1), "the queue never ends"),
    ("workers_needed", (10, 0.1, 60), "between 0 and 1"),
    ("almost_most", (-1,), "mean must be positive"),
    ("stored_bytes", (1, -1, 3), "keep_s"),
    ("usd_per_million", (0, 1, 1), "workers"),
    ("kv_bytes_per_token", (32, 0, 128, 2), "kv_heads"),
    ("answer_time_s", (5.0,), "cannot keep up"),
    ("drain_s", (100, 2, 2), "never shrinks"),
    ("drain_s", (100, 2, -1), "no fewer than 0 workers are busy"),
    ("drain_s", (100, 2, math.nan), "no fewer than 0 workers are busy"),
    ("attempts_per_request", (1.5, 3), "between 0 and 1"),
    ("attempts_per_request", (0.5, -1), "retries are 0, 1, 2"),
    ("attempts_per_request", (0.5, 1.5), "retries are 0, 1, 2"),
    ("deepest_queue", ([], 10), "at least one hour"),
    ("deepest_queue", ([-5, -5], 10), "none below zero"),
    ("deepest_queue", ([5, math.nan], 10), "none below zero"),
    ("deepest_queue", ([1], -10), "capacity_per_s must be positive"),
    ("arrivals_of_a_day", (np.random.default_rng(0), 10, []), "a day needs hours"),
    ("arrivals_of_a_day", (np.random.default_rng(0), 10, [0, 0]), "some traffic"),
    ("arrivals_of_a_day", (np.random.default_rng(0), 10, [3, -2]), "none with a negative rate"),
    ("break_even_per_day", (2, 1, 0), "api_usd_per_request"),
    ("simulate", (np.array([]), np.array([]), 1), "one service time per arrival"),
    ("simulate", (np.array([1.0]), np.array([1.0, 2.0]), 1), "one service time per arrival"),
    ("simulate", (np.array([2.0, 1.0]), np.ones(2), 1), "in order of time"),
    ("simulate", (np.array([1.0, 2.0]), np.array([1.0, -1.0]), 1), "no service may be negative"),
    ("simulate", (np.array([1.0, math.nan]), np.ones(2), 1), "in order of time"),
    ("simulate", (np.ones(1), np.ones(1), 0), "workers must be positive"),
    ("simulate", (np.ones(1), np.ones(1), 0.5), "not 0.5"),
    ("simulate", (np.ones(1), np.ones(1), 2.7), "not 2.7"),
    ("serve", (np.array([]), np.array([], int), np.array([], int)), "there must be questions"),
    ("serve", (np.zeros(1), np.array([10**9]), np.array([1])), "each must fit"),
]


@pytest.mark.parametrize(("function", "arguments", "says"), REFUSED)
def test_bad_input_is_refused_with_its_name(chapter, function, arguments, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        chapter[function](*arguments)


def test_an_assumption_is_stated_in_its_unit_and_used_in_base_units(chapter, capsys):
    record = chapter["assume"](rate_per_s=(60, "1/min", "a guess"), size_bytes=(2, "kB", "the brief"))
    assert (record.rate_per_s, record.size_bytes) == (1, 2000)
    assert "a guess" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "unit", "says"),
    [
        ("service_s", "GB", "service_s promises time, but 'GB' measures data"),
        ("requests_per_s", "1", "requests_per_s promises time, but '1' measures count"),
        ("reading_bytes_per_s", "Mbit/h", None),
        ("link_bytes_per_s", "s/MB", "link_bytes_per_s promises data, but 's/MB' measures time"),
        ("core_usd_per_s", "1/h", "core_usd_per_s promises money"),
        ("questions_per_day", "1", None),
    ],
)
def test_an_assumption_keeps_what_its_name_promises(chapter, capsys, name, unit, says):
    if says is None:
        chapter["assume"](**{name: (1, unit, "a guess")})
        return
    with pytest.raises(ValueError, match=re.escape(says)):
        chapter["assume"](**{name: (1, unit, "a slip")})
    assert capsys.readouterr().out == ""


def test_two_workers_serve_in_the_order_of_arrival(chapter):
    ends = chapter["simulate"](np.array([0.0, 0.0, 1.0, 9.0]), np.array([4.0, 2.0, 1.0, 1.0]), 2)
    assert ends.tolist() == [4.0, 2.0, 3.0, 10.0]


def test_the_simulator_agrees_with_the_formula_of_one_exponential_worker(chapter):
    rng = np.random.default_rng(1)
    arrivals = np.cumsum(rng.exponential(1.0, 200_000))
    spent = chapter["simulate"](arrivals, rng.exponential(0.5, 200_000), 1) - arrivals
    assert spent.mean() == pytest.approx(1 / (2 - 1), rel=0.03)  # M/M/1: 1 / (μ − λ)


def test_the_level_counts_what_has_come_and_not_yet_left(chapter):
    level = chapter["level_at"](np.array([0, 1, 2, 3, 5]), [1, 2], [3, 5], sizes=[10, 1])
    assert level.tolist() == [0, 10, 11, 1, 0]


def test_a_day_has_its_total_and_its_shape(chapter):
    day = chapter["arrivals_of_a_day"](np.random.default_rng(0), 100_000, [0, 0, 3, 1])
    assert len(day) == pytest.approx(100_000, rel=0.02)
    assert np.all(np.diff(day) >= 0)
    assert day.max() <= 4 * 3600
    assert np.mean((day > 2 * 3600) & (day < 3 * 3600)) > 0.5


def test_a_card_reads_each_prompt_and_shares_the_writing(chapter):
    prompts, answers = np.array([3000, 3000]), np.array([10, 10])
    start, end = chapter["serve"](np.zeros(2), prompts, answers)
    assert start == pytest.approx([0, chapter["read_s"]])
    step_s = end[0] - 2 * chapter["read_s"]
    alone = chapter["serve"](np.zeros(1), prompts[:1], answers[:1])[1][0] - chapter["read_s"]
    assert alone < step_s < 2 * alone


def test_the_napkins_circle_closes(chapter):
    per_s, time_s = chapter["rag_peak_per_s"], chapter["rag_time_s"]
    batch, rag = per_s * time_s, chapter["rag"]
    writing = rag.answer_tokens * chapter["token_s"](batch) / (1 - per_s * chapter["read_s"])
    assert time_s == pytest.approx(chapter["read_s"] + writing)


def test_the_deepest_queue_is_filled_hour_by_hour(chapter):
    assert chapter["deepest_queue"]([1, 3, 4, 1, 1], capacity_per_s=2) == pytest.approx((1 + 2) * 3600)
    assert chapter["deepest_queue"]([1, 1], capacity_per_s=2) == 0


def test_retries_are_a_geometric_sum(chapter):
    assert chapter["attempts_per_request"](1, 3) == 4
    assert chapter["attempts_per_request"](0.5, 2) == pytest.approx(1.75)
    assert chapter["attempts_per_request"](0, 3) == 1


def test_the_diagrams_show_the_computed_numbers(chapter):
    prose = "\n".join(cell.source for cell in notebooks.read(CHAPTER).cells if cell.cell_type == "markdown")
    assert f"{chapter['by_peak']} + 1 spare" in prose
    assert f"{chapter['enough']} scoring workers" in prose
    assert chapter["rag_peak_per_s"] < chapter["card_per_s"]  # one card carries the peak
    assert prose.count("```{mermaid}") == 3
