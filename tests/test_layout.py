"""Where things are, who works there, and which chapter is meant."""

import os
import subprocess
import sys

import pytest

from workbench.errors import UnknownNameError, WorkbenchError
from workbench.layout import Layout, slug


@pytest.fixture
def book(tiny_book) -> Layout:
    return tiny_book.layout


@pytest.mark.parametrize(
    "name",
    ["01", "01_wait", "wait", "notebooks/01_wait.ipynb", "01_wait.ipynb", "notebooks/wait/"],
)
def test_a_chapter_answers_to_number_stem_slug_and_path(book, name):
    assert book.chapter(name) == book.notebooks / "01_wait.ipynb"


@pytest.mark.parametrize("name", ["1", "99", "", "01_wai", "Wait"])
def test_another_name_is_refused_with_the_closest(book, name):
    with pytest.raises(UnknownNameError, match=f"unknown chapter '{name}' — known: .*0"):
        book.chapter(name)


def test_chapters_come_in_the_order_of_the_contents(book):
    toc = book.root / "_toc.yml"
    swapped = toc.read_text().replace("00_add", "xx").replace("01_wait", "00_add").replace("xx", "01_wait")
    toc.write_text(swapped)
    assert [path.stem for path in book.chapters()] == ["01_wait", "00_add"]
    assert book.pages() == ["book/index", "notebooks/01_wait", "notebooks/00_add"]


def test_sections_below_a_chapter_are_pages_too(book):
    (book.root / "_toc.yml").write_text("root: a\nchapters:\n- file: b\n  sections:\n  - file: notebooks/02_c\n")
    assert book.pages() == ["a", "b", "notebooks/02_c"]


@pytest.mark.parametrize("text", ["a: [", "root: \t x\n\t- y", "{"])
def test_a_broken_table_of_contents_names_its_cure(book, text):
    (book.root / "_toc.yml").write_text(text)
    with pytest.raises(WorkbenchError, match=r"_toc.yml cannot be read") as refused:
        book.chapters()
    assert refused.value.cure == "restore it with git checkout _toc.yml"
    assert "\n" not in str(refused.value)


def test_a_missing_table_of_contents_names_its_cure(book):
    (book.root / "_toc.yml").unlink()
    with pytest.raises(WorkbenchError, match=r"_toc.yml cannot be read.*git checkout"):
        book.chapter("01")


def test_an_empty_table_of_contents_has_no_chapters(book):
    (book.root / "_toc.yml").write_text("")
    assert book.chapters() == []
    with pytest.raises(UnknownNameError, match="known: none"):
        book.chapter("01")


def test_the_book_is_found_from_any_folder_within(book):
    inner = book.root / "a" / "b"
    inner.mkdir(parents=True)
    assert Layout.find(inner).root == book.root.resolve()


def test_elsewhere_it_is_the_book_of_the_package(tmp_path, layout):
    assert Layout.find(tmp_path).root == layout.root


def test_a_second_run_is_refused_with_the_first_ones_process(book):
    with book.lock():
        with pytest.raises(WorkbenchError, match=rf"at work here \(pid {os.getpid()}\)"), book.lock():
            pytest.fail("two at once")
        assert (book.build / "lock.pid").read_text() == str(os.getpid())  # the refused one left the note
    assert not (book.build / "lock.pid").exists()


def test_another_process_is_refused_too(book):
    code = (
        "import sys; from pathlib import Path; from workbench.layout import Layout\n"
        "try:\n    Layout(Path(sys.argv[1])).lock().__enter__()\nexcept Exception as e: print(e)"
    )
    with book.lock():
        asked = subprocess.run([sys.executable, "-c", code, book.root], capture_output=True, text=True, check=True)
    assert f"(pid {os.getpid()})" in asked.stdout


def test_the_lock_is_free_again_after_a_run_even_one_that_failed(book):
    with pytest.raises(KeyError), book.lock():
        raise KeyError
    with book.lock():
        assert (book.build / "lock.pid").read_text() == str(os.getpid())


def test_an_error_within_the_lock_is_not_taken_for_a_second_run(book):
    with pytest.raises(ZeroDivisionError), book.lock():
        raise ZeroDivisionError


@pytest.mark.parametrize(("stem", "name"), [("22_quantize_it", "quantize_it"), ("index", "index")])
def test_a_slug_is_the_stem_without_its_number(stem, name):
    assert slug(stem) == name
