"""What a page loads and says about itself: only the scripts it uses, its preview card, the feed's address."""

import shutil
from pathlib import Path

from workbench.site.claims import data

HERE = Path(__file__).parent
# Scripts that extensions put on every page and no page calls; formulas are typeset when the site is built.
UNUSED = ("design-tabs.js", "mathjax", "MathJax")


def used(scripts: list) -> list:
    """The scripts that a page needs, each once."""
    kept = {}
    for script in scripts:
        name, code = getattr(script, "filename", script) or "", getattr(script, "attributes", {}).get("body") or ""
        if not any(word in f"{name}{code}" for word in UNUSED):
            kept.setdefault((str(name), code), script)
    return list(kept.values())


def page_context(app, pagename, templatename, context, doctree):
    """Run after the other extensions have had their say."""
    context["script_files"] = used(context.get("script_files", []))
    context["wb_evidence"] = bool(app.env.metadata.get(pagename, {}).get("wb_evidence"))


def preview(app, pagename, templatename, context, doctree):
    """Name the page's card, before sphinxext-opengraph reads the page's fields."""
    if doctree is None or pagename not in data(app.env)["cards"]:
        return
    fields = dict(context["meta"] or {})
    fields.setdefault("og:image", f"{data(app.env)['site']}cards/{pagename}.png")
    fields.setdefault("og:image:alt", f"Preview of this page: {context['title']}")
    context["meta"] = fields


def use_templates(app, config):
    config.templates_path = [str(HERE / "templates"), *config.templates_path]


def vendor_tables(app, problem):
    """Serve itables' DataTables bundle ourselves; its looks are in workbench.css."""
    import itables

    if problem is None:
        target = Path(app.outdir) / "vendor" / "itables"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(itables.__file__).parent / "html" / "dt_bundle.js", target)


def setup(app):
    app.connect("config-inited", use_templates)
    app.connect("html-page-context", preview, priority=100)
    app.connect("html-page-context", page_context, priority=900)
    app.connect("build-finished", vendor_tables)
