"""Staging, building, refusing, exporting: on a small book made in code."""

import base64
import json
import shutil
from xml.etree import ElementTree

import nbformat
import pytest
import site_tree

from workbench.errors import CheckFailedError, UnknownNameError, WorkbenchError
from workbench.layout import Layout
from workbench.press import assets, audit, exercise_pages, export, owner, pages, publish, slim, stage
from workbench.site import cards, feed
from workbench.site.claims import headline

OWNER = owner.Owner("Me", "https://host.example/me/book", "main", "https://me.example/book/", 2026)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Layout:
    """The small book, built once; tests that change something work on a copy."""
    root = tmp_path_factory.mktemp("book")
    layout = site_tree.small_book(root)
    shutil.copytree(site_tree.REPOSITORY / "_build" / "assets", layout.build / "assets")
    publish.build(layout)
    return layout


@pytest.fixture
def copied(built, tmp_path) -> Layout:
    """A copy of the built book, to be broken."""
    shutil.copytree(built.root, tmp_path / "copy")
    return Layout(tmp_path / "copy")


def files(site) -> dict:
    """Every file of a site with its bytes, without the note about its inputs."""
    return {p.relative_to(site).as_posix(): p.read_bytes() for p in site.rglob("*") if p.is_file() and p.name != ".key"}


@pytest.mark.slow
def test_a_built_site_is_whole_and_says_what_was_measured(built):
    assert audit.check(built.site, owner.read(built)) == []
    page = (built.site / "notebooks/01_first_chapter.html").read_text()
    assert 'href="#claim-first_chapter.it_is_faster"' in page
    assert 'title="test-machine-2c · 2026-11-20 · abc1234 · held"' in page
    assert "1.8×" in page
    assert "12 s to run (cpu)" in page
    assert "512 MB" in page
    assert "HBox" not in page
    assert "injected" not in page
    assert "<mjx-assistive-mml" in page
    assert r"\(a^2" not in page


@pytest.mark.slow
def test_other_machines_stand_beside_this_one_and_misses_are_marked(built):
    page = (built.site / "evidence.html").read_text()
    assert 'href="notebooks/01_first_chapter.html#claim-first_chapter.it_is_faster"' in page
    assert 'title="h200 · 2026-11-18 · fed4321 · held"' in page
    assert 'href="#evidence-first_chapter.only_on_a_gpu-gpu-h200"' in page
    assert "(did not hold)" in page
    rows = page.split("<tbody>")[1]
    assert rows.index("only_on_a_gpu") < rows.index("it_is_faster")
    assert rows.count("first_chapter.it_is_faster</code>") == 2
    assert "10 claims on 2 machines: 5 held, 3 did not hold, 2 not claimed" in page


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(built, copied):
    first = files(copied.site)
    publish.build(copied, force=True)
    second = files(copied.site)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.slow
def test_nothing_changed_means_nothing_built(copied, monkeypatch):
    def refuse(*_):
        raise AssertionError("built again")

    publish.build(copied)
    monkeypatch.setattr(publish, "_jupyter_book", refuse)
    assert publish.build(copied) == copied.site
    (copied.book / "evidence.md").write_text("# Other\n")
    with pytest.raises(AssertionError, match="built again"):
        publish.build(copied)


@pytest.mark.slow
def test_an_unknown_claim_fails_on_one_line_and_the_last_site_stays(copied):
    before = files(copied.site)
    with (copied.book / "evidence.md").open("a") as page:
        page.write("\nIt is {claim}`first_chapter.it_is_fasster`.\n")
    with pytest.raises(WorkbenchError) as caught:
        publish.build(copied)
    message = str(caught.value)
    assert "\n" not in message
    assert "evidence.md" in message
    assert "first_chapter.it_is_fasster" in message
    assert "first_chapter.it_is_faster" in message.replace("it_is_fasster", "")
    assert files(copied.site) == before


