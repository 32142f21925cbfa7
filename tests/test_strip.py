"""The cleaner before a commit takes what a machine wrote, and nothing else."""

from pathlib import Path

import nbformat
import pytest
import yaml

from workbench.errors import WorkbenchError
from workbench.front import strip
from workbench.layout import Layout

BOOK = Layout(Path(__file__).resolve().parents[1])


def dirty(folder: Path) -> Path:
    """A notebook as an editor leaves it, in `folder`."""
    folder.mkdir()
    cell = nbformat.v4.new_code_cell("1 + 1", id="sum", execution_count=1, metadata={"execution": {"at": "noon"}})
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
    nb = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}, "workbench": {"timing": False}})
    nbformat.write(nb, folder / "00_x.ipynb")
    return folder / "00_x.ipynb"


def test_a_chapter_keeps_its_outputs_and_loses_the_machines_metadata(tmp_path):
    path = dirty(tmp_path / "notebooks")
    assert strip.main([str(path)]) == 1
    nb = nbformat.read(path, as_version=4)
    assert nb.cells[0].outputs[0].data["text/plain"] == "2"
    assert "execution" not in nb.cells[0].metadata
    assert "widgets" not in nb.metadata
    assert nb.metadata["workbench"] == {"timing": False}


def test_a_solution_loses_its_outputs_too(tmp_path):
    path = dirty(tmp_path / "solutions")
    assert strip.main([str(path)]) == 1
    assert nbformat.read(path, as_version=4).cells[0].outputs == []


def test_a_clean_notebook_is_left_alone(tmp_path):
    path = dirty(tmp_path / "notebooks")
    strip.main([str(path)])
    before = path.read_bytes()
    assert strip.main([str(path)]) == 0
    assert path.read_bytes() == before


def test_a_half_written_notebook_is_named_and_not_touched(tmp_path):
    path = tmp_path / "notebooks.ipynb"
    path.write_text('{"cells": [')
    with pytest.raises(WorkbenchError, match=r"notebooks\.ipynb"):
        strip.main([str(path)])
    assert path.read_text() == '{"cells": ['


@pytest.mark.parametrize("path", [*BOOK.chapters(), *sorted(BOOK.solutions.glob("*.ipynb"))], ids=lambda p: p.stem)
def test_what_is_committed_is_clean(path, tmp_path):
    copy = tmp_path / path.parent.name / path.name
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    assert strip.main([str(copy)]) == 0


def test_the_hooks_before_a_commit_name_commands_that_exist():
    hooks = yaml.safe_load((BOOK.root / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert any(hook["entry"].endswith("-m workbench.front.strip") for hook in hooks)
