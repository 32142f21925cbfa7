"""The page itself: Streamlit runs this file from top to bottom at every question.  Everything it does is elsewhere."""

import sys

import streamlit as st

from workbench.beir import load_beir
from workbench.demo import parts
from workbench.demo.answering import endpoint, stream
from workbench.demo.pipeline import LONGEST, MODES, Clock, Library, clean, messages
from workbench.embedded_qa import beir_folder
from workbench.errors import WorkbenchError
from workbench.serving import serve_llm


@st.cache_resource(show_spinner="Reading the collection (the first time, its passages are encoded: a minute) …")
def library(folder: str) -> Library:
    return Library(load_beir(folder or beir_folder("test")).corpus)


@st.cache_resource(show_spinner="Starting the language model …")
def model():
    """The server that answers; it ends with this process."""
    return serve_llm("smollm2", threads=2, context=4096)


def reach() -> tuple[str, str, str]:
    """(url, model, key) of whoever answers."""
    return endpoint() or (f"{model().url}/v1", model().model, "none")


def answer(question: str, mode: str, books: Library) -> None:
    """Search, answer while the reader watches, then show the sources with what was used of them."""
    clock, text, where = Clock(), "", reach()
    if mode == "reranked":
        with st.spinner("Reading the passages token by token (a new collection is encoded once: a minute) …"):
            _ = books.tokens
    hits = books.search(question, mode, clock)
    st.subheader("Answer")
    place = st.empty()
    with clock.stage("answer"):
        for piece in stream(messages(question, hits), *where):
            text += piece
            place.text(text)  # plain text: what a model writes is not trusted to be harmless Markdown
    if not text.strip():
        place.text("(The model gave no answer.)")
    st.html(parts.latency_bar(clock.seconds, mode))
    if hits:
        st.subheader("Sources")
        st.html("".join(parts.source(rank, hit, text) for rank, hit in enumerate(hits, 1)))
        st.subheader("What each retriever thought")
        st.html(parts.scores(hits))
    elif mode != "closed book":
        st.info("No passage shares a word with this question: the model answered without sources.")


def show(folder: str) -> None:
    st.set_page_config(page_title="Ask the manuals", layout="centered")
    st.title("Ask the manuals")
    st.caption("A small local model and the passages it was given. It is often wrong: read the sources.")
    mode = st.radio("Retrieval", MODES, index=MODES.index("hybrid"), horizontal=True)
    with st.form("ask"):
        asked = st.text_area("Your question", height=80, placeholder=f"At most {LONGEST} characters")
        sent = st.form_submit_button("Ask")
    if not sent:
        return
    try:
        answer(clean(asked), mode, library(folder))
    except WorkbenchError as problem:
        st.error(f"{problem.message[0].upper()}{problem.message[1:]}. {problem.cure[:1].upper()}{problem.cure[1:]}.")


show(sys.argv[1] if len(sys.argv) > 1 else "")