def test_what_a_build_log_says_is_cut_down_to_pages_and_problems(tmp_path):
    log = f"Running\n\x1b[31m{tmp_path}/notebooks/22_x.ipynb:1720013: ERROR: unknown claim 'a.b'\x1b[39m\nmore\n"
    said = publish.what_failed(log, tmp_path)
    assert said == "notebooks/22_x.ipynb, cell 172: ERROR: unknown claim 'a.b'"


@pytest.mark.slow
def test_a_dead_link_and_a_formula_that_cannot_be_read_fail(copied):
    before = files(copied.site)
    page = copied.book / "evidence.md"
    good = page.read_text()
    page.write_text(good + "\n```{raw} html\n<a href='nowhere.html'>x</a>\n```\n")
    with pytest.raises(CheckFailedError, match=r"evidence.html points to nowhere.html"):
        publish.build(copied)
    page.write_text(good + "\n$\\frac{1$\n")
    with pytest.raises(WorkbenchError, match="cannot be read"):
        publish.build(copied)
    assert files(copied.site) == before


def test_a_missing_run_is_named_with_its_cure(tmp_path):
    layout = site_tree.small_book(tmp_path)
    (layout.runs("cpu") / "02_second_chapter.ipynb").unlink()
    with pytest.raises(WorkbenchError, match=r"notebooks/02_second_chapter\.ipynb has not been run") as caught:
        publish.build(layout)
    assert "workbench run 02_second_chapter" in caught.value.cure


def test_a_half_written_run_is_named(tmp_path):
    layout = site_tree.small_book(tmp_path)
    (layout.runs("cpu") / "solutions" / "02_second_chapter.ipynb").write_text('{"cells": [')
    with pytest.raises(WorkbenchError, match=r"02_second_chapter\.ipynb is not a readable"):
        stage.stage(layout, tmp_path / "staged")


def test_the_last_site_comes_back_when_the_swap_fails(tmp_path):
    site = tmp_path / "html"
    site.mkdir()
    (site / "index.html").write_text("old")
    with pytest.raises(OSError, match="No such file"):
        publish.swap(tmp_path / "not-there", site)
    assert (site / "index.html").read_text() == "old"


def test_a_swap_that_was_interrupted_is_undone_by_the_next_build(tmp_path):
    old = tmp_path / "html.old"
    old.mkdir()
    (old / "index.html").write_text("old")
    publish.recover(tmp_path / "html")
    assert (tmp_path / "html" / "index.html").read_text() == "old"


@pytest.mark.slow
def test_the_feed_has_full_text_absolute_addresses_and_the_posts_dates(built):
    root = ElementTree.parse(built.site / "blog" / "atom.xml").getroot()
    assert root.findtext(f"{audit.ATOM}updated") == "2026-11-19T00:00:00+00:00"
    text = root.findtext(f"{audit.ATOM}entry/{audit.ATOM}content")
    site = owner.read(built).site
    assert f'href="{site}notebooks/01_first_chapter.html#claim-first_chapter.it_is_faster"' in text
    assert f'src="{site}_images/fig-first_chapter.png"' in text
    assert "thebe" not in text
    assert "<script" not in text


@pytest.mark.slow
def test_exercise_pages_show_the_stub_and_fold_the_rest(built):
    page = (built.site / "exercises/01_first_chapter.html").read_text()
    stub, folded = page.split('<details class="sd-', 1)
    assert "NotImplementedError" in stub
    assert "squared" not in stub
    assert "Mistakes this check knows" in folded
    assert "That is the square, not twice" in folded
    assert "BEGIN SOLUTION" not in page
    assert "workbench exercises grade exercises/01_first_chapter.ipynb" in page
    assert (built.site / "downloads/exercises/01_first_chapter.ipynb").is_file()


@pytest.mark.slow
def test_every_page_names_a_preview_that_exists(built):
    site = owner.read(built).site
    page = (built.site / "notebooks/01_first_chapter.html").read_text()
    assert f'content="{site}cards/notebooks/01_first_chapter.png"' in page
    assert (built.site / "cards/notebooks/01_first_chapter.png").read_bytes() != (
        built.site / "cards/evidence.png"
    ).read_bytes()


