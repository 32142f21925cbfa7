"""Alarm rules: what the schema and sense refuse, in one line each, and which rules are equal."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import alarm_rules, alarm_sense
from workbench.alarm_rules import canonical, read, schema, schema_problem, write
from workbench.alarm_sense import problems
from workbench.errors import WorkbenchError

WARM = {"of": "temperature", "is": "above", "value": 8, "unit": "C"}
COLD = WARM | {"is": "below", "value": 2}
RANGE = {"of": "temperature", "is": "outside", "low": 2, "high": 8, "unit": "C"}
HUMID = {"of": "humidity", "is": "above", "value": 60, "unit": "%"}
DOOR, POWER, SIGNAL = ({"of": of, "is": is_} for of, is_ in (("door", "open"), ("power", "off"), ("signal", "lost")))


def rule(*when: dict, at=("fridge 3",), **more) -> dict:
    more = {{"for_": "for", "from_": "from"}.get(key, key): value for key, value in more.items()}
    return {"at": list(at), "when": list(when or (WARM,)), **more}


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("ask", alarm_rules.ASKS)
def test_a_question_is_an_answer_too(ask):
    assert schema_problem({"ask": ask}) == ""
    assert problems({"ask": ask}) == []


def test_the_schema_and_the_module_list_the_same_words():
    defs = schema()["$defs"]
    assert tuple(defs["question"]["properties"]["ask"]["enum"]) == alarm_rules.ASKS
    assert tuple(defs["rule"]["properties"]["days"]["items"]["enum"]) == alarm_rules.DAYS
    assert (*defs["rule"]["properties"], "ask") == alarm_rules.ORDER
    assert {
        key for name in defs for key in defs[name].get("properties", {}) if name in {"degrees", "degrees_range"}
    } == {*alarm_rules.WITHIN}


REFUSED = [
    ([1], "an object is asked for, this is a list"),
    ({"when": [WARM]}, "'at' is a required property"),
    (rule(at="fridge 3") | {"at": "fridge 3"}, "at: 'fridge 3' is not of type 'array'"),
    (rule(at=["fridge"]), "at[0]: 'fridge' is none of the places"),
    (rule(at=["fridge 03"]), "at[0]: 'fridge 03' is none of the places"),
    (rule(WARM | {"is": "over"}), "when[0].is: 'over' is not one of ['above', 'below']"),
    (rule(WARM | {"unit": "K"}), "when[0].unit: 'K' is not one of ['C', 'F']"),
    (rule({key: WARM[key] for key in ("of", "is", "value")}), "when[0]: 'unit' is a required property"),
    (rule(WARM | {"value": "8"}), "when[0].value: '8' is not of type 'number'"),
    (rule(WARM | {"value": True}), "when[0].value: True is not of type 'number'"),
    (rule(WARM | {"value": 10**9}), "when[0].value: 1000000000 is greater than the maximum of 999"),
    (rule({"of": "window", "is": "open"}), "when[0].of: 'window' is none of temperature, humidity, door"),
    (rule({"of": "door", "is": "off"}), "when[0].is: 'off' is not one of ['open', 'closed']"),
    (rule(HUMID | {"unit": "C"}), "when[0].unit: '%' was expected"),
    (rule(DOOR, DOOR, DOOR), "when: "),
    (rule(for_="ten minutes"), "for: 'ten minutes' is none of the durations"),
    (rule(for_=600), "for: 600 is not of type 'string'"),
    (rule(to="06:00"), "from and to belong together"),
    (rule(from_="6:00", to="7:00"), "from: '6:00' is none of the times"),
    (rule(level="urgent"), "level: 'urgent' is not one of"),
    (rule(tell=["mother"]), "tell[0]: 'mother' is not one of"),
    (rule(limit=3), "Additional properties are not allowed ('limit' was unexpected)"),
    ({"ask": "what"}, "ask: 'what' is not one of"),
    ({"ask": "place", "at": ["fridge 3"]}, "Additional properties are not allowed ('at' was unexpected)"),
]


@pytest.mark.parametrize(("answer", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_the_schema_refuses_is_said_in_one_line(answer, says):
    assert schema_problem(answer).startswith(says)
    assert "\n" not in schema_problem(answer)
    assert len(schema_problem(answer)) <= 160
    with pytest.raises(WorkbenchError):
        problems(answer)


SENSELESS = [
    (rule(at=["fridge 13"]), "there is no fridge 13: fridges are 1 to 12"),
    (rule(at=["cold room 5"]), "there is no cold room 5"),
    (rule(WARM | {"value": 46}), "fridge: 46 °C is outside what it can have (-10 to 30 °C)"),
    (rule(WARM | {"value": 8}, at=["fridge 1", "freezer 1"]), None),
    (rule(WARM | {"value": 12}, at=["fridge 1", "freezer 1"]), "freezer: 12 °C is outside"),
    (rule(WARM | {"value": 46, "unit": "F"}), None),
    (rule(WARM | {"value": -112, "unit": "F"}, at=["freezer 1"]), None),
    (rule(HUMID | {"value": 100}), "humidity lies between 0 and 100 %"),
    (rule(RANGE | {"low": 8, "high": 2}), "a range goes from low to high, not from 8 to 2"),
    (rule(RANGE | {"low": 8}), "a range goes from low to high, not from 8 to 8"),
    (rule(WARM | {"clear": 7}), None),
    (rule(WARM | {"clear": 8}), "above 8 must clear under 8, not at 8"),
    (rule(WARM | {"clear": 9}), "above 8 must clear under 8, not at 9"),
    (rule(COLD | {"clear": 1}), "below 2 must clear over 2, not at 1"),
    (rule(COLD | {"clear": 3}), None),
    (rule(WARM, COLD), "the temperature cannot be above 8 and below 2 at once"),
    (rule(COLD | {"value": 50, "unit": "F"}, WARM), None),
    (rule(COLD | {"value": 46, "unit": "F"}, WARM), "the temperature cannot be above 8 and below 46 at once"),
    (rule(WARM, WARM | {"value": 9}), "two conditions on the temperature"),
    (rule(DOOR, DOOR | {"is": "closed"}), "two conditions on the door"),
    (rule(WARM, DOOR), None),
    (rule(POWER, DOOR), None),
    (rule(SIGNAL, WARM), "a lost signal measures nothing"),
    (rule(for_="24 h"), None),
    (rule(for_="25 h"), "for 25 h: at most 24 h"),
    (rule(repeat="59 s"), "repeat 59 s: at least 1 min"),
    (rule(from_="22:00", to="06:00"), None),
    (rule(from_="00:00", to="24:00"), None),
    (rule(from_="06:00", to="06:00"), "the window from 06:00 to 06:00 is empty"),
    (rule(from_="12:00", to="13:00", for_="2 h"), "for 2 h does not fit into 12:00 to 13:00"),
    (rule(from_="23:30", to="00:30", for_="1 h"), None),
    (rule(level="log"), None),
    (rule(level="log", tell=["me"]), "what is only logged is told to nobody: no 'tell'"),
    (rule(level="log", repeat="10 min"), "what is only logged is told to nobody: no 'repeat'"),
]


@pytest.mark.parametrize(("made", "says"), SENSELESS, ids=[f"{i} {says}" for i, (_, says) in enumerate(SENSELESS)])
def test_what_makes_no_sense_is_said_in_one_line(made, says):
    found = problems(made)
    assert len(found) == (says is not None)
    assert all(line.startswith(says) for line in found)


EQUAL = [
    (rule(for_="10 min"), rule(for_="600 s")),
    (rule(for_="90 min"), rule(for_="5400 s")),
    (rule(WARM | {"value": 8.0}), rule()),
    (rule(WARM | {"value": 50, "unit": "F"}), rule(WARM | {"value": 10})),
    (rule(WARM | {"value": 46, "unit": "F"}), rule(WARM | {"value": 7.78})),
    (rule(level="warning", tell=["me"]), rule()),
    (rule(tell=["nurse", "me"]), rule(tell=["me", "nurse"])),
    (rule(days=["sun", "sat"]), rule(days=["sat", "sun"])),
    (rule(days=list(alarm_rules.DAYS)), rule()),
    (rule(from_="00:00", to="24:00"), rule()),
    (rule(from_="20:00", to="00:00"), rule(from_="20:00", to="24:00")),
    (rule(WARM, DOOR), rule(DOOR, WARM)),
    (rule(at=["fridge 4", "fridge 3"]), rule(at=["fridge 3", "fridge 4"])),
    (rule(at=["fridge 4", "all fridges"]), rule(at=["all fridges"])),
    (rule(at=["everywhere", "freezer 1"]), rule(at=["everywhere"])),
]
DIFFERENT = [
    (rule(WARM | {"value": 46, "unit": "F"}), rule(WARM | {"value": 7.8})),
    (rule(for_="10 min"), rule(repeat="10 min")),
    (rule(), rule(WARM | {"clear": 7})),
    (rule(), rule(WARM | {"is": "below"})),
    (rule(), rule(level="critical")),
    (rule(tell=["nurse"]), rule(tell=["me", "nurse"])),
    (rule(WARM | {"value": 60}), rule(HUMID)),
    (rule(from_="20:00", to="06:00"), rule(from_="06:00", to="20:00")),
    (rule(at=["fridge 4", "all freezers"]), rule(at=["all freezers"])),
    (rule(), {"ask": "place"}),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_rules_that_mean_the_same_are_equal_in_canonical_form(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_rules_that_mean_something_else_are_not(one, other):
    assert canonical(one) != canonical(other)


def test_what_is_written_is_one_short_line_in_the_schemas_order():
    text = write(
        {"for": "10 min", "when": [{"unit": "C", "value": 8, "is": "above", "of": "temperature"}], "at": ["fridge 3"]}
    )
    assert text == (
        '{"at":["fridge 3"],"when":[{"of":"temperature","is":"above","value":8,"unit":"C"}],"for":"10 min"}'
    )
    assert write({"ask": "place"}) == '{"ask":"place"}'
    assert json.loads(text) == read(text)


def test_the_first_object_is_read_and_talk_around_it_forgiven():
    assert read('Sure! Here it is:\n```json\n{"ask": "place"}\n```\nAnything {else}?') == {"ask": "place"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("I cannot do that.", "there is no JSON object"),
        ('{"ask": "place"', "broken"),
        ('{"ask": "place", "ask": "limit"}', "a key is said twice"),
        ('{"value": NaN}', "NaN is not a number"),
        ('{"value": 1e999}', "1e999 is not a number"),
        ('{"a":' * 100_000, "broken"),
        ('{"value": ' + "9" * 5000 + "}", "broken"),
    ],
)
def test_what_cannot_be_read_is_said(text, says):
    with pytest.raises(WorkbenchError, match=says):
        read(text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["at", "when", "for", "of"]), inner),
    max_leaves=8,
)


@given(ANYTHING)
def test_no_nonsense_crashes_the_reader_of_rules(answer):
    assert isinstance(schema_problem(answer), str)


def test_every_check_of_sense_is_tried_above():
    tried = " ".join(str(says) for _, says in SENSELESS)
    assert all(
        word in tried for word in ("there is no", "outside what", "a range", "clear", "at once", "for 25", "window")
    )
    assert set(alarm_sense.DEGREES) == {*alarm_rules.COUNTS, "everywhere"}
