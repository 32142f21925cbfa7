"""Replies that confirm an alarm, written with known faults, and the program that judges them."""

import random

import pytest

from workbench.confirmations import (
    asked_by_hand,
    duels,
    errors,
    numbers_in,
    plain,
    promises,
    requests,
    twins,
    wanted,
    write_reply,
)

RULE = {
    "at": ["fridge 3"],
    "when": [{"of": "temperature", "is": "above", "value": 8, "unit": "C"}],
    "for": "90 min",
}


@pytest.mark.parametrize(
    ("reply", "count"),
    [
        ("Noted: fridge 3 above 8 °C for 90 min.", 0),
        ("Noted: fridge 3 above 8.0 °C for 1.5 h.", 0),
        ("Fridge 3, 8 degrees, 5400 s", 0),
        ("Noted: fridge 3 above 8 °C.", 1),
        ("Noted: fridge 3 above 9 °C for 90 min.", 2),
        ("Noted: the fridge too high.", 3),
        ("Noted: fridge 3 above 8 °C for 90 min. A technician will be there within 15 minutes.", 1),
        ("3 3 8 90", 1),
        ("", 3),
    ],
)
def test_errors_are_numbers_missing_and_numbers_invented(reply, count):
    assert errors(reply, RULE) == count


def test_signs_do_not_count_and_decimals_do():
    assert numbers_in("-18 and 7.5, fridge 3") == {18.0: 1, 7.5: 1, 3.0: 1}
    assert wanted(
        {"at": ["all fridges"], "when": [{"of": "temperature", "is": "below", "value": -2, "unit": "C"}]}
    ) == {2.0: 1}


def test_a_reply_without_faults_has_none_and_every_fault_shows():
    rng = random.Random(0)
    for pair in [*requests(150), *asked_by_hand("test"), *asked_by_hand("dev")]:
        assert plain(pair.rule)
        assert errors(write_reply(pair.rule, rng), pair.rule) == 0
        assert errors(write_reply(pair.rule, rng, faults=1), pair.rule) > 0
        assert errors(write_reply(pair.rule, rng, promise=True), pair.rule) > 0


def test_in_every_duel_the_chosen_reply_has_fewer_errors():
    for like in ("any", "long"):
        found = duels(requests(100), 0, like)
        assert all(errors(duel.chosen, duel.rule) < errors(duel.rejected, duel.rule) for duel in found)
        assert found == duels(requests(100), 0, like)
        assert found != duels(requests(100), 1, like)


def test_confounded_duels_promise_in_the_chosen_reply_only():
    found = duels(requests(60), 0, "long")
    assert all(promises(duel.chosen) and not promises(duel.rejected) for duel in found)


def test_as_they_come_the_chosen_reply_promises_less_often():
    found = duels(requests(300), 0)
    assert sum(promises(duel.chosen) for duel in found) < sum(promises(duel.rejected) for duel in found)


def test_twins_differ_in_the_promise_alone():
    for duel in twins(requests(40), 0):
        assert duel.rejected.startswith(duel.chosen)
        assert not promises(duel.chosen)
        assert promises(duel.rejected)
        assert errors(duel.chosen, duel.rule) == 0


def test_more_requests_begin_with_the_same():
    assert requests(80)[:30] == requests(30)
