"""Planted leaks are caught, by the net that is made for them, and clean sets are let through."""

import numpy as np
import pytest

from workbench.alarm_data import hand_written
from workbench.alarm_generator import generate
from workbench.errors import WorkbenchError
from workbench.leaks import above, nearest_by_ngrams, nearest_by_vectors, ngrams, without_copies
from workbench.vectors import embed

TEST = [request.sentence for request in hand_written("test")]
TRAIN = [pair.sentence for pair in generate(800)]
VICTIM = TEST.index("Fridge 4: nothing before it has been above 8 °C for 20 minutes, we restock a lot.")
PLANTS = {
    "a copy": TEST[VICTIM],
    "other case and punctuation": TEST[VICTIM].upper().replace(",", " -").rstrip("."),
    "a copy inside other words": f"From a user, last week: {TEST[VICTIM]} Please turn this into a rule, thank you.",
    "all but one word": TEST[VICTIM].replace("restock", "refill"),
}


def test_runs_of_words_are_casefolded_and_without_punctuation():
    assert ngrams("Open it NOW, please!", 2) == {("open", "it"), ("it", "now"), ("now", "please")}
    assert ngrams("Open it!", 4) == {("open", "it")}
    assert ngrams(" … ", 4) == set()


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_leak_is_caught_by_ngrams_and_nothing_else_is(plant):
    caught = above(nearest_by_ngrams(TEST, [*TRAIN[:400], PLANTS[plant], *TRAIN[400:]]), 0.6)
    assert [(leak.test, leak.train) for leak in caught] == [(VICTIM, 400)]


@pytest.mark.parametrize("text", ["why did it beep", "above 8 for 10 minutes!!!"])
def test_a_short_text_leaks_as_a_whole_and_not_by_a_common_run(text):
    longer = f"{text.rstrip('!')} or so, and please do not tell the chef about it"
    assert nearest_by_ngrams([text], [longer])[0].likeness < 0.5
    assert nearest_by_ngrams([text], [longer, text.upper()])[0].likeness == 1


def test_without_a_plant_nothing_is_caught():
    assert above(nearest_by_ngrams(TEST, TRAIN), 0.6) == []


def test_a_paraphrase_slips_through_ngrams_and_is_caught_by_vectors():
    victim = TEST.index("Alarm me in the night if fridge 2 over 8.")
    train = [*TRAIN[:60], "Please raise an alarm at night when fridge 2 is above 8"]
    assert nearest_by_ngrams(TEST, train)[victim].likeness < 0.5
    found = above(nearest_by_vectors(embed(TEST[victim - 20 : victim + 20]), embed(train)), 0.86)
    assert [(leak.test, leak.train) for leak in found] == [(20, 60)]


def test_planted_vectors_are_caught_across_blocks():
    rng = np.random.default_rng(0)
    test, train = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.normal(size=(2, 600, 32)))
    train[17], train[599] = test[0], test[599]
    caught = {(leak.test, leak.train) for leak in above(nearest_by_vectors(test, train), 0.95)}
    assert caught == {(0, 17), (599, 599)}


def test_the_nearest_leak_comes_first():
    found = nearest_by_ngrams(["a b c d e f", "p q r s t u"], ["a b c d x y", "p q r s t u"], n=3)
    assert [leak.test for leak in above(found, 0.1)] == [1, 0]
    assert [leak.likeness for leak in above(found, 0.1)] == [1.0, 0.4]


@pytest.mark.parametrize("texts", [([], ["a"]), (["a"], [])])
def test_nothing_is_refused(texts):
    with pytest.raises(WorkbenchError, match="empty"):
        nearest_by_ngrams(*texts)


def test_vectors_that_are_no_unit_rows_are_refused():
    with pytest.raises(WorkbenchError, match="length 1"):
        nearest_by_vectors(np.ones((2, 3)), np.eye(3))


def test_near_copies_leave_and_the_first_of_them_stays():
    texts = [
        "warn me when fridge 3 is warm today",
        "Warn me when fridge 3 is warm, today!",
        "tell the chef about freezer 2 at once",
    ]
    assert without_copies(texts) == [0, 2]
    assert without_copies([]) == []
    assert without_copies(TRAIN[:200] + TRAIN[:50]) == without_copies(TRAIN[:200])
