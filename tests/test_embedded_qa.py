"""The questions to the manuals are what their data card says, and every answer still stands where it is said to."""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from workbench import embedded_qa
from workbench.beir import load_beir
from workbench.embedded_qa import STRATA, judgements, passage_of, questions
from workbench.errors import CheckFailedError
from workbench.manuals import by_id, manual_of, passages

ROOT = Path(__file__).resolve().parents[1]
CARD = (ROOT / "book" / "data" / "embedded_qa" / "README.md").read_text(encoding="utf-8")
ANSWERABLE = [question for question in questions() if question.stratum != "unanswerable"]
# abbreviations that are everyday words in this trade: not what tells one passage from another
EVERYDAY = {"CAN", "COM", "CPU", "UART", "USB", "TCP", "PC", "ST", "RS-485"}


def test_every_gold_span_is_still_in_the_corpus():
    assert embedded_qa.prove() == sum(len(question.gold) for question in questions())


def test_a_moved_a_changed_and_a_lost_span_are_told_apart():
    span = questions()[0].gold[0]
    text = by_id()[span.section].text
    section = by_id()[span.section]
    moved = replace(section, text="x" + text)
    changed = replace(section, text=text + "x")
    gone = replace(section, text=text.replace(span.quote, ""))
    said = [embedded_qa.problems(span, {span.section: one}) for one in (section, moved, changed, gone)]
    assert said[0] == ""
    assert f"the quoted words stand at {span.start + 1}" in said[1]
    assert "has changed around the span" in said[2]
    assert "the quoted words are gone" in said[3]
    assert "is not in the corpus" in embedded_qa.problems(span, {})


def test_a_span_that_is_not_where_it_was_fails_the_proof_in_one_line(monkeypatch):
    first = questions()[0]
    bad = replace(first, gold=(replace(first.gold[0], start=0, end=3),))
    monkeypatch.setattr(embedded_qa, "questions", lambda: (bad,))
    with pytest.raises(CheckFailedError, match=f"1 of 1 gold spans are not where they were: {first.id}"):
        embedded_qa.prove()


def test_there_are_as_many_questions_as_promised_in_each_stratum_and_split():
    found = Counter((question.stratum, question.split) for question in questions())
    assert len(ANSWERABLE) >= 120
    assert sum(found["unanswerable", split] for split in ("dev", "test")) >= 20
    for stratum in STRATA:
        dev, test = found[stratum, "dev"], found[stratum, "test"]
        assert min(dev, test) >= 10
        assert f"| {stratum} | {dev} | {test} |" in CARD


def test_questions_are_unique_well_formed_and_ordered():
    assert max(Counter(question.id for question in questions()).values()) == 1
    assert max(Counter(question.text.casefold() for question in questions()).values()) == 1
    for question in questions():
        assert question.text == question.text.strip()
        assert question.text.endswith("?")


def test_only_unanswerable_questions_lack_answers_and_places():
    for question in questions():
        assert bool(question.gold) == bool(question.answers) == (question.stratum != "unanswerable")
        assert all(answer == answer.strip() and answer for answer in question.answers)
        assert len(set(question.answers)) == len(question.answers)


def test_quotes_are_short():
    assert max(len(span.quote) for question in questions() for span in question.gold) <= 125


def test_multi_passage_questions_need_two_sections_or_passages():
    for question in questions():
        places = {passage_of(span) for span in question.gold}
        assert len(places) == {"multi": 2, "unanswerable": 0}.get(question.stratum, 1), question.id


def identifiers(text: str) -> set[str]:
    """Words that only a machine would spell so: with digits, underscores, capitals inside, or dots."""
    words = {word.strip(".,:;?()\"'") for word in re.split(r"[\s/]+", text)}
    return {word for word in words if re.search(r"\d|_|[a-z][A-Z]|[A-Z]{2}|\w\.\w|-{2}|://", word)} - EVERYDAY


def test_a_paraphrase_shares_no_identifier_with_its_passage():
    found = {passage.id: passage for passage in passages()}
    for question in questions():
        if question.stratum == "paraphrase":
            told = " ".join(found[passage_of(span)].text for span in question.gold)
            assert not {word for word in identifiers(question.text) if word in told}, question.id


def test_a_keyword_question_shares_a_rare_word_with_its_passage():
    words = {p.id: set(re.findall(r"[\w.]+", f"{p.title} {p.text}".casefold())) for p in passages()}
    common = Counter(word for found in words.values() for word in found)
    for question in questions():
        if question.stratum == "keyword":
            asked = set(re.findall(r"[\w.]*\w", question.text.casefold()))
            shared = asked & words[passage_of(question.gold[0])]
            assert min(common[word] for word in shared) <= len(words) / 20, question.id


def test_no_section_answers_questions_of_both_splits():
    splits = defaultdict(set)
    for question in questions():
        for span in question.gold:
            splits[span.section].add(question.split)
    assert [section for section, found in splits.items() if len(found) > 1] == []


