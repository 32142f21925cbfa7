"""Is a built site whole?  Every check takes a folder and returns the problems it found, so that tests can tamper.

`tests/browser.py` asks the questions that need a browser; these need only the files.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

from workbench.press.owner import Owner

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "shortcut icon", "manifest"}
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
IN_SCRIPT = re.compile(r"""(?:\bfrom|\bimport\(?)\s*["'](https?://[^"']+)""")


@dataclass
class Page:
    """One HTML page: where it is, what it loads, where it links, what can be linked to."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def tree(self):
        from lxml import html

        return html.fromstring(self.text)

    @cached_property
    def ids(self) -> set[str]:
        return set(self.tree.xpath("//@id")) | set(self.tree.xpath("//a/@name"))

    @cached_property
    def links(self) -> list[str]:
        return self.tree.xpath("//a/@href")

    @cached_property
    def loads(self) -> list[str]:
        """Everything that a browser fetches for this page, as written."""
        found = [
            element.get(attribute)
            for tag, attribute in LOADS.items()
            for element in self.tree.iter(tag)
            if element.get(attribute) and (tag != "link" or element.get("rel", "").lower() in LOADING_LINKS)
        ]
        styles = self.tree.xpath("//style/text()") + self.tree.xpath("//@style")
        found += [one or two for text in styles for one, two in CSS_URL.findall(text)]
        return found + [url for text in self.tree.xpath("//script/text()") for url in IN_SCRIPT.findall(text)]


def pages(site: Path) -> dict[str, Page]:
    """Every page of a built site by its path.  Our own vendored files hold none."""
    found = sorted(
        path for path in site.rglob("*.html") if not {"vendor", "_static"} & set(path.relative_to(site).parts)
    )
    return {p.relative_to(site).as_posix(): Page(p.relative_to(site).as_posix(), p.read_text("utf-8")) for p in found}


def check(site: Path, owner: Owner) -> list[str]:
    """All problems of a built site, each on one line; empty when it is whole."""
    known = pages(site)
    needed = [
        name
        for name in ("index.html", "404.html", "search.html", "sitemap.xml", "blog/atom.xml")
        if not (site / name).is_file()
    ]
    return [
        *(f"{name} is missing" for name in needed),
        *foreign(site, known),
        *dead_links(site, known, owner),
        *sitemap(site, owner),
        *feed(site, owner),
    ]


def foreign(site: Path, known: dict[str, Page]) -> Iterator[str]:
    """What a page or a style sheet would load from another host."""
    for page in known.values():
        yield from (f"{page.path} loads {url} from another host" for url in page.loads if _is_foreign(url))
    for sheet in sorted(site.rglob("*.css")):
        for one, two in CSS_URL.findall(sheet.read_text("utf-8", errors="replace")):
            if _is_foreign(one or two):
                yield f"{sheet.relative_to(site).as_posix()} loads {one or two} from another host"


def _is_foreign(url: str) -> bool:
    return bool(urlsplit(url.strip()).netloc)


def dead_links(site: Path, known: dict[str, Page], owner: Owner) -> Iterator[str]:
    """Links and loaded files that are not there, and anchors that no element carries."""
    for page in known.values():
        for url in dict.fromkeys([*page.links, *page.loads]):
            problem = _dead(site, known, page, url, owner)
            if problem:
                yield f"{page.path} {problem}"


def _dead(site: Path, known: dict[str, Page], page: Page, url: str, owner: Owner) -> str | None:
    parts = urlsplit(url.strip())
    if parts.scheme or parts.netloc:
        return None
    path = unquote(urljoin(owner.base_path + page.path, parts.path)) if parts.path else owner.base_path + page.path
    inside = path.removeprefix(owner.base_path)
    inside = posixpath.join(inside, "index.html") if path.endswith("/") else inside
    if not path.startswith(owner.base_path) or not (site / inside).is_file():
        return f"points to {url}, which is not there"
    anchor = unquote(parts.fragment)
    if anchor and inside in known and anchor not in known[inside].ids:
        return f"points to {url}, and {inside} has no #{anchor}"
    return None


def sitemap(site: Path, owner: Owner) -> Iterator[str]:
    """Addresses in the sitemap that are not ours or lead nowhere."""
    if not (site / "sitemap.xml").is_file():
        return
    urls = [found.text or "" for found in ElementTree.parse(site / "sitemap.xml").iter(f"{SITEMAP}loc")]
    if not urls:
        yield "sitemap.xml lists no page"
    for url in urls:
        if not url.startswith(owner.site) or not (site / url.removeprefix(owner.site)).is_file():
            yield f"sitemap.xml lists {url}, which is not a page of this site"


def feed(site: Path, owner: Owner) -> Iterator[str]:
    """What a feed reader would stumble over: no full text, an address without a host, a date of its own."""
    path = site / "blog" / "atom.xml"
    if not path.is_file():
        return
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as problem:
        yield f"blog/atom.xml is not XML: {problem}"
        return
    entries = root.findall(f"{ATOM}entry")
    dates = [entry.findtext(f"{ATOM}updated") for entry in entries]
    if dates and root.findtext(f"{ATOM}updated") != max(dates):
        yield "blog/atom.xml is not dated by its newest post"
    for entry in entries:
        yield from _entry(entry, owner)


def _entry(entry: ElementTree.Element, owner: Owner) -> Iterator[str]:
    title, text = entry.findtext(f"{ATOM}title"), entry.findtext(f"{ATOM}content") or ""
    if len(re.sub(r"<[^>]+>", " ", text).split()) < 50:
        yield f"blog/atom.xml holds less than 50 words of '{title}'"
    if not (entry.findtext(f"{ATOM}id") or "").startswith(owner.site):
        yield f"blog/atom.xml gives '{title}' an address outside {owner.site}"
    relative = [url for url in re.findall(r'\s(?:href|src)="([^"]*)"', text) if not urlsplit(url).scheme]
    if relative:
        yield f"blog/atom.xml: '{title}' points to {relative[0]}, which has no host"
