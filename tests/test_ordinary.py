"""Ordinary requests are what their data card says, and the judge accepts and refuses what it should."""

import json
from collections import Counter
from pathlib import Path

import pytest

from workbench.alarm_contest import SHORT, TUNED, turns_for
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.leaks import nearest_by_ngrams
from workbench.llama import load_tokenizer
from workbench.ordinary import (
    DEFAULT,
    SPLITS,
    TESTS,
    Ordinary,
    ask_ordinary,
    form,
    json_signs,
    judge,
    ordinary,
    rehearsal,
    renamed,
    whole_sentences,
    words,
)

CARD = (Path(__file__).resolve().parents[1] / "book" / "data" / "ordinary_requests" / "README.md").read_text()
EVERY = [one for split in SPLITS for one in ordinary(split)]
every_request = pytest.mark.parametrize("one", EVERY, ids=[one.id for one in EVERY])


def made(request="Say it.", **right):
    return Ordinary("made/1", "dev", "made", request, right, (), ())


def test_eighty_requests_in_families_of_four_that_lie_in_one_split():
    assert Counter(one.split for one in EVERY) == {"dev": 20, "test": 60}
    assert set(Counter(one.family for one in EVERY).values()) == {4}
    assert not {one.family for one in ordinary("dev")} & {one.family for one in ordinary("test")}
    assert len({one.request.casefold() for one in EVERY}) == len({one.id for one in EVERY}) == 80
    assert [one.family for one in EVERY] == [one.id.split("/")[0] for one in EVERY]
    assert "`dev` to choose on (5 families, 20 requests), `test` to judge on (15 families, 60 requests)" in CARD
    assert all(one.family in CARD for one in EVERY)


def test_an_unknown_split_is_named():
    with pytest.raises(UnknownNameError, match="split of the ordinary requests"):
        ordinary("train")


@every_request
def test_the_judge_accepts_good_replies_and_refuses_near_misses(one):
    assert one.right.keys() <= TESTS.keys()
    assert len(one.good) >= 2 <= len(one.bad)
    assert [reply for reply in one.good if not judge(reply, one)] == []
    assert [reply for reply in one.bad if judge(reply, one)] == []


@every_request
def test_echoes_silence_and_alarm_rules_are_no_answers(one):
    for reply in ("", "...", one.request, one.request.upper(), '{"ask":"unsupported"}'):
        assert not judge(reply, one), reply
    assert not judge(json.dumps({"at": ["fridge 3"], "said": " ".join(one.good)}), one)


def test_a_strangers_good_reply_hardly_ever_passes():
    strangers = [(reply, one) for one in EVERY for other in EVERY if other.family != one.family for reply in other.good]
    passed = sum(judge(reply, one) for reply, one in strangers)
    assert passed / len(strangers) < 0.01


def test_an_answer_after_an_echo_counts():
    one = next(one for one in EVERY if one.id == "capitals/1")
    assert judge(f"{one.request} Paris.", one)
    assert not judge(f"{one.request} Lyon.", one)


@pytest.mark.parametrize(
    ("reply", "right", "passes"),
    [
        ("an apple pie", {"has": [["apple pie"]]}, True),
        ("a pie of apples", {"has": [["apple pie"]]}, False),
        ("pineapple", {"has": [["apple"]]}, False),
        ("A dog, not a cat", {"first": ["dog", "cat"]}, True),
        ("A cat and a dog", {"first": ["dog", "cat"]}, False),
        ("one, two and three", {"order": [["1", "2", "3"]]}, True),
        ("1, 3, 2", {"order": [["1", "2", "3"]]}, False),
        ("cherries, pears", {"several": {"least": 2, "of": ["cherry", "pear"]}}, True),
        ("cherries and a cherry", {"several": {"least": 2, "of": ["cherry", "pear"]}}, False),
        ("Twelve!", {"number": 12}, True),
        ("between 10 and 12", {"number": 12}, False),
        ('He said: "Good day"', {"exactly": "Good day."}, False),
        ("“Good day”", {"exactly": "Good day."}, True),
        ("Yes it is", {"opens": ["yes"]}, True),
        ("Well, yes", {"opens": ["yes"]}, False),
        ("cat", {"not": ["dog"], "words": [1, 3]}, True),
        ("a very small cat", {"words": [1, 3]}, False),
        ('Here: {"a": 1} as asked', {"json": {"a": 1}}, True),
        ('{"a": 1', {"json": {"a": 1}}, False),
    ],
)
def test_each_kind_of_condition(reply, right, passes):
    assert judge(reply, made(**right)) is passes


