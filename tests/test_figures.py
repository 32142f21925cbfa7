"""Figures say what they show, and their colours differ for everybody."""

import io
from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from workbench.figures import Shown, describe, figure, interval_bars, palette, show
from workbench.intervals import Estimate


@pytest.fixture(autouse=True)
def _no_window():
    matplotlib.use("agg")
    yield
    plt.close("all")


def labelled(**how):
    fig, ax = figure(**how)
    for one in np.atleast_1d(ax):
        one.set(xlabel="latency (ms)", ylabel="calls")
    return fig, ax


@pytest.mark.parametrize("labels", [{}, {"xlabel": "x"}, {"ylabel": "y"}])
def test_an_axis_without_a_label_is_refused(labels):
    fig, ax = figure()
    ax.set(**labels)
    with pytest.raises(ValueError, match="every axis needs a label"):
        show(fig)


def test_one_unlabelled_axis_of_two_is_refused():
    fig, axes = figure(columns=2)
    axes[0].set(xlabel="x", ylabel="y")
    with pytest.raises(ValueError, match="every axis needs a label"):
        show(fig)


def test_an_axis_that_is_switched_off_needs_no_label(capsys):
    fig, ax = figure()
    ax.set_axis_off()
    show(fig)
    assert capsys.readouterr().out.startswith("figure: ")


def test_a_shown_figure_is_described_and_closed(capsys):
    fig, ax = labelled()
    ax.plot([1, 2])
    show(fig)
    assert capsys.readouterr().out == 'figure: x "latency (ms)", y "calls", 1 line\n'
    assert not plt.fignum_exists(fig.number)


def test_a_description_counts_what_is_drawn_and_holds_no_number_of_the_data():
    _, ax = labelled()
    assert describe(ax) == 'x "latency (ms)", y "calls", nothing'
    ax.plot([3.14, 2.72], label="mine")
    ax.bar([0, 1], [7.77, 8.88])
    ax.scatter([0], [9.99])
    ax.imshow(np.eye(2))
    ax.legend()
    drawn = "1 line, 2 bars or patches, 1 collection, 1 image, legend: mine"
    assert describe(ax) == f'x "latency (ms)", y "calls", {drawn}'


def test_panels_are_described_one_by_one():
    fig, _ = labelled(columns=2)
    assert repr(Shown(fig)).count('y "calls"') == 2
    assert " | " in repr(Shown(fig))


def test_the_picture_is_a_png_and_the_same_twice():
    fig, ax = labelled()
    ax.plot([1, 3, 2])
    first, again = Shown(fig)._repr_png_(), Shown(fig)._repr_png_()
    assert first == again
    assert Image.open(io.BytesIO(first)).format == "PNG"
    assert len(first) < 40_000


def test_intervals_are_drawn_top_to_bottom_with_their_names():
    _, ax = labelled()
    interval_bars(ax, {"a": Estimate(2, 1, 3, 9), "b": Estimate(5, 4, 6, 9)})
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    assert ax.yaxis_inverted()
    assert list(ax.lines[0].get_xdata()) == [1, 3]


# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(name):
    rgb = np.array(to_rgb(palette[name]))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear sRGB."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(to_xyz @ np.clip(rgb, 0, 1), 1e-6, None) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", BLINDNESS)
def test_the_first_four_colours_differ_for_every_eye(eye):
    seen = {name: lab(np.array(BLINDNESS[eye]) @ linear(name)) for name in list(palette)[:4]}
    for a, b in combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 11, (eye, a, b)  # 2.3 is just noticeable


def test_the_first_two_colours_differ_in_print_without_colour():
    grey = [lab(linear(name))[0] for name in ("blue", "orange")]
    assert abs(grey[0] - grey[1]) > 5


def test_lines_stand_out_from_paper():
    for name in list(palette)[:4]:
        luminance = np.array([0.2126, 0.7152, 0.0722]) @ linear(name)
        assert 1.05 / (luminance + 0.05) > 2.8, name
