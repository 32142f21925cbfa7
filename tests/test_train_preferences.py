"""Chapter 56's trainings: killed and resumed a run is the same run, it begins where it should, and a probe is blind."""

import json
import math
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from workbench.confirmations import errors, numbers_in, promises
from workbench.data import data_path
from workbench.errors import WorkbenchError
from workbench.llama import load_llama

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import keep_preferences  # noqa: E402
import train_preferences  # noqa: E402

SMALL = {"LAYERS": 1, "IMITATED": 16, "PAIRS": 16, "SIZE": 2, "EPOCHS": 1, "AUDITED": 2, "VARIED": 2, "SAVE_EVERY": 1}


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Train two layers on a few replies into a folder; die before a step of a run, if one is given."""
    patch = pytest.MonkeyPatch()
    patch.setattr(train_preferences, "load_llama", lambda: load_llama(num_hidden_layers=2))
    for how in ("draw", "likeliest"):
        patch.setattr(train_preferences.Bench, how, lambda self, asked: ["Noted: fridge 3."] * len(asked))
    for name, value in SMALL.items():
        patch.setattr(train_preferences, name, value)
    advance = train_preferences.Training.advance

    def run(folder, kill=None, names=("fair0",)):
        def killed(self):
            if kill == (self.recipe.name, len(self.losses)):
                raise KeyboardInterrupt
            advance(self)

        patch.setattr(train_preferences.Training, "advance", killed)
        patch.setattr(sys, "argv", ["train", "--dev", "--out", str(folder), "--only", *names])
        train_preferences.main()
        return json.loads((folder / f"{names[0]}.json").read_text(encoding="utf-8"))

    yield run
    patch.undo()


@pytest.fixture(scope="module")
def whole(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_training_that_is_killed_resumes_to_the_same_curve_and_the_same_numbers(train, whole, tmp_path):
    folder, expected = whole
    for kill in (("reference", 3), ("fair0", 1), ("fair0", 4), ("fair0", 7)):  # after 4 it is looked at
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, kill)
    record = train(tmp_path)
    assert record["losses"] == pytest.approx(expected["losses"], abs=1e-5)
    assert len(set(expected["losses"])) == 8  # no two steps alike: equal curves say something
    assert record["audits"].keys() == {"4", "8"}
    for step, seen in record["audits"].items():
        assert torch.allclose(torch.tensor(seen["pairs"]), torch.tensor(expected["audits"][step]["pairs"]), atol=1e-3)
    ours, theirs = (load_file(place / "fair0.safetensors") for place in (tmp_path, folder))
    assert all((ours[name] - theirs[name]).abs().max() < 1e-3 for name in theirs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_is_left_behind_is_records_and_adapters(whole):
    folder, _ = whole
    left = {path.name for path in folder.iterdir()}
    assert left == {"reference.json", "reference.safetensors", "fair0.json", "fair0.safetensors"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_dpo_begins_at_log_two_from_the_reference(whole):
    _, record = whole
    assert record["losses"][0] == pytest.approx(math.log(2), abs=1e-5)
    assert record["chosen"][0] == pytest.approx(0, abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_record_has_what_the_recipe_asks_for(train, whole, tmp_path):
    folder, record = whole
    assert {"likeliest", "varied", "surplus"} <= record.keys()
    assert [len(rows) for rows in record["varied"]] == [4, 4]
    assert record["audits"]["4"].keys() == {"pairs", "replies"}
    for name in ("reference.json", "reference.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    plain = train(tmp_path, names=("tight0",))
    assert plain["audits"] == {}
    assert not {"likeliest", "varied"} & plain.keys()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_one_run_remembers_does_not_change_the_next(train, whole, tmp_path):
    """The reference's log p are shared by runs of one process: after another training they must be what they were."""
    folder, record = whole
    for name in ("reference.json", "reference.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    train(tmp_path, names=("tight0", "fair0"))
    after = json.loads((tmp_path / "fair0.json").read_text(encoding="utf-8"))
    assert after["losses"] == pytest.approx(record["losses"], abs=1e-5)
    assert torch.allclose(torch.tensor(after["varied"]), torch.tensor(record["varied"]), atol=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_run_on_another_seed_is_another_run(train, whole, tmp_path):
    folder, record = whole
    for name in ("reference.json", "reference.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    other = train(tmp_path, names=("fair1",))
    assert other["losses"][1:] != pytest.approx(record["losses"][1:], abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_probe_does_not_read_the_test_requests(whole):
    """The fixture trains with --dev: as many replies as dev has requests."""
    _, record = whole
    assert record["recipe"]["held"] == "dev"
    assert len(record["replies"]) == len(train_preferences.asked_by_hand("dev"))
    assert len(train_preferences.asked_by_hand("dev")) != len(train_preferences.asked_by_hand("test"))


def test_the_kinds_of_pairs_are_what_they_say():
    plain, coin, long, mixed = (train_preferences.pairs_of(kind, 40, 0) for kind in ("any", "coin", "long", "mixed"))
    for some in (plain, long):
        assert all(errors(one.chosen, one.rule) < errors(one.rejected, one.rule) for one in some)
    swapped = [one.chosen != other.chosen for one, other in zip(plain, coin, strict=True)]
    assert 10 < sum(swapped) < 30
    assert all({a.chosen, a.rejected} == {b.chosen, b.rejected} for a, b in zip(plain, coin, strict=True))
    tails = train_preferences.pairs_of("tails", 40, 0)
    assert all((a.chosen, a.rejected) == (b.rejected, b.chosen) for a, b in zip(tails, coin, strict=True))
    assert all(promises(one.chosen) and not promises(one.rejected) for one in long)
    assert mixed[::2] == long[::2]
    assert all(one.rejected.startswith(one.chosen) for one in mixed[1::2])


def test_variants_differ_in_one_thing_each():
    assert not numbers_in(train_preferences.THANKS)
    for sentence, right, promised, thanked, slip in train_preferences.variants(20):
        assert sentence
        assert promised.startswith(right)
        assert promises(promised)
        assert thanked == f"{right} {train_preferences.THANKS}"
        assert not promises(thanked)
        assert slip != right
        assert not promises(slip)


def test_held_out_pairs_are_of_other_requests():
    trained = {one.sentence for seed in range(3) for one in train_preferences.pairs_of("any", 160, seed)}
    for kind in ("any", "long"):
        held = {one.sentence for one in train_preferences.pairs_of(kind, train_preferences.AUDITED, 900)}
        assert len(trained & held) <= 1


def test_the_adapters_in_the_book_are_those_of_its_record():
    whole = json.loads(data_path("preference_records").read_text(encoding="utf-8"))
    folder = data_path("preference_records").parent
    assert whole["adapters"].keys() == set(train_preferences.KEPT)
    for name, mark in whole["adapters"].items():
        assert sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest() == mark
    names = {train_preferences.REFERENCE.name, *(run.name for run in train_preferences.RUNS)}
    assert whole["runs"].keys() == names == set(keep_preferences.RUNS)
    requests = len(train_preferences.asked_by_hand("test"))
    assert all(len(record["replies"]) == requests for record in whole["runs"].values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_probe_is_not_kept_for_the_book(whole, tmp_path):
    folder, _ = whole
    with pytest.raises(WorkbenchError, match="not trained: fair1"):
        keep_preferences.bundle(folder, tmp_path)
