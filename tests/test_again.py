"""A timing claim is refuted when it misses each time; nothing else gets a second chance."""

import nbformat
import pytest
from handmade import book, claim, code, prose, text, write

from workbench.proof.again import settle
from workbench.proof.verify import Mismatch, NotebookReport, VerifyReport, verify
from workbench.runner import notebooks

STEM = "01_a_b"


@pytest.fixture
def layout(tmp_path):
    layout = book(tmp_path, STEM)
    path = write(layout.notebooks / f"{STEM}.ipynb", prose("title", "# Measure"), code("c", claim("a_b.x")))
    set_timing(path, True)
    return layout


def set_timing(path, timing):
    nb = nbformat.read(path, as_version=4)
    nb.metadata["workbench"] = {"timing": timing}
    nbformat.write(nb, path)


def report(*missed, other=()):
    """One chapter's report, in which these claims missed, and these other things differ."""
    claims = [Mismatch("c", f"held when committed, today: {id}", id) for id in missed]
    return NotebookReport(STEM, [*claims, *(Mismatch("c", words) for words in other)], cells={"c": "values"})


def settled(layout, first, *later):
    """What comes out, and how often the chapter was run again."""
    later, runs = list(later), []
    compare = lambda chapters: VerifyReport((later.pop(0),), None)  # noqa: E731
    return settle(layout, VerifyReport((first,), None), runs.append, compare), len(runs)


def test_what_holds_in_a_second_run_passes_and_is_listed(layout):
    outcome, runs = settled(layout, report("a_b.x"), report())
    assert outcome.passed
    assert runs == 1
    assert f"– {STEM}: a_b.x missed once and held in another run" in outcome.summary()


def test_what_misses_each_time_is_refuted(layout):
    outcome, runs = settled(layout, report("a_b.x"), report("a_b.x"), report("a_b.x"))
    assert not outcome.passed
    assert runs == 2
    assert [m.missed for m in outcome.notebooks[0].mismatches] == ["a_b.x"]


def test_two_claims_that_take_turns_have_both_held_once(layout):
    outcome, runs = settled(layout, report("a_b.x", "a_b.y"), report("a_b.y", "a_b.z"), report("a_b.z"))
    assert outcome.passed
    assert runs == 2
    assert outcome.notebooks[0].unlucky == ["a_b.x", "a_b.y", "a_b.z"]


@pytest.mark.parametrize("first", [report(other=["513"]), report("a_b.x", other=["513"]), report()])
def test_nothing_else_is_run_again(layout, first):
    outcome, runs = settled(layout, first)
    assert runs == 0
    assert outcome.passed is not bool(first.mismatches)


def test_another_difference_in_the_second_run_counts(layout):
    outcome, runs = settled(layout, report("a_b.x"), report(other=["raised ValueError"]))
    assert runs == 1
    assert [m.message for m in outcome.notebooks[0].mismatches] == ["raised ValueError"]


def test_a_chapter_that_does_not_time_gets_no_second_run(layout):
    set_timing(layout.notebooks / f"{STEM}.ipynb", False)
    outcome, runs = settled(layout, report("a_b.x"))
    assert not outcome.passed
    assert runs == 0


def test_verify_tells_a_missed_claim_from_any_other_difference(layout, monkeypatch):
    monkeypatch.setattr("workbench.proof.verify.unfit", lambda layout, path: [])
    committed = [code("s", text("(2, 2)")), code("c", claim("a_b.x"), text("two"))]
    write(layout.notebooks / f"{STEM}.ipynb", *committed)
    for today, missed in ((text("two"), ["a_b.x"]), (text("three"), ["", "a_b.x"])):
        write(layout.runs("cpu") / f"{STEM}.ipynb", committed[0], code("c", claim("a_b.x", False, 0.61), today))
        found = verify(layout, [STEM]).notebooks[0].mismatches
        assert [mismatch.missed for mismatch in found] == missed
        assert found[-1].message.endswith("✗ it is smaller: at least 70 %, measured 61 %")
    not_a_number = code("c", claim("a_b.x", False, None, why_not="not a number: str"), text("two"))
    write(layout.runs("cpu") / f"{STEM}.ipynb", committed[0], not_a_number)
    assert [m.missed for m in verify(layout, [STEM]).notebooks[0].mismatches] == [""], "a bug is not bad luck"


def test_the_fixture_times(layout):
    assert notebooks.is_timing(notebooks.read(layout.chapter(STEM)))
