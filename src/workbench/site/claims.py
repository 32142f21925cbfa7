"""Numbers in prose: the `{claim}` role and the row of headline claims.  No number is typed by hand."""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util import logging

from workbench.claims import format_interval, format_value, note
from workbench.errors import UnknownNameError
from workbench.site import DATA

log = logging.getLogger(__name__)
VERDICTS = {True: "held", False: "did not hold", None: "not claimed"}


def data(env) -> dict[str, Any]:
    """What the staging step wrote for this build; read once."""
    if not hasattr(env, "workbench_data"):
        env.workbench_data = json.loads((Path(env.srcdir) / DATA).read_text(encoding="utf-8"))
    return env.workbench_data


def find(env, name: str) -> dict[str, Any]:
    """The ledger's row of `id`, `id@profile` or `id@machine`.  Raises UnknownNameError with the closest names."""
    import pandas as pd

    from workbench.proof import ledger

    rows = data(env)["claims"]
    table = pd.DataFrame(rows, columns=ledger.COLUMNS).astype(object)
    chosen = ledger.lookup(table, name)
    return next(row for row in rows if all(row[key] == chosen[key] for key in ("id", "machine", "profile")))


def value_text(row: dict) -> str:
    """ "74.2 %", or with its interval "1.63× (1.59× to 1.68×)"."""
    interval = format_interval(row["low"], row["high"], row["unit"])
    return format_value(row["value"], row["unit"]) + (f" ({interval})" if interval else "")


def tooltip(row: dict) -> str:
    """Machine · date · commit · verdict."""
    facts = [row["machine"], row["date"], row["commit"], VERDICTS[row["held"]]]
    return " · ".join(str(fact) for fact in facts if fact)


def target(env, row: dict) -> str:
    """The page and anchor of the cell that measured a number, else its row of the evidence page."""
    page = data(env)["anchors"].get(row["id"])
    return f"{page}#claim-{row['id']}" if page else f"evidence#{row_anchor(row)}"


def row_anchor(row: dict) -> str:
    return f"evidence-{row['id']}-{row['profile']}-{row['machine']}"


def claim_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Render {claim}`id` as a link to the cell that measured it."""
    env = inliner.document.settings.env
    try:
        row = find(env, text.strip())
    except UnknownNameError as problem:
        log.error("%s", problem, location=(env.docname, lineno), type="workbench", subtype="claim")
        return [nodes.Text(text)], []
    link = nodes.reference(rawtext, value_text(row), refuri="", reftitle=tooltip(row), classes=["wb-value"])
    link["wb_target"] = target(env, row)
    if row["held"] is True:
        return [link], []
    link["classes"] += ["wb-value-missed"] if row["held"] is False else []
    style = "wb-did-not-hold" if row["held"] is False else "wb-not-claimed"
    return [link, nodes.Text(" "), nodes.inline("", note(row["held"]), classes=[style])], []


def resolve(app, doctree, docname):
    """Give links their address only now: a post's text also goes into the feed, which lies elsewhere."""
    for link in doctree.findall(nodes.reference):
        if "wb_target" in link:
            page, _, anchor = link["wb_target"].partition("#")
            here = app.builder.get_relative_uri(docname, page)
            link["refuri"] = f"{here}#{anchor}" if anchor else here


class ClaimsRow(Directive):
    """```{claims-row}``` with one claim id a line: those that held as cards, and everything that did not."""

    has_content = True

    def run(self):
        env = self.state.document.settings.env
        rows = [row for name in self.content if (row := self._row(env, name.strip()))]
        rows = [row for row in rows if row["held"]] or headline(data(env)["claims"])
        shown = {(row["id"], row["machine"]) for row in rows}
        missed = [row for row in data(env)["claims"] if row["held"] is False]
        rows += [row for row in missed if (row["id"], row["machine"]) not in shown]
        box = nodes.container(classes=["wb-row"])
        box += [_card(env, row) for row in rows]
        return [box]

    def _row(self, env, name: str) -> dict | None:
        try:
            return find(env, name) if name else None
        except UnknownNameError as problem:
            log.error("%s", problem, location=(env.docname, self.lineno), type="workbench", subtype="claim")
            return None


def headline(rows: list[dict], limit: int = 6) -> list[dict]:
    """The first claims that held and are no controls, at most two of one chapter."""
    taken: list[dict] = []
    for row in rows:
        of_chapter = sum(other["chapter"] == row["chapter"] for other in taken)
        if row["held"] is True and not row["control"] and of_chapter < 2:
            taken.append(row)
    return taken[:limit]


def _card(env, row: dict) -> nodes.Node:
    state = "missed" if row["held"] is False else "held" if row["held"] else "unclaimed"
    box = nodes.container(classes=["wb-card", f"wb-{state}"])
    number = nodes.paragraph(classes=["wb-card-number"])
    number += nodes.reference("", format_value(row["value"], row["unit"]), refuri="", reftitle=tooltip(row))
    number[0]["wb_target"] = target(env, row)
    box += number
    box += nodes.paragraph("", f"{row['says']}, {row['bound']}", classes=["wb-card-says"])
    box += nodes.paragraph("", tooltip(row), classes=["wb-card-where"])
    return box


def setup(app):
    app.add_role("claim", claim_role)
    app.add_directive("claims-row", ClaimsRow)
    app.connect("doctree-resolved", resolve)
