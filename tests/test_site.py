"""The built site in a real browser: every page, wide and narrow, light and dark, and what a reader does there."""

import re
import shutil
from dataclasses import dataclass

import browser
import pytest
from playwright.sync_api import sync_playwright

from workbench.layout import Layout
from workbench.press import audit, owner

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@dataclass
class Seen:
    """What every page showed."""

    visits: list
    overflow: list
    accessibility: list
    scrolling_code: list


@pytest.fixture(scope="module")
def layout() -> Layout:
    found = Layout.find()
    if not (found.site / "index.html").is_file():
        pytest.fail("no site in _build/html: run `make book` (or `workbench build`) first")
    return found


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        started = browser.launch(playwright)
        if started is None:
            pytest.fail(browser.CURE)
        yield started
        started.close()


@pytest.fixture(scope="module")
def context(chromium):
    made = chromium.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    yield made
    made.close()


@pytest.fixture(scope="module")
def root(layout):
    with browser.serve(layout.site, owner.read(layout).base_path) as address:
        yield address


@pytest.fixture(scope="module")
def known(layout) -> dict[str, audit.Page]:
    return audit.pages(layout.site)


@pytest.fixture(scope="module")
def axe(layout) -> str:
    return (layout.build / "assets" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def seen(context, root, known, axe) -> Seen:
    """Open every page once and ask it everything."""
    all_seen = Seen([], [], [], [])
    for path in known:
        with browser.watch(context, root, path) as (page, visit):
            browser.scroll_through(page)
            for name, size in (("light", WIDE), ("dark", NARROW)):
                page.set_viewport_size(size)
                browser.theme(page, name)
                page.wait_for_timeout(200)  # what scrolls now becomes reachable by keyboard
                found = browser.accessibility(page, axe)
                all_seen.accessibility += [f"{path} in {name}: {problem}" for problem in found]
                all_seen.overflow += [f"{path}: {problem}" for problem in browser.overflow(page)]
                if size is WIDE:
                    all_seen.scrolling_code += [f"{path}: {line}" for line in browser.scrolling_code(page)]
        all_seen.visits.append(visit)
    return all_seen


def first_with(known: dict[str, audit.Page], *marks: str) -> str:
    """The first page whose text holds one of `marks`."""
    for mark in marks:
        for path, page in known.items():
            if mark in page.text:
                return path
    pytest.fail(f"no page holds {' or '.join(marks)}")


def test_files_links_feed_and_sitemap_are_whole(layout):
    assert audit.check(layout.site, owner.read(layout)) == []


def test_every_page_loads_from_here_alone_without_an_error_and_is_light(seen):
    assert [problem for visit in seen.visits for problem in visit.problems()] == []
    assert len(seen.visits) >= 12


def test_nothing_is_wider_than_the_window(seen):
    assert seen.overflow == []


def test_a_table_is_a_table_also_in_what_a_cell_displays(layout):
    raw = re.compile(r"<p>[^<]*(?:---|—)\|(?:---|—)")
    assert raw.search("<p>option | price\n—|—\nours | 1</p>")
    pages = layout.site.rglob("*.html")
    assert [page.name for page in pages if raw.search(page.read_text(encoding="utf-8"))] == []


def test_code_of_120_columns_fits_on_a_laptop(seen):
    assert seen.scrolling_code == []


def test_the_contents_of_a_page_wait_behind_a_button_on_a_laptop(context, root, known):
    with browser.watch(context, root, first_with(known, "cell_input")) as (page, _):
        contents = page.locator(".bd-sidebar-secondary .page-toc a")
        assert not contents.first.is_visible()
        page.locator("button.secondary-toggle").click()
        contents.first.wait_for()
        page.keyboard.press("Escape")
        contents.first.wait_for(state="hidden")


def test_axe_finds_nothing_serious_in_light_or_dark(seen):
    assert seen.accessibility == []


def test_search_finds_a_word(context, root):
    with browser.watch(context, root, "index.html") as (page, visit):
        page.locator(".search-button-field:visible").first.click()
        page.locator("#pst-search-dialog input").fill("percentile")
        assert visit.problems() == []
        visit.weight = 0  # the page of results is a page of its own
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=percentile*")
        page.locator("#search-results li a").first.wait_for()
        assert page.locator("#search-results li").count() >= 1
        assert visit.problems() == []


def test_the_colour_button_goes_through_light_and_dark(context, root):
    with browser.watch(context, root, "index.html") as (page, _):
        shown = {}
        for _ in range(3):
            page.locator(".theme-switch-button:visible").first.click()
            name = page.evaluate("document.documentElement.dataset.theme")
            shown[name] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert set(shown) == {"light", "dark"}
        assert shown["light"] != shown["dark"]


def test_a_reader_who_prefers_dark_gets_dark_before_any_script_file_ran(chromium, root):
    dark = chromium.new_context(color_scheme="dark")
    page = dark.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto(root + "index.html")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark.close()
    assert max(map(int, re.findall(r"\d+", colour)[:3])) < 60


def test_evidence_puts_misses_first_and_can_be_sorted_filtered_and_searched(context, root):
    with browser.watch(context, root, "evidence.html") as (page, visit):
        rows = page.locator("#evidence-table tbody tr")
        page.locator("#evidence-table[data-ready]").wait_for()
        total = rows.count()
        verdicts = [row.removeprefix("wb-") for row in rows.evaluate_all("rows => rows.map(r => r.classList[0])")]
        assert verdicts == sorted(verdicts, key=["missed", "held", "unclaimed"].index)

        for direction in ("ascending", "descending"):
            page.get_by_role("columnheader", name="Measured").click()
            page.locator(f"th[aria-sort={direction}]").wait_for()
            cells = page.locator("#evidence-table tbody td:nth-child(2)")
            numbers = [float(order) for order in cells.evaluate_all("cells => cells.map(c => c.dataset.order)")]
            assert numbers == sorted(numbers, reverse=direction == "descending")

        page.get_by_role("combobox", name="Verdict").select_option("held")
        assert rows.count() == verdicts.count("held")
        page.get_by_role("combobox", name="Verdict").select_option("")
        assert rows.count() == total

        name = page.locator("#evidence-table tbody code").first.inner_text()
        page.locator(".wb-evidence input[type=search]").fill(name)
        assert rows.locator("code").all_inner_texts() == [name] * rows.count()
        assert 1 <= rows.count() < total
        assert visit.problems() == []


def test_a_number_in_the_text_leads_to_the_claim_that_measured_it(context, root, known):
    path = first_with(known, 'class="wb-value', "wb-card-number")
    with browser.watch(context, root, path) as (page, _):
        link = page.locator("a.wb-value, .wb-card-number a").first
        assert " · " in link.get_attribute("title")
        link.click()
        page.wait_for_url("**#claim-*")
        anchor = page.url.split("#")[1]
        claim = page.locator(f'[id="{anchor}"]')
        assert claim.evaluate("e => e.classList.contains('wb-claim')")
        number = claim.locator(".wb-number")
        assert number.is_visible()
        page.wait_for_function(
            "id => document.getElementById(id).getBoundingClientRect().top < innerHeight", arg=anchor
        )


def test_a_solution_is_folded_until_asked_for(context, root, known):
    path = first_with(known, "Mistakes this check knows")
    with browser.watch(context, root, path) as (page, _):
        fold = page.locator("details.sd-dropdown").first
        code = fold.locator(".highlight").first
        assert not code.is_visible()
        fold.locator("summary").click()
        assert code.is_visible()


def test_the_explorer_moves_from_frame_to_frame_without_a_kernel(context, root, known):
    path = first_with(known, 'class="wb-explorer"')
    with browser.watch(context, root, path) as (page, _):
        explorer = page.locator(".wb-explorer").first
        slider, shown = explorer.locator("input"), explorer.locator("img:visible")
        before, value = shown.get_attribute("data-frame"), slider.input_value()
        slider.focus()
        page.keyboard.press("ArrowRight" if value != slider.get_attribute("max") else "ArrowLeft")
        assert shown.count() == 1
        assert shown.get_attribute("data-frame") != before
        assert explorer.locator("output").inner_text() == slider.get_attribute("aria-valuetext")


def test_a_wrong_address_gets_a_page_with_a_way_back(context, root):
    with browser.watch(context, root, "no/such/page.html") as (page, visit):
        assert visit.failed == ["404 no/such/page.html"]
        page.get_by_role("link", name="Start page").click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("Measured Here")


def test_on_paper_there_is_text_and_no_furniture(context, root, known):
    path = first_with(known, "wb-claim")
    with browser.watch(context, root, path) as (page, _):
        page.emulate_media(media="print")
        assert not page.locator(".bd-sidebar-primary").is_visible()
        assert not page.locator(".wb-links").first.is_visible()
        assert page.locator(".wb-claim").first.is_visible()
        page.emulate_media(media="screen")


# The guards themselves: each must see what it is there for.


def test_a_page_whose_style_sheet_is_gone_is_reported(layout, context, tmp_path):
    site = tmp_path / "html"
    site.mkdir()
    for name in ("index.html", "404.html", "_static"):
        source = layout.site / name
        shutil.copytree(source, site / name) if source.is_dir() else shutil.copy(source, site)
    (site / "_static" / "book.css").unlink()
    base = owner.read(layout).base_path
    with browser.serve(site, base) as address, browser.watch(context, address, "index.html") as (_, visit):
        pass
    assert "index.html: did not load: 404 _static/book.css" in visit.problems()


def test_a_request_to_another_host_an_error_and_too_much_weight_are_reported(context, root):
    with browser.watch(context, root, "index.html") as (page, visit):
        page.evaluate("fetch('https://cdn.example/x.js').catch(() => 0)")
        page.evaluate("setTimeout(() => { throw new Error('on purpose') })")
        page.wait_for_timeout(200)
    visit.weight = browser.WEIGHT_LIMIT + 1
    problems = " ".join(visit.problems())
    assert "asks another host: https://cdn.example/x.js" in problems
    assert "on purpose" in problems
    assert "weighs" in problems


def test_code_that_is_cut_off_and_a_box_that_is_too_wide_are_reported(context, root):
    with browser.watch(context, root, "index.html") as (page, _):
        assert browser.overflow(page) == []
        page.evaluate("document.querySelector('main pre').style.cssText = 'overflow-x: hidden; width: 40px'")
        assert any("code is cut off" in problem for problem in browser.overflow(page))
        page.evaluate("document.querySelector('article h1').style.cssText = 'width: 3000px; max-width: none'")
        assert any("ends at" in problem for problem in browser.overflow(page))


def test_a_picture_without_words_is_reported(context, root, axe):
    with browser.watch(context, root, "index.html") as (page, _):
        page.evaluate("document.querySelector('article').append(new Image(9, 9))")
        assert any("image-alt" in problem for problem in browser.accessibility(page, axe))


def test_a_machine_without_a_browser_is_told_the_cure(monkeypatch):
    monkeypatch.setenv("WORKBENCH_CHROMIUM", "/not/there")
    assert browser.launch(None) is None
    assert "apt-get install chromium" in browser.CURE
