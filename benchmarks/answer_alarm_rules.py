"""Keep what every contestant of chapter 52 answers: prompts and adapters, served by llama.cpp, greedily.

    python benchmarks/answer_alarm_rules.py dev       # every prompt, on the sentences to choose on
    python benchmarks/answer_alarm_rules.py choose    # of each kind of prompt the best
    python benchmarks/answer_alarm_rules.py test --who "few-shot" seed0_1024 "seed0_1024 merged Q8_0"

The test is open to prompts that were chosen, and to each contestant once: a prompt or an adapter that has changed since
it was asked is refused.  Resumes where it was stopped.  Writes `dev.json`, `choice.json` and `test.json`.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from workbench import load_tokenizer, serve_llm
from workbench.adapter_files import changes, read_adapter, write_adapter
from workbench.alarm_contest import PROMPTS, TUNED, ask, seal
from workbench.alarm_data import hand_written
from workbench.alarm_scores import score
from workbench.errors import WorkbenchError
from workbench.files import write_text
from workbench.gguf_files import rewrite_gguf

SCALE = 2.0  # alpha / rank, the same for every rank
BEGUN = '{"at'  # the answers of "mean2_512 begun": what does the adapter know once it may not ask?


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(path, kept):
    write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", path)


def answer(kept, path, name, asked, url, tokenizer, way, adapters=None):
    """Ask what has not been answered yet, keep it after every tenth."""
    answers = kept.setdefault("answers", {}).setdefault(name, {})
    open_ = [one for one in asked if one.id not in answers]
    begin = BEGUN if name.endswith(" begun") else ""
    replies = ask(url, tokenizer, way, [one.sentence for one in open_], adapters, begin)
    for number, (one, reply) in enumerate(zip(open_, replies, strict=True)):
        answers[one.id] = reply
        if number % 10 == 9:
            keep(path, kept)
    keep(path, kept)
    right = sum(score(answers[one.id], one.rule).exact for one in asked)
    print(f"{time.strftime('%H:%M:%S')} {name}: {right} of {len(asked)}", flush=True)


def ask_all(folder, path, kept, asked, names, threads):
    """Prompts and adapters beside the four-bit base from one server; then merged files, each from its own."""
    tokenizer = load_tokenizer()
    tuned = [name for name in names if name not in PROMPTS and "merged" not in name]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        files = [adapter_gguf(folder, name, scratch) for name in tuned]
        with serve_llm("smollm2", threads=threads, context=1536, adapters=files) as llm:
            for name in (name for name in names if name in PROMPTS):
                answer(kept, path, name, asked, llm.url, tokenizer, PROMPTS[name])
            for number, name in enumerate(tuned):
                answer(kept, path, name, asked, llm.url, tokenizer, TUNED, {number: 1.0})
        for name in (name for name in names if "merged" in name):
            adapter, kind = name.split(" merged ")
            file = rewrite_gguf(scratch, kind, changes=changes(read_adapter(folder / f"{adapter}.safetensors"), SCALE))
            with serve_llm(file, threads=threads, context=512) as llm:
                answer(kept, path, name, asked, llm.url, tokenizer, TUNED)


def adapter_gguf(folder, name, scratch):
    numbers = read_adapter(folder / f"{name.split()[0]}.safetensors")
    rank = min(next(iter(numbers.values())).shape)
    return write_adapter(numbers, scratch / f"{name}.gguf", alpha=SCALE * rank)


def choose(dev):
    """Of each kind of prompt the best on dev, the first of equals."""
    sentences = hand_written("dev")
    right = {name: sum(score(dev["answers"][name][one.id], one.rule).exact for one in sentences) for name in PROMPTS}
    kinds = {
        "zero-shot": [name for name, way in PROMPTS.items() if not way.shots and not way.held],
        "few-shot": [name for name, way in PROMPTS.items() if way.shots and not way.held],
        "schema": [name for name, way in PROMPTS.items() if way.held],
    }
    prompts = {kind: max(names, key=right.get) for kind, names in kinds.items()}
    return {"right on dev": right, "of": len(sentences), "prompts": prompts}


def open_test(folder, kept, names):
    """Let only the chosen prompts in, and nobody who has changed since."""
    choice = read(folder / "choice.json")
    if not choice:
        raise WorkbenchError("nothing is chosen yet: the test stays closed", "run `choose` first")
    for name in names:
        if name in PROMPTS and name not in choice["prompts"].values():
            raise WorkbenchError(f"{name} was not chosen on dev: the test stays closed for it")
        mark = seal(name, folder)
        if kept.setdefault("asked", {}).setdefault(name, mark) != mark:
            raise WorkbenchError(f"{name} has changed since it was asked: the test is closed for it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["dev", "choose", "test"])
    parser.add_argument("--who", nargs="*", help="only these: names of prompts, adapters, or 'seed0_1024 merged Q8_0'")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "adapters" / "52")
    wish = parser.parse_args()
    folder, path = wish.folder, wish.folder / f"{wish.what}.json"
    if wish.what == "choose":
        keep(folder / "choice.json", choose(read(folder / "dev.json")))
        return
    kept, names = read(path), wish.who or list(PROMPTS)
    if wish.what == "test":
        open_test(folder, kept, names)
        keep(path, kept)
    ask_all(folder, path, kept, hand_written(wish.what), names, wish.threads)


if __name__ == "__main__":
    main()