def test_every_manual_is_asked_about():
    asked = Counter(manual_of(span.section).name for question in questions() for span in question.gold)
    assert set(asked) == {"pyocd", "python-can", "pyserial", "canopen", "minimalmodbus", "pyusb"}
    for name, count in asked.items():
        assert f"| {name} | " in CARD
        assert f"| {count} |" in next(line for line in CARD.splitlines() if line.startswith(f"| {name} |"))


def test_judgements_name_known_passages_and_settle_on_known_grades():
    known = {passage.id for passage in passages()}
    lines = (ROOT / "book" / "data" / "embedded_qa" / "judgements.tsv").read_text().splitlines()
    pairs = [tuple(line.split("\t")[:2]) for line in lines[1:]]
    assert lines[0] == "query-id\tpassage-id\tpass1\tpass2\tgrade"
    assert len(pairs) == len(set(pairs))
    assert {passage for _, passage in pairs} <= known
    for line in lines[1:]:
        *_, first, second, grade = line.split("\t")
        assert {first, second} <= {"0", "1", "2"} or first == second == "-"
        assert grade in {"0", "1", "2"}


def test_every_gold_passage_has_the_best_grade_and_the_unanswerable_have_none():
    for question in questions():
        grades = judgements()[question.id]
        assert all(grades[passage_of(span)] == 2 for span in question.gold)
        if question.stratum == "unanswerable":
            assert set(grades.values()) == {0}


def test_the_card_tells_the_agreement_that_the_script_computes():
    script = ROOT / "benchmarks" / "judge_embedded_qa.py"
    asked = subprocess.run([sys.executable, str(script), "agreement"], capture_output=True, text=True, check=True)
    last = asked.stdout.strip().splitlines()[-1].split()
    assert f"{int(float(last[1]))} pairs" in CARD.replace(",", "")
    assert f"κ = {last[4]}" in CARD
    assert f"κ = {last[5]}" in CARD


def test_the_beir_folder_is_sound_and_says_what_the_questions_say(tmp_path):
    for split in ("dev", "test"):
        found = load_beir(embedded_qa.beir_folder(split, tmp_path / split), split)
        asked = {question.id: question for question in ANSWERABLE if question.split == split}
        assert set(found.queries) == set(found.qrels[split]) == set(asked)
        assert len(found.corpus) == len(passages())
        for name, query in found.queries.items():
            assert query.text == asked[name].text
            assert query.metadata == {"stratum": asked[name].stratum, "answers": list(asked[name].answers)}
            assert all(found.qrels[split][name][passage_of(span)] == 2 for span in asked[name].gold)


def test_the_command_proves():
    workbench = Path(sys.executable).parent / "workbench"
    proved = subprocess.run([workbench, "data", "prove"], capture_output=True, text=True)
    assert (proved.returncode, proved.stdout.split()[1:]) == (0, ["gold", "spans", "are", "where", "they", "were"])


def test_no_text_of_a_manual_is_committed():
    rows = [json.loads(line) for line in (ROOT / "book/data/embedded_qa/questions.jsonl").read_text().splitlines()]
    quoted = sum(len(span["quote"]) for row in rows for span in row["gold"])
    assert quoted < 0.03 * sum(len(section.text) for section in by_id().values())


def small_folder(tmp_path, splits):
    """A BEIR folder with four questions in each split, the second of each without anything relevant."""
    names = {split: [f"{split}{i}" for i in range(4)] for split in splits}
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "p", "title": "", "text": "one"}\n')
    asked = [name for split in splits for name in names[split]]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps({"_id": n, "text": f"{n}?"}) + "\n" for n in asked))
    for split in splits:
        rows = [f"{name}\tp\t{int(not name.endswith('1'))}" for name in names[split]]
        (tmp_path / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")
    return tmp_path


def test_our_two_splits_hold_every_answerable_question_once():
    found = embedded_qa.two_splits()
    assert {name for split in found.qrels.values() for name in split} == {question.id for question in ANSWERABLE}
    assert not set(found.qrels["dev"]) & set(found.qrels["test"])


@pytest.mark.parametrize(("splits", "dev"), [(["dev", "test"], 4), (["test"], 2), (["train"], 2)])
def test_a_folder_with_one_split_gets_every_other_question_to_choose_on(tmp_path, splits, dev):
    found = embedded_qa.two_splits(small_folder(tmp_path, splits))
    assert len(found.qrels["dev"]) == dev
    assert len(found.qrels["test"]) == 4 * len(splits) - dev
    assert not set(found.qrels["dev"]) & set(found.qrels["test"])


def test_judged_questions_have_something_relevant_and_stand_dev_first(tmp_path):
    found = embedded_qa.two_splits(small_folder(tmp_path, ["dev", "test"]))
    table = embedded_qa.judged(found, most=10)
    assert list(table["id"]) == ["dev0", "dev2", "dev3", "test0", "test2", "test3"]
    assert set(table["stratum"]) == {"all"}
    assert table["grades"].iloc[0] == {"p": 1}
    assert list(embedded_qa.judged(found, most=1)["id"]) == ["dev0", "test0"]
    assert set(embedded_qa.judged(embedded_qa.two_splits(), 500)["stratum"]) == set(STRATA) - {"unanswerable"}
