"""reStructuredText and Markdown → sections of plain text: headings become paths, code and tables keep their lines.

Both are read by libraries that are kept for it (docutils, markdown-it) into HTML, and one walk over the HTML makes
the sections.  What only Sphinx knows is reduced to what a reader sees: a described class or method becomes a section
under its signature, a cross-reference its text; what Sphinx would fetch from elsewhere (docstrings, files) is left out.
"""

import re
from dataclasses import dataclass, field

CODE_ROLES = (
    *("attr", "class", "command", "const", "data", "envvar", "exc", "file", "func", "kbd", "meth", "mod", "obj"),
    *("option", "program"),
)
TEXT_ROLES = ("abbr", "any", "doc", "issue", "ref", "term")
OBJECTS = ("attribute", "class", "data", "describe", "exception", "function", "method", "property")
NOTHING = (
    *("autoattribute", "autodata", "autofunction", "automethod", "automodule", "command-output", "currentmodule"),
    *("index", "literalinclude", "module", "py:module", "tabularcolumns", "testsetup", "toctree"),
)
VERSIONS = {"versionadded": "New in version", "versionchanged": "Changed in version", "deprecated": "Deprecated since"}
PARAGRAPHS = {"p", "summary", "figcaption"}
HEADINGS = {f"h{level}": level for level in range(1, 7)}


@dataclass
class Section:
    """One heading's own text.  headings: from the document's title down to this one; blocks: paragraphs, rows, code."""

    headings: tuple[str, ...]
    levels: tuple[int, ...] = ()  # of the headings; a document may skip some
    blocks: list[str] = field(default_factory=list)


def sections(text: str, kind: str) -> list[Section]:
    """The sections with text of one document, in reading order.  kind: "rst" or "md"."""
    from lxml import html

    page = from_rst(text) if kind == "rst" else from_markdown(text)
    found = [Section(())]
    _walk(html.document_fromstring(f"<html><body>{page}</body></html>").find("body"), found, found[0])
    return [section for section in found if any(section.blocks)]


def from_markdown(text: str) -> str:
    """HTML of CommonMark with tables; the title of a front matter becomes its first heading."""
    from markdown_it import MarkdownIt

    front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    title = re.search(r"^title: *(.+)$", front[1], re.MULTILINE) if front else None
    body = re.sub(r"\{% link (\S+) %\}", r"\1", text[front.end() :] if front else text)
    return MarkdownIt("commonmark").enable("table").render(f"# {title[1]}\n\n{body}" if title else body)


def from_rst(text: str) -> str:
    """HTML of reStructuredText, Sphinx's directives and roles reduced to what a reader sees."""
    from docutils.core import publish_parts

    _teach_docutils()
    quiet = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    plain = {"doctitle_xform": False, "syntax_highlight": "none", "smart_quotes": False, "embed_stylesheet": False}
    return publish_parts(text, writer_name="html5", settings_overrides={**quiet, **plain})["body"]


def _walk(element, found: list[Section], here: Section) -> Section:
    """Add the element's blocks to `here`, or to the sections that its headings open.  Returns the section in force."""
    for child in element:
        tag = child.tag if isinstance(child.tag, str) and child.get("class") != "label" else ""
        if tag in HEADINGS:
            above = sum(level < HEADINGS[tag] for level in here.levels)
            here = Section((*here.headings[:above], _line(child)), (*here.levels[:above], HEADINGS[tag]))
            found.append(here)
        elif tag == "section":
            _walk(child, found, here)
        elif tag in ("pre", "table", "li", "dl", *PARAGRAPHS):
            here.blocks += BLOCKS.get(tag, _paragraph)(child)
        elif tag not in ("aside", "style", "script", ""):
            if child.text and child.text.strip() and not len(child):
                here.blocks += _paragraph(child)
            here = _walk(child, found, here)
        elif tag == "aside" and "system-message" not in child.get("class", ""):
            here = _walk(child, found, here)
    return here


def _line(element) -> str:
    return " ".join(element.text_content().split())


def _paragraph(element) -> list[str]:
    return [line] if (line := _line(element)) else []


def _code(element) -> list[str]:
    code = element.text_content().strip("\n").rstrip()
    return [f"```\n{code}\n```"] if code else []


def _rows(element) -> list[str]:
    rows = (" | ".join(_line(cell) for cell in row.iter("td", "th")) for row in element.iter("tr"))
    return [row for row in rows if row.strip(" |")]


def _item(element) -> list[str]:
    return [f"- {block}" if number == 0 else block for number, block in enumerate(_inside(element))]


def _definitions(element) -> list[str]:
    """Each term with the first paragraph of what is said of it: "port: Device name or None." """
    blocks, term = [], ""
    for child in element:
        if child.tag == "dt":
            term = f"{term}, {_line(child)}" if term else _line(child)
        elif child.tag == "dd":
            first, *rest = _inside(child) or [""]
            colon = "" if term.endswith(":") else ":"
            blocks += [f"{term}{colon} {first}".strip(), *rest] if not first.startswith("```") else [term, first, *rest]
            term = ""
        else:
            blocks += _definitions(child)
    return blocks


def _inside(element) -> list[str]:
    """The blocks of a list item or a definition, whose text may stand there without a paragraph around it."""
    whole = Section(())
    loose, blocky = [element.text or ""], {"pre", "table", "ul", "ol", "dl", "div", "aside", "blockquote", *PARAGRAPHS}
    for child in element:
        if child.tag in blocky:
            break
        loose += [child.text_content() if isinstance(child.tag, str) else "", child.tail or ""]
    text = " ".join("".join(loose).split())
    blocks = [child for child in element if child.tag in blocky]
    wrapper = element.makeelement("div", {})
    wrapper.extend(blocks)
    _walk(wrapper, [], whole)
    return [text, *whole.blocks] if text else whole.blocks


BLOCKS = {"pre": _code, "table": _rows, "li": _item, "dl": _definitions}


def _teach_docutils() -> None:
    """Register reduced forms of Sphinx's directives and roles with docutils."""
    from docutils.parsers.rst import directives, roles

    from workbench import markup_sphinx as reduced

    for name in CODE_ROLES + TEXT_ROLES:
        role = reduced.code_role if name in CODE_ROLES else reduced.text_role
        roles.register_local_role(name, role)
        roles.register_local_role(f"py:{name}", role)
    for name in OBJECTS:
        for spelled in (name, f"py:{name}"):
            directives.register_directive(spelled, reduced.Described)
    for name in ("autoclass", "autoexception"):
        directives.register_directive(name, reduced.Described)
    for name in NOTHING:
        directives.register_directive(name, reduced.Nothing)
    for name, words in VERSIONS.items():
        directives.register_directive(name, type("Since", (reduced.Since,), {"words": words}))
    for name in ("code-block", "code", "sourcecode", "doctest"):
        directives.register_directive(name, reduced.Code)
    for name in ("seealso", "todo", "tab"):
        directives.register_directive(name, reduced.Aside)
