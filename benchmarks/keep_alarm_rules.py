"""Bundle what the trainings and the contest of chapter 52 left, for the book: `book/data/alarm_contest`.

    python benchmarks/keep_alarm_rules.py

Writes `trainings.json` (every record), `answers.json` (dev, choice, test) and copies the adapters that chapters load.
Prints the entries for `src/workbench/own_data.py`.  Refuses a contest that is not finished, or whose adapters changed.
"""

import argparse
import hashlib
import json
import re
import shutil
from pathlib import Path

from workbench.alarm_contest import seal
from workbench.alarm_data import hand_written
from workbench.errors import WorkbenchError
from workbench.files import write_text

HERE = Path(__file__).resolve().parent
BOOK = HERE.parent / "book" / "data" / "alarm_contest"
ADAPTERS = {  # registry's name → file, what it is
    "alarm_adapter": ("seed0_8192", "8,192 sentences, seed 0: the one that chapters serve"),
    "alarm_adapter_seed1": ("seed1_8192", "8,192 sentences, seed 1"),
    "alarm_adapter_seed2": ("seed2_8192", "8,192 sentences, seed 2"),
    "alarm_adapter_mean": ("mean0_512", "512 sentences, seed 0, the loss a mean over each batch"),
}
HALF = re.compile(r"(seed\d|shuffled0)_(512|2048)")  # these were asked every second sentence of the test


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def wanted(split, name):
    """The ids of the sentences that a contestant has to answer."""
    every = 2 if split == "test" and HALF.fullmatch(name) else 1
    return {one.id for one in hand_written(split)[::every]}


def check(folder, answers):
    """Everybody has answered every sentence that was theirs, and nobody has changed since."""
    for split in ("dev", "test"):
        for name, said in answers[split]["answers"].items():
            if said.keys() != (ids := wanted(split, name)):
                raise WorkbenchError(f"{name} has answered {len(said)} of {len(ids)} {split} sentences")
    for name, mark in answers["test"]["asked"].items():
        if seal(name, folder) != mark:
            raise WorkbenchError(f"{name} has changed since it was asked")


def bundle(folder, out):
    """→ the files that were written, by their registry names"""
    answers = {what: read(folder / f"{what}.json") for what in ("dev", "choice", "test")}
    check(folder, answers)
    records = [path for path in sorted(folder.glob("*_*.json")) if path.with_suffix(".safetensors").exists()]
    out.mkdir(parents=True, exist_ok=True)
    trainings = {path.stem: read(path) for path in records}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(record)}" for name, record in trainings.items())
    write_text(f"{{\n{lines}\n}}\n", out / "trainings.json")
    write_text(json.dumps(answers, ensure_ascii=False, indent=0) + "\n", out / "answers.json")
    found = {"alarm_trainings": out / "trainings.json", "alarm_answers": out / "answers.json"}
    for name, (stem, _) in ADAPTERS.items():
        found[name] = Path(shutil.copyfile(folder / f"{stem}.safetensors", out / f"{stem}.safetensors"))
    return found


RECORDS = {
    "alarm_trainings": "recipe, losses and scores of every training of chapter 52",
    "alarm_answers": "what every contestant of chapter 52 answered, on dev and on test, and what was chosen between",
}


def entry(name, path):
    """The lines that register a file."""
    says = RECORDS.get(name) or f"an adapter of SmolLM2 for alarm rules: {ADAPTERS[name][1]}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    lines = [f'"{name}"', f'"alarm_contest/{path.name}"', f'"{digest}"', f'"{says}"']
    if name in ADAPTERS:
        lines.append('rights="adapted from SmolLM2-135M-Instruct and under its Apache-2.0"')
    return "    _own(\n" + "".join(f"        {line},\n" for line in lines) + "    ),"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=HERE / "adapters" / "52")
    parser.add_argument("--out", type=Path, default=BOOK)
    wish = parser.parse_args()
    for name, path in bundle(wish.folder, wish.out).items():
        print(entry(name, path))


if __name__ == "__main__":
    main()
