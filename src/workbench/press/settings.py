"""What the build is told: the data of this book, Jupyter Book's configuration, the table of contents."""

import json
import re
from typing import TYPE_CHECKING

import yaml

from workbench.press import pages
from workbench.site import DATA

if TYPE_CHECKING:
    from workbench.press.stage import Stage


def data(work: "Stage") -> None:
    """What the Sphinx extension reads: the ledger, the list of exercises, the cards."""
    from workbench.proof import ledger
    from workbench.site import cards

    claims = ledger.order(ledger.load(work.layout))
    site = yaml.safe_load((work.layout.root / "_config.yml").read_text())["title"]
    for page, (title, figure) in work.cards.items():
        work.write(f"_extra/cards/{page}.png", cards.card(title, site, figure))
    content = {
        "claims": json.loads(claims.to_json(orient="records")),
        "exercises": [{**vars(exercise), "anchor": exercise.anchor} for exercise in work.exercises],
        "cards": sorted(work.cards),
        "site": work.owner.site,
        "anchors": _anchors(work),
    }
    work.write(DATA, json.dumps(content, ensure_ascii=False, indent=1))


def _anchors(work: "Stage") -> dict[str, str]:
    """claim id → page that shows it, for the claims that a staged chapter displays."""
    found = {}
    for path in sorted((work.folder / "notebooks").glob("*.ipynb")):
        for claim in re.findall(r'id=\\"claim-([\w.]+)\\"', path.read_text()):
            found.setdefault(claim, f"notebooks/{path.stem}")
    return found


def config(work: "Stage") -> None:
    settings = yaml.safe_load((work.layout.root / "_config.yml").read_text())
    settings |= {"author": work.owner.name, "copyright": str(work.owner.since)}
    settings["html"]["baseurl"] = work.owner.site
    settings["sphinx"]["config"] |= {
        "ogp_site_url": work.owner.site,
        "ogp_site_name": settings["title"],
        "blog_baseurl": work.owner.site,
        "blog_title": settings["title"],
        "blog_authors": {work.owner.name: [work.owner.name, work.owner.repository]},
        "html_extra_path": ["_extra"],
    }
    work.write("_config.yml", yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    work.write("_toc.yml", yaml.safe_dump(_toc(work), sort_keys=False))
    page = (work.folder / "404.html").read_text(encoding="utf-8")
    work.write("_extra/404.html", page.replace("{base}", work.owner.base_path))
    (work.folder / "404.html").unlink()


def _toc(work: "Stage") -> dict:
    """The book's own list, with the pages that are derived: exercises under chapters, posts under the blog."""
    toc = yaml.safe_load((work.layout.root / "_toc.yml").read_text())
    toc["root"] = pages.staged(toc["root"])
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            chapter["file"] = page = pages.staged(chapter["file"])
            if page in work.exercise_of:
                chapter["sections"] = [{"file": work.exercise_of[page]}]
            if page == "blog/index":
                chapter |= {"sections": [{"file": f"blog/{p.stem}"} for p in work.posts]}
    return toc
