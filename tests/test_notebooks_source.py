"""Notebooks without a kernel: reading, cleaning, keys, stitching, the author's checks, and what refresh writes."""

import base64
import io
import textwrap
from pathlib import Path

import nbformat
import numpy as np
import pytest
from conftest import make_notebook
from nbformat.v4 import new_output
from PIL import Image

from workbench.errors import WorkbenchError
from workbench.runner import keys, notebooks, refresh
from workbench.runner.anatomy import problems, typed_numbers

CLAIM = "application/vnd.workbench.claim+json"


def test_text_and_back_is_the_same_and_ends_in_one_newline(tmp_path):
    nb = make_notebook("x = 1\ny = 2", "# Prose\nmore")
    path = tmp_path / "x.ipynb"
    notebooks.write(nb, path)
    assert notebooks.read(path) == nb
    assert path.read_text().endswith("}\n")
    assert '"x = 1\\n",' in path.read_text()


def test_parameters_are_literals():
    assert notebooks.parameters(make_notebook("other = 3")) == {"profile": "cpu", "seed": 0}
    assert notebooks.parameters(make_notebook("x = 1", profile=None)) == {}
    nb = make_notebook()
    nb.cells[0].source = "sizes: list = [1, -2]  # why\nrate = -0.5"
    assert notebooks.parameters(nb) == {"sizes": [1, -2], "rate": -0.5}
    nb.cells[0].source = "import os"
    with pytest.raises(WorkbenchError, match="more than literals: import os"):
        notebooks.parameters(nb)


def executed(*cells):
    """A notebook that ran: every code cell printed its own number, in a machine's own words."""
    nb = make_notebook(*cells)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code):
        cell.outputs = [new_output("stream", name="stdout", text=f"{number}\n")]
        cell.execution_count = 10 + number
        cell.metadata["execution"] = {"iopub.status.busy": "2026-11-21"}
    nb.metadata["widgets"] = {"state": {}}
    nb.metadata["papermill"] = {"duration": 1.0}
    return nb


def test_clean_leaves_sources_only():
    nb = executed("x = 1", "# Prose")
    nb.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    cleaned = notebooks.clean(nb)
    assert all(not c.outputs and c.execution_count is None for c in cleaned.cells if c.cell_type == "code")
    assert cleaned.metadata == {"workbench": {"timing": False}, "language_info": {"name": "python"}}
    assert all(set(c.metadata) <= {"tags"} for c in cleaned.cells)
    assert nb.cells[0].outputs


def test_stitch_puts_new_prose_around_old_outputs():
    new = make_notebook("# Other prose", "x = 1", "# More")
    new.cells[2].metadata["mystnb"] = {"image": {"alt": "a line"}}
    stitched = notebooks.stitch(new, executed("# Old", "x = 1"))
    assert [c.source for c in stitched.cells] == [c.source for c in new.cells]
    assert [c.outputs[0].text for c in stitched.cells if c.cell_type == "code"] == ["0\n", "1\n"]
    assert stitched.cells[2].metadata["mystnb"] == {"image": {"alt": "a line"}}


def key(nb, tmp_path, **parameters):
    return notebooks.content_key(nb, {"profile": "cpu"} | parameters, tmp_path / "constraints.txt")


def test_the_key_is_of_code_parameters_and_constraints_not_of_prose_or_outputs(tmp_path):
    same = key(make_notebook("# A", "x = 1"), tmp_path)
    assert key(make_notebook("# B", "x = 1"), tmp_path) == same
    assert key(executed("# A", "x = 1"), tmp_path) == same
    assert key(make_notebook("# A", "x = 2"), tmp_path) != same
    assert key(make_notebook("# A", "x = 1"), tmp_path, seed=1) != same
    assert key(make_notebook("# A", "x = 1", timing=True), tmp_path) != same
    tagged = make_notebook("# A", "x = 1")
    tagged.cells[2].metadata["tags"] = ["skip-execution"]
    assert key(tagged, tmp_path) != same
    (tmp_path / "constraints.txt").write_text("numpy==1\n")
    assert key(make_notebook("# A", "x = 1"), tmp_path) != same


