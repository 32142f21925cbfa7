"""Chapter 52's long training: killed and resumed it is the same run, and it cannot read the test sentences."""

import ast
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from workbench.errors import WorkbenchError
from workbench.llama import load_llama

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import answer_alarm_rules  # noqa: E402
import train_alarm_rules  # noqa: E402


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Train two layers on forty sentences into a folder, killed after `kill` steps if that is given."""
    patch = pytest.MonkeyPatch()
    small = {"num_hidden_layers": 2}
    patch.setattr(train_alarm_rules, "load_llama", lambda: load_llama(**small))
    patch.setattr(train_alarm_rules, "SAVE_EVERY", 2)
    patch.setattr(train_alarm_rules, "judge", lambda *_: {})
    advance = train_alarm_rules.Training.advance

    def run(folder, kill=None, *more):
        def killed(self, steps=None):
            if len(self.losses) == kill:
                raise KeyboardInterrupt
            advance(self, steps)

        patch.setattr(train_alarm_rules.Training, "advance", killed)
        patch.setattr(sys, "argv", ["train", "--counts", "16", "40", "--first-layer", "1", "--out", str(folder), *more])
        train_alarm_rules.main()
        return json.loads((folder / "seed0_40.json").read_text())["losses"]

    yield run
    patch.undo()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_training_that_is_killed_resumes_to_the_same_curve_and_the_same_numbers(train, tmp_path):
    whole, twice = tmp_path / "whole", tmp_path / "twice"
    expected = train(whole)
    for kill in (2, 5, 9):  # in the trunk, in the trunk again, in the last branch
        with pytest.raises(KeyboardInterrupt):
            train(twice, kill)
    assert train(twice) == pytest.approx(expected, abs=1e-4)
    assert len(expected) == 10
    assert len(set(expected)) == 10  # no two steps alike: equal curves say something
    ours, theirs = (load_file(folder / "seed0_40.safetensors") for folder in (twice, whole))
    assert all((ours[name] - theirs[name]).abs().max() < 1e-3 for name in theirs)


def test_the_training_names_no_split_but_dev():
    tree = ast.parse((BENCHMARKS / "train_alarm_rules.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    read = [node.args[0].value for node in calls if getattr(node.func, "id", "") == "hand_written"]
    assert read == ["dev"]


def ask_test(monkeypatch, folder, *names):
    monkeypatch.setattr(sys, "argv", ["answer", "test", "--folder", str(folder), "--who", *names])
    monkeypatch.setattr(answer_alarm_rules, "ask_all", lambda *_: None)
    answer_alarm_rules.main()


def test_the_test_stays_closed_until_prompts_are_chosen(monkeypatch, tmp_path):
    with pytest.raises(WorkbenchError, match="the test stays closed"):
        ask_test(monkeypatch, tmp_path, "few-shot")
    (tmp_path / "choice.json").write_text(json.dumps({"prompts": {"few-shot": "few-shot"}}))
    ask_test(monkeypatch, tmp_path, "few-shot")
    with pytest.raises(WorkbenchError, match="few-shot, nearest was not chosen on dev"):
        ask_test(monkeypatch, tmp_path, "few-shot, nearest")


def test_the_test_is_closed_for_an_adapter_that_has_changed_since(monkeypatch, tmp_path):
    (tmp_path / "choice.json").write_text(json.dumps({"prompts": {"few-shot": "few-shot"}}))
    (tmp_path / "seed0.safetensors").write_bytes(b"one")
    ask_test(monkeypatch, tmp_path, "seed0")
    ask_test(monkeypatch, tmp_path, "seed0")  # the same file: it may go on
    (tmp_path / "seed0.safetensors").write_bytes(b"two")
    with pytest.raises(WorkbenchError, match="seed0 has changed since it was asked"):
        ask_test(monkeypatch, tmp_path, "seed0")


@pytest.mark.parametrize(("mean", "ratio"), [(False, 6), (True, 1)])
def test_a_token_weighs_the_same_in_a_batch_of_short_answers(mean, ratio):
    """Uniform scores: the loss counts tokens.  The usual mean does not; it made an adapter ask whatever it heard."""

    def toy(ids, use_cache):
        return SimpleNamespace(last_hidden_state=torch.zeros(*ids.shape, 4))

    model = SimpleNamespace(model=toy, lm_head=torch.nn.Linear(4, 50, bias=False))
    short, long = (
        {"input_ids": torch.zeros(2, n + 1, dtype=torch.long), "labels": torch.ones(2, n + 1, dtype=torch.long)}
        for n in (6, 36)
    )
    losses = [train_alarm_rules.answers_loss(model, batch, mean).item() for batch in (long, short)]
    assert losses[0] / losses[1] == pytest.approx(ratio)
