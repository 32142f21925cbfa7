"""Examples are cut where a model begins to write, labels lie on answers alone, and batches lose and repeat nothing."""

import numpy as np
import pytest

from workbench.alarm_data import hand_written
from workbench.alarm_generator import generate
from workbench.alarm_rules import read, write
from workbench.errors import WorkbenchError
from workbench.instruction import IGNORED, SYSTEM, Example, batches, encode, examples, pad, prompt


@pytest.fixture(scope="module")
def tokenizer():
    from workbench import load_tokenizer

    return load_tokenizer()


def some(count: int, seed: int = 0) -> list[Example]:
    """Examples of three tokens of prompt and one to forty of answer; each answer's ids tell it from all others."""
    lengths = np.random.default_rng(seed).integers(1, 41, count)
    return [Example((7, 8, 9, *(1000 * number + step for step in range(n))), 3) for number, n in enumerate(lengths)]


def rows(batch: dict) -> list[tuple[int, ...]]:
    return [
        tuple(ids[mask.bool()].tolist()) for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]


def test_the_answer_and_its_end_mark_are_learnt_from_and_read_back_as_the_rule(tokenizer):
    for one in hand_written("dev"):
        (example,) = examples(tokenizer, [one])
        learnt = [label for label in example.labels if label != IGNORED]
        assert read(tokenizer.decode(learnt)) == one.rule
        assert learnt[-1] == tokenizer.eos_token_id == example.ids[-1]
        assert tokenizer.decode(example.ids[: example.begin]) == prompt(tokenizer, one.sentence)


def test_prompt_and_answer_are_the_template_s_whole_conversation(tokenizer):
    for pair in generate(50, seed=3):
        said = [("system", SYSTEM), ("user", pair.sentence), ("assistant", write(pair.rule))]
        messages = [{"role": role, "content": text} for role, text in said]
        whole = tokenizer.apply_chat_template(messages, tokenize=False)
        assert encode(tokenizer, pair.sentence, write(pair.rule)).ids == tuple(
            tokenizer(whole.rstrip("\n"), add_special_tokens=False)["input_ids"]
        )


def test_a_system_message_of_ones_own_stands_in_the_prompt(tokenizer):
    assert "Answer in JSON." in prompt(tokenizer, "Open it!", system="Answer in JSON.")


def test_padding_is_told_by_place_so_that_the_end_mark_keeps_its_label():
    batch = pad([Example((5, 6, 2), 1), Example((5, 6, 7, 8, 2), 3)], pad_id=2)
    assert batch["input_ids"].tolist() == [[5, 6, 2, 2, 2], [5, 6, 7, 8, 2]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [1] * 5]
    assert batch["labels"].tolist() == [[-100, 6, 2, -100, -100], [-100, -100, -100, 8, 2]]


@pytest.mark.parametrize(("count", "size", "pool"), [(50, 4, 8), (7, 4, 1), (64, 8, 2), (3, 8, 8), (0, 4, 8)])
def test_an_epoch_holds_every_example_once(count, size, pool):
    cut = list(batches(some(count), size, pad_id=0, seed=1, pool=pool))
    held = [row for batch in cut for row in rows(batch)]
    assert sorted(held) == sorted(example.ids for example in some(count))
    assert all(1 <= len(batch["input_ids"]) <= size for batch in cut)


def test_the_seed_decides_the_order_and_nothing_else_does():
    def order(seed):
        return [row for batch in batches(some(60), 4, pad_id=0, seed=seed) for row in rows(batch)]

    assert order(1) == order(1) != order(2)


def test_sorting_in_pools_leaves_less_padding():
    def padding(pool):
        masks = [batch["attention_mask"] for batch in batches(some(400), 8, pad_id=0, seed=0, pool=pool)]
        return 1 - sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks)

    assert padding(8) < padding(1) / 2


def test_what_cannot_be_a_batch_is_said():
    with pytest.raises(WorkbenchError, match="at least one example"):
        pad([], 0)
    with pytest.raises(WorkbenchError, match="count from 1, not 0"):
        next(batches(some(5), 0, pad_id=0, seed=0))
