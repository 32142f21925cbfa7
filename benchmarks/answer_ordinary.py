"""Keep what chapter 54 measures on every adapter: replies to ordinary requests, alarm rules, surprise by other text.

    python benchmarks/answer_ordinary.py rehearse   # the untouched model's replies to rehearse on; before training
    python benchmarks/answer_ordinary.py ask        # replies of every contestant, greedily, through llama.cpp
    python benchmarks/answer_ordinary.py surprise   # news and answers from a passage, through PyTorch
    python benchmarks/answer_ordinary.py ask --who base seed0_8192
    python benchmarks/answer_ordinary.py ask --parts "ordinary, dev" --who base   # a look that leaves the test closed
    python benchmarks/answer_ordinary.py bundle     # for the book: book/data/forgetting, and its registry entries

Every contestant has a server of its own: an engine that holds several adapters may hand to one what it has read with
another (llama.cpp's issue 26207).  Resumes where it was stopped; what an adapter's file has said once is not asked
again while the file is the same.  Writes `rehearsal.jsonl` and `forgetting.json` into `benchmarks/adapters/54`.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from workbench import load_tokenizer, serve_llm
from workbench.adapter_files import read_adapter, write_adapter
from workbench.alarm_contest import ROOM as RULE_ROOM
from workbench.alarm_contest import SHORT
from workbench.alarm_data import hand_written
from workbench.alarm_scores import score
from workbench.errors import WorkbenchError
from workbench.files import write_text
from workbench.ordinary import (
    ANOTHER,
    BEGUN,
    DEFAULT,
    RENAMED,
    ask_ordinary,
    form,
    json_signs,
    judge,
    ordinary,
    rehearsal,
    renamed,
    whole_sentences,
)
from workbench.provenance import cpu
from workbench.surprise import adapted, answers, asked, chance_like, news, surprise

ADAPTERS = Path(__file__).parent / "adapters"
BOOK = Path(__file__).resolve().parents[1] / "book" / "data" / "forgetting"
SCALE = 2.0  # alpha / rank, the same for every rank
ROOM = 48  # tokens of a reply to rehearse on, cut to whole sentences
TEXTS, WORDS, READ = 24, 96, 40
SYSTEM = {  # part of the record that is asked → the system prompt
    "ordinary, its own": DEFAULT,
    "ordinary, dev": DEFAULT,
    "alarm rules": SHORT,
    "ordinary, no signs": DEFAULT,  # and no reply may hold one of JSON's signs
    "ordinary, the alarm's": SHORT,
    "ordinary, another": ANOTHER,
    "renamed, told": SHORT + RENAMED,
    "renamed, shown": SHORT + RENAMED,  # and four examples
    "ordinary, begun": DEFAULT,  # without JSON's signs, and the reply's first words are written for it
}
RENAMED_KEY = '"where"'
ASKED = tuple(SYSTEM)
READS = ("news", "answers", "answers, another passage", "news, mixed")  # part of the record that is read


@dataclass(frozen=True)
class Contestant:
    """A model that is asked.  file: its adapter, "" for none; scale: of the adapter; parts: of the record, its own."""

    name: str
    file: str = ""
    scale: float = 1.0
    parts: tuple[str, ...] = ASKED[:3]


CONTESTANTS = (  # what the chapter needs most comes first; each part is there for a claim
    Contestant("base", "", 1.0, (*ASKED[:4], "renamed, shown", "ordinary, begun", *READS)),
    Contestant("seed0_8192", "52/seed0_8192", 1.0, (*ASKED, *READS[:3])),
    Contestant("seed0_2048", "52/seed0_2048", 1.0, (*ASKED[:3], *READS[:2])),
    Contestant("rehearsed256_seed0", "54/rehearsed256_seed0", 1.0, (*ASKED[:3], "ordinary, another", *READS[:2])),
    Contestant("strangers256_seed0", "54/strangers256_seed0"),
    Contestant("rank1_seed0", "54/rank1_seed0"),
    Contestant("rank64_seed0", "54/rank64_seed0"),
    Contestant("rehearsed64_seed0", "54/rehearsed64_seed0"),
    Contestant("seed0_512", "52/seed0_512"),
    Contestant("after_rehearsed256_seed0", "54/after_rehearsed256_seed0"),
    Contestant("after_strangers256_seed0", "54/after_strangers256_seed0"),
    Contestant("chance", "chance", 1.0, (ASKED[0], *READS[:2])),
    Contestant("seed0_8192 x 0.5", "52/seed0_8192", 0.5, (ASKED[0], "alarm rules")),
    *(Contestant(f"seed{s}_8192", f"52/seed{s}_8192", 1.0, (*ASKED[:3], *READS[:3])) for s in (1, 2)),
    *(Contestant(f"seed{s}_2048", f"52/seed{s}_2048") for s in (1, 2)),
    *(Contestant(f"rehearsed256_seed{s}", f"54/rehearsed256_seed{s}") for s in (1, 2)),
    Contestant("seed0_8192 x 0.25", "52/seed0_8192", 0.25, (ASKED[0], "alarm rules")),
)


def source(one: Contestant) -> Path:
    """The adapter's file; of chance, the one whose size it has."""
    name = "52/seed0_8192" if one.file == "chance" else one.file
    return ADAPTERS / f"{name}.safetensors"


