"""The corpus of part 4: every text under the right heading, the same names and hashes on every machine."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import manuals
from workbench.markup import sections

RST = """
Title
=====

Intro with :meth:`~a.b.read` and :ref:`the guide <guide>`.

.. class:: Port

    .. method:: read(size=1)

        Read ``size`` bytes.

        .. versionchanged:: 2.5 returns bytes
        .. note:: Mind the *timeout*.

    After the method.

Sub
---

.. code-block:: python
    :emphasize-lines: 2

    a = 1

    b = 2

.. literalinclude:: /etc/passwd
.. raw:: html

    <b>never</b>

:param port: its name
- one

  more
- two

== ====
k  v
== ====
1  2
== ====
"""


def blocks(text, kind):
    return {" › ".join(section.headings): section.blocks for section in sections(text, kind)}


def test_rst_becomes_sections_with_described_objects_in_their_place():
    found = blocks(RST, "rst")
    assert found["Title"] == ["Intro with read and the guide."]
    method = ["Read size bytes.", "Changed in version 2.5: returns bytes", "Note", "Mind the timeout."]
    assert found["Title › Port › read(size=1)"] == method
    assert found["Title › Port"] == ["After the method."]


def test_code_keeps_its_lines_and_tables_their_rows():
    found = blocks(RST, "rst")["Title › Sub"]
    assert found[0] == "```\na = 1\n\nb = 2\n```"
    assert "param port: its name" in " ".join(found)
    assert found[-2:] == ["k | v", "1 | 2"]


def test_nothing_outside_the_document_is_read():
    assert "root:" not in str(blocks(RST, "rst"))
    assert "never" not in str(blocks(RST, "rst"))


def test_markdown_takes_its_title_from_the_front_matter_and_skipped_levels_make_siblings():
    text = "---\ntitle: Top\n---\nA [link]({% link x.md %}).\n\n### b\n\nB\n\n### c\n\nC\n\n```\nx\n  y\n```\n"
    found = blocks(text + "\n<table><tr><td>o</td><td>`p`</td></tr></table>\n", "md")
    assert found["Top"] == ["A link."]
    assert found["Top › b"] == ["B"]
    assert found["Top › c"] == ["C", "```\nx\n  y\n```", "o | `p`"]


@pytest.mark.parametrize("kind", ["rst", "md"])
@pytest.mark.parametrize("text", ["", "\n", "just words", "*" * 50, "=====\n", "# #", ".. foo::\n   :bar: 1\n", "\x00"])
def test_odd_documents_are_read_without_a_crash(text, kind):
    assert all(section.blocks for section in sections(text.replace("\x00", ""), kind))


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("read(size=1)", "read"),
        ("The `halt` command!", "the-halt-command"),
        ("rfc2217://", "rfc2217"),
        ("— … —", "section"),
    ],
)
def test_a_slug_is_what_a_reader_would_type(heading, slug):
    assert manuals.slugify(heading) == slug


@given(st.text(max_size=200))
def test_a_slug_fits_into_an_id(heading):
    slug = manuals.slugify(heading)
    assert slug
    assert not set(slug) & set("#/ \t\n")


def test_the_corpus_is_the_same_on_every_machine():
    found = manuals.sections()
    assert (len(found), len({section.id for section in found})) == (813, 813)
    digest = hashlib.sha256("".join(f"{section.id} {section.sha256}\n" for section in found).encode()).hexdigest()
    assert digest.startswith("0f2ab5b887f4dc0c")


def test_every_passage_is_a_stretch_of_its_section_and_together_they_lose_no_block():
    by_id = manuals.by_id()
    found = manuals.passages()
    assert len({passage.id for passage in found}) == len(found)
    for passage in found:
        assert by_id[passage.section].text[passage.start : passage.end] == passage.text
        assert passage.text.strip()
    for section in manuals.sections():
        pieces = [passage for passage in found if passage.section == section.id]
        assert "\n\n".join(piece.text for piece in pieces) == section.text


@given(st.integers(min_value=1, max_value=400))
def test_passages_respect_their_limit_where_blocks_allow_it(words):
    section = manuals.by_id()["pyocd/options#general-options"]
    for passage in manuals._cut(section, words):
        several = sum(passage.start <= start < passage.end for start, _ in section.blocks) > 1
        assert not several or len(passage.text.split()) <= words


def test_each_document_has_its_licence_and_version():
    assert {section.licence for section in manuals.sections()} == {"Apache-2.0", "LGPL-3.0-only", "BSD-3-Clause", "MIT"}
    assert manuals.by_id()["canopen/emcy#examples"].version == "2.4.1"
