"""Chapter 54's scripts: rehearsal is spread and added, a kill is no loss, a changed adapter is asked anew."""

import ast
import json
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors.torch import load_file

from workbench.alarm_contest import SHORT
from workbench.llama import load_llama
from workbench.ordinary import DEFAULT

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import answer_ordinary  # noqa: E402
import train_alarm_rules  # noqa: E402
import train_forgetting  # noqa: E402
from train_forgetting import ARMS, Arm, spread  # noqa: E402


def test_every_arm_is_a_contestant_and_has_a_name_of_its_own():
    names = [arm.name for arm in ARMS]
    assert max(Counter(names).values()) == 1
    asked = {one.file for one in answer_ordinary.CONTESTANTS}
    assert {f"54/{name}" for name in names} == {file for file in asked if file.startswith("54/")}
    assert max(Counter(one.name for one in answer_ordinary.CONTESTANTS).values()) == 1
    assert Arm(2, rank=64).name == "rank64_seed2"
    assert Arm(0, rehearsed=64, strangers=True).name == "strangers64_seed0"
    assert Arm(0, rehearsed=64, after=True).name == "after_rehearsed64_seed0"


def test_both_lists_keep_their_order_and_neither_is_a_block():
    lessons, others = list(range(40)), [f"r{n}" for n in range(20)]
    found = spread(lessons, others, seed=0)
    assert [one for one in found if isinstance(one, int)] == lessons
    assert [one for one in found if isinstance(one, str)] == others
    assert 5 <= sum(isinstance(one, str) for one in found[:30]) <= 15
    assert found == spread(lessons, others, seed=0) != spread(lessons, others, seed=1)


