"""An explorer's page: one frame a step, nothing from outside, words for whoever cannot see it."""

import re
from html.parser import HTMLParser

import matplotlib
import pytest

from workbench.explorers import WIDGET, _Explorer, explore
from workbench.figures import figure

DRAWN = []


def draw(value):
    DRAWN.append(value)
    fig, ax = figure(2, 1)
    ax.plot([0, float(value)])
    return fig


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """What `explore` displays."""
    matplotlib.use("agg")
    found = []
    monkeypatch.setattr("IPython.display.display", found.append)
    DRAWN.clear()
    return found


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, name):
        return [attributes for tag, attributes in self.found if tag == name]


def page_of(shown, values=(1, 2, 4), **how):
    explore(draw, values, **({"label": "bits", "alt": "a line"} | how))
    return shown[-1]._page()


@pytest.mark.parametrize("values", [[], [1], list(range(25))], ids=len)
def test_too_few_or_too_many_values_are_refused_before_anything_is_drawn(values, shown):
    with pytest.raises(ValueError, match="2 to 24 values"):
        explore(draw, values, label="bits", alt="a line")
    assert not shown
    assert not DRAWN


@pytest.mark.parametrize("count", [2, 24])
def test_the_page_has_one_frame_a_value(count, shown):
    tags = Tags(page_of(shown, range(count)))
    assert [frame["data-frame"] for frame in tags.of("img")] == [str(i) for i in range(count)]
    assert tags.of("input")[0]["max"] == str(count - 1)
    assert list(range(count)) == DRAWN


@pytest.mark.parametrize("start", [0, 2])
def test_only_the_start_frame_is_visible(start, shown):
    tags = Tags(page_of(shown, start=start))
    assert [i for i, frame in enumerate(tags.of("img")) if "hidden" not in frame] == [start]
    slider = tags.of("input")[0]
    assert (slider["value"], slider["aria-valuetext"]) == (str(start), ("1", "2", "4")[start])


def test_nothing_comes_from_outside(shown):
    page = page_of(shown)
    tags = Tags(page)
    assert not tags.of("script") + tags.of("link") + tags.of("iframe")
    assert all(frame["src"].startswith("data:image/png;base64,") for frame in tags.of("img"))
    assert not re.search(r"https?://|src=\"//", page)


def test_what_the_author_wrote_is_escaped():
    nasty = '"><script>alert(1)</script>'
    tags = Tags(_Explorer(draw, [1, 2], [nasty, "b"], [b"1", b"2"], nasty, nasty, 0)._page())
    assert not tags.of("script")
    assert tags.of("img")[0]["alt"] == f"{nasty}; {nasty} {nasty}"


def test_each_frame_says_what_it_shows(shown):
    alts = [frame["alt"] for frame in Tags(page_of(shown, unit="bits", label="width")).of("img")]
    assert alts == ["a line; width 1 bits", "a line; width 2 bits", "a line; width 4 bits"]


def test_the_slider_has_a_label(shown):
    tags = Tags(page_of(shown))
    assert tags.of("label")[0]["for"] == tags.of("input")[0]["id"]


def test_the_compared_text_is_short_and_the_slider_is_live(shown):
    explore(draw, [1, 2, 4], label="bits", alt="a line", start=1)
    bundle = shown[0]._repr_mimebundle_()
    assert bundle["text/plain"] == "explorer: bits, 3 steps from 1 to 4"
    assert WIDGET in bundle


def test_moving_the_live_slider_draws_that_value(shown):
    import ipywidgets as widgets

    explore(draw, [1, 2, 4], label="bits", alt="a line")
    DRAWN.clear()
    view = shown[0]._widget()
    box = widgets.widget._instances[view["model_id"]]
    slider, picture = box.children
    old = picture.value
    slider.value = 2
    assert DRAWN == [4]
    assert picture.value != old


def test_a_smoke_run_draws_the_ends_and_the_start_only(shown, monkeypatch):
    monkeypatch.setattr("workbench.provenance.current", lambda: {"profile": "smoke"})
    page = page_of(shown, range(9), start=4)
    assert DRAWN == [0, 4, 8]
    assert len(Tags(page).of("img")) == 9
