"""The pipeline under the page: questions cleaned, passages found, everything from outside escaped."""

import socket
import sys

import numpy as np
import pytest
from solved import BOOK

from workbench.beir import Document
from workbench.demo import parts, pipeline, start
from workbench.demo.answering import endpoint, stream
from workbench.demo.pipeline import (
    LONGEST,
    MODES,
    READ,
    SHOWN,
    Clock,
    Hit,
    Library,
    clean,
    highlight,
    maxsim,
    messages,
)
from workbench.errors import WorkbenchError
from workbench.runner import notebooks

CORPUS = {
    "reset": Document("pyocd: Reset", "Hold the reset line low to restart the target."),
    "halt": Document("pyocd: Halt", "The halt command stops the core."),
    "baud": Document("pyserial: Open", "A serial port is opened with a baud rate and a timeout."),
    "bus": Document("python-can: Bus", "A CAN bus has a terminating resistor at both ends."),
}


def encode(texts):
    """A vector of how often each of a few words stands in a text."""
    rows = [[text.lower().count(word) + 0.01 for word in ("reset", "halt", "stop", "serial", "bus")] for text in texts]
    return np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)


VOCABULARY = ("reset", "halt", "stop", "core", "serial", "bus", "target")


def tokens(texts):
    """Between two marks a vector for each known word of a text, stops and stop alike."""
    known = [[word for word in VOCABULARY if word in text.lower()] for text in texts]
    return [np.eye(len(VOCABULARY) + 1)[[-1, *map(VOCABULARY.index, words), -1]] for words in known]


@pytest.fixture
def books() -> Library:
    return Library(CORPUS, encode, tokens)


@pytest.mark.parametrize("mode", MODES[1:])
def test_every_mode_finds_the_passage(books, mode):
    assert books.search("How do I halt the core?", mode, Clock())[0].id == "halt"


def test_scores_stand_only_where_a_retriever_was_asked(books):
    sparse, dense, both, again = (books.search("halt", mode, Clock())[0] for mode in MODES[1:])
    assert (sparse.dense, dense.sparse) == (None, None)
    assert (sparse.late, dense.late, both.late) == (None, None, None)
    assert (both.sparse, both.dense) == (pytest.approx(sparse.sparse), pytest.approx(dense.dense))
    assert (again.sparse, again.dense, again.late) == (both.sparse, both.dense, 1.0)


def test_the_closed_book_finds_nothing(books):
    assert books.search("halt", "closed book", Clock()) == []


def test_sparse_search_does_not_return_passages_that_share_no_word(books):
    assert books.search("zebra", "sparse", Clock()) == []
    assert len(books.search("zebra", "hybrid", Clock())) == min(SHOWN, len(CORPUS))


def test_stages_are_timed_in_order(books):
    clock = Clock()
    books.search("halt", "hybrid", clock)
    assert list(clock.seconds) == ["sparse search", "encode the question", "dense search", "rank"]
    assert min(clock.seconds.values()) >= 0
    twice = Clock()
    books.search("halt", "reranked", twice)
    assert list(twice.seconds) == [*clock.seconds, "rerank"]
    assert len({*twice.seconds, "answer"}) <= len(parts.COLOURS)


def test_reranking_sorts_the_candidates_of_the_fusion_by_their_tokens_and_nothing_else(books):
    found = books.search("the target stops", "reranked", Clock())
    assert [hit.late for hit in found] == sorted((hit.late for hit in found), reverse=True)
    assert {hit.id for hit in found} == {hit.id for hit in books.search("the target stops", "hybrid", Clock())}
    assert found[0].late == pytest.approx(0.5)  # one of its two tokens has a twin there


def test_of_candidates_whose_tokens_say_the_same_the_first_stays_first(books):
    before = books.search("zebra", "hybrid", Clock())
    assert [hit.id for hit in books.search("zebra", "reranked", Clock())] == [hit.id for hit in before]


def test_only_the_first_candidates_are_looked_at_again(books, monkeypatch):
    monkeypatch.setattr(pipeline, "CANDIDATES", 2)
    kept = [hit.id for hit in books.search("halt the core", "hybrid", Clock())][:2]
    assert {hit.id for hit in books.search("halt the core", "reranked", Clock())} == set(kept)


def test_token_vectors_are_made_once_and_only_when_somebody_reranks():
    made = []

    def counted(texts):
        made.append(len(texts))
        return tokens(texts)

    books = Library(CORPUS, encode, counted)
    books.search("halt", "hybrid", Clock())
    assert made == []
    for _ in range(2):
        books.search("halt", "reranked", Clock())
    assert made == [len(CORPUS), 1, 1]  # the passages, then each question


