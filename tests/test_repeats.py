"""Repeated runs are kept for the measurement that they belong to, and judged by today's bounds."""

import sys
from pathlib import Path

import nbformat
import pytest
from handmade import claim, code, write

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import repeats

CODE = """SIZES = {"smoke": dict(n=1), "cpu": dict(n=9)}
claim("a_b.x", took(9), says="faster", at_least=2)  # a remark"""


@pytest.fixture
def chapter(tmp_path):
    return write(tmp_path / "01_a_b.ipynb", code("c", claim("a_b.x", True, 0.75), source=CODE))


def hash_of(source):
    return repeats.measurement(nbformat.v4.new_notebook(cells=[code("c", source=source)]))


@pytest.mark.parametrize(
    ("old", "new"), [("at_least=2", "at_most=3"), ("n=1", "n=2"), ("# a remark", ""), ('"faster"', '"much faster"')]
)
def test_judgement_layout_and_other_profiles_are_not_measured(old, new):
    assert hash_of(CODE.replace(old, new)) == hash_of(CODE)


@pytest.mark.parametrize(("old", "new"), [("took(9)", "took(8)"), ("n=9", "n=8"), ("a_b.x", "a_b.y")])
def test_what_is_measured_is_in_the_hash(old, new):
    assert hash_of(CODE.replace(old, new)) != hash_of(CODE)


def test_kept_values_are_judged_by_todays_bound(chapter, tmp_path):
    for value, busy in ((0.75, False), (0.71, False), (0.66, True)):
        ran = nbformat.v4.new_notebook(cells=[code("c", claim("a_b.x", value >= 0.7, value))])
        repeats.keep(chapter, ran, busy, 2.5, tmp_path)
    shown = repeats.table(chapter, repeats.kept(chapter, tmp_path))
    assert shown.splitlines()[0] == "01_a_b: 3 runs, 1 beside a busy process, 2 to 2 s"
    assert "2/3 held                0.66 / 0.71 / 0.75" in shown
    write(chapter, code("c", claim("a_b.x", True, bound={"at_least": 0.6}), source=CODE.replace("=2", "=1")))
    assert "3/3 held" in repeats.table(chapter, repeats.kept(chapter, tmp_path)), "the bound moved, the runs stay"


def test_runs_of_another_measurement_are_not_shown(chapter, tmp_path):
    repeats.keep(chapter, nbformat.read(chapter, 4), False, 1.0, tmp_path)
    write(chapter, code("c", claim("a_b.x"), source=CODE.replace("took(9)", "took(7)")))
    assert repeats.kept(chapter, tmp_path) == []
    assert repeats.table(chapter, []).startswith("01_a_b: 0 runs")


def test_what_was_not_judged_there_is_not_counted(chapter, tmp_path):
    ran = nbformat.v4.new_notebook(cells=[code("c", claim("a_b.x", None, 0.2, why_not="needs a GPU"))])
    repeats.keep(chapter, ran, False, 1.0, tmp_path)
    (run,) = repeats.kept(chapter, tmp_path)
    assert "0/0 held  1 not judged  –" in repeats.table(chapter, [run])
    assert (run["values"], run["unjudged"]) == ({"x": None}, {"x": 0.2}), "kept all the same: what the gate is for"
