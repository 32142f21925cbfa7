"""What a model writes is scored step by step: parsed, valid, sensible, exact; and field by field."""

import json

import pytest

from workbench.alarm_data import hand_written
from workbench.alarm_rules import write
from workbench.alarm_scores import FIELDS, STEPS, score, summarise
from workbench.errors import WorkbenchError

GOLD = {
    "at": ["fridge 3"],
    "when": [{"of": "temperature", "is": "above", "value": 8, "unit": "C"}],
    "for": "10 min",
    "tell": ["me", "nurse"],
}


def steps(answer: str, gold: dict = GOLD) -> tuple[bool, ...]:
    found = score(answer, gold)
    return tuple(getattr(found, step) for step in STEPS)


def test_the_gold_rule_is_exact_in_every_spelling():
    for answer in (
        write(GOLD),
        json.dumps(GOLD, indent=2),
        f"```json\n{write(GOLD)}\n```",
        write(GOLD | {"for": "600 s"}),
    ):
        assert steps(answer) == (True, True, True, True)
        assert set(score(answer, GOLD).fields) == set(FIELDS)
        assert all(score(answer, GOLD).fields.values())


@pytest.mark.parametrize(
    ("answer", "reached", "problem"),
    [
        ("I am sorry, I cannot do that.", 0, "there is no JSON object"),
        (write(GOLD)[:-3], 0, "broken"),
        ('{"at": ["fridge 3"]}', 1, "'when' is a required property"),
        (write(GOLD | {"for": "ten minutes"}), 1, "none of the durations"),
        (write(GOLD | {"at": ["fridge 13"]}), 2, "there is no fridge 13"),
        (write(GOLD | {"for": "30 min"}), 3, ""),
        ('{"ask": "place"}', 3, ""),
    ],
)
def test_each_step_can_be_the_last_that_is_reached(answer, reached, problem):
    assert steps(answer) == tuple(number < reached for number in range(4))
    assert problem in score(answer, GOLD).problem


def test_fields_are_judged_one_by_one():
    fields = score(write(GOLD | {"for": "30 min", "tell": ["nurse"]}), GOLD).fields
    assert [field for field, right in fields.items() if not right] == ["for", "tell"]


def test_a_question_for_a_rule_and_a_rule_for_a_question_are_wrong_in_every_field():
    assert not any(score('{"ask": "place"}', GOLD).fields.values())
    assert score(write(GOLD), {"ask": "place"}).fields == {"ask": False}
    assert score('{"ask": "limit"}', {"ask": "place"}).fields == {"ask": False}
    assert score('{"ask": "place"}', {"ask": "place"}).exact


def test_a_senseless_answer_is_never_exact():
    gold = {"at": ["fridge 13"], "when": GOLD["when"]}
    assert steps(write(gold), gold) == (True, True, False, False)


def test_shares_fall_from_step_to_step_and_fields_count_rules_only():
    answers = [write(GOLD), '{"at": 1}', "no", '{"ask": "place"}', write(GOLD | {"for": "1 h"})]
    table = summarise([score(answer, GOLD) for answer in answers] + [score('{"ask": "place"}', {"ask": "place"})])
    assert [round(table[step] * 6) for step in STEPS] == [5, 4, 4, 2]
    assert (table["field at"], table["field for"], table["field ask"]) == (0.4, 0.2, 1.0)


def test_gold_answers_score_full_marks_on_the_hand_written_sentences():
    table = summarise(score(write(one.rule), one.rule) for one in hand_written("test"))
    assert set(table.values()) == {1.0}
    assert list(table) == [*STEPS, *(f"field {name}" for name in (*FIELDS, "ask"))]


def test_always_asking_one_question_scores_little():
    table = summarise(score('{"ask": "unsupported"}', one.rule) for one in hand_written("test"))
    assert table["sensible"] == 1.0
    assert table["exact"] < 0.1


def test_nothing_cannot_be_summarised():
    with pytest.raises(WorkbenchError, match="nothing"):
        summarise([])
