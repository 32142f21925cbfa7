"""The Atom feed: full text, absolute addresses, dates that come from the posts and not from the clock."""

import re
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

ATOM = "http://www.w3.org/2005/Atom"
ADDRESS = re.compile(r'(?<=\s)(href|src)="([^"]*)"')


def settle(path: Path, base: str) -> None:
    """Rewrite a feed in place: dated by its newest post, every address absolute.  base: the site's address."""
    ElementTree.register_namespace("", ATOM)
    tree = ElementTree.parse(path)
    root = tree.getroot()
    dates = sorted(found.text for found in root.iterfind(f"{{{ATOM}}}entry/{{{ATOM}}}updated"))
    root.find(f"{{{ATOM}}}updated").text = dates[-1] if dates else "1970-01-01T00:00:00+00:00"
    for content in root.iter(f"{{{ATOM}}}content"):
        content.text = absolute(content.text or "", base)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def absolute(text: str, base: str) -> str:
    """Make the links and pictures of an HTML text independent of where it is read."""
    return ADDRESS.sub(lambda found: f'{found[1]}="{urljoin(base, found[2])}"', text)


def build_finished(app, problem):
    feed = Path(app.outdir) / "blog" / "atom.xml"
    if problem is None and feed.is_file():
        settle(feed, app.config.html_baseurl)


def without_archives(app):
    """One page lists the posts; ablog's pages per year, tag and author would each repeat it."""
    from ablog.post import generate_archive_pages

    listeners = app.events.listeners["html-collect-pages"]
    listeners[:] = [known for known in listeners if known.handler is not generate_archive_pages]


def setup(app):
    app.connect("builder-inited", without_archives)
    app.connect("build-finished", build_finished)
