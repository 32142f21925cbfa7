"""What the contest of chapter 52 left: whole, sealed, small, chosen on dev; and the chapter's own loss and weights."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import torch

from workbench import data_path
from workbench.adapter_files import read_adapter
from workbench.alarm_contest import PROMPTS, TUNED, ask, seal
from workbench.alarm_data import hand_written
from workbench.alarm_scores import score
from workbench.errors import WorkbenchError
from workbench.instruction import IGNORED
from workbench.runner import notebooks

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "notebooks" / "52_finetune_a_small_llm.ipynb"
ADAPTERS = ("alarm_adapter", "alarm_adapter_seed1", "alarm_adapter_seed2", "alarm_adapter_mean")
sys.path.insert(0, str(ROOT / "benchmarks"))
import answer_alarm_rules  # noqa: E402
import keep_alarm_rules  # noqa: E402
import train_alarm_rules  # noqa: E402


@pytest.fixture(scope="module")
def answers() -> dict:
    return json.loads(data_path("alarm_answers").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trainings() -> dict:
    return json.loads(data_path("alarm_trainings").read_text(encoding="utf-8"))


@pytest.mark.parametrize("split", ["dev", "test"])
def test_everybody_has_answered_every_sentence_that_was_theirs(answers, split):
    assert all(said.keys() == keep_alarm_rules.wanted(split, name) for name, said in answers[split]["answers"].items())


def test_only_the_curve_and_its_control_were_asked_half_of_the_test(answers):
    half = {name for name, said in answers["test"]["answers"].items() if len(said) < len(hand_written("test"))}
    assert half == {f"seed{s}_{count}" for s in range(3) for count in (512, 2048)} | {"shuffled0_2048"}
    assert {one.user for one in hand_written("test")[::2]} == {one.user for one in hand_written("test")}


def test_only_prompts_that_were_chosen_on_dev_came_to_the_test(answers):
    assert answer_alarm_rules.choose(answers["dev"]) == answers["choice"]
    came = PROMPTS.keys() & answers["test"]["answers"].keys()
    assert came == set(answers["choice"]["prompts"].values())


def test_prompts_and_adapters_are_those_that_were_asked(answers):
    folder = data_path("alarm_adapter").parent
    kept = {path.stem for path in folder.glob("*.safetensors")}
    asked = answers["test"]["asked"]
    known = [name for name in asked if name in PROMPTS or name.split()[0] in kept]
    assert len(known) == 8  # three prompts, three adapters, one of them merged twice
    assert [name for name in known if seal(name, folder) != asked[name]] == []


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_small_and_safe_and_of_the_upper_layers(name):
    path = data_path(name)
    assert path.suffix == ".safetensors"
    assert path.stat().st_size <= 5e6
    layers = {int(key.split(".layers.")[1].split(".")[0]) for key in read_adapter(path)}
    assert layers == set(range(15, 30))


def test_a_training_has_a_loss_for_every_step(trainings):
    for record in trainings.values():
        recipe = record["recipe"]
        assert len(record["losses"]) == recipe["count"] // recipe["size"]


def test_branches_of_one_seed_share_their_trunk(trainings):
    for s in range(3):
        small, large = (trainings[f"seed{s}_{count}"]["losses"] for count in (2048, 8192))
        shared = train_alarm_rules.branches_at(len(small))
        assert small[:shared] == large[:shared]
        assert small[shared + 1 :] != large[shared + 1 : len(small)]


@pytest.mark.parametrize("seed", range(3))
def test_a_strange_training_and_its_twin_differ_in_the_division_alone(trainings, seed):
    strange, twin = (trainings[f"{kind}{seed}_512"]["recipe"] for kind in ("mean", "seed"))
    assert {key for key in strange if strange[key] != twin[key]} == {"mean"}
    scattered = trainings[f"scattered{seed}_512"]["recipe"]
    assert {key for key in strange if strange[key] != scattered[key]} == set()
    assert scattered["scattered"]


@pytest.mark.parametrize(("adapters", "remembered"), [(None, True), ({0: 1.0}, False), ({0: 0.0}, False)])
def test_a_prompt_that_an_adapter_has_read_is_not_remembered(monkeypatch, adapters, remembered):
    """llama.cpp finds remembered prompts by their tokens, whichever adapter read them (its issue 26207)."""
    sent, client = [], httpx.Client

    def reply(request):
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"content": "{}"})

    monkeypatch.setattr(httpx, "Client", lambda **how: client(transport=httpx.MockTransport(reply), **how))
    tokenizer = SimpleNamespace(apply_chat_template=lambda *_, **__: "Alarm rule: fridge 1 above 8")
    assert list(ask("http://there", tokenizer, TUNED, ["fridge 1 above 8"], adapters)) == ["{}"]
    assert sent[0]["cache_prompt"] is remembered


def test_prompts_of_the_same_text_are_asked_one_after_the_other():
    names = ["zero-shot", "few-shot, nearest", "zero-shot, schema", "seed0_2048", "few-shot, nearest, schema"]
    groups = answer_alarm_rules.groups_of(names)
    assert groups == [
        ["zero-shot", "zero-shot, schema"],
        ["few-shot, nearest", "few-shot, nearest, schema"],
        ["seed0_2048"],
    ]


def test_a_contest_that_is_not_finished_is_not_bundled(answers, tmp_path):
    less = json.loads(json.dumps(answers))
    less["test"]["answers"]["seed0_8192"].popitem()
    with pytest.raises(WorkbenchError, match="of 128 test sentences"):
        keep_alarm_rules.check(tmp_path, less)


def test_the_entries_are_those_of_the_registry():
    path = data_path("alarm_adapter")
    entry = keep_alarm_rules.entry("alarm_adapter", path)
    assert '"alarm_contest/seed0_8192.safetensors"' in entry
    assert entry.count("\n") == 6


# ------------------------------------------------------------------ the chapter's own cells


def chapter(*ids: str, **names) -> SimpleNamespace:
    """What these cells define."""
    sources = {cell.id: cell.source for cell in notebooks.read(CHAPTER).cells}
    names = dict(torch=torch, np=np, IGNORED=IGNORED, TYPICAL=37, F=torch.nn.functional) | names
    for id in ids:
        exec(compile(sources[id], f"{CHAPTER.name}:{id}", "exec"), names)
    return SimpleNamespace(**names)


def batch(*lengths: int, prompt: int = 3) -> dict:
    """Conversations whose answers have so many tokens."""
    labels = torch.full((len(lengths), prompt + max(lengths)), IGNORED)
    for row, length in enumerate(lengths):
        labels[row, prompt : prompt + length] = torch.arange(length) + 1
    return {"labels": labels, "input_ids": torch.zeros_like(labels)}


def test_a_tokens_weight_is_one_over_the_batchs_tokens_or_the_same_for_all():
    made = chapter("divided", "weight")
    short, long = batch(6, 6, 6, 6), batch(40, 38, 36, 42)
    assert made.weight(short, mean=True) / made.weight(long, mean=True) == pytest.approx(156 / 24)
    assert made.weight(short, mean=False) == made.weight(long, mean=False) == pytest.approx(1 / 148)


def test_the_pull_is_the_share_of_questions_when_tokens_weigh_the_same():
    asking = {6: True, 40: False}

    def asking_rows(some):
        return torch.tensor([asking[int((row != IGNORED).sum())] for row in some["labels"]])

    made = chapter("divided", "weight", "pull", asking_rows=asking_rows)
    some = [batch(6, 6, 6, 6), *[batch(40, 40, 40, 40)] * 4]
    assert made.pull(some, mean=False) == pytest.approx(0.2)
    assert made.pull(some, mean=True) == pytest.approx((4 / 24) / (4 / 24 + 4 * 4 / 160))


@pytest.mark.parametrize("mean", [False, True])
def test_the_chapters_loss_is_the_scripts(mean):
    torch.manual_seed(0)
    head, states = torch.nn.Linear(4, 50, bias=False), torch.randn(2, 12, 4)

    def body(ids, use_cache):
        return SimpleNamespace(last_hidden_state=states)

    model, some = SimpleNamespace(model=body, lm_head=head), batch(9, 5)
    ours = chapter("divided", "loss").loss_of(model, some, mean)
    assert ours.item() == pytest.approx(train_alarm_rules.answers_loss(model, some, mean).item(), rel=1e-6)


def test_the_chapters_rate_is_the_scripts():
    made = chapter("rate", RECIPE={"rate": 6e-3})
    for steps in (None, 32, 2048):
        for step in (0, 5, 9, 23, 31):
            assert made.rate_at(step, steps) == pytest.approx(train_alarm_rules.rate_at(step, steps, 6e-3))


def test_a_verdict_names_the_kind_of_error():
    from workbench.alarm_rules import read

    one = next(one for one in hand_written("dev") if one.id == "florist/01")
    verdict = chapter("verdict", score=score, read=read).verdict
    right = '{"at":["fridge 2"],"when":[{"of":"temperature","is":"below","value":1,"unit":"C"}]}'
    said = {
        right: "right",
        right.replace("fridge 2", "fridge 3"): "one field wrong",
        right.replace("fridge 2", "fridge 3").replace('"value":1', '"value":2'): "more wrong",
        '{"ask":"place"}': "asks, needlessly",
        "Here is your rule": "not valid",
    }
    assert {text: verdict(one, text) for text in said} == said
    asked = next(one for one in hand_written("dev") if one.id == "florist/08")
    assert verdict(asked, right) == "should have asked"
    assert verdict(asked, '{"ask":"place"}') == "another question"
