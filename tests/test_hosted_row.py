"""Chapter 15's optional hosted model: without its three variables nobody is asked, with them the table gets a row.

The chapter's own cells are executed, from its notebook, against an OpenAI-compatible server of this test.
"""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.runner import notebooks
from workbench.serving import serve

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "15_choose_api_foundation_or_small_model.ipynb"
VARIABLES = {"BASE": "url", "KEY": "a key", "MODEL": "rented-1"}
OWN = ["TF-IDF", "MiniLM", "SmolLM2, zero-shot", "SmolLM2, 4 examples"]
MAILS = ["Free money, buy now", "Minutes of the meeting", "Pills, pills", "A free patch for the parser"]


def build_hosted_model(folder=None):
    """A chat model that flags "free", hesitates about "pills", and reports ten tokens read, two written."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    asked = []

    async def complete(request):
        body = await request.json()
        asked.append({"key": request.headers["authorization"], "model": body["model"], "turns": len(body["messages"])})
        mail = body["messages"][-1]["content"].lower()
        said = "Spam." if "free" in mail else "I wonder" if "pills" in mail else "**Good**"
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        reply = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"]}
        return JSONResponse(reply | {"choices": [choice], "usage": usage})

    async def told(request):
        return JSONResponse(asked)

    return Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"]), Route("/asked", told)])


def sources() -> dict[str, str]:
    return {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells if cell.cell_type == "code"}


def definitions(source: str) -> str:
    """Imports, functions and constants of a cell, without what it runs."""
    keep = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    return "\n".join(ast.unparse(node) for node in ast.parse(source).body if isinstance(node, keep))


@pytest.fixture
def chapter(monkeypatch) -> dict:
    """The names that the chapter's hosted cell and its table need, for a jury of four mails."""
    for name in VARIABLES:
        monkeypatch.delenv(f"WORKBENCH_API_{name}", raising=False)
    source = sources()
    names = {"TASK": re.search(r'^TASK = "(.*)"$', source["server"], re.M)[1], "seed": 0}
    for cell in ("imports", "wins", "resample", "with-interval", "server", "chat"):
        exec(definitions(source[cell]), names)
    exec(source["parameters"], names)
    names |= {
        "jury": pd.DataFrame({"preview": MAILS}),
        "spam": np.array([True, False, True, False]),
        "shown": [("buy", "spam"), ("hello", "good"), ("win", "spam"), ("dear list", "good")],
        "summer": range(2000),
        "pool": range(256),
        "scores": {name: np.array([1.0, 0, 1, 0]) for name in OWN},
        "timings": {name: np.ones((4, 3)) for name in OWN},
        "per_thousand": dict.fromkeys(OWN, 0.1),
        "api_per_mail": 1e-5,
    }
    return names


def table(names: dict) -> pd.DataFrame:
    """The chapter's hosted cell, then its table."""
    source = sources()
    exec(source["hosted"], names)
    *body, last = ast.parse(source["table"]).body
    exec(ast.unparse(ast.Module(body, [])), names)
    return eval(ast.unparse(last), names)


def test_without_its_variables_no_model_is_asked_and_the_prices_stay_alone(chapter, monkeypatch):
    monkeypatch.setitem(chapter, "OpenAI", None)  # calling it would fail
    rows = table(chapter)
    assert list(rows.index) == [*OWN, "hosted, prices only"]
    assert rows.loc["TF-IDF", "AUC"] == "1.00 (1.00 to 1.00)"
    assert chapter["hosted"] is None
    assert rows.loc["hosted, prices only", ["AUC", "p95 (ms)"]].tolist() == ["not measured", "not measured"]


@pytest.mark.parametrize("missing", VARIABLES)
def test_two_variables_of_three_ask_nobody(chapter, monkeypatch, missing):
    for name in VARIABLES.keys() - {missing}:
        monkeypatch.setenv(f"WORKBENCH_API_{name}", "set")
    exec(sources()["hosted"], chapter)
    assert chapter["hosted"] is None


def test_with_its_variables_the_hosted_model_gets_a_row(chapter, monkeypatch):
    import httpx

    with serve(build_hosted_model) as server:
        for name, value in (VARIABLES | {"BASE": f"{server.url}/v1"}).items():
            monkeypatch.setenv(f"WORKBENCH_API_{name}", value)
        row = table(chapter).loc["hosted, rented-1"]
        asked = httpx.get(f"{server.url}/asked").json()
    assert asked == [{"key": "Bearer a key", "model": "rented-1", "turns": 10}] * len(MAILS)
    assert row["AUC"] == "0.62 (0.00 to 1.00), 1 unreadable"  # (1 + ½ + 1 + 0) / 4
    assert row["p95 (ms)"] > 0
    assert row["$ per thousand"] == f"{1000 * (10 * 0.15 + 2 * 0.60) / 1e6:.6f}"
