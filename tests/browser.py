"""Questions about a site that only a browser can answer.  Each function returns the problems it found.

`workbench.press.audit` asks the questions that the files alone can answer.
"""

import gzip
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

WEIGHT_LIMIT = 1_500_000  # bytes that a page may transfer
CURE = "no Chromium found: `apt-get install chromium` or `playwright install chromium` (or set WORKBENCH_CHROMIUM)"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMPRESSED = ("text/", "application/javascript", "application/json", "application/xml", "image/svg+xml")


def find_chromium(playwright: Playwright) -> str | None:
    """The browser to use: WORKBENCH_CHROMIUM, an installed one, else Playwright's own; None when there is none."""
    named = os.environ.get("WORKBENCH_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).is_file() else None)


def launch(playwright: Playwright) -> Browser | None:
    executable = find_chromium(playwright)
    return playwright.chromium.launch(executable_path=executable, args=FLAGS) if executable else None


class _Handler(BaseHTTPRequestHandler):
    """Serves a folder under a base path, compressed as a static host does, with its 404 page."""

    site: Path
    base: str
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        file = self.site / path.removeprefix(self.base) if path.startswith(self.base) else None
        file = file / "index.html" if file and file.is_dir() else file
        if file and file.is_file():
            self.answer(200, file)
        else:
            self.answer(404, self.site / "404.html")

    def answer(self, status: int, file: Path | None) -> None:
        body = file.read_bytes() if file and file.is_file() else b""
        kind = (guess_type(file.name)[0] or "application/octet-stream") if file else "text/plain"
        kind = "text/javascript" if file and file.suffix in (".js", ".mjs") else kind
        self.send_response(status)
        if kind.startswith(COMPRESSED):
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A browser that closes its tab hangs up: not worth a line."""


@contextmanager
def serve(site: Path, base: str) -> Iterator[str]:
    """Serve `site` on this machine under `base`; yields the address of its start folder."""
    handler = type("Handler", (_Handler,), {"site": site, "base": base})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{base}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Visit:
    """What happened while a page was loaded."""

    path: str
    foreign: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    weight: int = 0

    def problems(self) -> list[str]:
        found = [f"asks another host: {url}" for url in self.foreign]
        found += [f"console: {text}" for text in self.console]
        found += [f"did not load: {url}" for url in self.failed]
        if self.weight > WEIGHT_LIMIT:
            found.append(f"weighs {self.weight / 1e6:.2f} MB, more than {WEIGHT_LIMIT / 1e6} MB")
        return [f"{self.path}: {problem}" for problem in found]


@contextmanager
def watch(context: BrowserContext, root: str, path: str) -> Iterator[tuple[Page, Visit]]:
    """A fresh tab at `path` of the site at `root`, and the record of its visit, which grows while the tab is open."""
    visit = Visit(path)
    host = urlsplit(root).netloc
    page = context.new_page()

    def route(route):
        url = route.request.url
        if urlsplit(url).netloc == host or url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            visit.foreign.append(url)
            route.abort()

    def answered(response):
        if response.status >= 400:
            visit.failed.append(f"{response.status} {response.url.removeprefix(root)}")
        visit.weight += int(response.headers.get("content-length", 0))

    page.route("**/*", route)
    page.on("console", lambda message: visit.console.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visit.console.append(str(error)))
    page.on("response", answered)
    try:
        page.goto(root + path, wait_until="networkidle")
        yield page, visit
    finally:
        page.close()


def theme(page: Page, name: str) -> None:
    """Switch the page to "light" or "dark" as its button does."""
    page.evaluate(
        "name => { document.documentElement.dataset.mode = name; document.documentElement.dataset.theme = name }", name
    )


def scroll_through(page: Page) -> None:
    """Reach the end of the page, so that what loads late is loaded and counted."""
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")


OVERFLOW = """() => {
  const wide = [], limit = document.documentElement.clientWidth + 1;
  const scrolls = e => { for (; e && e !== document.body; e = e.parentElement) {
      const s = getComputedStyle(e);
      if (['auto', 'scroll', 'hidden', 'clip'].includes(s.overflowX) || s.position === 'fixed') return true }
    return false };
  const page = document.documentElement.scrollWidth;
  if (page > limit) wide.push(`the page is ${page} px wide`);
  for (const e of document.querySelectorAll('main *')) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > limit && !scrolls(e.parentElement) && getComputedStyle(e).visibility !== 'hidden')
      wide.push(`${e.tagName.toLowerCase()}.${e.className} ends at ${Math.round(box.right)} px`) }
  for (const e of document.querySelectorAll('main pre')) {
    if (e.scrollWidth > e.clientWidth + 1 && !['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
      wide.push(`code is cut off: ${e.textContent.slice(0, 40)}`) }
  return wide.slice(0, 5) }"""


CUT = """() => [...document.querySelectorAll('div.cell_input pre')]
  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim().slice(0, 60))"""


def scrolling_code(page: Page) -> list[str]:
    """Code cells whose lines do not fit into the column at this width."""
    return page.evaluate(CUT)


def overflow(page: Page) -> list[str]:
    """What is wider than the window, and code that is cut off instead of scrolling."""
    width = page.viewport_size["width"]
    return [f"{problem} at {width} px" for problem in page.evaluate(OVERFLOW)]


AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(found => ['serious', 'critical'].includes(found.impact))
  .map(found => `${found.id} (${found.impact}): ${found.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ')}`)"""


def accessibility(page: Page, axe: str) -> list[str]:
    """Serious and critical findings of axe-core (its source text) in the page as it stands."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(axe)
    return page.evaluate(AXE)
