"""Keep what chapter 54 measures on every adapter: replies to ordinary requests, alarm rules, surprise by other text.

    python benchmarks/answer_ordinary.py rehearse   # the untouched model's replies to rehearse on; before training
    python benchmarks/answer_ordinary.py ask        # replies of every contestant, greedily, through llama.cpp
    python benchmarks/answer_ordinary.py surprise   # news and answers from a passage, through PyTorch
    python benchmarks/answer_ordinary.py ask --who base seed0_2048
    python benchmarks/answer_ordinary.py bundle     # for the book: book/data/forgetting, and its entries for data.py

Resumes where it was stopped; what an adapter's file has said once is not asked again while the file is the same.
Writes `rehearsal.jsonl` and `forgetting.json` into `benchmarks/adapters/54`.
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
from workbench.alarm_contest import TUNED, ask
from workbench.alarm_data import hand_written
from workbench.alarm_generator import generate
from workbench.errors import WorkbenchError
from workbench.files import write_text
from workbench.ordinary import SYSTEMS, ask_ordinary, braces, judge, ordinary, rehearsal, whole_sentences
from workbench.provenance import cpu
from workbench.surprise import adapted, answers, asked, chance_like, news, surprise

ADAPTERS = Path(__file__).parent / "adapters"
BOOK = Path(__file__).resolve().parents[1] / "book" / "data" / "forgetting"
SCALE = 2.0  # alpha / rank, the same for every rank
ROOM = 48  # tokens of a reply to rehearse on, cut to whole sentences
TEXTS, WORDS, READ = 24, 96, 40
WAYS = (*SYSTEMS, "no braces")  # the model's own system prompt first; the last is that, and no reply may be JSON


@dataclass(frozen=True)
class Contestant:
    """A model that is asked.  file: its adapter, "" for none; scale: of the adapter; everywhere: in every way."""

    name: str
    file: str = ""
    scale: float = 1.0
    everywhere: bool = False


CONTESTANTS = (  # what the chapter needs most comes first
    Contestant("base", everywhere=True),
    Contestant("seed0_2048", "52/seed0_2048", everywhere=True),
    Contestant("seed0_512", "52/seed0_512"),
    Contestant("rehearsed256_seed0", "54/rehearsed256_seed0", everywhere=True),
    Contestant("rehearsed64_seed0", "54/rehearsed64_seed0"),
    Contestant("strangers256_seed0", "54/strangers256_seed0"),
    Contestant("rank1_seed0", "54/rank1_seed0"),
    Contestant("rank16_seed0", "54/rank16_seed0"),
    Contestant("seed0_128", "52/seed0_128"),
    Contestant("seed0_2048 x 0.5", "52/seed0_2048", 0.5),
    Contestant("seed0_2048 x 0.25", "52/seed0_2048", 0.25),
    Contestant("chance", "chance"),
    *(Contestant(f"seed{s}_{n}", f"52/seed{s}_{n}") for s in (1, 2) for n in (2048, 512, 128)),
    *(
        Contestant(f"{kind}_seed{s}", f"54/{kind}_seed{s}")
        for s in (1, 2)
        for kind in ("rehearsed256", "rank1", "rank16")
    ),
)


def source(one: Contestant) -> Path:
    """The adapter's file; of chance, the one whose size it has."""
    name = "52/seed0_2048" if one.file == "chance" else one.file
    return ADAPTERS / f"{name}.safetensors"


def numbers_of(one: Contestant) -> dict:
    """The numbers of its adapter; of chance, drawn anew, the same each time."""
    numbers = read_adapter(source(one))
    return chance_like(numbers) if one.file == "chance" else numbers


def mark(one: Contestant) -> str:
    """What it is, in sixteen digits: a contestant whose adapter has changed is another one."""
    content = source(one).read_bytes() if one.file else b""
    return hashlib.sha256(repr((one.file, one.scale)).encode() + content).hexdigest()[:16]


