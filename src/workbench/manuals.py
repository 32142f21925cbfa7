"""The manuals of six embedded-engineering tools as sections and passages with stable names: part 4's corpus.

Their texts are read from the source distributions that `workbench fetch` keeps; none is committed.
"""

import hashlib
import re
import tarfile
from dataclasses import dataclass
from functools import lru_cache

from workbench.data import DATA, data_path
from workbench.markup import sections as read_sections

PASSAGE_WORDS = 120  # a passage ends before the block that would make it longer


@dataclass(frozen=True)
class Manual:
    """Where the documentation lies in one package.  skip: pages about the project itself, as a pattern."""

    name: str
    folder: str
    skip: str = "nothing"

    @property
    def entry(self):
        return DATA[f"manual_{self.name.replace('-', '_')}"]


MANUALS = (
    Manual("pyocd", "docs", r"README"),
    Manual("python-can", "doc", r"development|history|api$"),
    Manual("pyserial", "documentation"),
    Manual("canopen", "doc"),
    Manual("minimalmodbus", "docs", r"develop|history|authors|contributing|internal|api|readme"),
    Manual("pyusb", "docs", r"internal"),
)


@dataclass(frozen=True)
class Section:
    """The text under one heading, without its subsections'.

    id: "pyocd/faq#how-do-i"; document: the part before the "#"; path: the headings above and its own.
    """

    id: str
    document: str
    path: tuple[str, ...]
    text: str
    blocks: tuple[tuple[int, int], ...]  # (start, end) of each paragraph, table row or code block in `text`

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def licence(self) -> str:
        return manual_of(self.id).entry.licence

    @property
    def version(self) -> str:
        return manual_of(self.id).entry.sources[0].version


@dataclass(frozen=True)
class Passage:
    """A stretch of one section that a retriever returns.  text == section.text[start:end]; id: "<section>/<number>"."""

    id: str
    section: str
    title: str
    text: str
    start: int
    end: int


def manual_of(identifier: str) -> Manual:
    """The manual that a document, section or passage belongs to."""
    return next(manual for manual in MANUALS if manual.name == identifier.split("/")[0])


@lru_cache(maxsize=1)
def sections() -> tuple[Section, ...]:
    """Every section of every manual, in reading order.  Raises WorkbenchError when one is not fetched or altered."""
    return tuple(section for manual in MANUALS for section in _read(manual))


@lru_cache(maxsize=1)
def by_id() -> dict[str, Section]:
    """The sections by id."""
    return {section.id: section for section in sections()}


@lru_cache(maxsize=4)
def passages(words: int = PASSAGE_WORDS) -> tuple[Passage, ...]:
    """Every section cut at its blocks into passages of at most `words` words, where the blocks allow it."""
    return tuple(passage for section in sections() for passage in _cut(section, words))


def _read(manual: Manual):
    with tarfile.open(data_path(manual.entry.name)) as archive:
        for page, kind, member in sorted(_pages(manual, archive.getmembers()), key=lambda found: found[0]):
            text = archive.extractfile(member).read().decode("utf-8")
            yield from _named(f"{manual.name}/{page}", read_sections(text, kind))


def _pages(manual: Manual, members):
    """(page without folder and ending, "rst" or "md", archive member) of each page that is documentation."""
    for member in members:
        found = re.fullmatch(rf"[^/]+/{manual.folder}/(.+)\.(rst|md)", member.name)
        if found and not re.match(manual.skip, found[1]):
            yield found[1], found[2], member


def _named(document: str, found):
    """Give the sections of one document their ids: the heading's slug, numbered from the second of a name on."""
    seen: dict[str, int] = {}
    for section in found:
        slug = slugify(section.headings[-1]) if section.headings else "top"
        seen[slug] = seen.get(slug, 0) + 1
        name = slug if seen[slug] == 1 else f"{slug}-{seen[slug]}"
        text, spans = _joined(section.blocks)
        yield Section(f"{document}#{name}", document, section.headings, text, spans)


def slugify(heading: str) -> str:
    """ "The `halt` command" → "the-halt-command"; a signature keeps its name only: "read(size=1)" → "read"."""
    name = re.match(r"([\w.]+)\(", heading)
    slug = re.sub(r"[^a-z0-9_.]+", "-", (name[1] if name else heading).lower()).strip("-.")
    return slug[:60].strip("-.") or "section"


def _joined(blocks: list[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Blocks as one text, a blank line between them, and where each begins and ends."""
    spans, at = [], 0
    for block in blocks:
        spans.append((at, at + len(block)))
        at += len(block) + 2
    return "\n\n".join(blocks), tuple(spans)


def _cut(section: Section, words: int):
    start, end, size, number = 0, 0, 0, 1
    for first, last in section.blocks:
        length = len(section.text[first:last].split())
        if size and size + length > words:
            yield _passage(section, number, start, end)
            start, size, number = first, 0, number + 1
        end, size = last, size + length
    yield _passage(section, number, start, end)


def _passage(section: Section, number: int, start: int, end: int) -> Passage:
    title = f"{manual_of(section.id).name}: {' › '.join(section.path)}"
    return Passage(f"{section.id}/{number}", section.id, title, section.text[start:end], start, end)