def test_imported_modules_are_found_through_lazy_names_and_through_each_other():
    nb = make_notebook(
        "%matplotlib inline\nfrom workbench import claim, measure", "from workbench.checks import report"
    )
    found = notebooks.workbench_modules(nb)
    assert {"claims", "latency", "intervals", "checks", "checks.report"} <= found
    assert "figures" not in found
    assert "execute" not in found
    assert notebooks.workbench_modules(make_notebook("import numpy as np", "from os import path")) == set()
    assert "provenance" in notebooks.workbench_modules(make_notebook("import workbench.provenance as p"))
    assert "figures" in notebooks.workbench_modules(make_notebook("from workbench import *"))


def test_a_changed_module_changes_the_key_of_notebooks_that_reach_it(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    for name in ("claims", "intervals", "figures"):
        (package / f"{name}.py").write_text("from workbench.intervals import x\n" if name == "claims" else "")
    monkeypatch.setattr(keys, "PACKAGE", package)
    claims, figures = make_notebook("from workbench import claim"), make_notebook("from workbench import figure")
    before = key(claims, tmp_path), key(figures, tmp_path)
    (package / "intervals.py").write_text("x = 1\n")
    assert key(claims, tmp_path) != before[0]
    assert key(figures, tmp_path) == before[1]


def test_only_the_named_models_and_data_are_in_the_key(tmp_path, monkeypatch):
    named, other = make_notebook("model_path('minilm')"), make_notebook("x = 1")
    before = key(named, tmp_path), key(other, tmp_path)
    monkeypatch.setitem(keys.MODELS, "minilm", "another hash")
    assert key(named, tmp_path) != before[0]
    assert key(other, tmp_path) == before[1]


@pytest.mark.parametrize(
    ("prose", "numbers"),
    [
        ("It takes 12 ms, 3.4× less, 40 % of 2.5 GB/s.", ["12 ms", "3.4×", "40 %", "2.5 GB/s"]),
        ("It is 2x faster and 3 times smaller.", ["2x faster", "3 times smaller"]),
        ("{claim}`a.b` and `12 ms` and $12 ms$ and ``4 ms``", []),
        ("```\n12 ms\n```\nfine", []),
        ("We assume 100 ms. <!-- given -->\nBut 7 ms here.", ["7 ms"]),
        ("A p99 of 512 columns in 8 bits, chapter 22, version 3.11", []),
    ],
)
def test_numbers_typed_into_prose_are_found(prose, numbers):
    assert typed_numbers(prose) == numbers


SIZES = "sizes = prepare(profile, SIZES, seed=seed)"
THREE = "claim('x.a', 1)\nclaim('x.b', 1)\nclaim('x.c', 1, control=True)"
PROSE = ["# A", "# B", "# C", "# D"]


def lint(nb, path="notebooks/01_x.ipynb"):
    return problems(nb, Path(path))


def test_a_chapter_with_the_anatomy_has_no_problems():
    assert lint(make_notebook(SIZES, THREE, *PROSE)) == []


def change(cells=(SIZES, THREE, *PROSE), edit=lambda nb: None, **how):
    nb = make_notebook(*cells, **how)
    edit(nb)
    return lint(nb)


def repeat_id(nb):
    nb.cells[1].id = nb.cells[2].id


def random_id(nb):
    nb.cells[1].id = "3f2a91bc"


def add_png(nb):
    nb.cells[1].outputs = [new_output("display_data", {"image/png": "aGk="})]


def compute(nb):
    nb.cells[0].source = 'profile = "c" + "pu"'


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (lambda: change(profile=None), "0 cells are tagged parameters"),
        (lambda: change(edit=compute), "parameter 'profile' is not a literal"),
        (lambda: change(("x = 1", SIZES, THREE, *PROSE)), "does not call prepare"),
        (lambda: change((SIZES, THREE, "# A")), "1 prose cells for 3 code cells"),
        (lambda: change((SIZES, THREE, "x = 1\n" * 26, *PROSE)), "code cell 'c3' has 26 lines"),
        (lambda: change((SIZES, *["x = 1\n" * 9] * 5, THREE, *PROSE, *PROSE)), "the median code cell has 9 lines"),
        (lambda: change(edit=repeat_id), "cell id 'c2' is used 2 times"),
        (lambda: change(edit=random_id), "cell id '3f2a91bc' says nothing"),
        (lambda: change(edit=add_png), "figure cell 'c1' has no alt text"),
        (lambda: change((SIZES, THREE, "fig, ax = figure()\nshow(fig)", *PROSE)), "figure cell 'c3' has no alt text"),
        (lambda: change((SIZES, THREE, *PROSE, "# It takes 12 ms")), "types '12 ms'"),
        (lambda: change((SIZES, THREE.replace("x.a", "y.a"), *PROSE)), "claim id 'y.a' does not begin with 'x.'"),
        (lambda: change((SIZES, THREE + "\nclaim('x.a', 2)", *PROSE)), "claim id 'x.a' is claimed in 2 places"),
        (lambda: change((SIZES, "claim('x.c', 1, control=True)", *PROSE)), "1 claims (at least 3)"),
        (lambda: change((SIZES, THREE.replace("control", "other"), *PROSE)), "no claim is a control"),
    ],
)
def test_each_problem_is_named(found, complaint):
    problems = found()
    assert len(problems) == 1, problems
    assert complaint in problems[0]


