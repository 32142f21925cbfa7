"""A verified notebook means something: every tampering below is seen, every honest difference is not."""

import json

import nbformat
import pytest
from handmade import book, claim, code, prose, provenance, stream, text, write

from workbench.errors import CheckFailedError, WorkbenchError
from workbench.proof.replay import judge_claim
from workbench.proof.tolerance import of_tags, same_within
from workbench.proof.verify import kind, verify
from workbench.runner import execute
from workbench.runner.plan import plan

STEM = "01_a_b"
FIGURE = 'figure: x "latency (ms)", y "calls", 1 line'


def notebook_cells():
    return [
        prose("title", "# Measure a thing"),
        code("parameters", source='profile = "cpu"', tags=("parameters",)),
        code("sizes", provenance()),
        code("shape", text("(512, 512)")),
        code("words", stream("one\n"), stream("two 2.25\n")),
        code("loss", text("loss 3.7210 after 100 steps"), tags=("tolerance-1e-3",)),
        code("picture", text(FIGURE, image_png="AAAA")),
        code("smaller", claim("a_b.smaller"), claim("a_b.faster", unit="ratio", says="it is faster")),
    ]


@pytest.fixture
def layout(tmp_path):
    layout = book(tmp_path, STEM)
    save(layout, notebook_cells(), notebook_cells())
    return layout


def save(layout, committed, executed):
    """A committed notebook and its executed copy, as papermill leaves it."""
    injected = code("injected", source="seed = 0", tags=("injected-parameters",))
    if committed[0].id != "title":
        committed, executed = [[*notebook_cells()[:2], *cells] for cells in (committed, executed)]
    path = write(layout.notebooks / f"{STEM}.ipynb", *committed)
    write(layout.runs("cpu") / f"{STEM}.ipynb", *executed[:2], injected, *executed[2:])
    record(layout.runs("cpu"), "ok", key(layout, path))


def key(layout, path):
    return plan(layout, [path.stem], "cpu", {}, include_solutions=False)[0].key


def record(folder, status, key, message=""):
    """The runner's sidecar."""
    folder.mkdir(exist_ok=True)
    (folder / f"{STEM}.run.json").write_text(json.dumps({"status": status, "key": key, "message": message}))


def edit(path, cell_id, change):
    """Tamper with one cell of a notebook on disk."""
    nb = nbformat.read(path, as_version=4)
    change(next(cell for cell in nb.cells if cell.id == cell_id))
    nbformat.write(nb, path)


def replace_text(old, new):
    def change(cell):
        for output in cell.outputs:
            place = output if output.output_type == "stream" else output.data
            key = "text" if output.output_type == "stream" else "text/plain"
            place[key] = place[key].replace(old, new)

    return change


def tamper(layout, cell, change):
    """verify's report after a change to the committed notebook."""
    edit(layout.notebooks / f"{STEM}.ipynb", cell, change)
    return verify(layout)


def test_an_honest_notebook_passes_and_every_output_cell_is_counted(layout):
    report = verify(layout)
    assert report.passed, report.problems()
    (one,) = report.notebooks
    assert (one.output_cells, one.compared_cells, one.structure_only) == (6, 6, 1)
    assert report.share == 1.0
    assert "compared 6 of 6 output cells (100.0%): 5 values, 1 structure" in report.summary()
    assert report.table().row_count == 1


def strip(cell):
    cell.outputs, cell.execution_count = [], None


