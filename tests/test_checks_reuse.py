"""Chapter 26's checks accept other right answers and refuse nonsense with a hint, never with a traceback."""

import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from workbench.checks.reuse import check_cache, check_key, check_normalise
from workbench.checks.reuse_cost import check_prefill, check_threshold
from workbench.runner import notebooks

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "26_reuse_answers.ipynb"
CHECKS = [check_normalise, check_key, check_threshold, check_prefill]


def cells(tag: str) -> list:
    return [c for c in notebooks.read(SOLUTIONS).cells if tag in notebooks.tags(c)]


def namespace() -> dict:
    """Imports and solutions of the solutions notebook, executed."""
    names = {}
    for cell in notebooks.read(SOLUTIONS).cells:
        if cell.cell_type == "code" and not set(notebooks.tags(cell)) & {"check", "wrong-answer"}:
            exec(cell.source, names)
    return names


def judged(source: str):
    """The report of a cell whose last line calls check_x(answer)."""
    names = namespace()
    *body, call = source.strip().splitlines()
    exec("\n".join(body), names)
    check, answer = call.rstrip(")").split("(")
    return names[check].judge(names[answer])


@pytest.mark.parametrize("cell", cells("check"), ids=lambda c: c.id)
def test_a_solution_passes(cell):
    report = judged(cell.source)
    assert report.passed is True, report


@pytest.mark.parametrize("cell", cells("wrong-answer"), ids=lambda c: c.id)
def test_a_wrong_answer_is_refused_with_its_own_hint(cell):
    first = cell.source.splitlines()[0]
    report = judged(cell.source)
    assert report.passed is False
    assert first.removeprefix("# refused with: ") in report.message


NONSENSE = {
    "nothing": None,
    "text": "text",
    "ragged": [[1, 2], [3]],
    "dictionary": {"a": object()},
    "array": np.zeros((3, 3)),
    "object": object(),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_without_a_traceback(check, answer):
    report = check.judge(lambda *_: answer)
    assert report.passed is False
    assert "Traceback" not in report.message


@pytest.mark.parametrize("check", [*CHECKS, check_cache], ids=lambda c: c.__name__)
def test_the_untouched_stub_is_not_implemented(check):
    def stub(*_):
        raise NotImplementedError

    class Stub:
        def __init__(self, *_):
            raise NotImplementedError

    assert check.judge(Stub if check is check_cache else stub).passed is None


@pytest.mark.parametrize("answer", [None, 3, "text", OrderedDict(), lambda size, ttl: None, object, dict])
def test_a_cache_that_is_none_is_refused(answer):
    report = check_cache.judge(answer)
    assert report.passed is False


def test_other_right_answers_pass():
    def normalise(question):
        return re.sub(r"[ ?!.]+$", "", re.sub(r"\s+", " ", question.casefold()).strip())

    def key(request):
        kept = {k: v for k, v in request.items() if k not in {"time", "request_id"}}
        if not request["private"]:
            del kept["tenant"]
        return frozenset(kept.items())

    def by_sorting(similarity, right, call, wrong):
        order = np.argsort(-similarity, kind="stable")
        gain = np.cumsum(np.where(right[order], call, call - wrong))
        ends = np.append(similarity[order][1:] != similarity[order][:-1], True)
        best, where = 0.0, float("inf")
        for value, end, s in zip(gain, ends, similarity[order], strict=True):
            if end and value > best + 1e-12:
                best, where = value, s
        return where

    def by_scanning(prompts, block=16):
        out = []
        for i, prompt in enumerate(prompts):
            reused = 0
            for old in prompts[:i]:
                n = 0
                while n < min(len(old), len(prompt) - 1) and old[n] == prompt[n]:
                    n += 1
                full = len(old) // block * block
                reused = max(reused, min(n, full) // block * block)
            out.append(len(prompt) - reused)
        return np.array(out)

    for check, answer in (
        (check_normalise, normalise),
        (check_key, key),
        (check_threshold, by_sorting),
        (check_prefill, by_scanning),
    ):
        report = check.judge(answer)
        assert report.passed is True, report
