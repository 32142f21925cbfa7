"""A BEIR folder is read whole or refused in a line that says where and why."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.beir import load_beir, read
from workbench.errors import WorkbenchError

DOCS = [{"_id": "d-a", "title": "A", "text": "alpha"}, {"_id": "d-b", "title": "", "text": "beta"}]
ASKED = [{"_id": "q-1", "text": "which?", "metadata": {"stratum": "s"}}, {"_id": "q-2", "text": "what?"}]
JUDGED = [("q-1", "d-a", 2), ("q-1", "d-b", 0), ("q-2", "d-b", 1)]
HEADER = "query-id\tcorpus-id\tscore"


def write(folder: Path, docs=DOCS, asked=ASKED, judged=JUDGED, header: str = HEADER) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in docs))
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    rows = [header] * bool(header) + ["\t".join(map(str, row)) for row in judged]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")
    return folder


def said(folder: Path) -> str:
    return "\n".join(read(folder)[1].lines())


def test_a_sound_folder_is_read_whole(tmp_path):
    found = load_beir(write(tmp_path), "test")
    assert found.corpus["d-a"].whole == "A. alpha"
    assert found.corpus["d-b"].whole == "beta"
    assert found.queries["q-1"].metadata == {"stratum": "s"}
    assert found.qrels["test"] == {"q-1": {"d-a": 2, "d-b": 0}, "q-2": {"d-b": 1}}


def test_a_header_may_be_missing_and_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path):
    write(tmp_path, header="")
    for path in tmp_path.rglob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert said(tmp_path) == ""
    assert len(load_beir(tmp_path).qrels["test"]["q-1"]) == 2


WRONG = {
    "duplicate id: corpus.jsonl line 3, 'd-a' stands there before": {"docs": [*DOCS, DOCS[0]]},
    "duplicate id: queries.jsonl line 3": {"asked": [*ASKED, ASKED[0]]},
    "empty document: corpus.jsonl line 3, 'd-c'": {"docs": [*DOCS, {"_id": "d-c", "title": " ", "text": "\n"}]},
    "empty query: queries.jsonl line 3": {"asked": [*ASKED, {"_id": "q-3", "text": "  "}]},
    "bad record: corpus.jsonl line 1: no field 'text'": {"docs": [{"_id": "d-a"}, DOCS[1]]},
    "'_id' must be a string, this is a int": {"docs": [{"_id": 7, "text": "x"}, *DOCS]},
    "'_id' ' d' is empty, or has spaces": {"docs": [{"_id": " d", "text": "x"}, *DOCS]},
    "an object is needed, this is a list": {"docs": [[1], *DOCS]},
    "corpus-id not in corpus: test.tsv line 3: 'd-x'": {"judged": [JUDGED[0], ("q-1", "d-x", 1)]},
    "query-id not in queries: test.tsv line 3: 'q-x'": {"judged": [JUDGED[0], ("q-x", "d-a", 1)]},
    "qrels use ordinals instead of ids (corpus-id): qrels/test.tsv says '0', the ids look like 'd-a'": {
        "judged": [("q-1", 0, 1), ("q-2", 1, 1)]
    },
    "qrels use ordinals instead of ids (query-id)": {"judged": [(1, "d-a", 1), (2, "d-b", 1)]},
    "columns are swapped": {"judged": [("d-a", "q-1", 1), ("d-b", "q-2", 1)]},
    "score is not an integer: test.tsv line 2: '0.5'": {"judged": [("q-1", "d-a", 0.5)]},
    "score is not an integer: test.tsv line 2: 'yes'": {"judged": [("q-1", "d-a", "yes")]},
    "bad row: test.tsv line 2: 4 columns": {"judged": [("q-1", "0", "d-a", 1)]},
    "duplicate judgement: test.tsv line 3: 'q-1', 'd-a'": {"judged": [JUDGED[0], JUDGED[0]]},
    "empty file: qrels/test.tsv": {"judged": []},
    "empty file: corpus.jsonl": {"docs": []},
}


@pytest.mark.parametrize(("message", "change"), WRONG.items(), ids=[text[:40] for text in WRONG])
def test_each_mistake_is_named_with_its_place(tmp_path, message, change):
    write(tmp_path, **change)
    assert message in said(tmp_path)
    with pytest.raises(WorkbenchError, match="workbench data check"):
        load_beir(tmp_path)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path, name):
    (write(tmp_path) / name).unlink()
    assert "missing: no " in said(tmp_path)


def test_no_folder_and_an_unknown_split_are_refused_in_one_line(tmp_path):
    with pytest.raises(WorkbenchError, match="is not a folder"):
        load_beir(tmp_path / "nothing")
    with pytest.raises(WorkbenchError, match="no qrels for 'dev' — it has: test"):
        load_beir(write(tmp_path), "dev")


def test_broken_json_and_foreign_bytes_are_said_by_line(tmp_path):
    with (write(tmp_path) / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "d-c", "text": \n' + "[" * 100_000 + "\n")
    assert "broken JSON: corpus.jsonl line 3" in said(tmp_path)
    (tmp_path / "queries.jsonl").write_bytes(b'{"_id": "q", "text": "\xff\xfe"}\n')
    assert "not UTF-8: queries.jsonl" in said(tmp_path)


def test_many_mistakes_of_a_kind_make_one_line(tmp_path):
    write(tmp_path, judged=[("q-1", f"d-{n}x", 1) for n in range(500)])
    assert said(tmp_path).count("\n") == 0
    assert said(tmp_path).endswith("and 497 more")


@settings(max_examples=60)
@given(data=st.binary(max_size=300), name=st.sampled_from(["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"]))
def test_any_bytes_are_read_or_refused_but_never_crash(tmp_path_factory, data, name):
    folder = write(tmp_path_factory.mktemp("beir"))
    (folder / name).write_bytes(data)
    assert all("\n" not in line for line in read(folder)[1].lines())


IDS = st.text("abcdefgh0123456789-_:#/.", min_size=1, max_size=12)


@settings(max_examples=60)
@given(docs=st.dictionaries(IDS, st.text(min_size=1).filter(str.strip), min_size=1), score=st.integers(-1, 9))
def test_what_is_written_is_read_back(tmp_path_factory, docs, score):
    rows = [{"_id": key, "title": "", "text": text} for key, text in docs.items()]
    folder = write(tmp_path_factory.mktemp("beir"), docs=rows, judged=[("q-1", key, score) for key in docs])
    found = load_beir(folder)
    assert {key: document.text for key, document in found.corpus.items()} == docs
    assert found.qrels["test"]["q-1"] == dict.fromkeys(docs, score)


def check(folder: Path):
    command = [str(Path(sys.executable).parent / "workbench"), "data", "check", str(folder)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_counts_or_names_every_kind_of_problem_and_exits_so(tmp_path):
    good = check(write(tmp_path / "good"))
    assert (good.returncode, good.stdout) == (0, "2 documents, 2 queries, 3 judgements (test)\n")
    bad = check(write(tmp_path / "bad", docs=[DOCS[0], DOCS[0]], judged=[("q-1", "d-x", "1.0")]))
    assert bad.returncode == 1
    assert bad.stdout.splitlines() == [
        "duplicate id: corpus.jsonl line 2, 'd-a' stands there before",
        "score is not an integer: test.tsv line 2: '1.0'",
    ]
    assert bad.stderr.startswith("error: ")
    assert bad.stderr.count("\n") == 1