def sentences() -> dict[str, str]:
    """id → sentence that asks for a rule: dev's hand-written, and twenty with phrases that training never used."""
    drawn = {f"template/{at}": pair.sentence for at, pair in enumerate(generate(20, "template", 1000))}
    return {one.id: one.sentence for one in hand_written("dev")} | drawn


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


def ask_all(path: Path, kept: dict, contestants: list, threads: int) -> None:
    """Ordinary requests and alarm sentences, of one server that holds all adapters beside the model."""
    tokenizer = load_tokenizer()
    tuned = [one for one in contestants if one.file]
    with tempfile.TemporaryDirectory() as scratch:
        files = [adapter_file(one, Path(scratch) / f"{at}.gguf") for at, one in enumerate(tuned)]
        with serve_llm("smollm2", threads=threads, context=512, adapters=files) as llm:
            for one in contestants:
                beside = {tuned.index(one): one.scale} if one.file else None
                for way in WAYS if one.everywhere else WAYS[:1]:
                    ask_requests(path, kept, one, way, llm.url, tokenizer, beside)
                said, open_ = missing(kept, "alarm rules", one, sentences())
                replies = ask(llm.url, tokenizer, TUNED, [*open_.values()], beside)
                said |= dict(zip(open_, replies, strict=True))
                keep(path, kept)


def ask_requests(path: Path, kept: dict, one: Contestant, way: str, url: str, tokenizer, beside: dict | None) -> None:
    """All ordinary requests, in one of the WAYS."""
    requests = [*ordinary("dev"), *ordinary("test")]
    said, open_ = missing(kept, f"ordinary, {way}", one, {each.id: each.request for each in requests})
    system, banned = SYSTEMS.get(way, SYSTEMS["its own"]), braces(tokenizer) if way == "no braces" else ()
    replies = ask_ordinary(url, tokenizer, [*open_.values()], system, beside, banned=banned)
    said |= dict(zip(open_, replies, strict=True))
    keep(path, kept)
    right = sum(judge(said[each.id], each) for each in requests)
    tell(f"{one.name}, {way}: {right} of {len(requests)} ordinary requests")


def adapter_file(one: Contestant, path: Path) -> Path:
    numbers = numbers_of(one)
    return write_adapter(numbers, path, alpha=SCALE * min(next(iter(numbers.values())).shape))


def read_all(path: Path, kept: dict, contestants: list, threads: int) -> None:
    """Surprise, in nats per token, by news and by answers; for the untouched model also by what is out of order."""
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
        for part in list(texts)[: 2 if one.file else 4]:
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
        replies = map(whole_sentences, ask_ordinary(llm.url, tokenizer, prompts, room=ROOM))
        pairs = [{"prompt": prompt, "reply": reply} for prompt, reply in zip(prompts, replies, strict=True)]
    write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs), path)
    tell(f"{len(pairs)} replies")


BUNDLE = {  # registry's name → file in ADAPTERS/54, file in BOOK, what it is, rights
    "forgetting_answers": ("forgetting.json", "answers.json", "what every model of chapter 54 replied, and how", ""),
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
        parts = [
            "alarm rules",
            "news",
            "answers",
            *(f"ordinary, {way}" for way in (WAYS if one.everywhere else WAYS[:1])),
        ]
        if gaps := [part for part in parts if kept.get(part, {}).get(one.name, {}).get("mark") != mark(one)]:
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
        print("        _own(\n" + "".join(f"            {line},\n" for line in lines) + "        ),")


def tell(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rehearse", "ask", "surprise", "bundle"])
    parser.add_argument("--who", nargs="*", choices=[one.name for one in CONTESTANTS])
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
    (ask_all if wish.what == "ask" else read_all)(path, kept, there, wish.threads)
    kept["trainings"] = kept.get("trainings", {}) | {one.name: recipe_of(one) for one in there if recipe_of(one)}
    kept["made"] = {"date": time.strftime("%Y-%m-%d"), "machine": cpu()["cpu"], "threads": wish.threads}
    keep(path, kept)


if __name__ == "__main__":
    main()
