"""The questions of chapter 26 are what their data card says."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.data import DATA, data_path
from workbench.errors import WorkbenchError
from workbench.packaged import fetch, locate

KINDS = {"direction", "number", "entity", "negation", "time", "alone", "private"}


@pytest.fixture(scope="module")
def intents() -> list[dict]:
    return [json.loads(line) for line in data_path("reuse_questions").read_text(encoding="utf-8").splitlines()]


def test_every_line_has_the_fields_of_the_card(intents):
    for row in intents:
        assert set(row) == {"family", "differ", "split", "intent", "answer", "asked"}
        assert row["differ"] in KINDS
        assert row["split"] in {"dev", "test"}
        assert row["answer"].strip()


def test_an_intent_is_named_once_and_asked_in_six_ways(intents):
    assert max(Counter(row["intent"] for row in intents).values()) == 1
    for row in intents:
        assert len(row["asked"]) == 6
        assert all(text == text.strip() and text for text in row["asked"])


def test_no_question_has_two_answers_or_stands_there_twice(intents):
    asked = Counter(" ".join(text.casefold().split()).rstrip(" ?!.") for row in intents for text in row["asked"])
    assert [text for text, times in asked.items() if times > 1] == []


def test_a_family_lies_in_one_split_and_is_of_one_kind(intents):
    seen = defaultdict(set)
    for row in intents:
        seen[row["family"]].add((row["split"], row["differ"]))
    assert all(len(found) == 1 for found in seen.values())


def test_families_have_siblings_unless_they_are_alone_or_private(intents):
    sizes = Counter(row["family"] for row in intents)
    kinds = {row["family"]: row["differ"] for row in intents}
    assert all(sizes[f] == 1 for f, kind in kinds.items() if kind == "alone")
    assert all(sizes[f] >= 2 for f, kind in kinds.items() if kind not in {"alone", "private"})


def test_both_splits_hold_every_kind(intents):
    found = {(row["split"], row["differ"]) for row in intents}
    assert found == {(split, kind) for split in ("dev", "test") for kind in KINDS}


def test_the_card_counts_right(intents):
    sizes = Counter(row["family"] for row in intents)
    several = {row["family"] for row in intents if row["differ"] != "alone"}
    assert (len(intents), sum(len(row["asked"]) for row in intents)) == (98, 588)
    assert (len(several), sum(sizes[f] for f in several)) == (42, 82)
    assert len(sizes) - len(several) == 16


def test_our_own_data_is_read_where_it_lies_and_never_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    path = data_path("reuse_questions")
    assert path == Path(__file__).resolve().parents[1] / "book" / "data" / "reuse_questions" / "questions.jsonl"
    assert fetch("data set", DATA["reuse_questions"]) == "present"
    assert not (tmp_path / "cache").exists()


def test_a_changed_question_is_refused_until_its_hash_is_registered(tmp_path):
    changed = tmp_path / "questions.jsonl"
    changed.write_bytes(data_path("reuse_questions").read_bytes() + b"\n")
    entry = replace(DATA["reuse_questions"], file=str(changed))
    with pytest.raises(WorkbenchError, match="SHA-256"):
        locate("data set", "reuse_questions", {"reuse_questions": entry})
    assert str(tmp_path) not in repr(entry)