@pytest.mark.slow
def test_a_post_is_exported_with_numbers_figures_and_plain_markdown(built, tmp_path):
    [path] = publish.export_blog(built, tmp_path / "out")
    text = path.read_text()
    site = owner.read(built).site
    address = f"{site}notebooks/01_first_chapter.html#claim-first_chapter.it_is_faster"
    assert f"[1.8× (1.62× to 1.98×)]({address})" in text
    assert f"[the chapter]({site}notebooks/01_first_chapter.html)" in text
    assert "![A rising line](2026-11-19-a-post/fig-first_chapter.png)" in text
    assert (path.parent / path.stem / "fig-first_chapter.png").read_bytes()[1:4] == b"PNG"
    assert "> **Note**" in text
    assert "> Read on." in text
    assert "{" not in text
    assert ":::" not in text
    assert "<!--" not in text


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda site: (site / "_static/book.css").unlink(), "_static/book.css, which is not there"),
        (lambda site: (site / "404.html").unlink(), "404.html is missing"),
        (lambda site: replace(site / "index.html", "<main", '<img src="https://cdn.example/x"><main'), "another host"),
        (lambda site: replace(site / "_static/book.css", "\n", "\n@import 'https://cdn.example/';", 1), "another host"),
        (lambda site: replace(site / "evidence.html", "chapter.a_control", "x.gone"), "has no #claim-"),
        (lambda site: replace(site / "blog/atom.xml", "</entry>", ""), "not XML"),
        (lambda site: replace(site / "blog/atom.xml", "<updated>2026-11-19", "<updated>2026-12-01", 1), "newest post"),
        (lambda site: replace(site / "sitemap.xml", "evidence.html", "gone.html"), "gone.html, which is not a page"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_the_audit_sees_what_was_tampered_with(copied, tamper, expected):
    tamper(copied.site)
    assert any(expected in problem for problem in audit.check(copied.site, owner.read(copied)))


def replace(path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def test_links_are_carried_over_to_the_staged_tree():
    text = "[a](../notebooks/22_x.ipynb#s) [b](../src/y.py) [c](https://z) [d](#e) [f](parts/g.md)"
    assert pages.relink(text, "book/index.md", OWNER) == (
        "[a](notebooks/22_x.ipynb#s) [b](https://host.example/me/book/blob/main/src/y.py) "
        "[c](https://z) [d](#e) [f](parts/g.md)"
    )
    assert pages.relink("[s](../solutions/22_x.ipynb)", "notebooks/22_x.ipynb", OWNER) == "[s](../exercises/22_x.md)"


def test_a_page_keeps_no_trace_of_the_runner_and_the_source_is_not_touched():
    notebook = site_tree.chapter("01_first_chapter")
    before = nbformat.writes(notebook)
    page = pages.clean(notebook)
    text = nbformat.writes(page)
    assert "injected-parameters" not in text
    assert "widget-view" not in text
    assert "vnd.workbench" not in text
    assert nbformat.writes(notebook) == before


def test_an_owner_file_without_a_field_is_refused(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/owner.yml").write_text("name: Me\n")
    with pytest.raises(WorkbenchError, match=r"owner\.yml cannot be used: KeyError\('repository'\)"):
        owner.read(Layout(tmp_path))


def test_a_stale_exercise_is_refused():
    solution = site_tree.solution("01_first_chapter")
    stale = nbformat.v4.new_notebook()
    with pytest.raises(WorkbenchError, match="has no cell 'double'"):
        exercise_pages.page(solution, stale, "01_first_chapter.ipynb")


def test_exercises_are_listed_with_level_and_minutes():
    [found] = exercise_pages.listed(site_tree.solution("01_first_chapter"), "exercises/01_first_chapter")
    assert (found.number, found.title, found.level, found.minutes) == ("01.1", "Double it", "●○○", 5)


def test_an_unknown_figure_names_the_closest(tmp_path):
    layout = site_tree.small_book(tmp_path)
    post = next((layout.book / "blog").glob("2026*.md"))
    replace(post, "fig-first_chapter", "fig-first_chaptr")
    with pytest.raises(UnknownNameError, match="01_first_chapter/fig-first_chapter"):
        stage.stage(layout, tmp_path / "staged")


def test_the_headline_takes_claims_that_held_and_no_controls():
    rows = [
        {"held": held, "control": control, "chapter": chapter, "id": f"{number}"}
        for number, (held, control, chapter) in enumerate(
            [
                (False, False, "a"),
                (True, True, "a"),
                (True, False, "a"),
                (True, False, "a"),
                (True, False, "a"),
                (True, False, "b"),
            ]
        )
    ]
    assert [row["id"] for row in headline(rows)] == ["2", "3", "5"]


def test_formulas_pictures_and_scripts_of_a_page_are_made_light(tmp_path):
    text = '<span class="math notranslate nohighlight">\\(a &lt; b\\)</span>'
    text += '<img alt="" src="x.png"/><script src="y.js"></script>'
    assert slim.formulas_of(text) == [("a < b", False)]
    (tmp_path / "x.png").write_bytes(cards.card("A title", "A site"))
    done = slim.deferred(
        slim.sized(slim.with_formulas(text, {("a < b", False): "<svg/>"}), tmp_path / "p.html"), tmp_path / "p.html"
    )
    assert '<span class="math notranslate nohighlight"><svg/></span>' in done
    assert '<img alt="" src="x.png" width="1200" height="630"/>' in done
    assert '<script defer src="y.js"></script>' in done


def test_pictures_written_into_a_page_become_files_of_their_own(tmp_path):
    picture = cards.card("A title", "A site")
    page = tmp_path / "notebooks" / "x.html"
    page.parent.mkdir()
    text = f'<img alt="" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
    done = slim.sized(slim.unpacked(text, page, tmp_path), page)
    [path] = (tmp_path / "_images").iterdir()
    assert path.read_bytes() == picture
    assert done == f'<img alt="" src="../_images/{path.name}" fetchpriority="low" width="1200" height="630">'


def test_addresses_in_the_feed_become_absolute():
    assert (
        feed.absolute('<a href="x.html#y">', "https://me.example/book/")
        == '<a href="https://me.example/book/x.html#y">'
    )


def test_directives_become_plain_markdown():
    nested = "````{note} Look\n```{code-block} python\nx = 1\n```\n````\n"
    assert export.unfold(nested) == "> **Look**\n>\n> ```python\n> x = 1\n> ```\n"


def test_unharmed_assets_need_no_network_and_harmed_ones_are_seen(tmp_path, monkeypatch):
    for name in assets.LOCK:
        shutil.copy(site_tree.REPOSITORY / name, tmp_path / name)
    layout = Layout(tmp_path)
    shutil.copytree(site_tree.REPOSITORY / "_build" / "assets", layout.build / "assets")

    def refuse(*_):
        raise WorkbenchError("asked the network")

    monkeypatch.setattr(assets, "_install", refuse)
    assert assets.fetch(layout) == layout.build / "assets"
    with (layout.build / "assets/axe-core/axe.min.js").open("a") as script:
        script.write("//")
    with pytest.raises(WorkbenchError, match="asked the network"):
        assets.fetch(layout)


def test_no_network_is_said_on_one_line_and_keeps_what_was_there(tmp_path, monkeypatch):
    for name in assets.LOCK:
        shutil.copy(site_tree.REPOSITORY / name, tmp_path / name)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(WorkbenchError, match="browser assets could not be fetched") as caught:
        assets.fetch(Layout(tmp_path))
    assert "\n" not in str(caught.value)
    assert "no network is needed" in caught.value.cure


def test_the_lock_file_holds_hashes_and_no_addresses():
    lock = json.loads((site_tree.REPOSITORY / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)
