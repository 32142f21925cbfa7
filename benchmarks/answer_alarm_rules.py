"""Keep what every contestant of chapter 52 answers: prompts and adapters, served by llama.cpp, greedily.

    python benchmarks/answer_alarm_rules.py dev       # every prompt, on the sentences to choose on
    python benchmarks/answer_alarm_rules.py choose    # of each kind of prompt the best
    python benchmarks/answer_alarm_rules.py test --who "few-shot" seed0_8192 "seed0_8192 merged Q8_0"
    python benchmarks/answer_alarm_rules.py test --every 2 --who seed0_2048      # every second sentence

The test is open to prompts that were chosen, and to each contestant once: a prompt or an adapter that has changed since
it was asked is refused.  Resumes where it was stopped.  Writes `dev.json`, `choice.json` and `test.json`.

Two servers work at a time, each with one thread and one slot.  Several slots would be faster still; but numbers that
are computed together round otherwise than alone, and an answer would hang on who happened to be asked beside it.
"""

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from workbench import load_tokenizer, serve_llm
from workbench.adapter_files import changes, read_adapter, write_adapter
from workbench.alarm_contest import PROMPTS, TUNED, ask, seal
from workbench.alarm_data import hand_written
from workbench.alarm_scores import score
from workbench.errors import WorkbenchError
from workbench.files import write_text
from workbench.gguf_files import rewrite_gguf

SCALE = 2.0  # alpha / rank, the same for every rank
BEGUN = '{"at'  # the answers of "mean0_512 begun": what does the adapter know once it may not ask?
LOCK = Lock()  # over what is kept: two groups answer at a time


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(path, kept):
    write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", path)


def groups_of(names):
    """Contestants whose prompts are the same text, together: the server reads it once.  The longest work first."""
    groups = {}
    for name in names:
        way = PROMPTS.get(name)
        groups.setdefault((way.shots, way.nearest) if way else name, []).append(name)
    return sorted(groups.values(), key=lambda group: -sum(1 + PROMPTS.get(name, TUNED).held for name in group))


def answer(kept, path, group, asked, url, tokenizer, adapters=None):
    """Ask a group what it has not answered yet, sentence by sentence; keep it after every tenth."""
    with LOCK:
        answers = {name: kept.setdefault("answers", {}).setdefault(name, {}) for name in group}
        open_ = {name: [one for one in asked if one.id not in answers[name]] for name in group}
    replies = {
        name: ask(
            url,
            tokenizer,
            PROMPTS.get(name, TUNED),
            [one.sentence for one in open_[name]],
            adapters,
            BEGUN if name.endswith(" begun") else "",
        )
        for name in group
    }
    for number, one in enumerate(asked):
        for name in group:
            if one in open_[name]:
                reply = next(replies[name])
                with LOCK:
                    answers[name][one.id] = reply
        if number % 10 == 9:
            with LOCK:
                keep(path, kept)
    with LOCK:
        keep(path, kept)
    for name in group:
        right = sum(score(answers[name][one.id], one.rule).exact for one in asked)
        print(f"{time.strftime('%H:%M:%S')} {name}: {right} of {len(asked)}", flush=True)


def ask_all(folder, path, kept, asked, names, servers):
    """Prompts and adapters beside the four-bit base; then merged files, each from its own server."""
    tokenizer = load_tokenizer()
    tuned = [name for name in names if name not in PROMPTS and "merged" not in name]
    groups = groups_of(name for name in names if "merged" not in name)
    todo = iter(groups)  # shared by the servers: each group is taken once
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(servers) as pool:
        scratch = Path(scratch)
        files = [adapter_gguf(folder, name, scratch) for name in tuned]

        def beside(_):
            with serve_llm("smollm2", threads=1, context=1536, adapters=files) as llm:
                for group in todo:
                    adapters = {tuned.index(group[0]): 1.0} if group[0] in tuned else None
                    answer(kept, path, group, asked, llm.url, tokenizer, adapters)

        def merged(name):
            adapter, kind = name.split(" merged ")
            place = scratch / name
            place.mkdir()
            added = changes(read_adapter(folder / f"{adapter}.safetensors"), SCALE)
            with serve_llm(rewrite_gguf(place, kind, changes=added), threads=1, context=512) as llm:
                answer(kept, path, [name], asked, llm.url, tokenizer)

        list(pool.map(beside, range(min(servers, len(groups)))))  # list: whatever failed there is raised here
        list(pool.map(merged, [name for name in names if "merged" in name]))


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
    parser.add_argument("--who", nargs="*", help="only these: names of prompts, adapters, or 'seed0_8192 merged Q8_0'")
    parser.add_argument("--every", type=int, default=1, help="2: every second sentence of the file, and so on")
    parser.add_argument("--servers", type=int, default=2, help="one thread each")
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
    ask_all(folder, path, kept, hand_written(wish.what)[:: wish.every], names, wish.servers)


if __name__ == "__main__":
    main()
