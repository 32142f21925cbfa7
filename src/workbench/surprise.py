"""How surprised a model is: by news, and by the right answer when the passage that holds it stands before it; the same
model with an adapter added to its matrices, and with the same numbers added in other places.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from workbench.adapter_files import PLACE
from workbench.data import data_path
from workbench.embedded_qa import Question, questions
from workbench.instruction import IGNORED, Example, pad
from workbench.manuals import by_id

AROUND = 150  # characters of the manual that are shown on each side of the answer's place


def news(tokenizer, texts: int, words: int, mixed: bool = False) -> list[Example]:
    """The first `words` tokens of as many news texts, to be read from the second on.  mixed: in random order."""
    stories = data_path("lee_news").read_text(encoding="latin-1").splitlines()
    read = (tokenizer(story, add_special_tokens=False)["input_ids"] for story in stories)
    long = (ids[:words] for ids in read if len(ids) >= words)
    rng, found = np.random.default_rng(0), []
    for ids in long:
        found.append(Example(tuple(rng.permutation(ids).tolist() if mixed else ids), 1))
        if len(found) == texts:
            break
    return found


def asked(most: int) -> list[Question]:
    """Questions of the dev half whose answer stands in one place, in a fixed random order."""
    some = [one for one in questions() if one.split == "dev" and len(one.gold) == 1]
    return [some[at] for at in np.random.default_rng(0).permutation(len(some))][:most]


def passage(one: Question) -> str:
    """The place of the answer with what stands around it, whole words, in one line."""
    (span,) = one.gold
    text = by_id()[span.section].text
    start, end = max(0, span.start - AROUND), min(len(text), span.end + AROUND)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = end if end == len(text) or (blank := text.find(" ", end)) < 0 else blank
    return re.sub(r"\s+", " ", text[start:end]).strip()


def answers(tokenizer, some: Sequence[Question], shift: int = 0) -> list[Example]:
    """Passage, question and accepted answer as text to read; judged on the answer.

    shift: each question gets the passage of the one so many places before it.
    """
    shown, found = np.roll([passage(one) for one in some], shift), []
    for text, one in zip(shown, some, strict=True):
        begun = f"{text}\n\nQuestion: {one.text}\nAnswer:"
        ids, said = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in (begun, f" {one.answers[0]}"))
        found.append(Example((*ids, *said), len(ids)))
    return found


def surprise(model, some: Sequence[Example], pad_id: int, together: int = 8) -> np.ndarray:
    """Mean −log p of the tokens that each example is judged on, in nats.  → (examples,)"""
    import torch
    from torch.nn.functional import cross_entropy

    order, found = sorted(range(len(some)), key=lambda i: len(some[i].ids)), np.empty(len(some))
    for at in range(0, len(order), together):
        rows = order[at : at + together]
        batch = pad([some[i] for i in rows], pad_id)
        wanted = batch["labels"][:, 1:]
        judged = wanted != IGNORED
        with torch.no_grad():
            states = model.model(batch["input_ids"], use_cache=False).last_hidden_state[:, :-1]
            losses = torch.zeros(wanted.shape)
            losses[judged] = cross_entropy(model.lm_head(states[judged]), wanted[judged], reduction="none")
        found[rows] = (losses.sum(1) / judged.sum(1)).numpy()
    return found


# ------------------------------------------------------------------ adapters


def sides(numbers: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Module of transformers' model → A (r, in), B (out, r).  numbers: as `adapter_files.read_adapter` gives them."""
    found: dict[str, dict] = {}
    for name, array in numbers.items():
        layer, module, side = PLACE.search(name).groups()
        found.setdefault(f"model.layers.{layer}.{module}", {})[side] = array
    return {name: (both["A"], both["B"]) for name, both in found.items()}


@contextmanager
def adapted(model, numbers: dict[str, np.ndarray], scale: float) -> Iterator:
    """Add scale · B A to the model's matrices inside the block; afterwards they are what they were, to the bit."""
    import torch

    plain = {}
    try:
        for name, (a, b) in sides(numbers).items():
            weight = model.get_submodule(name).weight
            plain[name] = weight.data
            weight.data = torch.addmm(weight.data, torch.from_numpy(b), torch.from_numpy(a), alpha=scale)
        yield model
    finally:
        for name, data in plain.items():
            model.get_submodule(name).weight.data = data


def norm(a: np.ndarray, b: np.ndarray) -> float:
    """‖B A‖, the root of the summed squares, without the product: √ trace(BᵀB · AAᵀ)."""
    return float(np.sqrt(((b.T @ b) * (a @ a.T)).sum()))


def size(numbers: dict[str, np.ndarray]) -> float:
    """‖B A‖ over all matrices of an adapter."""
    return float(np.sqrt(sum(norm(*both) ** 2 for both in sides(numbers).values())))


def chance_like(numbers: dict[str, np.ndarray], seed: int = 0) -> dict[str, np.ndarray]:
    """The same numbers with A's columns and B's rows in random order: they read and write at other places.

    Each product keeps its norm and every singular value: only where it points is left to chance.
    """
    rng = np.random.default_rng(seed)
    axes = {name: "BA".index(PLACE.search(name)[3]) for name in numbers}  # B's rows, A's columns
    return {name: rng.permutation(array, axis=axes[name]) for name, array in numbers.items()}