def named_figure(name: str) -> dict:
    return {"mystnb": {"figure": {"name": name}, "image": {"alt": "a line"}}}


def test_a_figure_name_that_another_chapter_has_is_named(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    first, second = make_notebook(SIZES, THREE, *PROSE), make_notebook(SIZES, THREE, *PROSE)
    first.cells[2].metadata |= named_figure("tail")
    nbformat.write(first, folder / "02_y.ipynb")
    second.cells[2].metadata |= named_figure("head")
    assert lint(second, folder / "01_x.ipynb") == []
    second.cells[2].metadata |= named_figure("tail")
    assert lint(second, folder / "01_x.ipynb") == ["figure name 'tail' is also used in 02_y.ipynb"]


def test_a_link_to_a_chapter_that_is_not_there_is_named(tmp_path):
    (tmp_path / "02_y.ipynb").write_text('{"cells": []}')
    linked = "# [here](02_y.ipynb), [its](../exercises/01_x.ipynb), [far](https://a.org/z.ipynb) and [{}]({}#part)"
    here = make_notebook(SIZES, THREE, *PROSE, linked.format("b", "02_y.ipynb"))
    assert lint(here, tmp_path / "01_x.ipynb") == []
    gone = make_notebook(SIZES, THREE, *PROSE, linked.format("b", "03_z.ipynb"))
    assert lint(gone, tmp_path / "01_x.ipynb") == ["a link leads to 03_z.ipynb, which does not exist"]


def test_claims_made_in_a_loop_are_known_from_their_outputs():
    nb = make_notebook(SIZES, "for i in ids: claim(f'x.{i}', 1, control=True)", *PROSE)
    records = [{"id": f"x.{i}", "control": i == "c"} for i in "abc"]
    nb.cells[2].outputs = [new_output("display_data", {CLAIM: record}) for record in records]
    assert lint(nb) == []


def test_solutions_need_no_claims_no_parameters_and_less_prose():
    assert lint(make_notebook("x = 1", "# A", "y = 1", profile=None), "solutions/01_x.ipynb") == []


def picture(colours: int, size: int = 400, mode: str = "RGB") -> str:
    """A base64 PNG of random blocks in so many colours."""
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 255, (colours, len(mode)), dtype=np.uint8)
    blocks = palette[rng.integers(0, colours, (size // 8, size // 8))].repeat(8, 0).repeat(8, 1)
    out = io.BytesIO()
    Image.fromarray(blocks, mode).save(out, "PNG", compress_level=0, dpi=(144, 144))
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.filterwarnings("ignore:.*'mode' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_large_png_becomes_small_and_looks_the_same(mode):
    large = picture(12, mode=mode)
    small = refresh.small_png(large, "here")
    assert len(base64.b64decode(small)) <= 40 << 10 < len(base64.b64decode(large))
    before, after = (Image.open(io.BytesIO(base64.b64decode(png))) for png in (large, small))
    assert after.size == before.size
    assert round(after.info["dpi"][0]) == 144
    difference = np.abs(np.asarray(before.convert("RGBA"), int) - np.asarray(after.convert("RGBA"), int))
    assert difference.mean() < 3
    assert refresh.small_png(small, "here") == small


def test_a_figure_that_cannot_be_small_names_its_cell():
    rng = np.random.default_rng(0)
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (900, 900, 3), dtype=np.uint8)).save(out, "PNG")
    with pytest.raises(WorkbenchError, match=r"22_x: cell 'c3' shows a figure of \d+ KB \(at most 40\)"):
        refresh.small_png(base64.b64encode(out.getvalue()).decode(), "22_x: cell 'c3'")
    with pytest.raises(WorkbenchError, match="holds a PNG that cannot be read"):
        refresh.small_png("bm90IGEgcG5n", "here")


MEASURE = textwrap.dedent("""\
    import time
    from IPython.display import display
    class Measured:
        def _repr_mimebundle_(self, include=None, exclude=None):
            return {"text/plain": "holds", "text/html": f"<b>{time.time()}</b>"}
    display(Measured())""")


@pytest.mark.slow
def test_refresh_writes_outputs_once_and_then_only_what_changed(tiny_book):
    layout = tiny_book.layout
    tiny_book.chapter("02_measure", MEASURE)
    solution = (layout.solutions / "00_add.ipynb").read_bytes()
    assert [p.stem for p in refresh.refresh(layout)] == ["00_add", "01_wait", "02_measure"]
    assert (layout.solutions / "00_add.ipynb").read_bytes() == solution
    nb = notebooks.read(layout.chapter("02"))
    assert [c.execution_count for c in nb.cells] == [1, 2]
    assert nb.metadata["language_info"] == {"name": "python"}
    assert not any({"execution", "papermill"} & set(c.metadata) for c in nb.cells)
    assert "<b>1" in nb.cells[1].outputs[0].data["text/html"]

    assert refresh.refresh(layout) == []
    tiny_book.edit("00_add", "Add two", "Add three")
    tiny_book.edit("01_wait", "0.01", "0.02")
    assert [p.stem for p in refresh.refresh(layout)] == ["01_wait"]


@pytest.mark.slow
def test_another_measured_value_alone_rewrites_nothing_unless_forced(tiny_book):
    layout = tiny_book.layout
    tiny_book.chapter("02_measure", MEASURE)
    refresh.refresh(layout, ["02"])
    before = layout.chapter("02").read_text()
    (layout.root / "constraints.txt").write_text("numpy==9\n")
    assert refresh.refresh(layout, ["02"]) == []
    assert layout.chapter("02").read_text() == before
    assert [p.stem for p in refresh.refresh(layout, ["02"], force=True)] == ["02_measure"]
    assert layout.chapter("02").read_text() != before


@pytest.mark.slow
def test_a_wrong_committed_output_is_put_right(tiny_book):
    refresh.refresh(tiny_book.layout, ["00"])
    tiny_book.edit("00_add", '"2"', '"3"')
    assert [p.stem for p in refresh.refresh(tiny_book.layout, ["00"])] == ["00_add"]
    assert '"2"' in tiny_book.layout.chapter("00").read_text()
