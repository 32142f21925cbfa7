"""Ask a served model for alarm rules in every way that chapter 52 compares: told, shown examples, held to the schema,
with an adapter; one conversation format, one greedy decoder for all of them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workbench.alarm_generator import generate
from workbench.alarm_rules import schema, write
from workbench.errors import WorkbenchError
from workbench.retrieval import Bm25, best

SHORT = "Alarm rule:"  # what the adapters were trained with
TOLD = """Turn the request into an alarm rule: one line of JSON and nothing else.
"at": places: "fridge 3", "freezer 2", "cold room 1", "all fridges", "everywhere".
"when": conditions. "of": temperature, humidity, door, power or signal. "is": above, below, outside, open, closed, off \
or lost. With numbers also "value", or "low" and "high", and "unit": C, F or %; "clear": where it ends.
Only if said: "for": "10 min"; "days": ["mon"]; "from": "22:00" and "to": "06:00"; "level": log or critical; "tell": \
me, manager, nurse, pharmacist, technician, chef, security; "repeat": "1 h".
If it cannot become one rule: {"ask": what}, what being place, limit, unit, time, several, conflict or unsupported."""
POOL = 1024  # the training pairs that examples are taken from: those that an adapter learns from
ROOM = 90  # tokens of an answer; the longest right one has fewer than eighty


@dataclass(frozen=True)
class Way:
    """One way to ask.  shots: examples in the prompt; nearest: chosen for each sentence; held: by the JSON schema."""

    system: str = TOLD
    shots: int = 0
    nearest: bool = False
    held: bool = False


PROMPTS = {
    "zero-shot": Way(),
    "few-shot": Way(shots=4),
    "few-shot, nearest": Way(shots=4, nearest=True),
    "zero-shot, schema": Way(held=True),
    "few-shot, schema": Way(shots=4, held=True),
    "few-shot, nearest, schema": Way(shots=4, nearest=True, held=True),
}
TUNED = Way(system=SHORT)


@lru_cache(maxsize=1)
def _pool():
    pairs = generate(POOL, "train", 0)
    return pairs, Bm25(pair.sentence for pair in pairs)


def shots_for(way: Way, sentence: str) -> list:
    """The examples of a prompt: the pool's first, or those with most words of the sentence, the nearest last."""
    if not way.shots:
        return []
    pairs, index = _pool()
    if not way.nearest:
        return list(pairs[: way.shots])
    return [pairs[place] for place in best(index.scores(sentence), way.shots)[::-1]]


def turns_for(way: Way, sentence: str) -> list[dict]:
    """The conversation up to where the answer begins, as messages."""
    turns = [{"role": "system", "content": way.system}]
    for pair in shots_for(way, sentence):
        turns += [{"role": "user", "content": pair.sentence}, {"role": "assistant", "content": write(pair.rule)}]
    return [*turns, {"role": "user", "content": sentence}]


def text_for(tokenizer, way: Way, sentence: str) -> str:
    """The same as text, with the model's own marks."""
    return tokenizer.apply_chat_template(turns_for(way, sentence), tokenize=False, add_generation_prompt=True)


def ask(
    url: str,
    tokenizer,
    way: Way,
    sentences: Sequence[str],
    adapters: Mapping[int, float] | None = None,
    begin: str = "",
) -> Iterator[str]:
    """Greedy answers of a llama.cpp server, one after the other.

    adapters: their number there → scale; others are off.  begin: how every answer begins, whatever the model thinks.
    Raises WorkbenchError when the server refuses.
    """
    import httpx

    lora = [{"id": number, "scale": scale} for number, scale in (adapters or {}).items()]
    with httpx.Client(base_url=url, timeout=600) as client:
        for sentence in sentences:
            if way.held:
                reply = client.post("/v1/chat/completions", json=_held(way, sentence)).json()
                text = reply["choices"][0]["message"]["content"] if "choices" in reply else None
            else:
                body = {"prompt": text_for(tokenizer, way, sentence) + begin, "n_predict": ROOM, "temperature": 0}
                # The engine's memory of prompts does not ask which adapter filled it (llama.cpp's issue 26207).
                reply = client.post("/completion", json=body | {"cache_prompt": not lora, "lora": lora}).json()
                text = reply.get("content")
            if text is None:
                raise WorkbenchError(f"the server refused: {reply.get('error', reply)}")
            yield (begin + text).strip()


def _held(way: Way, sentence: str) -> dict:
    """A request that is held to the schema; twice the room, for blanks that the schema allows.

    (This engine's /completion takes a schema too, and ignores it in silence.)
    """
    form = {"type": "json_schema", "json_schema": {"name": "rule", "schema": schema(), "strict": True}}
    return {"messages": turns_for(way, sentence), "max_tokens": 2 * ROOM, "temperature": 0, "response_format": form}


def seal(name: str, folder: Path) -> str:
    """SHA-256 of what a contestant is: its prompt to the letter, or its adapter's file."""
    if name in PROMPTS:
        whole = repr((TOLD, POOL, PROMPTS[name])).encode()
    else:
        whole = repr(TUNED).encode() + (folder / f"{name.split()[0]}.safetensors").read_bytes()
    return hashlib.sha256(whole).hexdigest()
