"""MiniLM's vectors of texts: mean-pooled, of length 1, encoded once per machine and remembered in the cache.

A list of texts is encoded when it is first asked for (some forty seconds for a thousand passages) and read back from
`.cache/vectors` ever after; a chapter that shows such vectors says so, and times nothing on them.
"""

import hashlib
from collections.abc import Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from workbench.errors import WorkbenchError
from workbench.files import at_once
from workbench.models import MODELS, model_path
from workbench.packaged import cache
from workbench.provenance import cores

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


def embed_tokens(texts: Sequence[str], remember: bool = True) -> list[np.ndarray]:
    """Encode texts with MiniLM, one vector of length 1 for each token.  → n arrays (tokens, 384) float16.

    The first and last token of a text are the model's own marks.  The same pass yields what `embed` returns, which
    is remembered too.  About a hundred times as much to keep as one vector for each text.
    """
    texts = list(_checked(texts))
    place = _place(texts)
    tokens, lengths = place.with_suffix(".tokens.npy"), place.with_suffix(".lengths.npy")
    known = _read_tokens(tokens, lengths, len(texts)) if remember else None
    if known is not None:
        return known
    found, means = _encode_tokens(texts)
    if remember:
        _write(place, means)
        _write(lengths, np.array([len(vectors) for vectors in found], dtype=np.int64))
        _write(tokens, np.concatenate([np.empty((0, SIZE), np.float16), *found]))
    return found


def _read_tokens(tokens: Path, lengths: Path, count: int) -> list[np.ndarray] | None:
    """The remembered token vectors, or None when there are none or the files do not belong together."""
    try:
        vectors, sizes = (np.load(path, allow_pickle=False) for path in (tokens, lengths))
    except (OSError, ValueError, EOFError):
        return None
    sound = sizes.shape == (count,) and sizes.dtype == np.int64 and (sizes > 0).all()
    if not sound or vectors.dtype != np.float16 or vectors.shape != (sizes.sum(), SIZE):
        return None
    return np.split(vectors, np.cumsum(sizes)[:-1]) if count else []


def _encode_tokens(texts: list[str]) -> tuple[list[np.ndarray], np.ndarray]:
    found: list[np.ndarray] = [None] * len(texts)
    means = np.empty((len(texts), SIZE), dtype=np.float32)
    with _all_cores():
        for rows in _batches(texts):
            units, mask, means[rows] = _states([texts[row] for row in rows])
            for row, vectors, there in zip(rows, units, mask, strict=True):
                found[row] = vectors[: int(there.sum())].astype(np.float16)
    return found, means


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
    with at_once(path) as file:
        np.save(file, vectors, allow_pickle=False)


def _encode(texts: list[str]) -> np.ndarray:
    vectors = np.empty((len(texts), SIZE), dtype=np.float32)
    with _all_cores():
        for rows in _batches(texts):
            vectors[rows] = _states([texts[row] for row in rows])[2]
    return vectors


@contextmanager
def _all_cores():
    """Encode with every core, also where a chapter pins itself to one: nothing is timed here."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(cores())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batches(texts: list[str]):
    """Rows that are encoded together: texts of similar length, so that little is computed on padding."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for start in range(0, len(order), BATCH):
        yield order[start : start + BATCH]


def _states(texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(unit vectors of tokens (n, T, 384), which of them are text (n, T), unit vectors of means (n, 384))."""
    import torch

    tokenizer, model = load_minilm()
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
    with torch.inference_mode():
        states, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
    mean = (states * mask).sum(1) / mask.sum(1)
    units = (torch.nn.functional.normalize(vectors, dim=-1).numpy() for vectors in (states, mean))
    of_tokens, of_means = units
    return of_tokens, mask[..., 0].numpy(), of_means


@lru_cache(maxsize=1)
def load_minilm():
    """MiniLM's tokenizer and model as transformers loads them, in eval mode."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    folder, shown = str(model_path("minilm")), logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # or a chapter's output would tell whether its vectors were remembered
    try:
        return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    finally:
        if shown:
            logging.enable_progress_bar()
