"""MiniLM's vectors are those of a plain loop, in the order asked for, and are remembered without being trusted."""

import numpy as np
import pytest

from workbench import vectors
from workbench.errors import WorkbenchError
from workbench.vectors import embed, embed_tokens

TEXTS = ["halt the core", "a baud rate is a number of symbols a second " * 40, "", "größe µs", "halt the core"]


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty cache of vectors."""
    monkeypatch.setattr(vectors, "cache", lambda: tmp_path)
    return tmp_path / "vectors"


def alone(text: str) -> np.ndarray:
    """One text through the model, pooled in numpy: no batch, no padding."""
    tokenizer, model = vectors.load_minilm()
    inputs = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
    mean = model(**inputs).last_hidden_state[0].detach().numpy().mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_every_text_gets_the_vector_that_it_gets_alone_in_the_order_asked_for(shelf):
    found = embed(TEXTS)
    assert found.shape == (5, 384)
    assert found.dtype == np.float32
    assert np.allclose(found, [alone(text) for text in TEXTS], atol=1e-5)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_what_was_encoded_once_is_read_back_and_depends_on_text_and_order(shelf, monkeypatch):
    found = embed(TEXTS)
    monkeypatch.setattr(vectors, "_encode", lambda texts: pytest.fail("encoded again"))
    assert np.array_equal(embed(tuple(TEXTS)), found)
    assert [path.suffix for path in shelf.iterdir()] == [".npy"]
    with pytest.raises(pytest.fail.Exception):
        embed(TEXTS[::-1])


@pytest.mark.parametrize("harm", ["cut", "pickle", "nan", "rows", "empty"])
def test_a_file_that_is_not_sound_is_written_anew(shelf, harm):
    found = embed(TEXTS[:1])
    (path,) = shelf.iterdir()
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "pickle":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    else:
        np.save(path, found * np.float32("nan") if harm == "nan" else np.concatenate([found, found]))
    assert np.array_equal(embed(TEXTS[:1]), found)
    assert np.array_equal(np.load(path, allow_pickle=False), found)


def test_nothing_is_written_when_nothing_shall_be_remembered(shelf):
    embed(TEXTS[:1], remember=False)
    assert not shelf.exists()


def test_no_text_at_all_is_no_vector(shelf):
    assert embed([]).shape == (0, 384)


@pytest.mark.parametrize("bad", ["one text", ["a", None], [b"bytes"]])
def test_what_is_not_a_list_of_texts_is_refused_in_words(bad):
    with pytest.raises(WorkbenchError, match="embed takes"):
        embed(bad)


def test_token_vectors_are_those_of_the_text_alone_and_bring_the_mean_with_them(shelf, monkeypatch):
    found = embed_tokens(TEXTS)
    for text, tokens in zip(TEXTS, found, strict=True):
        tokenizer, model = vectors.load_minilm()
        inputs = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        states = model(**inputs).last_hidden_state[0].detach().numpy()
        assert tokens.dtype == np.float16
        assert np.allclose(tokens, states / np.linalg.norm(states, axis=1, keepdims=True), atol=2e-3)
    monkeypatch.setattr(vectors, "_states", lambda texts: pytest.fail("encoded again"))
    assert embed(TEXTS).shape == (5, 384)
    again = embed_tokens(TEXTS)
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def test_token_files_that_do_not_belong_together_are_written_anew(shelf):
    found = embed_tokens(TEXTS[:2])
    (lengths,) = shelf.glob("*.lengths.npy")
    np.save(lengths, np.array([1, 1]))
    assert [len(tokens) for tokens in embed_tokens(TEXTS[:2])] == [len(tokens) for tokens in found]
    assert embed_tokens([]) == []


def test_the_callers_number_of_threads_is_given_back(shelf):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        embed(TEXTS[:1])
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