def test_maxsim_is_that_of_chapter_43():
    cells = {cell.id: cell.source for cell in notebooks.read(BOOK.notebooks / "43_rerank_results.ipynb").cells}
    chapter = {"np": np}
    exec(cells["maxsim"], chapter)
    rng = np.random.default_rng(0)
    question, passage = (rng.normal(size=(n, 8)).astype(np.float16) for n in (5, 9))
    assert maxsim(question, passage) == pytest.approx(chapter["maxsim"](question[1:-1], passage[1:-1]))
    assert maxsim(question[:2], passage) == maxsim(question, passage[:2]) == -1.0  # nothing between the marks


def test_an_unknown_mode_and_an_empty_collection_are_refused(books):
    with pytest.raises(WorkbenchError, match="unknown mode"):
        books.search("halt", "magic", Clock())
    with pytest.raises(WorkbenchError, match="no documents"):
        Library({}, encode, tokens)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("", "no question yet"),
        (" \n\t ", "no question yet"),
        ("\x00\u202e\u200b", "no question yet"),
        ("?!?", "no word"),
        ("a" * (LONGEST + 1), f"{LONGEST + 1} characters"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told_why(question, words):
    with pytest.raises(WorkbenchError, match=words):
        clean(question)


def test_a_question_keeps_its_words_and_loses_control_signs():
    assert clean("  halt\x00 the\u202e\n core? ") == "halt the core?"
    assert clean("Wie lösche ich −18 °C?") == "Wie lösche ich −18 °C?"


def test_what_is_marked_shares_its_stem_with_the_answer_and_nothing_is_markup():
    shown = highlight("The <b>halt</b> command & stops", "It stopped")
    assert shown == "The &lt;b&gt;halt&lt;/b&gt; command &amp; <mark>stops</mark>"


def test_the_prompt_numbers_the_first_sources_and_cuts_long_ones():
    hits = [Hit(str(n), f"title {n}", "word " * 1000, None, None) for n in range(5)]
    text = messages("why?", hits)[1]["content"]
    assert text.count("[") == READ
    assert "[3] title 2" in text
    assert text.endswith("Question: why?")
    assert len(text.split()) < READ * 200
    assert "sources" not in messages("why?", [])[0]["content"].lower()


def test_parts_escape_what_came_from_outside():
    hit = Hit("<i>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", 1.0, None)
    for made in (parts.source(1, hit, "img"), parts.scores([hit]), parts.latency_bar({"<b>": 1.0})):
        assert not {"<script", "<img", "<i>", "<b>"} & {made[i : i + 7] for i in range(len(made))}
        assert "<img" not in made
        assert "<script" not in made


def test_the_bar_is_as_wide_as_the_shares():
    bar = parts.latency_bar({"search": 1.0, "answer": 3.0})
    assert "width:25.00%" in bar
    assert "width:75.00%" in bar
    assert "search 1.0 s" in bar
    assert "rank 2.5 ms" in parts.latency_bar({"rank": 0.0025})
    assert parts.latency_bar({})


def test_a_model_that_is_not_there_is_one_clear_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(WorkbenchError, match="did not answer"):
        list(stream([{"role": "user", "content": "hi"}], url, "none"))


def test_another_endpoint_comes_from_the_environment_when_all_of_it_is_named(monkeypatch):
    named = {"BASE": "http://127.0.0.1:1/v1", "MODEL": "m", "KEY": "k"}
    for part in named:
        monkeypatch.delenv(f"WORKBENCH_API_{part}", raising=False)
    for part, value in named.items():
        assert endpoint() is None
        monkeypatch.setenv(f"WORKBENCH_API_{part}", value)
    assert endpoint() == ("http://127.0.0.1:1/v1", "m", "k")


def test_the_page_listens_here_only_and_reports_nothing():
    line = " ".join(start.command(8123))
    assert "--server.address=127.0.0.1" in line
    assert "--browser.gatherUsageStats=false" in line
    assert start.command(8123)[0] == sys.executable


def test_a_taken_port_and_a_bad_collection_are_said_before_anything_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WorkbenchError, match="cannot be used"):
            start.run(taken.getsockname()[1])
    with pytest.raises(WorkbenchError):
        start.run(folder=tmp_path)


def test_a_free_port_is_free():
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", start.free_port()))
    assert pipeline.MODES[0] == "closed book"


def test_an_answer_arrives_in_pieces_and_ends_with_its_line():
    """A server that speaks as OpenAI's does: what it sends piece by piece comes out piece by piece."""
    import json
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    asked = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for word in ("Port ", "3333", "."):
                piece = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
                piece["choices"] = [{"index": 0, "delta": {"content": word}, "finish_reason": None}]
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pieces = list(stream(messages("Which port?", []), f"http://127.0.0.1:{server.server_port}/v1", "m"))
        server.shutdown()
    assert pieces == ["Port ", "3333", "."]
    assert asked[0]["stream"] is True
    assert asked[0]["stop"] == ["\n"]
