"""Sentences and rules as a language model trains on them: conversation → tokens, what is learnt from, batches.

Chapter 50 builds each of these from scratch; `tests/test_prepare_instruction_data.py` says that both agree.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.alarm_rules import write
from workbench.errors import WorkbenchError

SYSTEM = "Turn the request into an alarm rule in JSON."
IGNORED = -100  # the label that PyTorch's cross-entropy leaves out


@dataclass(frozen=True)
class Example:
    """One conversation as tokens.  ids: the whole of it; begin: where the answer begins; the rest is the prompt."""

    ids: tuple[int, ...]
    begin: int

    @property
    def labels(self) -> tuple[int, ...]:
        """The answer's own ids, its end mark included; IGNORED on the prompt.  The loss does the shift."""
        return (IGNORED,) * self.begin + self.ids[self.begin :]


def prompt(tokenizer, sentence: str, system: str = SYSTEM) -> str:
    """The conversation up to where the answer begins, with the model's own marks."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": sentence}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def encode(tokenizer, sentence: str, answer: str, system: str = SYSTEM) -> Example:
    """Tokens of the prompt, then of the answer and the end mark: cut where a model that is asked begins to write."""
    asked = tokenizer(prompt(tokenizer, sentence, system), add_special_tokens=False)["input_ids"]
    said = tokenizer(answer, add_special_tokens=False)["input_ids"]
    return Example((*asked, *said, tokenizer.eos_token_id), len(asked))


def examples(tokenizer, pairs: Iterable, system: str = SYSTEM) -> list[Example]:
    """Encode things with a .sentence and a .rule, the generator's pairs or hand-written requests."""
    return [encode(tokenizer, pair.sentence, write(pair.rule), system) for pair in pairs]


def pad(some: Sequence[Example], pad_id: int) -> dict:
    """One batch for `model(**batch)`: input_ids, attention_mask and labels, (rows, longest) int64, filled on the right.

    Padding is told by place, not by id: the end mark, which often pads too, keeps its label.
    """
    import torch

    if not some:
        raise WorkbenchError("a batch needs at least one example")
    shape = len(some), max(len(example.ids) for example in some)
    ids, mask, labels = np.full(shape, pad_id), np.zeros(shape, np.int64), np.full(shape, IGNORED)
    for row, example in enumerate(some):
        length = len(example.ids)
        ids[row, :length], mask[row, :length], labels[row, :length] = example.ids, 1, example.labels
    tensors = (torch.from_numpy(array.astype(np.int64)) for array in (ids, mask, labels))
    return dict(zip(("input_ids", "attention_mask", "labels"), tensors, strict=True))


def batches(some: Sequence[Example], size: int, pad_id: int, seed: int, pool: int = 4) -> Iterator[dict]:
    """One epoch in random order, padded: `size` examples a batch (the last may have fewer), alike in length.

    Shuffled, then sorted by length inside pools of `pool` batches, whose batches come in random order: little padding,
    and every pool is a fair sample; but what is alike in length is partly alike in kind, which chapter 50 counts.
    pool=1 leaves the order random.  The same for the same seed.
    """
    if size < 1 or pool < 1:
        raise WorkbenchError(f"size and pool count from 1, not {min(size, pool)}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(some))
    for start in range(0, len(order), size * pool):
        alike = sorted(order[start : start + size * pool], key=lambda number: len(some[number].ids))
        cut = [alike[at : at + size] for at in range(0, len(alike), size)]
        for place in rng.permutation(len(cut)):
            yield pad([some[number] for number in cut[place]], pad_id)
