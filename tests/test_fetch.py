"""Set-up encodes the passages that chapters share: once, and again only when what they are made of has changed."""

from types import SimpleNamespace

import pytest

from workbench.front import fetch


@pytest.fixture
def encoded(monkeypatch, tmp_path):
    """The lists of texts that were encoded, in a cache of their own."""
    lists = []
    monkeypatch.setattr(fetch, "cache", lambda: tmp_path)
    (tmp_path / "vectors").mkdir()
    corpus = {"a": SimpleNamespace(whole="first passage"), "b": SimpleNamespace(whole="second")}
    monkeypatch.setattr(fetch.embedded_qa, "beir_folder", lambda split: split)
    monkeypatch.setattr(fetch.beir, "load_beir", lambda folder: SimpleNamespace(corpus=corpus))
    monkeypatch.setattr(fetch.vectors, "embed_tokens", lists.append)
    return lists


def test_passages_are_encoded_once(encoded):
    assert [fetch.encode_passages(), fetch.encode_passages()] == ["encoded", "present"]
    assert encoded == [["first passage", "second"]]


def test_another_manual_is_encoded_again(encoded, monkeypatch):
    fetch.encode_passages()
    name = next(name for name in fetch.DATA if name.startswith("manual_"))
    monkeypatch.setitem(fetch.DATA, name, SimpleNamespace(sha256="f" * 64))
    assert fetch.encode_passages() == "encoded"


def test_what_fails_leaves_no_stamp(encoded, monkeypatch):
    monkeypatch.setattr(fetch.vectors, "embed_tokens", lambda texts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fetch.encode_passages()
    monkeypatch.setattr(fetch.vectors, "embed_tokens", encoded.append)
    assert fetch.encode_passages() == "encoded"
