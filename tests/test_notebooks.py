"""nbval over every chapter: what the site shows is what was committed."""

from pathlib import Path

import pytest

from workbench.layout import Layout
from workbench.proof.verify import verify

BOOK = Layout(Path(__file__).resolve().parents[1])


@pytest.mark.parametrize("path", BOOK.chapters(), ids=lambda p: p.stem)
def test_published_outputs_still_come_out(path):
    report = verify(BOOK, [path.stem])
    assert report.passed, report.verdict()


def test_nearly_every_output_of_the_book_is_really_compared():
    report = verify(BOOK)
    assert report.share >= 0.9, report.verdict()
