"""Our own questions to the manuals: where their answers stand, how passages were judged, and a BEIR folder of it all.

`book/data/embedded_qa/README.md` is their data card.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workbench.beir import Collection, load_beir
from workbench.data import data_path
from workbench.errors import CheckFailedError, WorkbenchError
from workbench.files import write_text
from workbench.manuals import Section, by_id, passages
from workbench.packaged import cache

STRATA = ("keyword", "paraphrase", "multi", "unanswerable")


@dataclass(frozen=True)
class Span:
    """Where (a part of) the answer stands: text[start:end] of a section, whose whole text had this hash."""

    section: str
    sha256: str  # the first 16 digits
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Question:
    """One question.  answers: the accepted ones, the best first; empty, as gold is, for an unanswerable one."""

    id: str
    split: str  # "dev" to choose on, "test" to judge on
    stratum: str
    text: str
    answers: tuple[str, ...]
    gold: tuple[Span, ...]


@lru_cache(maxsize=1)
def questions() -> tuple[Question, ...]:
    """All questions, in the order of their file."""
    lines = data_path("embedded_qa").read_text(encoding="utf-8").splitlines()
    return tuple(_question(json.loads(line)) for line in lines)


def _question(row: dict) -> Question:
    gold = tuple(Span(**span) for span in row["gold"])
    return Question(row["id"], row["split"], row["stratum"], row["question"], tuple(row["answers"]), gold)


@lru_cache(maxsize=1)
def judgements() -> dict[str, dict[str, int]]:
    """Question id → passage id → grade: 2 it answers the question (or its part of it), 1 it helps, 0 it does not.

    Passages that are not there were in nobody's first ten, and were not judged.
    """
    path = data_path("embedded_qa_judgements")
    found: dict[str, dict[str, int]] = {question.id: {} for question in questions()}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        question, passage, *_, grade = line.split("\t")
        found[question][passage] = int(grade)
    return found


def problems(span: Span, sections: dict[str, Section]) -> str:
    """What is wrong with a gold span, or ""."""
    if span.section not in sections:
        return f"section {span.section} is not in the corpus"
    section = sections[span.section]
    if section.text[span.start : span.end] != span.quote:
        elsewhere = section.text.find(span.quote)
        return f"{span.section} says something else at {span.start}" + (
            f"; the quoted words stand at {elsewhere}" if elsewhere >= 0 else "; the quoted words are gone"
        )
    return "" if section.sha256.startswith(span.sha256) else f"the text of {span.section} has changed around the span"


def prove() -> int:
    """The number of gold spans, all of which are still where the questions say.  Raises CheckFailedError."""
    spans = [(question.id, span) for question in questions() for span in question.gold]
    wrong = [f"{name}: {problem}" for name, span in spans if (problem := problems(span, by_id()))]
    if wrong:
        raise CheckFailedError(
            f"{len(wrong)} of {len(spans)} gold spans are not where they were: {'; '.join(wrong[:3])}",
            "the corpus is pinned: run workbench fetch; after a change of the extraction, mark the spans anew",
        )
    return len(spans)


def passage_of(span: Span) -> str:
    """The passage that holds most of a span (a span is rarely cut).  Raises WorkbenchError when there is none."""

    def shared(passage) -> int:
        return min(span.end, passage.end) - max(span.start, passage.start)

    best = max((p for p in passages() if p.section == span.section), key=shared, default=None)
    if best is None or shared(best) <= 0:
        raise WorkbenchError(f"no passage holds {span.section}[{span.start}:{span.end}]")
    return best.id


def beir_folder(split: str = "test", folder: Path | None = None) -> Path:
    """Write corpus, answerable questions of one split and judgements as a BEIR folder into the cache; its path.

    A question's gold passages have grade 2 whatever else was judged.
    """
    folder = folder or cache() / "embedded_qa_beir" / split
    asked = [question for question in questions() if question.split == split and question.gold]
    _lines(folder / "corpus.jsonl", ({"_id": p.id, "title": p.title, "text": p.text} for p in passages()))
    _lines(folder / "queries.jsonl", ({"_id": q.id, "text": q.text, "metadata": _metadata(q)} for q in asked))
    rows = ["query-id\tcorpus-id\tscore"]
    for question in asked:
        grades = judgements()[question.id] | {passage_of(span): 2 for span in question.gold}
        rows += [f"{question.id}\t{passage}\t{grade}" for passage, grade in sorted(grades.items())]
    write_text("\n".join(rows) + "\n", folder / "qrels" / f"{split}.tsv")
    return folder


def two_splits(folder: str | Path = "") -> Collection:
    """Our questions, or those of any BEIR folder, with the splits "dev" (to choose on) and "test" (to judge on).

    A folder with one split gets both: every other question is for choosing.  Raises like `load_beir`.
    """
    found = load_beir(folder or beir_folder("test"))
    if not folder:
        dev = load_beir(beir_folder("dev"))
        found.queries |= dev.queries
        found.qrels |= dev.qrels
    if "test" not in found.qrels:
        found.qrels["test"] = found.qrels.pop(sorted(found.qrels)[0])
    if "dev" not in found.qrels:
        test = found.qrels["test"]
        chosen = sorted(test)[::2]
        found.qrels["dev"] = {name: test.pop(name) for name in chosen}
    return found


def judged(found: Collection, most: int):
    """A DataFrame of the questions that have anything relevant, dev first: id, split, stratum, text, grades.

    grades: passage id → grade.  most: of each split, evenly spaced.  A question without a stratum is of stratum "all".
    """
    import pandas as pd

    rows = []
    for split in ("dev", "test"):
        asked = [(name, grades) for name, grades in found.qrels[split].items() if max(grades.values()) > 0]
        for name, grades in asked[:: max(1, len(asked) // most)][:most]:
            query = found.queries[name]
            rows.append((name, split, query.metadata.get("stratum", "all"), query.text, grades))
    return pd.DataFrame(rows, columns=["id", "split", "stratum", "text", "grades"])


def _metadata(question: Question) -> dict:
    return {"stratum": question.stratum, "answers": list(question.answers)}


def _lines(path: Path, rows) -> None:
    write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), path)