def test_no_script_reads_a_test_sentence():
    for script in ("train_forgetting", "answer_ordinary"):
        tree = ast.parse((BENCHMARKS / f"{script}.py").read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        read = [node.args[0].value for node in calls if getattr(node.func, "id", "") == "hand_written"]
        assert set(read) <= {"dev"}, script


def test_a_judged_request_is_not_in_the_training_script():
    tree = ast.parse((BENCHMARKS / "train_forgetting.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert "ordinary" not in names


def test_what_another_file_said_is_asked_again(monkeypatch, tmp_path):
    monkeypatch.setattr(answer_ordinary, "ADAPTERS", tmp_path)
    (tmp_path / "52").mkdir()
    (tmp_path / "52" / "seed0_512.safetensors").write_bytes(b"one")
    one, kept = answer_ordinary.Contestant("seed0_512", "52/seed0_512"), {}
    said, open_ = answer_ordinary.missing(kept, "news", one, {"a": "?", "b": "?"})
    said["a"] = 1
    assert list(open_) == ["a", "b"]
    assert list(answer_ordinary.missing(kept, "news", one, {"a": "?", "b": "?"})[1]) == ["b"]
    (tmp_path / "52" / "seed0_512.safetensors").write_bytes(b"two")
    assert list(answer_ordinary.missing(kept, "news", one, {"a": "?", "b": "?"})[1]) == ["a", "b"]
    assert kept["news"]["seed0_512"]["said"] == {}


def test_every_contestant_has_a_server_of_its_own_and_is_asked_once(monkeypatch, tmp_path):
    served, sent = [], []

    @contextmanager
    def serve(model, threads, context, adapters):
        served.append(len(adapters))
        yield SimpleNamespace(url="url")

    def reply(url, tokenizer, requests, **options):
        sent.append((len(requests), options["adapters"], options["system"]))
        return iter(["no"] * len(requests))

    (tmp_path / "52").mkdir()
    (tmp_path / "52" / "a.safetensors").write_bytes(b"one")
    for name, what in {
        "ADAPTERS": tmp_path,
        "serve_llm": serve,
        "ask_ordinary": reply,
        "load_tokenizer": lambda: None,
        "adapter_file": lambda one, path: path,
    }.items():
        monkeypatch.setattr(answer_ordinary, name, what)
    half = answer_ordinary.Contestant("a x 0.5", "52/a", 0.5, ("ordinary, dev", "alarm rules"))
    base, kept = answer_ordinary.Contestant("base", parts=("ordinary, dev", "news")), {}  # news is read, not asked
    everything = [*answer_ordinary.ASKED, *answer_ordinary.READS]
    for _ in range(2):
        answer_ordinary.ask_all(tmp_path / "kept.json", kept, [base, half], everything, 2)
    assert served == [0, 1]
    assert sent == [(20, None, DEFAULT), (20, {0: 0.5}, DEFAULT), (40, {0: 0.5}, SHORT)]
    assert kept == json.loads((tmp_path / "kept.json").read_text())


def test_parts_are_known_and_only_trainings_are_chosen_among():
    known = {*answer_ordinary.ASKED, *answer_ordinary.READS}
    for one in answer_ordinary.CONTESTANTS:
        assert set(one.parts) <= known, one.name
        assert len(set(one.parts)) == len(one.parts), one.name
        assert "ordinary, its own" in one.parts, one.name
        assert ("ordinary, dev" in one.parts) == (one.scale == 1 and one.file != "chance"), one.name


@pytest.fixture(scope="module")
def train():
    """Train two layers on sixteen sentences and four ordinary pairs, killed after `kill` steps if that is given."""
    patch = pytest.MonkeyPatch()
    patch.setattr(train_alarm_rules, "load_llama", lambda: load_llama(num_hidden_layers=2))
    patch.setattr(train_alarm_rules, "SAVE_EVERY", 1)
    patch.setattr(train_alarm_rules, "judge", lambda *_: {})
    patch.setattr(train_forgetting, "TASK", 16)
    arms = (Arm(0, rehearsed=4), Arm(0, rehearsed=4, strangers=True), Arm(0, rehearsed=4, after=True))
    patch.setattr(train_forgetting, "ARMS", arms)
    advance = train_alarm_rules.Training.advance

    def run(folder, kill=None, only=arms[0].name):
        def killed(self, steps=None):
            if len(self.losses) == kill:
                raise KeyboardInterrupt
            advance(self, steps)

        folder.mkdir(exist_ok=True)
        pairs = [
            {"prompt": f"Tell me about {x}.", "reply": f"All of {x} is old."} for x in ("tea", "rust", "chess", "rain")
        ]
        (folder / "rehearsal.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
        patch.setattr(train_alarm_rules.Training, "advance", killed)
        told = ["train", "--only", only, "--folder", str(folder), "--first-layer", "1"]
        patch.setattr(sys, "argv", told)
        train_forgetting.main()
        return json.loads((folder / f"{only}.json").read_text())

    yield run
    patch.undo()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_training_with_rehearsal_is_killed_and_goes_on(train, tmp_path):
    whole = train(tmp_path / "whole")
    assert len(whole["losses"]) == (16 + 4) // 4
    assert {"rehearsed": 4, "strangers": False, "task": 16, "others": 4}.items() <= whole["recipe"].items()
    for kill in (1, 4):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "twice", kill)
    assert train(tmp_path / "twice")["losses"] == pytest.approx(whole["losses"], abs=1e-4)
    assert not list((tmp_path / "twice").glob("*.checkpoint.safetensors"))
    numbers = load_file(tmp_path / "whole" / "rehearsed4_seed0.safetensors")
    assert any(array.abs().max() > 0 for name, array in numbers.items() if "lora_B" in name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_strangers_replies_are_another_training_of_as_many_steps(train, tmp_path):
    own = train(tmp_path / "own")["losses"]
    dealt = train(tmp_path / "own", only="strangers4_seed0")["losses"]
    assert len(own) == len(dealt)
    assert own != dealt


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_rehearsal_afterwards_begins_with_the_trained_numbers_and_sees_no_alarm(train, tmp_path, monkeypatch):
    train(tmp_path / "task")
    begun = tmp_path / "seed0_8192.safetensors"
    begun.write_bytes((tmp_path / "task" / "rehearsed4_seed0.safetensors").read_bytes())
    monkeypatch.setattr(train_forgetting, "LARGEST", tmp_path)
    after = train(tmp_path / "after", only="after_rehearsed4_seed0")
    assert len(after["losses"]) == 1
    assert {"task": 0, "others": 4, "after": True}.items() <= after["recipe"].items()
    first, then = (load_file(path) for path in (begun, tmp_path / "after" / "after_rehearsed4_seed0.safetensors"))
    moved = max((first[name].float() - then[name].float()).abs().max() for name in first)
    assert 0 < moved < 0.01  # one step from the trained numbers, not from new ones
