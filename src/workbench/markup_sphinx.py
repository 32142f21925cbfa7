"""Sphinx's directives and roles, reduced to what a reader of the text sees."""

import re

from docutils import nodes
from docutils.parsers.rst import Directive


class _AnyOptions(dict):
    """Accepts every option of a directive and looks at none."""

    def __missing__(self, name):
        return str


class Reduced(Directive):
    """A directive with any arguments, any options and any content."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOptions(any=str)

    def body(self, parent: nodes.Element) -> nodes.Element:
        self.state.nested_parse(self.content, self.content_offset, parent)
        return parent


class Described(Reduced):
    """`.. method:: read(size=1)`: a section under its signature, with the text below it."""

    def run(self):
        signature = " ".join(" ".join(self.arguments).split()).replace("\\", "")
        section = nodes.section(ids=[nodes.make_id(signature) or "described"], names=[])
        section += nodes.title(signature, signature)
        return [self.body(section)]


class Code(Reduced):
    def run(self):
        text = "\n".join(self.content)
        return [nodes.literal_block(text, text)]


class Since(Reduced):
    """`.. versionadded:: 3.3 …`"""

    words = "Since"

    def run(self):
        version, _, rest = " ".join(" ".join(self.arguments).split()).partition(" ")
        text, _ = self.state.inline_text(rest, self.lineno)
        paragraph = nodes.paragraph("", f"{self.words} {version}{': ' if rest else '.'}", *text)
        return [paragraph, *self.body(nodes.container()).children]


class Aside(Reduced):
    def run(self):
        title = " ".join(self.arguments)
        container = nodes.container()
        if title:
            container += nodes.paragraph(title, title)
        return [self.body(container)]


class Nothing(Reduced):
    """What Sphinx would fetch from elsewhere."""

    def run(self):
        return []


def _shown(text: str) -> str:
    """`title <target>` → title; `~can.bus.Bus` → Bus."""
    text = nodes.unescape(text)
    titled = re.match(r"(.+?)\s*<.*>$", text, re.DOTALL)
    if titled:
        return titled[1]
    return text.rsplit(".", 1)[-1] if text.startswith("~") else text.lstrip("!")


def code_role(name, rawtext, text, lineno, inliner, options=None, content=()):
    return [nodes.literal(rawtext, _shown(text))], []


def text_role(name, rawtext, text, lineno, inliner, options=None, content=()):
    return [nodes.inline(rawtext, _shown(text))], []
