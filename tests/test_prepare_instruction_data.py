"""Chapter 50's net, conversations and batches, from the notebook's own cells, are those of the instruments."""

from pathlib import Path

import pytest
import torch

from workbench.alarm_data import hand_written, reworded
from workbench.alarm_generator import generate
from workbench.alarm_rules import write
from workbench.instruction import encode, examples, pad, prompt
from workbench.leaks import nearest_by_ngrams
from workbench.runner import notebooks

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "50_prepare_instruction_data.ipynb"
CELLS = {cell.get("id"): cell.source for cell in notebooks.read(CHAPTER).cells}
PAIRS = [*generate(40, seed=7), *hand_written("dev")]


@pytest.fixture(scope="module")
def names() -> dict:
    """What the chapter defines, with the model's tokenizer and without the model."""
    from workbench import load_tokenizer

    found: dict = {"tokenizer": load_tokenizer()}
    for wanted in ("imports", "runs", "shared", "template", "prompt", "encode", "pad", "pack"):
        source = CELLS[wanted].split("\nprint(")[0]
        exec(compile(source, wanted, "exec"), found)
    return found


def test_the_share_of_runs_is_the_likeness_of_the_instrument(names):
    train = [pair.sentence for pair in generate(60, seed=8)] + list(reworded().values())
    test = [one.sentence for one in hand_written("test")[:40]]
    for leak, text in zip(nearest_by_ngrams(test, train), test, strict=True):
        assert leak.likeness == pytest.approx(max(names["shared"](text, other) for other in train))


def test_a_conversation_is_the_instrument_s_token_by_token(names):
    for pair in PAIRS:
        example = encode(names["tokenizer"], pair.sentence, write(pair.rule))
        ids, labels = names["encode"](pair.sentence, write(pair.rule))
        assert names["prompt"](pair.sentence) == prompt(names["tokenizer"], pair.sentence)
        assert (tuple(ids), tuple(labels)) == (example.ids, example.labels)


def test_a_padded_batch_is_the_instrument_s_tensor_by_tensor(names):
    mine = names["pad"]([names["encode"](pair.sentence, write(pair.rule)) for pair in PAIRS])
    theirs = pad(examples(names["tokenizer"], PAIRS), names["tokenizer"].pad_token_id)
    assert list(mine) == list(theirs)
    for key, tensor in theirs.items():
        assert torch.equal(mine[key], tensor), key
        assert mine[key].dtype == tensor.dtype == torch.int64, key


def test_packed_examples_keep_their_ids_begin_their_positions_again_and_see_only_themselves(names):
    row = names["pack"]([([5, 6, 7], None), ([8], None), ([9, 9], None)])
    assert row["input_ids"].tolist() == [[5, 6, 7, 8, 9, 9]]
    assert row["position_ids"].tolist() == [[0, 1, 2, 0, 0, 1]]
    seen = (row["attention_mask"][0, 0] == 0).int().tolist()
    assert seen == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 1],
    ]
