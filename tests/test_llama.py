"""Our short way from a GGUF file to transformers' model ends where transformers' own long one does."""

import numpy as np
import pytest
import torch

from workbench import llama, model_file
from workbench.errors import UnknownNameError

PROMPTS = ("The bus stops", "def add(a, b):\n", "Ein Sensor misst 8 °C")


@pytest.fixture(scope="module")
def ours():
    return llama.load_llama("smollm2")


@pytest.mark.slow
def test_weights_and_logits_equal_transformers_own_reading(ours):
    from transformers import AutoModelForCausalLM

    path = model_file("smollm2")
    theirs = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32).eval()
    mine, reference = ours.state_dict(), theirs.state_dict()
    assert mine.keys() == reference.keys()
    assert all(torch.equal(mine[key], reference[key]) for key in mine)
    tokenizer = llama.load_tokenizer("smollm2")
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        with torch.inference_mode():
            assert torch.allclose(ours(ids).logits, theirs(ids).logits, atol=1e-4)


def test_the_output_shares_the_embeddings_memory(ours):
    assert ours.lm_head.weight.data_ptr() == ours.model.embed_tokens.weight.data_ptr()
    assert not ours.training


def test_the_first_blocks_alone_are_those_of_the_whole(ours):
    two = llama.load_llama("smollm2", num_hidden_layers=2)
    assert len(two.model.layers) == two.config.num_hidden_layers == 2
    whole = ours.state_dict()
    assert all(torch.equal(value, whole[key]) for key, value in two.state_dict().items())


def test_numbers_are_those_of_ggufs_own_reading_and_may_be_written_to():
    import gguf

    for tensor in llama._reader(model_file("smollm2")).tensors[:12]:
        values = llama.dequantized(tensor)
        assert (values.dtype, values.flags.writeable) == (np.float32, True)
        assert np.array_equal(values, gguf.dequantize(tensor.data, tensor.tensor_type))


def test_a_reordered_head_comes_back():
    rows = np.arange(8.0)[:, None]  # one head of 8: pairs (0, 1), (2, 3) … → first members, then second members
    assert llama._halves(rows, heads=1)[:, 0].tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert llama._halves(rows, heads=2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_the_tokenizer_knows_how_to_chat():
    tokenizer = llama.load_tokenizer("smollm2")
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text.endswith("<|im_start|>assistant\n")
    assert tokenizer.decode(tokenizer("8 °C, naïve").input_ids) == "8 °C, naïve"


@pytest.mark.slow
def test_the_tokenizer_is_the_one_that_transformers_would_choose():
    from transformers import AutoTokenizer

    path, ours = model_file("smollm2"), llama.load_tokenizer("smollm2")
    theirs = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    assert type(ours) is type(theirs)
    assert ours.backend_tokenizer.to_str() == theirs.backend_tokenizer.to_str()
    assert (ours.chat_template, ours.special_tokens_map) == (theirs.chat_template, theirs.special_tokens_map)


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="smollm2"):
        llama.load_llama("lama")
