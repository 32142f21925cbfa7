"""How chapter 40's passages were judged: sheets without ranks, and how far two passes agree.

    python benchmarks/judge_embedded_qa.py sheet POOL.jsonl 2 > sheet.txt     # seed 2: another order of everything
    python benchmarks/judge_embedded_qa.py agreement                          # from the committed judgements

A sheet shows a question and its pool in random order, with the heading and the first words of each passage; the judge
gives 2 to what answers the question (or its part of it), 1 to what helps, 0 to the rest.
"""

import json
import random
import sys
from pathlib import Path

import pandas as pd
from sklearn.metrics import cohen_kappa_score

from workbench.data import data_path
from workbench.embedded_qa import STRATA, questions
from workbench.manuals import passages


def sheet(pool: Path, seed: int) -> None:
    """Print one numbered list a question."""
    by_id = {passage.id: passage for passage in passages()}
    pools = {row["id"]: row["pool"] for row in map(json.loads, pool.read_text().splitlines())}
    rng = random.Random(seed)
    for question in rng.sample(questions(), len(questions())):
        print(f"## {question.id} {question.text}")
        for number, name in enumerate(rng.sample(pools[question.id], len(pools[question.id])), 1):
            heading = by_id[name].title.rsplit(" › ", 1)[-1]
            print(f"{number} {heading[:40]}: {' '.join(by_id[name].text.split())[:100]}")


def agreement() -> pd.DataFrame:
    """Per stratum and in all: pairs judged, share alike, Cohen's kappa of three grades and of "answers" or not."""
    table = pd.read_csv(data_path("embedded_qa_judgements"), sep="\t", dtype=str)
    table = table[table["pass1"] != "-"].astype({"pass1": int, "pass2": int})
    table["stratum"] = table["query-id"].map({question.id: question.stratum for question in questions()})
    parts = {name: table[table["stratum"] == name] for name in STRATA} | {"all": table}
    return pd.DataFrame({name: _figures(part) for name, part in parts.items()}).T


def _figures(part: pd.DataFrame) -> dict:
    first, second = part["pass1"], part["pass2"]
    several = part["pass1"].nunique() > 1
    return {
        "pairs": len(part),
        "alike": (first == second).mean(),
        "answers in either": ((first == 2) | (second == 2)).sum(),
        "kappa": cohen_kappa_score(first, second) if several else float("nan"),
        "kappa, answers": cohen_kappa_score(first == 2, second == 2) if several else float("nan"),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["sheet"]:
        sheet(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(agreement().round(3).to_string())
