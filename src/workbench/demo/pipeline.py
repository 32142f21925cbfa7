"""From a question to passages and a prompt, without a page: what `workbench demo` shows, one stage after another."""

import html
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from workbench.beir import Document
from workbench.errors import WorkbenchError
from workbench.retrieval import Bm25, best, rrf, words
from workbench.vectors import embed, embed_tokens

MODES = ("closed book", "sparse", "dense", "hybrid", "reranked")
LONGEST = 500  # characters of a question
SHOWN, READ = 5, 3  # passages on the page; of these the model reads the first
DEPTH = 100  # how far down each ranking is fused
CANDIDATES = 30  # of the fused, how many are looked at again
RULES = "Answer in one short sentence, from the sources only. If they do not hold the answer, say: unknown."
BARE = "Answer in one short sentence. If you do not know, say: unknown."


@dataclass(frozen=True)
class Hit:
    """One passage that was found.  sparse: its BM25 score; dense: its cosine; late: MaxSim; None where nobody asked."""

    id: str
    title: str
    text: str
    sparse: float | None
    dense: float | None
    late: float | None = None


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
    """A searchable corpus.

    encode: texts → unit vectors (n, d); tokens: texts → n arrays of unit vectors, one a token, the first and the last
    a mark.  Both are MiniLM's unless a test brings its own.
    """

    def __init__(self, corpus: dict[str, Document], encode: Callable = embed, tokens: Callable = embed_tokens):
        if not corpus:
            raise WorkbenchError("the collection has no documents", "see workbench data check DIR")
        self.ids, self.documents, self.encode, self._tokens = list(corpus), list(corpus.values()), encode, tokens
        self.texts = [document.whole for document in self.documents]
        self.bm25, self.vectors = Bm25(self.texts), encode(self.texts)
        _one(encode, "warm up")  # the first question should not pay for loading the encoder

    @cached_property
    def tokens(self) -> list[np.ndarray]:
        """Each passage's token vectors: a hundred times as much to keep, so only once somebody wants to rerank."""
        return self._tokens(self.texts)

    def search(self, question: str, mode: str, clock: Clock) -> list[Hit]:
        """The best passages of a mode, the best first; none for the closed book.  Raises WorkbenchError."""
        if mode not in MODES:
            raise WorkbenchError(f"unknown mode {mode!r}", f"known: {', '.join(MODES)}")
        sparse = dense = None
        if mode not in ("closed book", "dense"):
            with clock.stage("sparse search"):
                sparse = self.bm25.scores(question)
        if mode not in ("closed book", "sparse"):
            with clock.stage("encode the question"):
                vector = _one(self.encode, question)
            with clock.stage("dense search"):
                dense = self.vectors @ vector
        with clock.stage("rank"):
            order, late = _order(sparse, dense), None
        if mode == "reranked":
            passages = self.tokens  # the first time they are read from disk, or encoded: no part of a question's time
            with clock.stage("rerank"):
                asked = _one(self._tokens, question)
                late = {number: maxsim(asked, passages[number]) for number in order[:CANDIDATES]}
                order = sorted(late, key=late.get, reverse=True)  # of equals, the first stays first
        return [self._hit(number, sparse, dense, late) for number in order[:SHOWN]]

    def _hit(self, number: int, *found) -> Hit:
        document = self.documents[number]
        scores = (None if those is None else float(those[number]) for those in found)
        return Hit(self.ids[number], document.title, document.text, *scores)


def maxsim(question: np.ndarray, passage: np.ndarray) -> float:
    """Mean over the question's tokens of the best cosine among the passage's (Khattab and Zaharia 2020; chapter 43).

    question, passage: (tokens, d) unit vectors, of which the first and the last are the model's own marks.
    """
    similar = question[1:-1].astype(np.float32) @ passage[1:-1].astype(np.float32).T
    return float(similar.max(axis=1, initial=-1.0).mean()) if len(similar) else -1.0


def _one(encode: Callable, question: str) -> np.ndarray:
    """The vector, or the token vectors, of a question; questions are not kept on disk."""
    kept = {"remember": False} if encode in (embed, embed_tokens) else {}
    return encode([question], **kept)[0]


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
