"""The table of evidence: every claim of every machine, misses first; sorted and filtered without a kernel."""

import html

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util.osutil import relative_uri

from workbench.claims import MARKS, format_interval, format_value
from workbench.site.claims import VERDICTS, data, row_anchor

HEADINGS = ("Verdict", "Measured", "Claim", "Bound", "Machine", "Cell")


class EvidenceTable(Directive):
    """```{evidence-table}```: the ledger as a table, brought to life by itables' DataTables bundle."""

    def run(self):
        env = self.state.document.settings.env
        rows = data(env)["claims"]
        table = (
            f'<p id="evidence-summary"><strong>{_summary(rows)}</strong>{_gpu_gap(rows)}</p><div class="wb-evidence">'
            '<table id="evidence-table" aria-labelledby="evidence-summary"><thead><tr>'
            + "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
            + "</tr></thead><tbody>"
            + "".join(_row(env, row) for row in rows)
            + "</tbody></table></div>"
        )
        env.metadata[env.docname]["wb_evidence"] = "yes"
        return [nodes.raw("", table, format="html")]


class GpuEvidence(Directive):
    """```{gpu-evidence}``` with what is to be said until a card has run this chapter; from then on, how it went."""

    has_content = True

    def run(self):
        env = self.state.document.settings.env
        box = nodes.admonition("", nodes.title("", "On a card"))
        said = card_summary(data(env)["claims"], env.docname.rsplit("/", 1)[-1])
        if said:
            box += nodes.paragraph("", said)
        else:
            self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


def card_summary(rows: list[dict], chapter: str) -> str:
    """ "GPU evidence: 31 claims on 1 machine: …" of a chapter's claims; "" while no card has run it."""
    rows = [row for row in rows if row["profile"] == "gpu" and row["chapter"] == chapter]
    return f"GPU evidence: {_summary(rows)}. Each is on the evidence page." if rows else ""


def _summary(rows: list[dict]) -> str:
    """ "31 claims on 2 machines: 30 held, 1 did not hold, 0 not claimed"."""
    count = {verdict: sum(row["held"] is verdict for row in rows) for verdict in (True, False, None)}
    machines = len({row["machine"] for row in rows})
    return (
        f"{len(rows)} claims on {machines} machine{'s' if machines != 1 else ''}: {count[True]} held, "
        f"{count[False]} did not hold, {count[None]} not claimed on their machine"
    )


def _gpu_gap(rows: list[dict]) -> str:
    """What is not here is said: no machine with a GPU has contributed."""
    return "" if any(row["profile"] == "gpu" for row in rows) else " No GPU evidence yet: every machine here is a CPU."


def _row(env, row: dict) -> str:
    state = {True: "held", False: "missed", None: "unclaimed"}[row["held"]]
    cells = "".join(_cell(*cell) for cell in _cells(env, row))
    return f'<tr id="{_safe(row_anchor(row))}" class="wb-{state}">{cells}</tr>'


def _cells(env, row: dict):
    """(content, small print, what to sort by, what to filter by) of each column."""
    verdict, value = row["held"], row["value"]
    rank = {False: 0, True: 1, None: 2}[verdict]
    mark = f'<span class="wb-mark">{MARKS[verdict]}</span> {VERDICTS[verdict]}'
    yield mark, "", rank, VERDICTS[verdict]
    interval = format_interval(row["low"], row["high"], row["unit"])
    yield _safe(format_value(value, row["unit"])), interval, -1e308 if value is None else value
    yield f"{_safe(row['says'])} <code>{_safe(row['id'])}</code>", "control" if row["control"] else ""
    yield _safe(row["bound"]), ""
    run = " · ".join(str(fact) for fact in (row["profile"], row["date"], row["commit"]) if fact)
    yield _safe(row["machine"]), run, row["machine"], row["machine"]
    yield _link(env, row), ""


def _cell(content: str, small: str | None, order=None, search=None) -> str:
    hints = "" if order is None else f' data-order="{_safe(order)}"'
    hints += "" if search is None else f' data-search="{_safe(search)}"'
    return f"<td{hints}>{content}" + (f'<span class="wb-kind">{_safe(small)}</span>' if small else "") + "</td>"


def _link(env, row: dict) -> str:
    """The address of the cell that measured it; its name alone when that chapter is not on this site."""
    page, name = data(env)["anchors"].get(row["id"]), _safe(f"{row['chapter']} · {row['cell']}")
    if not page:
        return name
    address = f"{relative_uri(env.docname + '.html', page + '.html')}#claim-{row['id']}"
    return f'<a href="{_safe(address)}">{name}</a>'


def _safe(text) -> str:
    return html.escape("" if text is None else str(text))


def setup(app):
    app.add_directive("evidence-table", EvidenceTable)
    app.add_directive("gpu-evidence", GpuEvidence)
