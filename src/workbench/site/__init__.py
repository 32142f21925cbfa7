"""The book's Sphinx extension: numbers in prose, the table of evidence, lists, previews, feed."""

DATA = "_workbench.json"  # written by workbench.press.stage beside the staged pages


def setup(app):
    """Register everything.  Called by Sphinx."""
    from workbench.site import claims, evidence, feed, figures, head, lists

    for part in (claims, evidence, lists, figures, head, feed):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
