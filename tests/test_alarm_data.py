"""The hand-written sentences of part 5 are what their data card says, and no generated one is near them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from workbench.alarm_data import hand_written, reworded
from workbench.alarm_generator import generate
from workbench.alarm_phrases import grammar
from workbench.alarm_reader import read_sentence
from workbench.alarm_rules import ASKS, canonical, read, write
from workbench.alarm_sense import problems
from workbench.errors import UnknownNameError
from workbench.leaks import nearest_by_ngrams, ngrams

FOLDER = Path(__file__).resolve().parents[1] / "book" / "data" / "alarm_rules"
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")
DEV, TEST = hand_written("dev"), hand_written("test")


def test_every_gold_rule_is_valid_makes_sense_and_survives_writing():
    for request in DEV + TEST:
        assert problems(request.rule) == [], request.id
        assert canonical(read(write(request.rule))) == canonical(request.rule)


def test_the_card_counts_right():
    for split, found in (("dev", DEV), ("test", TEST)):
        users, questions = len({one.user for one in found}), sum("ask" in one.rule for one in found)
        assert f"| {split} | {users} | {len(found)} | {questions} |" in CARD
    assert len(TEST) - sum("ask" in one.rule for one in TEST) >= 100


def test_no_user_is_in_both_splits_and_none_dominates():
    assert not {one.user for one in DEV} & {one.user for one in TEST}
    assert {10, 11, 12} >= set(Counter(one.user for one in DEV + TEST).values())


def test_sentences_are_unique_tidy_and_say_why_they_are_hard():
    said = Counter(one.sentence.casefold() for one in DEV + TEST)
    assert max(said.values()) == 1
    assert max(Counter(one.id for one in DEV + TEST).values()) == 1
    for one in DEV + TEST:
        assert one.sentence == one.sentence.strip()
        assert one.hard.strip()
        assert one.id.split("/")[0] == one.user.lower().replace(" ", "-")


def test_both_splits_ask_every_question_and_use_every_field_and_sensor():
    fields = {"at", "when", "for", "days", "from", "to", "level", "tell", "repeat"}
    for found in (DEV, TEST):
        rules = [one.rule for one in found]
        assert {rule.get("ask") for rule in rules} == {None, *ASKS}
        assert {key for rule in rules for key in rule} == {*fields, "ask"}
        parts = {(part["of"], part["is"]) for rule in rules for part in rule.get("when", [])}
        assert {of for of, _ in parts} == {"temperature", "humidity", "door", "power", "signal"}
        assert {
            ("temperature", "below"),
            ("temperature", "outside"),
            ("door", "closed"),
            ("humidity", "outside"),
        } <= parts
        assert {part.get("unit") for rule in rules for part in rule.get("when", [])} >= {"C", "F", "%"}


def test_the_second_pass_agrees_as_the_card_says():
    second = [json.loads(line) for line in (FOLDER / "second_pass.jsonl").read_text(encoding="utf-8").splitlines()]
    gold = {one.id: one.rule for one in DEV + TEST}
    assert [row["id"] for row in second] == sorted(gold, key=list(row["id"] for row in second).index)
    alike = sum(canonical(row["rule"]) == canonical(gold[row["id"]]) for row in second)
    assert f"{alike} of {len(second)} alike" in CARD


def test_no_generated_sentence_is_near_a_hand_written_one():
    made = [pair.sentence for split in ("train", "template", "value") for pair in generate(1000, split, seed=3)]
    nearest = nearest_by_ngrams([one.sentence for one in DEV + TEST], made)
    assert max(leak.likeness for leak in nearest) <= 0.5
    assert not {text.casefold() for text in made} & {one.sentence.casefold() for one in DEV + TEST}


def test_the_reader_scores_on_the_test_sentences_as_the_card_says():
    right = sum(canonical(read_sentence(one.sentence)) == canonical(one.rule) for one in TEST)
    assert f"the {len(TEST)} hand-written test sentences it reads {right} right" in " ".join(CARD.split())


@pytest.mark.parametrize("split", ["train", "tset", ""])
def test_an_unknown_split_is_refused(split):
    with pytest.raises(UnknownNameError):
        hand_written(split)


def test_the_card_names_every_question_and_every_split_of_the_generator():
    assert all(f"| `{ask}` |" in CARD for ask in ASKS)
    assert all(f"| `{split}` |" in CARD for split in ("train", "template", "value"))
    assert set(grammar()) >= {"frames", "values", "ask"}


def test_the_reworded_sentences_ask_for_rules_of_the_test_split_in_other_words():
    known = {one.id: one for one in TEST if "ask" not in one.rule}
    found = reworded()
    assert f"`reworded.jsonl` says {len(found)} of the {len(known)} test sentences" in CARD
    assert len(set(found.values()) | {one.sentence for one in DEV + TEST}) == len(found) + len(DEV + TEST)
    for name, sentence in found.items():
        shared = ngrams(sentence, 4) & ngrams(known[name].sentence, 4)
        assert len(shared) <= 0.2 * len(ngrams(sentence, 4)), name
        again = read_sentence(sentence)  # regular expressions understand most of them, and none as another rule
        assert "ask" in again or name == "thumb-typist/03" or canonical(again) == canonical(known[name].rule), name
