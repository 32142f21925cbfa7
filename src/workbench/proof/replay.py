"""nbval, fed with outputs that already exist.

nbval runs a notebook and compares.  Our runner has run it already, and the site shows that very run.  So nbval's
own collector and its own comparison are used here, and in the place of its kernel stands the executed copy:
what was compared is what is published, and each notebook runs once.
"""

import contextlib
import copy
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from workbench.claims import MIME as CLAIM
from workbench.claims import bound_text
from workbench.errors import WorkbenchError
from workbench.proof.tolerance import of_tags, same_within

MEASURED = (
    "text/html",
    "image/svg+xml",
    CLAIM,
    "application/vnd.workbench.provenance+json",
    "application/vnd.workbench.check+json",
)
WIDGET = "application/vnd.jupyter.widget-view+json"
OTHERS = ("cacheprovider", "logging", "faulthandler", "unraisableexception", "threadexception")
ALONE = ["-q", "--color=no", "--capture=no", "--assert=plain", "--noconftest", "-p", "nbval.plugin"]
ALONE += [word for name in OTHERS for word in ("-p", f"no:{name}")]


@dataclass
class CellResult:
    """What nbval said about one committed code cell."""

    cell: str
    checked: bool = True  # False: a tag says that its output is measured
    problem: str | None = None  # what differs, apart from missed claims
    missed: dict[str, str] = field(default_factory=dict)  # claims that held when committed: id → today's line
    not_comparable: list[str] = field(default_factory=list)


class ReplayKernel:
    """Answers like nbval's RunningKernel, from an executed notebook."""

    def __init__(self, executed: Path):
        self.cells = {cell.get("id"): cell for cell in nbformat.read(executed, as_version=4).cells}
        self.messages: list[dict] = []

    def load(self, cell_id: str) -> None:
        outputs = [_message(output.output_type, output) for output in self.cells[cell_id].outputs]
        self.messages = [*outputs, _message("status", {"execution_state": "idle"})]

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        return "replay"

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        return self.messages.pop(0)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """The reply is already here."""

    def await_idle(self, msg_id: str, timeout: float | None = None) -> None:
        self.messages.clear()

    def is_alive(self) -> bool:
        return True

    def stop(self) -> None:
        self.messages.clear()


def _message(kind: str, content: dict) -> dict:
    return {"msg_type": kind, "parent_header": {"msg_id": "replay"}, "content": copy.deepcopy(content)}


class ReplayFile(IPyNbFile):
    """One committed notebook, compared with its executed copy."""

    executed: Path

    def setup(self) -> None:
        self.kernel = ReplayKernel(self.executed)

    def collect(self) -> Iterator["ReplayCell"]:
        self.skip_compare = (*self.skip_compare, *MEASURED)
        for item in super().collect():
            yield ReplayCell.from_parent(
                self, name=item.name, cell_num=item.cell_num, cell=item.cell, options=item.options
            )


class ReplayCell(IPyNbCell):
    """One committed code cell.  Keeps a CellResult for the report."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        checked = bool(self.options["check"]) and not self.options["skip"]
        self.result = CellResult(self.cell.get("id", self.name), checked)

    def runtest(self) -> None:
        self.parent.kernel.load(self.cell.id)
        try:
            super().runtest()
        except NbCellError as problem:
            self.result.problem = _plain_words(f"{problem}\n{problem.inner_traceback or ''}")
            raise

    def compare_outputs(self, test: list, ref: list, skip_compare: Any = None) -> bool:
        ref, test = (sorted(side, key=_stream_first) for side in (ref, test))
        shapes = [[_shape(output) for output in side] for side in (ref, test)]
        if shapes[0] != shapes[1]:
            self.comparison_traceback = [f"committed outputs: {shapes[0]}", f"outputs of this run: {shapes[1]}"]
            return False
        tolerance = of_tags(self.cell.metadata.get("tags", []))
        settled = [self._settle(mine, today, tolerance) for mine, today in zip(ref, test, strict=True)]
        return super().compare_outputs(settled, ref, skip_compare)

    def _settle(self, ref: Any, test: Any, tolerance: float | None) -> Any:
        """`test`, with the committed text where the two say the same thing."""
        if CLAIM in test.get("data", {}):
            return self._settle_claim(ref, test)
        return test if tolerance is None else _settle_numbers(ref, test, tolerance)

    def _settle_claim(self, ref: Any, test: Any) -> Any:
        texts = [side["data"].get("text/plain", "") for side in (ref, test)]
        verdict = judge_claim(*texts, test["data"][CLAIM])
        if verdict == "not comparable":
            self.result.not_comparable.append(test["data"][CLAIM]["id"])
        if verdict == "missed":
            self.result.missed[test["data"][CLAIM]["id"]] = texts[1]
        return _with_text(test, texts[0]) if verdict != "differs" else test


def _plain_words(report: str) -> str:
    """nbval's report without blank lines and with our names for the two sides."""
    report = report.replace("assert reference_output == test_output failed:", "committed (+) == this run (-) fails:")
    return "\n".join(line for line in report.splitlines() if line.strip())