def test_a_number_of_the_request_is_no_answer():
    one = made("What is 3 times 3?", number=9)
    assert judge("3 times 3 is 9", one)
    assert not judge("3", one)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ('{"ask":"place"}', "question"),
        ('{"at":["fridge 3"],"when"', "rule"),
        ('```json\n{ "when": []', "rule"),
        ('  {"name": 1}', "braces"),
        ("{", "braces"),
        ('Sure: {"at": 1}', "words"),
        ("", "words"),
        ("ask: unsupported", "question"),
        ("at: fridge 3, when: door", "rule"),
        ('```\n["where":', "rule"),
        ("At noon: sleep", "words"),
        ("at 8:00 we eat", "words"),
    ],
)
def test_the_form_of_a_reply(reply, kind):
    assert form(reply) == kind


def test_words_are_whole_casefolded_and_small_numbers_digits():
    assert words("Five apples, 12 pears; don't!") == ["5", "apples", "12", "pears", "don", "t"]


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("One. Two! Thr", "One. Two!"),
        ("1. Dig a hole. 2. Water the", "1. Dig a hole."),
        ("no end", "no end"),
        ("Version 3.5 is out. It", "Version 3.5 is out."),
    ],
)
def test_a_cut_reply_ends_with_its_last_whole_sentence(reply, kept):
    assert whole_sentences(reply) == kept


def test_rehearsal_has_every_pair_once_and_nothing_that_is_judged():
    prompts = rehearsal()
    assert len(prompts) == len(set(prompts)) == 256
    first = [prompt.replace("gardening", "{}") for prompt in prompts if "gardening" in prompt]
    assert len(first) == 16
    for at in range(0, 256, 16):
        assert sum("gardening" in prompt for prompt in prompts[at : at + 16]) == 1
        assert sum(prompt.startswith("Explain") for prompt in prompts[at : at + 16]) == 1
    assert max(leak.likeness for leak in nearest_by_ngrams([one.request for one in EVERY], prompts)) <= 0.2


class FakeServer:
    """httpx.Client's place: notes what it is sent."""

    sent: list = []  # noqa: RUF012

    def __init__(self, **options):
        self.options = options

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def post(self, path, json):
        self.sent.append((path, json))
        found = {"content": " Paris. "} if "refuse" not in json["prompt"] else {"error": "too long"}
        return type("Reply", (), {"json": lambda self: found})()


class FakeTokenizer:
    def apply_chat_template(self, turns, **options):
        return "|".join(turn["content"] for turn in turns)


def test_a_request_names_its_adapter_and_the_tokens_that_it_forbids(monkeypatch):
    monkeypatch.setattr("httpx.Client", FakeServer)
    FakeServer.sent.clear()
    asked = ask_ordinary("url", FakeTokenizer(), ["Capital?"], "System", {1: 0.5}, room=7, banned=[3])
    assert list(asked) == ["Paris."]
    ((path, body),) = FakeServer.sent
    assert path == "/completion"
    assert body["prompt"] == "System|Capital?"
    assert body["lora"] == [{"id": 1, "scale": 0.5}]
    assert (body["n_predict"], body["temperature"], body["logit_bias"]) == (7, 0, [[3, False]])
    assert body["cache_prompt"] is False  # what another adapter has read must not be reused


def test_what_is_shown_stands_before_the_request(monkeypatch):
    monkeypatch.setattr("httpx.Client", FakeServer)
    FakeServer.sent.clear()
    list(ask_ordinary("url", FakeTokenizer(), ["C"], "S", shown=[("A", "a"), ("B", "b")], cached=True))
    ((_, body),) = FakeServer.sent
    assert (body["prompt"], body["cache_prompt"], body["lora"]) == ("S|A|a|B|b|C", True, [])


def test_alarm_sentences_are_asked_as_chapter_52_asks_them(monkeypatch):
    monkeypatch.setattr("httpx.Client", FakeServer)
    FakeServer.sent.clear()
    list(ask_ordinary("url", FakeTokenizer(), ["C"], SHORT))
    assert FakeServer.sent[0][1]["prompt"] == FakeTokenizer().apply_chat_template(turns_for(TUNED, "C"))


def test_signs_are_every_token_that_a_rule_needs():
    vocabulary = {"{": 1, "Ġ{": 2, '":"': 3, "]": 4, "hello": 5, ":": 6}
    assert json_signs(type("Tokenizer", (), {"get_vocab": lambda self: vocabulary})()) == [1, 2, 3, 4]


def test_four_rules_are_shown_with_the_new_name():
    pairs = renamed()
    assert len(pairs) == 4
    assert all(reply.startswith('{"where":[') and '"at"' not in reply for _, reply in pairs)


def test_a_server_that_refuses_is_no_empty_reply(monkeypatch):
    monkeypatch.setattr("httpx.Client", FakeServer)
    with pytest.raises(WorkbenchError, match="the server refused: too long"):
        list(ask_ordinary("url", FakeTokenizer(), ["refuse this"]))


@pytest.mark.slow
def test_the_default_is_what_the_models_template_adds():
    tokenizer = load_tokenizer()
    asked = {"role": "user", "content": "Capital?"}
    texts = [
        tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        for turns in ([asked], [{"role": "system", "content": DEFAULT}, asked])
    ]
    assert texts[0] == texts[1]
