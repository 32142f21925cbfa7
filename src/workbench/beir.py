"""Collections in BEIR's folder format: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv` (Thakur et al. 2021).

Every public collection of that benchmark comes in it, so a chapter that takes such a folder runs on any of them.
A folder is read once, line by line; what is wrong with it is said by file and line.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import WorkbenchError

SHOWN = 3  # examples of one kind of problem
HEADER = ["query-id", "corpus-id", "score"]


@dataclass(frozen=True)
class Document:
    """One passage of the corpus."""

    title: str
    text: str

    @property
    def whole(self) -> str:
        """What a retriever reads: the title, a full stop, the text."""
        return f"{self.title}. {self.text}" if self.title else self.text


@dataclass(frozen=True)
class Query:
    """One question; metadata is whatever its line says beyond BEIR's fields."""

    text: str
    metadata: dict


@dataclass
class Collection:
    """A checked collection.  qrels: split → query id → document id → grade (0: judged and not relevant)."""

    corpus: dict[str, Document] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    qrels: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


class Problems:
    """What is wrong, by kind: a few examples of each, and how many there are."""

    def __init__(self):
        self.kinds: dict[str, list[str]] = {}
        self.counts: dict[str, int] = {}

    def add(self, kind: str, example: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= SHOWN:
            self.kinds.setdefault(kind, []).append(example)

    def lines(self) -> Iterator[str]:
        """One line for each kind: the kind, examples, how many more."""
        for kind, examples in self.kinds.items():
            more = self.counts[kind] - len(examples)
            yield f"{kind}: {'; '.join(examples)}{f'; and {more} more' if more else ''}"


def load_beir(folder: str | Path, split: str | None = None) -> Collection:
    """Read a BEIR folder; split: only these qrels.  Raises WorkbenchError that names the first kind of problem."""
    collection, problems = read(Path(folder))
    if lines := list(problems.lines()):
        more = f" (and {len(lines) - 1} more kinds of problem)" if len(lines) > 1 else ""
        raise WorkbenchError(f"{folder}: {lines[0]}{more}", f"see all: workbench data check {folder}")
    if split is not None and split not in collection.qrels:
        raise WorkbenchError(f"{folder} has no qrels for '{split}'", f"it has: {', '.join(sorted(collection.qrels))}")
    if split is not None:
        collection.qrels = {split: collection.qrels[split]}
    return collection


def read(folder: Path) -> tuple[Collection, Problems]:
    """Everything readable of a BEIR folder, and everything that is wrong with it."""
    collection, problems = Collection(), Problems()
    if not folder.is_dir():
        problems.add("missing", f"{folder} is not a folder")
        return collection, problems
    for name, key, row in _records(folder, "corpus.jsonl", problems):
        document = Document(str(row.get("title") or ""), str(row["text"]))
        if not (document.title + document.text).strip():
            problems.add("empty document", f"{name}, {key!r}")
        _put(collection.corpus, key, document, name, problems)
    for name, key, row in _records(folder, "queries.jsonl", problems):
        if not row["text"].strip():
            problems.add("empty query", f"{name}, {key!r}")
        extra = row.get("metadata")
        _put(collection.queries, key, Query(row["text"], extra if isinstance(extra, dict) else {}), name, problems)
    tables = sorted((folder / "qrels").glob("*.tsv"))
    if not tables:
        problems.add("missing", "no qrels/*.tsv")
    for table in tables:
        collection.qrels[table.stem] = _qrels(table, collection, problems)
    return collection, problems


def _put(store: dict, key: str, value, where: str, problems: Problems) -> None:
    if key in store:
        problems.add("duplicate id", f"{where}, {key!r} stands there before")
    store[key] = value


def _text_lines(path: Path, problems: Problems) -> Iterator[tuple[str, str]]:
    """("corpus.jsonl line 3", the line) of each line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path.name} line {number}", line.rstrip("\r\n")
    except UnicodeDecodeError as problem:
        problems.add("not UTF-8", f"{path.name}: {problem.reason} at byte {problem.start}")
    except OSError as problem:
        problems.add("cannot be read", f"{path.name}: {problem.strerror}")


def _records(folder: Path, name: str, problems: Problems) -> Iterator[tuple[str, str, dict]]:
    """(place, id, fields) of each sound line of a JSONL file."""
    if not (folder / name).is_file():
        problems.add("missing", f"no {name}")
        return
    none = True
    for where, line in _text_lines(folder / name, problems):
        none = False
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as problem:
            problems.add("broken JSON", f"{where}: {problem if isinstance(problem, ValueError) else 'too deep'}")
            continue
        if wrong := _wrong_record(row):
            problems.add("bad record", f"{where}: {wrong}")
        else:
            yield where, row["_id"], row
    if none:
        problems.add("empty file", name)


def _wrong_record(row) -> str:
    if not isinstance(row, dict):
        return f"an object is needed, this is a {type(row).__name__}"
    for key in ("_id", "text"):
        if key not in row:
            return f"no field {key!r}"
        if not isinstance(row[key], str):
            return f"{key!r} must be a string, this is a {type(row[key]).__name__}"
    if not row["_id"] or row["_id"] != row["_id"].strip() or any(sign in row["_id"] for sign in "\t\r\n"):
        return f"'_id' {row['_id']!r} is empty, or has spaces around it or a tab inside"
    return ""


def _qrels(path: Path, collection: Collection, problems: Problems) -> dict[str, dict[str, int]]:
    """Grades of one table.  Ids that match nothing are told apart: ordinals, swapped columns, plain strangers."""
    found: dict[str, dict[str, int]] = {}
    strangers: list[tuple[str, str, str]] = []  # (place, column, id)
    rows = 0
    for where, line in _text_lines(path, problems):
        cells = line.split("\t")
        if cells == HEADER:
            continue
        rows += 1
        if len(cells) != 3:
            problems.add("bad row", f"{where}: {len(cells)} columns, need query-id, corpus-id, score between tabs")
            continue
        query, document, grade = cells
        if not _whole(grade):
            problems.add("score is not an integer", f"{where}: {grade!r}")
            continue
        known = _known(cells, collection)
        strangers += [(where, column, name) for column, name in zip(HEADER, cells, strict=False) if not known[column]]
        if document in found.get(query, {}):
            problems.add("duplicate judgement", f"{where}: {query!r}, {document!r}")
        found.setdefault(query, {})[document] = int(grade)
    if not rows:
        problems.add("empty file", f"qrels/{path.name}")
    _blame(path, strangers, rows, collection, problems)
    return found


def _known(cells: list[str], collection: Collection) -> dict[str, bool]:
    return {"query-id": cells[0] in collection.queries, "corpus-id": cells[1] in collection.corpus, "score": True}


def _whole(text: str) -> bool:
    digits = text.strip().removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 10


def _blame(path: Path, strangers, rows: int, collection: Collection, problems: Problems) -> None:
    stores = {"query-id": collection.queries, "corpus-id": collection.corpus}
    for column, store in stores.items():
        ids = [(where, name) for where, other, name in strangers if other == column]
        other = stores["corpus-id" if column == "query-id" else "query-id"]
        if len(ids) == rows and rows and all(_whole(name) and 0 <= int(name) <= len(store) for _, name in ids):
            problems.add(
                f"qrels use ordinals instead of ids ({column})",
                f"qrels/{path.name} says {ids[0][1]!r}, the ids look like {next(iter(store), '')!r}",
            )
        elif ids and len(ids) == rows and all(name in other for _, name in ids):
            problems.add("columns are swapped", f"qrels/{path.name}: {column} holds ids of the other file")
        else:
            for where, name in ids:
                problems.add(f"{column} not in {'queries' if column == 'query-id' else 'corpus'}", f"{where}: {name!r}")
