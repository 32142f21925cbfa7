"""A chapter's figure in another page: the picture that the cell drew, never a copy kept by hand."""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util import logging

from workbench.errors import UnknownNameError

log = logging.getLogger(__name__)


class ChapterFigure(Directive):
    """```{chapter-figure} 22_quantize_from_scratch/fig-name``` with an optional caption of its own."""

    required_arguments = 1
    has_content = True

    def run(self):
        env = self.state.document.settings.env
        folder = Path(env.srcdir) / "figures"
        name = self.arguments[0].strip()
        if not (folder / f"{name}.png").is_file():
            known = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.png")]
            problem = UnknownNameError("figure", name, known)
            log.error("%s", problem, location=(env.docname, self.lineno), type="workbench", subtype="figure")
            return []
        about = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        figure = nodes.figure("", nodes.image(uri=f"/figures/{name}.png", alt=about["alt"]))
        caption = " ".join(self.content) or about["caption"]
        if caption:
            inline, messages = self.state.inline_text(caption, self.lineno)
            figure += [nodes.caption(caption, "", *inline), *messages]
        return [figure]


def setup(app):
    app.add_directive("chapter-figure", ChapterFigure)
