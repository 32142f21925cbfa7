"""Lighthouse on four pages of the built site: performance ≥ 90, accessibility ≥ 95 (its default: a slow phone).

    python benchmarks/lighthouse/measure.py [PAGE…]

Fetches Lighthouse from npm once into _build/lighthouse (network needed), serves _build/html as a static host
does, and runs each page three times; the median run counts.  Writes _build/lighthouse/scores.json.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from workbench.layout import Layout
from workbench.press import assets, owner, stage

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))
BOUNDS = {"performance": 0.90, "accessibility": 0.95}
METRICS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")


def install(folder: Path) -> Path:
    """Lighthouse at the version of the lock file; nothing is fetched when it is there."""
    binary = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not binary.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name in assets.LOCK:
            shutil.copy(HERE / name, folder / name)
        npm, environment = assets.npm()
        subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, env=environment, check=True
        )
    return binary


def run(binary: Path, url: str, chromium: str, flags: list[str]) -> dict:
    """One Lighthouse report."""
    environment = {**os.environ, "CHROME_PATH": chromium}
    command = [
        *assets.node(),
        str(binary),
        url,
        "--quiet",
        "--output=json",
        "--only-categories=performance,accessibility",
    ]
    command.append(f"--chrome-flags={' '.join(['--headless=new', *flags])}")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(binary: Path, root: str, page: str, chromium: str, flags: list[str], times: int = 3) -> dict:
    """Median scores of a page, and its metrics."""
    reports = [run(binary, root + page, chromium, flags) for _ in range(times)]
    scores = {name: median(report["categories"][name]["score"] for report in reports) for name in BOUNDS}
    metrics = {name: median(report["audits"][name]["numericValue"] for report in reports) for name in METRICS}
    failed = {a["title"] for r in reports for a in r["audits"].values() if a["score"] == 0 and "weight" not in a}
    return {
        "page": page,
        **scores,
        **{name: round(value, 3) for name, value in metrics.items()},
        "failed": sorted(failed),
    }


def pages(layout: Layout) -> list[str]:
    """Landing, the last chapter, evidence, the newest post."""
    newest = [f"blog/{path.stem}.html" for path in stage.posts(layout)[:1]]
    return ["index.html", f"notebooks/{layout.chapters()[-1].stem}.html", "evidence.html", *newest]


def main() -> int:
    import browser
    from playwright.sync_api import sync_playwright

    layout = Layout.find(Path(os.environ.get("WORKBENCH_ROOT", ".")))
    with sync_playwright() as playwright:
        chromium = browser.find_chromium(playwright)
    binary = install(layout.build / "lighthouse")
    with browser.serve(layout.site, owner.read(layout).base_path) as root:
        rows = [measure(binary, root, page, chromium, browser.FLAGS) for page in sys.argv[1:] or pages(layout)]
    (layout.build / "lighthouse" / "scores.json").write_text(json.dumps(rows, indent=1))
    for row in rows:
        print(
            f"{row['page']:55} performance {row['performance']:.2f}  accessibility {row['accessibility']:.2f}  "
            + "  ".join(f"{name} {row[name]:g}" for name in METRICS)
        )
        print("   ", "; ".join(row["failed"]))
    return int(any(row[name] < bound for row in rows for name, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
