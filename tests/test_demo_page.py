"""The demo page in a real browser: every mode, streaming, sources, and input that cannot be asked."""

import json
import subprocess
import time
import urllib.request

import browser
import pytest
from playwright.sync_api import expect, sync_playwright

from workbench.demo import start
from workbench.demo.pipeline import LONGEST, MODES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE_MS = 90_000  # a model starts and answers on a busy machine
TEXTS = {
    "halt": "The halt command stops the core. <img src=x onerror=alert(1)>",
    "reset": "Hold the reset line low to restart the target.",
    "baud": "A serial port is opened with a baud rate of 9600 by default.",
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collection")
    (folder / "qrels").mkdir()
    rows = [{"_id": name, "title": name, "text": text} for name, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "How do I halt the core?"}) + "\n")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\thalt\t1\n")
    return folder


@pytest.fixture(scope="module")
def address(collection):
    port = start.free_port()
    with subprocess.Popen(start.command(port, collection), stdout=subprocess.DEVNULL) as page:
        try:
            url = f"http://{start.HOST}:{port}"
            wait_for(url, page)
            yield url
        finally:
            page.terminate()


def wait_for(url: str, page: subprocess.Popen, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and page.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the page did not start")


@pytest.fixture(scope="module")
def tab(address):
    with sync_playwright() as playwright:
        chromium = browser.launch(playwright)
        if chromium is None:
            pytest.fail(browser.CURE)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("dialog", lambda dialog: page.asked.append(f"dialog: {dialog.message}"))
        page.goto(address)
        expect(page.get_by_role("heading", name="Ask the manuals")).to_be_visible(timeout=PATIENCE_MS)
        yield page
        chromium.close()


def ask(tab, question: str, mode: str = "sparse") -> None:
    """On an empty page: what a test finds there is the answer to its own question."""
    tab.reload()
    expect(tab.get_by_role("heading", name="Ask the manuals")).to_be_visible(timeout=PATIENCE_MS)
    tab.get_by_role("radiogroup").get_by_text(mode, exact=True).click()
    box = tab.get_by_role("textbox")
    box.fill(question)
    box.press("Tab")
    tab.get_by_role("button", name="Ask", exact=True).click()


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_answers_and_says_what_it_cost(tab, mode):
    ask(tab, f"How do I halt the core, {mode}?", mode)
    bar = tab.get_by_role("img", name=f"Time per stage, {mode}:")
    expect(bar).to_be_visible(timeout=PATIENCE_MS)
    stages = bar.get_attribute("aria-label")
    assert ("sparse search" in stages, "dense search" in stages, "rerank" in stages) == (
        mode in ("sparse", "hybrid", "reranked"),
        mode in ("dense", "hybrid", "reranked"),
        mode == "reranked",
    )
    expect(tab.locator("section.source")).to_have_count(
        {"closed book": 0, "sparse": 1}.get(mode, len(TEXTS)), timeout=PATIENCE_MS
    )


def test_scores_of_both_retrievers_stand_side_by_side(tab):
    ask(tab, "Which command stops the core?", "hybrid")
    first = tab.locator("table.scores tbody tr").first
    expect(first).to_contain_text("halt", timeout=PATIENCE_MS)
    assert first.inner_text().count("–") == 1  # nobody reranked


def test_reranked_passages_stand_in_the_order_of_their_own_score(tab):
    ask(tab, "How do I open a port?", "reranked")
    rows = tab.locator("table.scores tbody tr")
    expect(rows).to_have_count(len(TEXTS), timeout=PATIENCE_MS)
    late = [float(row.locator("td").last.inner_text()) for row in rows.all()]
    assert late == sorted(late, reverse=True)
    expect(rows.first).to_contain_text("baud")
    expect(tab.get_by_role("columnheader", name="MaxSim")).to_be_visible()


@pytest.mark.parametrize(
    ("question", "words"),
    [("", "no question yet"), ("?!", "no word"), ("why " * LONGEST, f"at most {LONGEST}")],
    ids=["empty", "no word", "oversized"],
)
def test_what_cannot_be_asked_gets_one_clear_message(tab, question, words):
    ask(tab, question)
    expect(tab.get_by_role("alert").filter(has_text=words)).to_be_visible(timeout=PATIENCE_MS)
    expect(tab.get_by_role("heading", name="Answer")).to_have_count(0, timeout=PATIENCE_MS)


def test_hostile_words_and_passages_are_shown_and_not_run(tab):
    ask(tab, "<script>alert(1)</script> ![x](http://example.com/x.png) halt", "sparse")
    expect(tab.locator("section.source").first).to_contain_text("<img src=x onerror=alert(1)>", timeout=PATIENCE_MS)
    assert not [seen for seen in tab.asked if seen.startswith("dialog")]


def test_nothing_was_asked_of_another_host(tab, address):
    allowed = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in tab.asked if not url.startswith(allowed)] == []
