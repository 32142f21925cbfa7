"""From a question to passages and a prompt, without a page: what `workbench demo` shows, one stage after another."""

import html
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from workbench.beir import Document
from workbench.errors import WorkbenchError
from workbench.retrieval import Bm25, best, rrf, words
from workbench.vectors import embed

MODES = ("closed book", "sparse", "dense", "hybrid")
LONGEST = 500  # characters of a question
SHOWN, READ = 5, 3  # passages on the page; of these the model reads the first
DEPTH = 100  # how far down each ranking is fused
RULES = "Answer in one short sentence, from the sources only. If they do not hold the answer, say: unknown."
BARE = "Answer in one short sentence. If you do not know, say: unknown."


@dataclass(frozen=True)
class Hit:
    """One passage that was found.  sparse: its BM25 score; dense: its cosine; None where nobody asked."""

    id: str
    title: str
    text: str
    sparse: float | None
    dense: float | None


@dataclass
class Clock:
    """Seconds of each stage, in the order in which they ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str):
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class Library:
    """A searchable corpus.  encode: texts → unit vectors (n, d), MiniLM unless a test brings its own."""

    def __init__(self, corpus: dict[str, Document], encode: Callable[[Sequence[str]], np.ndarray] = embed):
        if not corpus:
            raise WorkbenchError("the collection has no documents", "see workbench data check DIR")
        self.ids, self.documents, self.encode = list(corpus), list(corpus.values()), encode
        texts = [document.whole for document in self.documents]
        self.bm25, self.vectors = Bm25(texts), encode(texts)
        _one(encode, "warm up")  # the first question should not pay for loading the encoder

    def search(self, question: str, mode: str, clock: Clock) -> list[Hit]:
        """The best passages of a mode, the best first; none for the closed book.  Raises WorkbenchError."""
        if mode not in MODES:
            raise WorkbenchError(f"unknown mode {mode!r}", f"known: {', '.join(MODES)}")
        sparse = dense = None
        if mode in ("sparse", "hybrid"):
            with clock.stage("sparse search"):
                sparse = self.bm25.scores(question)
        if mode in ("dense", "hybrid"):
            with clock.stage("encode the question"):
                vector = _one(self.encode, question)
            with clock.stage("dense search"):
                dense = self.vectors @ vector
        with clock.stage("rank"):
            return [self._hit(number, sparse, dense) for number in _order(sparse, dense)[:SHOWN]]

    def _hit(self, number: int, sparse, dense) -> Hit:
        document = self.documents[number]
        scores = (None if found is None else float(found[number]) for found in (sparse, dense))
        return Hit(self.ids[number], document.title, document.text, *scores)


def _one(encode: Callable, question: str) -> np.ndarray:
    """The vector of a question; questions are not kept on disk."""
    return (embed([question], remember=False) if encode is embed else encode([question]))[0]


def _order(sparse, dense) -> list[int]:
    """Row numbers, the best first: of one ranking, or of both fused.  A passage that shares no term is not sparse."""
    rankings = [] if sparse is None else [[int(row) for row in best(sparse, DEPTH) if sparse[row] > 0]]
    rankings += [] if dense is None else [[int(row) for row in best(dense, DEPTH)]]
    return list(rrf(*rankings)) if len(rankings) == 2 else (rankings[0] if rankings else [])


def clean(question: str) -> str:
    """The question as it will be asked.  Raises WorkbenchError that says what is wrong with it."""
    text = " ".join("".join(sign for sign in question if sign.isspace() or _printable(sign)).split())
    if len(question) > LONGEST:
        raise WorkbenchError(f"this question has {len(question):,} characters", f"ask in at most {LONGEST}")
    if not text:
        raise WorkbenchError("there is no question yet", "type one, for instance: How do I halt the core?")
    if not any(sign.isalnum() for sign in text):
        raise WorkbenchError("there is no word in this question", "ask in words")
    return text


def _printable(sign: str) -> bool:
    """No control signs, no surrogates, none that turn the direction of writing."""
    return unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def messages(question: str, hits: Sequence[Hit]) -> list[dict]:
    """The prompt: rules, numbered sources, the question last."""
    if not hits:
        return [{"role": "system", "content": BARE}, {"role": "user", "content": question}]
    sources = "\n\n".join(f"[{n}] {hit.title}\n{_first(hit.text)}" for n, hit in enumerate(hits[:READ], 1))
    return [
        {"role": "system", "content": RULES},
        {"role": "user", "content": f"Sources:\n\n{sources}\n\nQuestion: {question}"},
    ]


def _first(text: str, most: int = 160) -> str:
    """The first words of a passage: the model's context is small, and a collection's documents may be long."""
    found = text.split()
    return text if len(found) <= most else " ".join(found[:most]) + " …"


def highlight(text: str, answer: str) -> str:
    """A passage as safe HTML, words that the answer shares with it marked by their stems."""
    shared = set(words(answer))

    def marked(found: re.Match) -> str:
        word = html.escape(found[0])
        return f"<mark>{word}</mark>" if shared & set(words(found[0])) else word

    pieces, end = [], 0
    for found in re.finditer(r"\w+", text):
        pieces += [html.escape(text[end : found.start()]), marked(found)]
        end = found.end()
    return "".join([*pieces, html.escape(text[end:])])
