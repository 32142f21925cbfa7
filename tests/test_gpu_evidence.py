"""What a chapter about cards says before a card has run it, and after."""

from types import SimpleNamespace

import pytest
from docutils.core import publish_doctree
from docutils.parsers.rst import directives

from workbench.site.evidence import GpuEvidence, card_summary

TEXT = "Before\n\n.. gpu-evidence::\n\n   **No GPU evidence yet.** Nothing ran.\n"


def row(chapter="29_fill_a_gpu", profile="gpu", held=True, machine="card-a"):
    return {"chapter": chapter, "profile": profile, "held": held, "machine": machine}


def page(rows: list[dict], docname: str = "notebooks/29_fill_a_gpu") -> str:
    directives.register_directive("gpu-evidence", GpuEvidence)
    env = SimpleNamespace(docname=docname, workbench_data={"claims": rows})
    return publish_doctree(TEXT, settings_overrides={"env": env, "report_level": 5}).astext()


def test_without_a_card_the_page_says_so_in_the_chapters_own_words():
    assert "No GPU evidence yet. Nothing ran." in page([])


@pytest.mark.parametrize("other", [row(profile="cpu"), row(chapter="20_find_the_bottleneck")])
def test_another_profile_or_another_chapter_is_no_evidence(other):
    assert "No GPU evidence yet" in page([other])
    assert card_summary([other], "29_fill_a_gpu") == ""


def test_with_a_card_the_words_give_way_to_what_it_said():
    rows = [row(), row(held=False, machine="card-b"), row(held=None), row(profile="cpu")]
    text = page(rows)
    assert "No GPU evidence yet" not in text
    assert "3 claims on 2 machines: 1 held, 1 did not hold, 1 not claimed on their machine" in text
