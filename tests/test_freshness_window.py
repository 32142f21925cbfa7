"""Chapter 13's live window equals its batch version on any stream: late, early, overdue, tied, empty."""

import heapq
import math
from collections import defaultdict
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "13_predict_in_batch_or_online.ipynb"
AIRPORTS = st.sampled_from(["EWR", "JFK", "LGA"])
FLIGHTS = st.lists(st.tuples(AIRPORTS, st.integers(0, 400), st.integers(-30, 300)), min_size=1, max_size=60)
ASKED = st.lists(st.tuples(st.integers(0, 900), AIRPORTS), min_size=1, max_size=40)


def chapter(*ids: str, **names) -> dict:
    """The chapter's cells of these ids, executed in one namespace."""
    names |= {"heapq": heapq, "math": math, "defaultdict": defaultdict, "np": np, "pd": pd}
    sources = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    for cell in ids:
        exec(sources[cell], names)
    return names


def defined(flights, asked) -> list[tuple[int, int]]:
    """Count and total by the definition: due in (t − 120, t] and gone by t."""
    found = []
    for t, airport in asked:
        inside = [d for o, due, d in flights if o == airport and t - 120 < due <= t and due + d <= t]
        found.append((len(inside), sum(inside)))
    return found


def replayed(names, flights, asked, scale=1):
    reports = sorted((due + d, names["REPORT"], o, due, d * scale) for o, due, d in flights)
    return names["replay"](reports, [(t, names["ASK"], airport, 0, 0) for t, airport in asked])


@settings(max_examples=60, deadline=None)
@given(FLIGHTS, ASKED)
def test_the_live_window_and_its_sql_version_equal_the_definition(flights, asked):
    asked = sorted(asked)
    departed = pd.DataFrame([(o, due, d, due + d) for o, due, d in flights], columns=["origin", "due", "delay", "gone"])
    requests = pd.DataFrame(asked, columns=["minute", "origin"])
    with duckdb.connect(config={"threads": 1}) as db:
        names = chapter("window", "replay", "staircase", db=db, departed=departed, flights=requests)
        exec(chapter_source("read-staircase").split("\n\n\nbuild_staircase")[0], names)
        names["build_staircase"]("two_hours", width=120)
        batch = names["read_staircase"]("two_hours", requests["minute"].to_numpy())
    assert [tuple(row) for row in batch.tolist()] == defined(flights, asked)
    assert [tuple(row) for row in replayed(names, flights, asked)] == defined(flights, asked)


def chapter_source(cell_id: str) -> str:
    return next(cell.source for cell in notebooks.read(CHAPTER).cells if cell.id == cell_id)


def test_a_window_of_floats_keeps_dust_when_it_is_empty():
    names = chapter("window")
    window = names["Window"](120)
    for event, value in ((1, 0.1), (2, 0.2), (3, 0.3)):
        window.add(event, value)
    window.read(3)
    assert window.read(500) == (0, pytest.approx(0, abs=1e-12))
    assert window.total != 0


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_width_is_refused(width):
    with pytest.raises(ValueError, match="wider than nothing"):
        chapter("window")["Window"](width)


def test_time_that_runs_backwards_is_refused():
    window = chapter("window")["Window"](120)
    window.read(10)
    with pytest.raises(ValueError, match="backwards"):
        window.read(9)


def test_an_empty_or_disordered_stream_is_refused():
    names = chapter("window", "replay")
    ask = [(5, names["ASK"], "LGA", 0, 0)]
    with pytest.raises(ValueError, match="no report"):
        names["replay"]([], ask)
    with pytest.raises(ValueError, match="not in order"):
        names["replay"]([(9, 0, "LGA", 3, 6), (4, 0, "LGA", 2, 2)], ask)


@pytest.mark.parametrize("interval", ["30", "30 parsecs", "-5 min", "0 h", "1.5 h", "", "min"])
def test_an_interval_without_a_known_unit_is_refused(interval):
    with pytest.raises(ValueError, match="unknown interval"):
        chapter("refreshed", NIGHT=180)["minutes"](interval)


def test_a_refresh_is_never_in_the_future_and_never_older_than_the_interval():
    names = chapter("refreshed", NIGHT=180)
    at = np.arange(-500, 5000)
    for interval in ("5 min", "4 h", "24 h"):
        age = at - names["refreshed"](at, interval)
        assert age.min() == 0
        assert age.max() == names["minutes"](interval) - 1
