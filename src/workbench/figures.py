"""One house style for figures: few colours, told apart by the colour-blind, small enough to commit."""

import matplotlib as mpl
import matplotlib.pyplot as plt

# Okabe and Ito (2008), in the order in which two, three, … lines differ most; without their yellow,
# which is too pale for lines on paper.
palette = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "sky": "#56B4E9",
    "amber": "#E69F00",
    "ink": "#222222",
    "quiet": "#8A8F98",
}
STYLE = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "figure.facecolor": "#FFFFFF",
    "axes.facecolor": "#FFFFFF",
    "axes.edgecolor": palette["quiet"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": palette["ink"],
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.8,
    "xtick.color": palette["ink"],
    "ytick.color": palette["ink"],
    "font.size": 10,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "axes.prop_cycle": mpl.cycler(color=[palette[c] for c in ("blue", "orange", "green", "pink", "sky", "amber")]),
}


def figure(width: float = 6.4, height: float = 3.2, columns: int = 1, **kwargs):
    """A figure and its axes in the house style.  width, height: inches.  Returns (fig, ax or array of ax)."""
    mpl.rcParams.update(STYLE)
    return plt.subplots(1, columns, figsize=(width, height), layout="constrained", **kwargs)


class Shown:
    """A figure as an output: the picture, and a text that says how it is built (compared in CI)."""

    def __init__(self, fig):
        self.fig = fig

    def __repr__(self) -> str:
        return "figure: " + " | ".join(describe(ax) for ax in self.fig.axes)

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        buffer = BytesIO()
        self.fig.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def show(fig) -> None:
    """Display `fig` with a text description of its structure.  Refuses an axis without a label."""
    from IPython.display import display

    for ax in fig.axes:
        if ax.axison and not (ax.get_xlabel() and ax.get_ylabel()):
            raise ValueError("every axis needs a label with its unit: ax.set(xlabel=…, ylabel=…)")
    display(Shown(fig))
    plt.close(fig)


def describe(ax) -> str:
    """An axes' structure in words: labels, what is drawn, legend.  Holds no measured value."""
    kinds = {"line": ax.lines, "bar or patch": ax.patches, "collection": ax.collections, "image": ax.images}
    drawn = ", ".join(_count(len(things), kind) for kind, things in kinds.items() if len(things)) or "nothing"
    legend = ax.get_legend()
    names = f", legend: {', '.join(t.get_text() for t in legend.get_texts())}" if legend else ""
    return f'x "{ax.get_xlabel()}", y "{ax.get_ylabel()}", {drawn}{names}'


def _count(n: int, kind: str) -> str:
    """(1, "line") → "1 line", (2, "bar or patch") → "2 bars or patches"."""
    plural = {"bar or patch": "bars or patches"}.get(kind, f"{kind}s")
    return f"{n} {kind if n == 1 else plural}"


def interval_bars(ax, estimates: dict, *, color: str = "blue"):
    """Draw one dot with its interval per row, top to bottom.  estimates: label → Estimate.  Returns ax."""
    for row, (_, e) in enumerate(estimates.items()):
        ax.plot([e.low, e.high], [row, row], color=palette[color], lw=3, alpha=0.45, solid_capstyle="butt")
        ax.plot(e.value, row, "o", color=palette[color], ms=6)
    ax.set_yticks(range(len(estimates)), list(estimates))
    ax.invert_yaxis()
    return ax