def numbers_of(one: Contestant) -> dict:
    """The numbers of its adapter; of chance, the same numbers in other places, the same each time."""
    numbers = read_adapter(source(one))
    return chance_like(numbers) if one.file == "chance" else numbers


def mark(one: Contestant) -> str:
    """What it is, in sixteen digits: a contestant whose adapter has changed is another one."""
    content = source(one).read_bytes() if one.file else b""
    return hashlib.sha256(repr((one.file, one.scale)).encode() + content).hexdigest()[:16]


def texts_of(part: str) -> dict[str, str]:
    """id → what is asked in a part: ordinary requests, or dev's hand-written sentences (with a rule, if renamed)."""
    if part.startswith("ordinary"):
        return {one.id: one.request for one in ordinary("dev" if part == "ordinary, dev" else "test")}
    return {one.id: one.sentence for one in hand_written("dev") if part == "alarm rules" or "ask" not in one.rule}


def keep(path: Path, kept: dict) -> None:
    write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", path)


def missing(kept: dict, part: str, one: Contestant, wanted: dict) -> tuple[dict, dict]:
    """(answers so far, what is still to be asked) of a contestant; what another file has said is thrown away."""
    found = kept.setdefault(part, {}).setdefault(one.name, {})
    if found.get("mark", mark(one)) != mark(one):
        found.clear()
    found["mark"] = mark(one)
    said = found.setdefault("said", {})
    return said, {name: text for name, text in wanted.items() if name not in said}


def ask_all(path: Path, kept: dict, contestants: list, parts: list, threads: int) -> None:
    """Every part that is still open, of a server for each contestant."""
    tokenizer = load_tokenizer()
    for one in contestants:
        asks = [part for part in one.parts if part in parts and part in ASKED]
        open_ = [part for part in asks if missing(kept, part, one, texts_of(part))[1]]
        if not open_:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            files = [adapter_file(one, Path(scratch) / "adapter.gguf")] if one.file else []
            with serve_llm("smollm2", threads=threads, context=1024, adapters=files) as llm:
                for part in open_:
                    ask_part(path, kept, one, part, llm.url, tokenizer)


def ask_part(path: Path, kept: dict, one: Contestant, part: str, url: str, tokenizer) -> None:
    """What is missing in one part of the record, kept at its end."""
    said, open_ = missing(kept, part, one, texts_of(part))
    options = {"system": SYSTEM[part], "adapters": {0: one.scale} if one.file else None, "cached": True}
    if part == "alarm rules":
        options["room"] = RULE_ROOM
    elif part in ("ordinary, no signs", "ordinary, begun"):
        options["banned"] = json_signs(tokenizer)
        options["begun"] = BEGUN if part == "ordinary, begun" else ""
    elif part == "renamed, shown":
        options["shown"] = renamed()
    replies = ask_ordinary(url, tokenizer, [*open_.values()], **options)
    said |= dict(zip(open_, replies, strict=True))
    keep(path, kept)
    tell(f"{one.name}, {part}: {verdict(part, said)}")


def verdict(part: str, said: dict) -> str:
    """A line about the replies of one part, for whoever watches."""
    requests = {one.id: one for split in ("dev", "test") for one in ordinary(split)}
    rules = {one.id: one.rule for one in hand_written("dev")}
    if part.startswith("ordinary"):
        right = sum(judge(reply, requests[name]) for name, reply in said.items())
        return f"{right} of {len(said)} right, {sum(form(reply) != 'words' for reply in said.values())} in JSON"
    if part == "alarm rules":
        return f"{sum(score(reply, rules[name]).exact for name, reply in said.items())} of {len(said)} exact"
    return f"{sum(RENAMED_KEY in reply for reply in said.values())} of {len(said)} follow"


def adapter_file(one: Contestant, path: Path) -> Path:
    numbers = numbers_of(one)
    return write_adapter(numbers, path, alpha=SCALE * min(next(iter(numbers.values())).shape))


