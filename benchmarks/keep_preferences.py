"""Bundle what the trainings of chapter 56 left, for the book: `book/data/preferences`.

    python benchmarks/keep_preferences.py

Writes `records.json` (every run's record, and the hash of every adapter), copies the adapters that the chapter asks
again, and prints the entry for `src/workbench/own_data.py`.  Refuses when a run is missing or looked at other requests.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

from workbench.confirmations import asked_by_hand
from workbench.errors import WorkbenchError
from workbench.files import write_text

HERE = Path(__file__).resolve().parent
BOOK = HERE.parent / "book" / "data" / "preferences"
RUNS = ("reference", "fair0", "fair1", "fair2", "coin0", "tails0", "chosen0", "hacked0", "hacked1", "mended0", "tight0")
SAYS = "recipes, curves, replies and log-ratios of chapter 56's trainings, and the hashes of the adapters beside it"


def read(folder: Path) -> dict:
    """name → record, of every run."""
    missing = [name for name in RUNS if not (folder / f"{name}.json").exists()]
    if missing:
        raise WorkbenchError(f"not trained: {', '.join(missing)}", "run benchmarks/train_preferences.py")
    found = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in RUNS}
    for name, record in found.items():
        if record["recipe"]["held"] != "test" or len(record["replies"]) != len(asked_by_hand("test")):
            raise WorkbenchError(f"{name} did not answer the test requests", "train it again, without --dev")
    return found


def bundle(folder: Path, out: Path) -> Path:
    """→ the file of records"""
    runs = read(folder)
    adapters = {name: folder / f"{name}.safetensors" for name in RUNS if (folder / f"{name}.safetensors").exists()}
    out.mkdir(parents=True, exist_ok=True)
    for name, path in adapters.items():
        shutil.copyfile(path, out / f"{name}.safetensors")
    marks = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in adapters.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(record, ensure_ascii=False)}" for name, record in runs.items())
    write_text(f'{{"adapters": {json.dumps(marks)},\n"runs": {{\n{lines}\n}}}}\n', out / "records.json")
    return out / "records.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=HERE / "adapters" / "56")
    parser.add_argument("--out", type=Path, default=BOOK)
    wish = parser.parse_args()
    digest = hashlib.sha256(bundle(wish.folder, wish.out).read_bytes()).hexdigest()
    lines = ['"preference_records"', '"preferences/records.json"', f'"{digest}"', f'"{SAYS}"']
    print("    _own(\n" + "".join(f"        {line},\n" for line in lines) + "    ),")


if __name__ == "__main__":
    main()
