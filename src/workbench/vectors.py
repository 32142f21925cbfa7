"""MiniLM's vectors of texts: mean-pooled, of length 1, encoded once per machine and remembered in the cache.

A list of texts is encoded when it is first asked for (some forty seconds for a thousand passages) and read back from
`.cache/vectors` ever after; a chapter that shows such vectors says so, and times nothing on them.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from workbench.errors import WorkbenchError
from workbench.models import MODELS, model_path
from workbench.packaged import cache

SIZE = 384
MOST_TOKENS = 256  # what the model was trained to read; the rest of a longer text is cut off
BATCH = 32


def embed(texts: Sequence[str], remember: bool = True) -> np.ndarray:
    """Encode texts with MiniLM: the mean of its token vectors, scaled to length 1.  → (n, 384) float32.

    Their dot product is their cosine.  remember=False neither reads nor writes the cache.
    Raises WorkbenchError for anything but a list of strings, or when the model is not fetched.
    """
    texts = list(_checked(texts))
    path = _place(texts)
    if remember and (known := _read(path, len(texts))) is not None:
        return known
    vectors = _encode(texts)
    if remember:
        _write(path, vectors)
    return vectors


def _checked(texts) -> Sequence[str]:
    if isinstance(texts, str):
        raise WorkbenchError("embed takes a list of texts, this is one text", "write embed([text])[0]")
    if strange := [type(text).__name__ for text in texts if not isinstance(text, str)]:
        raise WorkbenchError(f"embed takes texts, this list holds a {strange[0]}")
    return texts


def _place(texts: list[str]) -> Path:
    """Where the vectors of exactly these texts in this order lie: a name from the model's hash and the texts."""
    key = hashlib.sha256(f"{MODELS['minilm'].sha256} mean {MOST_TOKENS} {len(texts)}".encode())
    for text in texts:
        key.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return cache() / "vectors" / f"{key.hexdigest()[:32]}.npy"


def _read(path: Path, count: int) -> np.ndarray | None:
    """The remembered vectors, or None when there are none or the file is not what it should be."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    sound = vectors.shape == (count, SIZE) and vectors.dtype == np.float32 and np.isfinite(vectors).all()
    return vectors if sound else None


def _write(path: Path, vectors: np.ndarray) -> None:
    """Put the whole file there at once: another process never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.save(file, vectors, allow_pickle=False)
    os.replace(file.name, path)


def _encode(texts: list[str]) -> np.ndarray:
    """Texts of similar length share a batch, so that little is computed on padding; the order is restored."""
    vectors = np.empty((len(texts), SIZE), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        vectors[rows] = _mean_pooled([texts[row] for row in rows])
    return vectors


def _mean_pooled(texts: list[str]) -> np.ndarray:
    import torch

    tokenizer, model = load_minilm()
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
    with torch.inference_mode():
        states, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
    mean = (states * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(mean, dim=1).numpy()


@lru_cache(maxsize=1)
def load_minilm():
    """MiniLM's tokenizer and model as transformers loads them, in eval mode."""
    from transformers import AutoModel, AutoTokenizer

    folder = str(model_path("minilm"))
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