def read_all(path: Path, kept: dict, contestants: list, parts: list, threads: int) -> None:
    """Surprise, in nats per token, by news and by answers, and by both where something is out of order."""
    import torch

    from workbench import load_llama

    torch.set_num_threads(threads)
    tokenizer, model = load_tokenizer(), load_llama().requires_grad_(False)
    some = asked(READ)
    texts = {
        "news": news(tokenizer, TEXTS, WORDS),
        "answers": answers(tokenizer, some),
        "news, mixed": news(tokenizer, TEXTS, WORDS, mixed=True),
        "answers, another passage": answers(tokenizer, some, shift=1),
    }
    for one in contestants:
        numbers = numbers_of(one) if one.file else {}
        for part in (part for part in one.parts if part in parts and part in READS):
            said, open_ = missing(kept, part, one, {"nats": part})
            if open_:
                with adapted(model, numbers, SCALE * one.scale):
                    said["nats"] = surprise(model, texts[part], tokenizer.pad_token_id).round(5).tolist()
                keep(path, kept)
                tell(f"{one.name}, {part}: {sum(said['nats']) / len(said['nats']):.3f} nats a token")


def recipe_of(one: Contestant) -> dict:
    """How its adapter was trained, without the curve; nothing for what is no training of its own."""
    record = ADAPTERS / f"{one.file}.json"
    found = json.loads(record.read_text(encoding="utf-8")) if record.is_file() and one.scale == 1 else {}
    return {key: found[key] for key in found if key != "losses"}


def rehearse(path: Path, threads: int) -> None:
    """The untouched model's replies, whole sentences only, to every prompt of the rehearsal."""
    tokenizer, prompts = load_tokenizer(), rehearsal()
    with serve_llm("smollm2", threads=threads, context=512) as llm:
        replies = map(whole_sentences, ask_ordinary(llm.url, tokenizer, prompts, room=ROOM, cached=True))
        pairs = [{"prompt": prompt, "reply": reply} for prompt, reply in zip(prompts, replies, strict=True)]
    write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs), path)
    tell(f"{len(pairs)} replies")


BUNDLE = {  # registry's name → file in ADAPTERS/54, file in BOOK, what it is, rights
    "forgetting_answers": (
        "forgetting.json",
        "answers.json",
        "what every model of chapter 54 replied, and how surprised it was",
        "",
    ),
    "forgetting_adapter": (
        "rehearsed256_seed0.safetensors",
        "rehearsed256_seed0.safetensors",
        "an adapter of SmolLM2 for alarm rules that rehearsed 256 ordinary conversations, seed 0",
        "adapted from SmolLM2-135M-Instruct, Apache-2.0",
    ),
}


def bundle(kept: dict) -> None:
    """Copy what the book reads, and print the entries that register it.  Refuses a record with gaps."""
    for one in CONTESTANTS:
        wanted = {part: {"nats": part} if part in READS else texts_of(part) for part in one.parts}
        if gaps := [part for part, texts in wanted.items() if missing(kept, part, one, texts)[1]]:
            raise WorkbenchError(f"{one.name} was not asked, or has changed since: {', '.join(gaps)}")
    BOOK.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ADAPTERS / "54" / "rehearsal.jsonl", BOOK / "rehearsal.jsonl")
    for name, (made, file, what, rights) in BUNDLE.items():
        path = Path(shutil.copyfile(ADAPTERS / "54" / made, BOOK / file))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines = [
            f'"{name}"',
            f'"forgetting/{file}"',
            f'"{digest}"',
            f'"{what}"',
            *([f'rights="{rights}"'] if rights else []),
        ]
        print("    _own(\n" + "".join(f"        {line},\n" for line in lines) + "    ),")


def tell(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rehearse", "ask", "surprise", "bundle"])
    parser.add_argument("--who", nargs="*", choices=[one.name for one in CONTESTANTS])
    parser.add_argument("--parts", nargs="*", choices=[*ASKED, *READS], default=[*ASKED, *READS])
    parser.add_argument("--threads", type=int, default=2)
    wish = parser.parse_args()
    folder = ADAPTERS / "54"
    if wish.what == "rehearse":
        if (folder / "rehearsal.jsonl").exists():
            raise WorkbenchError("rehearsal.jsonl is there, and adapters may have learnt from it", "delete it first")
        return rehearse(folder / "rehearsal.jsonl", wish.threads)
    path = folder / "forgetting.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if wish.what == "bundle":
        return bundle(kept)
    chosen = [one for one in CONTESTANTS if not wish.who or one.name in wish.who]
    there = [one for one in chosen if not one.file or source(one).exists()]
    for one in (one for one in chosen if one not in there):
        tell(f"{one.name}: its adapter is not trained yet")
    (ask_all if wish.what == "ask" else read_all)(path, kept, there, wish.parts, wish.threads)
    kept["trainings"] = kept.get("trainings", {}) | {one.name: recipe_of(one) for one in there if recipe_of(one)}
    kept["made"] = {"date": time.strftime("%Y-%m-%d"), "machine": cpu()["cpu"], "threads": wish.threads}
    keep(path, kept)


if __name__ == "__main__":
    main()