def judge_claim(ref: str, test: str, record: dict) -> str:
    """ "same", "not comparable" (one of the two machines does not make the claim), "missed" or "differs".

    missed: it held when it was committed, and today's measurement, a number, does not satisfy the same bound.

    ref, test: the committed and today's line.  record: today's claim record, which says what the line must hold.
    """
    body = f" {record['says']}: {bound_text(record['bound'], record['unit'])}"
    marks = ref[:1] + test[:1]
    if any(not text[1:].startswith(body) for text in (ref, test)):
        return "differs"
    tail = ref[1 + len(body) :]
    whole = {"✓": not tail, "✗": tail.startswith(", "), "–": tail.startswith(" (not claimed here: ")}
    if not whole.get(marks[0], False):
        return "differs"
    if marks in ("✓–", "–✓", "✗–", "––"):
        return "same" if ref == test else "not comparable"
    if marks == "✓✗" and test[1 + len(body) :].startswith(", measured "):
        return "missed"
    return "same" if marks in ("✓✓", "✗✗") else "differs"


def _settle_numbers(ref: Any, test: Any, tolerance: float) -> Any:
    if test.output_type == "stream":
        return nbformat.from_dict({**test, "text": _nearest(ref.text, test.text, tolerance)})
    data = {mime: _nearest(ref.data[mime], value, tolerance) for mime, value in test.get("data", {}).items()}
    return nbformat.from_dict({**test, "data": data})


def _nearest(ref: Any, test: Any, tolerance: float) -> Any:
    both_text = isinstance(ref, str) and isinstance(test, str)
    return ref if both_text and same_within(ref, test, tolerance) else test


def _with_text(output: Any, text: str) -> Any:
    return nbformat.from_dict({**output, "data": {**output["data"], "text/plain": text}})


def _stream_first(output: Any) -> tuple[int, str]:
    """Streams and displays arrive on a channel each: their relative order says nothing."""
    return (0, output.name) if output.output_type == "stream" else (1, "")


def _shape(output: Any) -> str:
    """What kind of output it is: the part that must be the same even where values are measured."""
    if output.output_type == "stream":
        return output.name
    return " + ".join(sorted(mime for mime in output.get("data", {}) if mime != WIDGET)) or output.output_type


class _Plugin:
    """Collects ReplayFiles and keeps their results; knows only the notebooks it was given."""

    def __init__(self, pairs: dict[Path, Path]):
        self.pairs = {path.resolve(): executed for path, executed in pairs.items()}
        self.results: dict[Path, list[CellResult]] = {path: [] for path in self.pairs}

    def pytest_collect_file(self, file_path: Path, parent: Any) -> ReplayFile | None:
        if file_path not in self.pairs:
            return None
        file = ReplayFile.from_parent(parent, path=file_path)
        file.executed = self.pairs[file_path]
        return file

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo is not None and not item.result.problem and not call.excinfo.errisinstance(_SKIPPED):
            item.result.problem = str(call.excinfo.value)
        if call.when == "call":
            self.results[item.path].append(item.result)


_SKIPPED = pytest.skip.Exception


def compare(pairs: dict[Path, Path]) -> dict[Path, list[CellResult]]:
    """nbval's verdict on each committed notebook against its executed copy.  pairs: committed → executed."""
    plugin = _Plugin(pairs)
    paths = [str(path) for path in plugin.pairs]
    words = io.StringIO()
    if paths:
        root = os.path.commonpath([os.path.dirname(path) for path in paths])
        with _quiet_environment(), contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
            code = pytest.main([*ALONE, "-c", os.devnull, "--rootdir", root, *paths], plugins=[plugin])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise WorkbenchError(f"nbval could not compare: {words.getvalue()[-600:]}", "see the message above")
    return {path: plugin.results[path.resolve()] for path in pairs}


@contextlib.contextmanager
def _quiet_environment() -> Iterator[None]:
    """Without the options that a surrounding pytest was given, and without other plugins."""
    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_CURRENT_TEST")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)