TAMPERINGS = {
    "a changed digit": ("shape", replace_text("512)", "513)"), "513"),
    "a changed digit in a stream": ("words", replace_text("2.25", "2.26"), "2.26"),
    "a held claim that was committed as missed": ("smaller", replace_text("✓ it is f", "✗ it is f"), "✗ it is f"),
    "a changed bound": ("smaller", replace_text("70 %", "60 %"), "60 %"),
    "a changed size": ("sizes", replace_text("400", "50"), "calls = 50"),
    "a removed output": ("shape", lambda cell: cell.outputs.clear(), "outputs of this run: ['text/plain']"),
    "a removed claim": ("smaller", lambda cell: cell.outputs.pop(), "committed outputs"),
    "a removed picture": ("picture", lambda cell: cell.outputs[0].data.pop("image/png"), "image/png"),
    "an added output": ("shape", lambda cell: cell.outputs.append(stream("x")), "stdout"),
    "a number outside its tolerance": ("loss", replace_text("3.7210", "3.7260"), "3.7260"),
    "a word between numbers": ("loss", replace_text("steps", "epochs"), "epochs"),
    "another figure": ("picture", replace_text("1 line", "2 lines"), "2 lines"),
    "a stripped cell": ("words", strip, "committed without having been run"),
    "a source that was not run": ("shape", lambda c: c.update(source="w.size"), "differs from what was run"),
    "prose that was not published": ("title", lambda c: c.update(source="# Measure"), "differs from what was run"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_seen(layout, name):
    cell, change, shown = TAMPERINGS[name]
    report = tamper(layout, cell, change)
    assert not report.passed
    (problem,) = report.problems()
    assert problem.startswith(f"{STEM}:{cell}: ")
    assert shown in problem
    with pytest.raises(CheckFailedError, match=f"{STEM}"):
        report.require()


HONEST = {
    "another measured value inside a claim": ("smaller", lambda c: c.outputs[0].data.update({"text/html": "0.9"})),
    "another machine": ("sizes", lambda cell: cell.outputs[0].data.update({"text/html": "another cpu"})),
    "a number within its tolerance": ("loss", replace_text("3.7210", "3.7240")),
    "another picture of the same structure": ("picture", lambda c: c.outputs[0].data.update({"image/png": "BB"})),
    "streams cut elsewhere": ("words", lambda cell: cell.update(outputs=[stream("one\ntwo 2.25\n")])),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_difference_passes(layout, name):
    report = tamper(layout, *HONEST[name])
    assert report.passed, report.problems()
    assert not report.notebooks[0].not_comparable


def with_claim(layout, committed, today):
    cells = [code("shape", text("(2, 2)"))]
    save(layout, [*cells, code("c", *committed)], [*cells, code("c", *today)])
    return verify(layout, min_share=None)


def made(held, value=0.75, why="needs a processor with avx512_vnni"):
    return claim("a_b.x", held, value, why_not=why if held is None else None)


def test_a_claim_that_no_longer_holds_is_a_failure(layout):
    report = with_claim(layout, [made(True)], [made(False, 0.61)])
    assert not report.passed
    assert "measured 61 %" in report.problems()[0]


@pytest.mark.parametrize(("then", "now"), [(True, None), (None, True), (False, None)])
def test_a_claim_that_one_machine_does_not_make_is_neither_pass_nor_failure(layout, then, now):
    report = with_claim(layout, [made(then)], [made(now)])
    assert report.passed, report.problems()
    (one,) = report.notebooks
    assert one.not_comparable == ["a_b.x"]
    assert one.cells == {"shape": "values", "c": "not compared"}
    assert "a_b.x is not comparable here" in report.summary()


def test_a_claim_that_no_machine_makes_for_another_reason_is_not_comparable(layout):
    report = with_claim(layout, [made(None)], [made(None, why="is about processors without amx_int8")])
    assert report.passed
    assert report.notebooks[0].not_comparable == ["a_b.x"]


def test_an_unclaimed_claim_that_fails_here_is_a_failure(layout):
    assert not with_claim(layout, [made(None)], [made(False)]).passed


def test_a_committed_miss_is_a_result_and_may_miss_by_another_amount(layout):
    assert with_claim(layout, [made(False, 0.61)], [made(False, 0.62)]).passed
    assert not with_claim(layout, [made(False, 0.61)], [made(True)]).passed


@pytest.mark.parametrize("line", ["✓ it is smaller: at least 70 %, nearly", "? it is smaller: at least 70 %", "✓", ""])
def test_a_claim_line_with_anything_else_in_it_differs(line):
    record = {"says": "it is smaller", "bound": {"at_least": 0.7}, "unit": "fraction"}
    assert judge_claim(line, "✓ it is smaller: at least 70 %", record) == "differs"


def test_a_stripped_notebook_is_refused(layout):
    path = layout.notebooks / f"{STEM}.ipynb"
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code":
            strip(cell)
    nbformat.write(nb, path)
    report = verify(layout)
    assert not report.passed
    assert len(report.problems()) == 7, "one for each code cell"


def test_a_notebook_whose_outputs_are_all_ignored_is_refused(layout):
    cells = [code("t", text("12.3 ms"), tags=("nbval-ignore-output",)), code("bare", text("<Figure size 6x4>"))]
    save(layout, cells, cells)
    report = verify(layout, min_share=None)
    assert report.notebooks[0].cells == {"t": "measured", "bare": "not compared"}
    assert report.problems() == [f"{STEM}: no output of this notebook is compared: it would prove nothing"]


def test_an_ignored_output_may_differ(layout):
    same = code("shape", text("(2, 2)"))
    ignored = ("nbval-ignore-output",)
    save(layout, [same, code("t", text("1 ms"), tags=ignored)], [same, code("t", text("2 ms"), tags=ignored)])
    assert verify(layout, min_share=0.5).passed


def test_too_small_a_share_fails_with_the_worst_cells(layout):
    cells = [code("a", text("1")), code("t", text("1 ms"), tags=("nbval-ignore-output",)), code("b", text("<A at 0>"))]
    save(layout, cells, cells)
    report = verify(layout)
    assert report.problems() == [
        f"33% of output cells compared, 90% needed: {STEM}:t (measured), {STEM}:b (not compared)"
    ]
    assert verify(layout, [STEM]).passed, "the share is asked of the book, not of one chapter"


def test_a_cell_in_one_copy_only_fails(layout):
    one, two = code("shape", text("1")), code("more", text("2"))
    save(layout, [one, two], [one])
    assert "is in the notebook and not in its executed copy" in verify(layout).problems()[0]
    save(layout, [one], [one, two])
    assert "is in the executed copy and not in the notebook" in verify(layout).problems()[0]
    save(layout, [one, two], [two, one])
    assert "in another order" in verify(layout).problems()[0]


def test_a_run_that_stopped_half_way_fails(layout):
    one, two = code("shape", text("1")), code("more", text("2"))
    save(layout, [one, two], [one, code("more", count=None)])
    assert verify(layout).problems() == [f"{STEM}:more: was not reached by the run: workbench run --force"]


def test_an_error_in_the_executed_copy_fails_with_its_name(layout):
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])
    one = code("shape", text("1"))
    save(layout, [one, code("x", text("2"))], [one, code("x", error)])
    assert "ValueError: no" in verify(layout).problems()[0]


@pytest.mark.parametrize("copy", ["kept", "absent"])
def test_a_notebook_that_no_longer_runs_fails_though_its_last_good_copy_is_there(layout, copy):
    today = key(layout, layout.notebooks / f"{STEM}.ipynb")
    record(layout.runs("cpu") / "failed", "raised", today, "cell 3 (shape) raised ValueError: no")
    if copy == "absent":
        (layout.runs("cpu") / f"{STEM}.ipynb").unlink()
    assert verify(layout).problems() == [f"{STEM}: does not run: raised: cell 3 (shape) raised ValueError: no"]


def test_a_failure_that_has_been_mended_is_forgotten(layout):
    record(layout.runs("cpu") / "failed", "raised", "an older key")
    assert verify(layout).passed


@pytest.mark.parametrize("content", ['{"key": "0123"}', '{"status": "o', "[]", None])
def test_a_copy_that_was_not_run_with_todays_modules_fails(layout, content):
    sidecar = layout.runs("cpu") / f"{STEM}.run.json"
    sidecar.unlink() if content is None else sidecar.write_text(content)
    assert "changed since it was run" in verify(layout).problems()[0]


def test_a_notebook_that_was_not_run_fails_with_the_command(layout):
    (layout.runs("cpu") / f"{STEM}.ipynb").unlink()
    assert f"was not run here: workbench run {STEM}" in verify(layout).problems()[0]


@pytest.mark.parametrize("which", ["notebooks", "executed"])
def test_a_half_written_notebook_fails_in_one_line(layout, which):
    folder = layout.notebooks if which == "notebooks" else layout.runs("cpu")
    path = folder / f"{STEM}.ipynb"
    path.write_text(path.read_text()[:400])
    (problem,) = verify(layout).problems()
    assert "not a readable notebook" in problem
    assert "\n" not in problem


def test_an_unknown_chapter_is_an_error(layout):
    with pytest.raises(WorkbenchError, match="unknown chapter 'nope'"):
        verify(layout, ["nope"])


@pytest.mark.parametrize(
    ("ref", "test", "tolerance", "same"),
    [
        ("loss 3.721", "loss 3.722", 1e-3, True),
        ("loss 3.721", "loss 3.73", 1e-3, False),
        ("loss 3.721", "cost 3.721", 1e-3, False),
        ("0.0", "0.0009", 1e-3, True),
        ("0.0", "0.0011", 1e-3, False),
        ("1,000 MB", "1,001 MB", 1e-3, True),
        ("-1.0", "1.0", 0.9, False),
        ("p95", "p99", 0.05, False),
        ("int8 1.00", "int8 1.04", 0.05, True),
        ("1.5e-3x", "1.52e-3x", 0.05, True),
        ("1 2", "1", 0.05, False),
        ("[1. 2.]", "[1.01 2.01]", 0.05, True),
        ("nan", "0.0", 0.05, False),
        ("version 1.2.3", "version 1.2.4", 0.5, False),
    ],
)
def test_numbers_are_near_and_the_rest_is_equal(ref, test, tolerance, same):
    assert same_within(ref, test, tolerance) is same


def test_a_strange_tolerance_fails_its_cell(layout):
    cells = [code("shape", text("(2, 2)")), code("loss", text("3.7"), tags=("tolerance-2",))]
    save(layout, cells, cells)
    (problem,) = verify(layout).problems()
    assert problem.startswith(f"{STEM}:loss: cell tag 'tolerance-2' is no tolerance")


@pytest.mark.parametrize(
    "tags", [["tolerance-x"], ["tolerance-0"], ["tolerance-1"], ["tolerance-1e-3", "tolerance-2e-3"]]
)
def test_a_strange_tolerance_is_refused(tags):
    with pytest.raises(WorkbenchError, match="is no tolerance"):
        of_tags(tags)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (text(FIGURE), "structure"),
        (text("<Figure size 640x480 with 1 Axes>"), "not compared"),
        (text("<IPython.core.display.HTML object>"), "not compared"),
        (text("<b>"), "not compared"),
        (text("a < b > c"), "values"),
        (text(""), "not compared"),
        (claim("a_b.x"), "values"),
        (provenance(), "values"),
        (stream("hello"), "values"),
    ],
)
def test_an_output_counts_for_what_it_is(output, expected):
    assert kind(code("c", output)) == expected


@pytest.mark.slow
def test_a_real_run_is_verified_until_the_notebook_no_longer_runs(tiny_book):
    """The runner's executed copy, refreshed into the committed notebook, by hand."""
    tiny_book.chapter("00_add", "# Add two numbers", "total = 1 + 1", "total")
    execute.run(tiny_book.layout, ["00_add"])
    path = tiny_book.layout.notebooks / "00_add.ipynb"
    path.write_text((tiny_book.layout.runs("cpu") / "00_add.ipynb").read_text())
    report = verify(tiny_book.layout, ["00_add"])
    assert report.passed, report.problems()
    tiny_book.edit("00_add", "total = 1 + 1", "total = 1 / 0")
    execute.run(tiny_book.layout, ["00_add"])
    report = verify(tiny_book.layout, ["00_add"])
    assert not report.passed
    assert "does not run: raised: " in report.problems()[0]
    assert "ZeroDivisionError" in report.problems()[0]
