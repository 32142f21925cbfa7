"""The ledger holds every claim of the executed notebooks, once, and says where it was measured."""

import json
import os

import pytest
from handmade import book, claim, code, provenance, write

from workbench.errors import UnknownNameError, WorkbenchError
from workbench.proof import ledger


@pytest.fixture
def layout(tmp_path):
    return book(tmp_path, "01_a_b", "02_c")


def execute(layout, stem, *outputs, profile="cpu", **run):
    cells = [code("machine", provenance(profile=profile, **run)), code("claims", *outputs)]
    return write(layout.runs(profile) / f"{stem}.ipynb", *cells)


def test_a_claim_comes_with_the_cell_and_the_run_it_was_measured_in(layout):
    execute(layout, "01_a_b", claim("a_b.smaller", low=0.7, high=0.8, n=50))
    assert [path.name for path in ledger.write(layout)] == ["test-cpu-2c.json"]
    table = ledger.load(layout)
    assert list(table.columns) == ledger.COLUMNS
    row = table.iloc[0]
    assert (row.chapter, row.cell, row.date, row.commit) == ("01_a_b", "claims", "2026-11-21", "abc1234")
    assert (row.value, row.low, row.high, row.n) == (0.75, 0.7, 0.8, 50)
    assert (row.bound, row.held, row.control, row.source) == ("at least 70 %", True, False, "local")


def test_the_file_has_the_agreed_shape(layout):
    execute(layout, "01_a_b", claim("a_b.smaller"))
    (path,) = ledger.write(layout)
    content = json.loads(path.read_text())
    assert content["machine"]["machine"] == "test-cpu-2c"
    assert content["profile"] == "cpu"
    assert content["claims"][0].items() >= {"id": "a_b.smaller", "chapter": "01_a_b", "cell": "claims"}.items()


def test_an_id_made_twice_is_refused_with_both_cells(layout):
    paths = [execute(layout, "01_a_b", claim("a_b.x")), execute(layout, "02_c", claim("c.y"), claim("c.y"))]
    with pytest.raises(WorkbenchError, match=r"'c\.y' is made twice: 02_c cell 'claims' and 02_c cell 'claims'"):
        ledger.collect(paths)


@pytest.mark.parametrize("name", ["c.smaller", "smaller", "a_b.Smaller", "a_b.", "a_b.x.y", "a_b.très"])
def test_an_ill_named_claim_is_refused_with_its_cell(layout, name):
    with pytest.raises(WorkbenchError, match=r"01_a_b, cell 'claims'.*call it a_b\.[a-z]"):
        ledger.collect([execute(layout, "01_a_b", claim(name))])


def test_a_refused_claim_leaves_the_last_good_ledger(layout):
    execute(layout, "01_a_b", claim("a_b.x"))
    (path,) = ledger.write(layout)
    before = path.read_bytes()
    execute(layout, "02_c", claim("wrong.y"))
    with pytest.raises(WorkbenchError):
        ledger.write(layout)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_last_good_ledger(layout, monkeypatch):
    execute(layout, "01_a_b", claim("a_b.x"))
    (path,) = ledger.write(layout)
    before = path.read_bytes()
    execute(layout, "01_a_b", claim("a_b.x", value=0.9))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WorkbenchError, match=r"No space left on device.* — free some disk space"):
        ledger.write(layout)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("rubbish", ["", '{"machine": {}, "pro', "[]", '{"claims": []}', '{"machine": 1}', "7"])
def test_a_half_written_ledger_is_one_clear_line_with_a_cure(layout, rubbish):
    layout.evidence.mkdir(parents=True)
    (layout.evidence / "nvidia-h200.json").write_text(rubbish)
    with pytest.raises(WorkbenchError, match=r"nvidia-h200.json cannot be read.*git checkout book/evidence/nvid"):
        ledger.load(layout)


def test_a_damaged_executed_notebook_names_its_cure(layout):
    path = execute(layout, "01_a_b", claim("a_b.x"))
    path.write_text(path.read_text()[:200])
    with pytest.raises(WorkbenchError, match=r"01_a_b\.ipynb is not a readable.*workbench run 01_a_b --force"):
        ledger.collect([path])


def test_machines_stand_side_by_side_and_the_local_one_counts_once(layout):
    execute(layout, "01_a_b", claim("a_b.x", profile="gpu", machine="h200"), profile="gpu", machine="h200")
    assert [path.name for path in ledger.save_evidence(layout, "gpu")] == ["h200.json"]
    execute(layout, "01_a_b", claim("a_b.x"))
    ledger.write(layout)
    ledger.save_evidence(layout, "cpu")
    table = ledger.load(layout)
    assert table[["machine", "source"]].values.tolist() == [["test-cpu-2c", "local"], ["h200", "evidence"]]


def test_smoke_numbers_are_never_published(layout):
    execute(layout, "01_a_b", claim("a_b.x", None, why_not="smoke sizes are too small"), profile="smoke")
    execute(layout, "02_c", claim("c.y"))
    assert [path.name for path in ledger.write(layout)] == ["test-cpu-2c.json"]
    assert [path.name for path in ledger.write(layout, "smoke")] == ["test-cpu-2c.smoke.json"]
    assert ledger.load(layout)["id"].tolist() == ["c.y"]
    assert len(ledger.load(layout, profiles=("smoke",))) == 1


def test_a_chapter_that_is_gone_leaves_the_ledger(layout):
    execute(layout, "01_a_b", claim("a_b.x", machine="old-name"), machine="old-name")
    ledger.write(layout)
    execute(layout, "01_a_b", claim("a_b.y"))
    ledger.write(layout)
    assert ledger.load(layout)["id"].tolist() == ["a_b.y"]


def test_a_missed_claim_is_read_first(layout):
    kinds = {"a_b.held": True, "a_b.missed": False, "a_b.not_claimed": None}
    execute(layout, "01_a_b", *(claim(name, held) for name, held in reversed(kinds.items())))
    ledger.write(layout)
    assert ledger.order(ledger.load(layout))["id"].tolist() == ["a_b.missed", "a_b.held", "a_b.not_claimed"]


def test_lookup_prefers_this_machine_and_finds_others_by_profile_or_name(layout):
    for profile, machine in (("gpu", "h200"), ("cpu", "big-cpu")):
        execute(layout, "01_a_b", claim("a_b.x", machine=machine), profile=profile, machine=machine)
        ledger.save_evidence(layout, profile)
    execute(layout, "01_a_b", claim("a_b.x"))
    ledger.write(layout)
    table = ledger.load(layout)
    found = {where: ledger.lookup(table, f"a_b.x{where}").machine for where in ("", "@gpu", "@cpu", "@big-cpu")}
    assert found == {"": "test-cpu-2c", "@gpu": "h200", "@cpu": "test-cpu-2c", "@big-cpu": "big-cpu"}


@pytest.mark.parametrize(("name", "near"), [("a_b.smalle", "a_b.smaller"), ("a_b.smaller@gpu", "cpu")])
def test_an_unknown_claim_or_machine_is_an_error_with_the_closest_names(layout, name, near):
    execute(layout, "01_a_b", claim("a_b.smaller"))
    ledger.write(layout)
    with pytest.raises(UnknownNameError, match=near):
        ledger.lookup(ledger.load(layout), name)


def test_an_empty_book_has_an_empty_ledger(layout):
    assert ledger.write(layout) == []
    table = ledger.order(ledger.load(layout))
    assert table.empty
    with pytest.raises(UnknownNameError, match="known: none"):
        ledger.lookup(table, "a_b.x")
