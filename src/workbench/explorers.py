"""A slider over an experiment: live in JupyterLab, frame by frame on a static page."""

import base64
import html
from collections.abc import Callable, Sequence
from hashlib import sha256
from io import BytesIO

from workbench import provenance

WIDGET = "application/vnd.jupyter.widget-view+json"


def explore(draw: Callable, values: Sequence, *, label: str, unit: str = "", alt: str, start: int = 0) -> None:
    """Show `draw(value)` for a value that the reader chooses with a slider.

    draw: value → matplotlib figure.  values: what the slider steps through (at most 24: each is a picture).
    alt: what the picture shows, for readers who cannot see it.
    With a kernel an ipywidgets slider calls `draw`; the page without a kernel steps through frames that were
    drawn when the notebook ran.  (The smoke profile draws the ends and the start, no more.)
    """
    from IPython.display import display

    if not 2 <= len(values) <= 24:
        raise ValueError(f"an explorer steps through 2 to 24 values, got {len(values)}")
    steps = range(len(values))
    wanted = {0, start, steps[-1]} if provenance.current().get("profile") == "smoke" else steps
    drawn = {step: _png(draw(values[step])) for step in sorted(wanted)}
    frames = [drawn.get(step, drawn[start]) for step in steps]
    names = [f"{value:g} {unit}".strip() if isinstance(value, int | float) else str(value) for value in values]
    display(_Explorer(draw, values, names, frames, label, alt, start))


def _png(fig) -> bytes:
    import matplotlib.pyplot as plt
    from PIL import Image

    raw, small = BytesIO(), BytesIO()
    fig.savefig(raw, format="png", dpi=90)
    plt.close(fig)
    Image.open(raw).convert("RGB").quantize(32).save(small, format="png", optimize=True)
    return small.getvalue()


class _Explorer:
    def __init__(self, draw, values, names, frames, label, alt, start):
        self.draw, self.values, self.names, self.frames = draw, values, names, frames
        self.label, self.alt, self.start = label, alt, start

    def __repr__(self) -> str:
        return f"explorer: {self.label}, {len(self.names)} steps from {self.names[0]} to {self.names[-1]}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        bundle = {"text/plain": repr(self), "text/html": self._page()}
        view = self._widget()
        return bundle | ({WIDGET: view} if view else {})

    def _widget(self) -> dict | None:
        """The live slider's view, where ipywidgets is installed."""
        import ipywidgets as widgets

        slider = widgets.SelectionSlider(
            options=list(zip(self.names, range(len(self.names)), strict=True)),
            value=self.start,
            description=self.label,
            continuous_update=False,
            style={"description_width": "initial"},
            layout={"width": "28em"},
        )
        picture = widgets.Image(value=self.frames[self.start], format="png")

        def move(change):
            picture.value = _png(self.draw(self.values[change["new"]]))

        slider.observe(move, "value")
        box = widgets.VBox([slider, picture])
        return box._repr_mimebundle_().get(WIDGET)

    def _page(self) -> str:
        """Kernel-free: a range input that shows one frame of many."""
        key = "x" + sha256(b"".join(self.frames)).hexdigest()[:8]
        pictures = "".join(
            f'<img data-frame="{i}" alt="{html.escape(f"{self.alt}; {self.label} {name}")}" '
            f'src="data:image/png;base64,{base64.b64encode(frame).decode()}"{"" if i == self.start else " hidden"}>'
            for i, (name, frame) in enumerate(zip(self.names, self.frames, strict=True))
        )
        show = (
            "const f=this.closest('figure');"
            "f.querySelectorAll('img').forEach((p,i)=>{p.hidden=i!=this.value});"
            "const n=f.dataset.names.split('|')[this.value];"
            "f.querySelector('output').textContent=n;this.setAttribute('aria-valuetext',n)"
        )
        names = html.escape("|".join(self.names))
        return (
            f'<figure class="wb-explorer" data-names="{names}"><label for="{key}">{html.escape(self.label)}: '
            f"<output>{html.escape(self.names[self.start])}</output></label>"
            f'<input id="{key}" type="range" min="0" max="{len(self.names) - 1}" value="{self.start}" '
            f'aria-valuetext="{html.escape(self.names[self.start])}" oninput="{html.escape(show)}">{pictures}</figure>'
        )
