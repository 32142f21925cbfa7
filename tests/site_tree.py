"""A small book built in code: executed notebooks with claims, figures and exercises, for tests of the site."""

import base64
import io
import json
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from workbench.claims import MIME, Claim, to_html, to_text
from workbench.layout import Layout, slug

REPOSITORY = Path(__file__).resolve().parents[1]
RUN = {
    "machine": "test-machine-2c", "cpu": "test", "cores": 2, "threads": 1, "memory_gb": 8, "flags": [], "gpu": None,
    "os": "Linux", "python": "3.11", "packages": {}, "commit": "abc1234", "date": "2026-11-20", "load": 0.1,
    "profile": "cpu", "seed": 0,
}  # fmt: skip
PROVENANCE = "application/vnd.workbench.provenance+json"


def png(width: int = 320, height: int = 160) -> str:
    """A picture, as a notebook holds it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).line((10, height - 20, width - 10, 20), "#0072B2", 4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def said(data: dict):
    return new_output("display_data", data=data)


def claim_cell(id: str, value: float, unit: str = "ratio", held: bool | None = True, control: bool = False):
    """A cell that made a claim."""
    made = Claim(
        id, f"{id.split('.')[1].replace('_', ' ')}", value, unit, value * 0.9, value * 1.1, 40, {"at_least": 1.5}, held,
        control, None if held is not None else "needs a processor with avx512_vnni", "cpu", RUN["machine"],
    )  # fmt: skip
    data = {"text/plain": to_text(made), "text/html": to_html(made), MIME: vars(made)}
    return new_code_cell(
        f'claim("{id}", value)', id=id.split(".")[1].replace("_", "-"), execution_count=5, outputs=[said(data)]
    )


def chapter(stem: str, extra: str = ""):
    """An executed chapter: parameters, provenance, a wide line, a figure, a widget, three claims."""
    name = slug(stem)
    figure = new_code_cell(
        "show(fig)", id="fig", execution_count=3, outputs=[said({"image/png": png(), "text/plain": "figure: 1 line"})]
    )
    figure.metadata["mystnb"] = {
        "image": {"alt": "A rising line"},
        "figure": {"caption": "It rises.", "name": f"fig-{name}"},
    }
    widget = said({"text/plain": "HBox(children=())", "application/vnd.jupyter.widget-view+json": {"model_id": "x"}})
    wide = new_output("stream", name="stdout", text="wide " * 60 + "\n")
    cells = [
        new_markdown_cell(
            f"# {name.replace('_', ' ').capitalize()}\n\nThe question, in one sentence.{extra}", id="title"
        ),
        new_code_cell('profile = "cpu"', id="parameters", execution_count=1, metadata={"tags": ["parameters"]}),
        new_code_cell('profile = "cpu"', id="injected", execution_count=2, metadata={"tags": ["injected-parameters"]}),
        new_code_cell(
            "prepare(profile)",
            id="sizes",
            execution_count=2,
            outputs=[said({"text/plain": "profile cpu", PROVENANCE: RUN})],
        ),
        new_markdown_cell(f"## The idea\n\nIt is {{claim}}`{name}.it_is_faster`, because $a^2 = b$.", id="idea"),
        new_code_cell(
            "x = " + " + ".join(str(i) for i in range(80)), id="wide", execution_count=3, outputs=[wide, widget]
        ),
        figure,
        claim_cell(f"{name}.it_is_faster", 1.8),
        claim_cell(f"{name}.a_control", 1.6, control=True),
        claim_cell(f"{name}.it_failed", 1.2, held=False),
        claim_cell(f"{name}.elsewhere", 1.1, held=None),
    ]
    return new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "widgets": {"x": 1},
        },
    )


def solution(stem: str):
    """An executed solution notebook with one exercise."""
    number = stem.split("_")[0]
    body = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    wrong = "# refused with: twice\ndef squared(x):\n    return x * x\ncheck_double(squared)"

    def answer(source, text, tags):
        return new_code_cell(source, execution_count=1, metadata={"tags": tags}, outputs=[said({"text/plain": text})])

    return new_notebook(cells=[
        new_markdown_cell(f"# Exercises: {slug(stem)}\n\n[Chapter](../notebooks/{stem}.ipynb).", id="title"),
        new_markdown_cell(f"## Exercise {number}.1 · Double it (●○○, 5 min)\n\nReturn twice the number.", id="problem"),
        new_code_cell(body, id="double", execution_count=1),
        answer("check_double(double)", f"✓ {number}.1 twice", ["check"]),
        answer(wrong, f"✗ {number}.1 That is the square, not twice", ["wrong-answer"]),
    ])  # fmt: skip


def write_run(layout: Layout, stem: str, notebook, inner: str = ".") -> None:
    """Put an executed copy and its sidecar where the runner puts them."""
    folder = layout.runs("cpu") / inner
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{stem}.ipynb")
    (folder / f"{stem}.run.json").write_text(json.dumps({"seconds": 12.3, "peak_mb": 512.0, "status": "ok"}))


def add_chapter(layout: Layout, stem: str, extra: str = "") -> None:
    """A chapter with its executed copy, its solution and its exercise."""
    notebook, answers = chapter(stem, extra), solution(stem)
    for folder in (layout.notebooks, layout.solutions, layout.exercises):
        folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, layout.notebooks / f"{stem}.ipynb")
    nbformat.write(answers, layout.solutions / f"{stem}.ipynb")
    stub = nbformat.from_dict(json.loads(json.dumps(answers)))
    stub.cells = [cell for cell in stub.cells if "wrong-answer" not in cell.metadata.get("tags", [])]
    stub.cells[2].source = "def double(x):\n    raise NotImplementedError()"
    nbformat.write(stub, layout.exercises / f"{stem}.ipynb")
    write_run(layout, stem, notebook)
    write_run(layout, stem, answers, "solutions")


POST = """# A post

<!-- note -->
{} words on {{claim}}`first_chapter.it_is_faster`, from [the chapter](../../notebooks/01_first_chapter.ipynb).

```{{chapter-figure}} 01_first_chapter/fig-first_chapter
```

:::{{note}}
Read on.
:::
"""
PAGES = {
    "index.md": "# Small\n\n[First](../notebooks/01_first_chapter.ipynb)\n\n```{claims-row}\n```\n",
    "evidence.md": "# Evidence\n\n{claim}`first_chapter.it_is_faster@gpu` {claim}`first_chapter.only_on_a_gpu@h200`\n\n"
    "```{evidence-table}\n```\n",
    "exercises.md": "# Exercises\n\n```{exercise-list}\n```\n",
    "blog/index.md": "# Blog\n\n```{postlist}\n```\n",
    "blog/2026-11-19-a-post.md": POST.format("Sixty " * 60),
}


def gpu_ledger() -> dict:
    """A ledger from a machine that the build cannot reach: one claim that is also made here, and one that is not."""
    where = {"chapter": "01_first_chapter", "cell": "it-is-faster", "date": "2026-11-18", "commit": "fed4321"}
    both = {"says": "it is faster", "unit": "ratio", "bound": {"at_least": 1.5}, "control": False, "why_not": None}
    made = [("first_chapter.it_is_faster", 9.5, True), ("first_chapter.only_on_a_gpu", 1.1, False)]
    claims = [
        {"id": id, "value": value, "low": None, "high": None, "n": 5, "held": held, "machine": "h200", **both, **where}
        for id, value, held in made
    ]
    return {"machine": {**RUN, "machine": "h200"}, "profile": "gpu", "claims": claims}


def small_book(root: Path) -> Layout:
    """A whole small book under `root`: two chapters, exercises, evidence page, one post."""
    for name in ("_config.yml", "package.json", "package-lock.json"):
        shutil.copy(REPOSITORY / name, root / name)
    layout = Layout(root)
    for name, text in PAGES.items():
        (layout.book / name).parent.mkdir(parents=True, exist_ok=True)
        (layout.book / name).write_text(text)
    layout.evidence.mkdir(exist_ok=True)
    (layout.evidence / "h200.gpu.json").write_text(json.dumps(gpu_ledger()))
    for name in ("owner.yml", "404.html", "_static/workbench.css", "_static/favicon.svg"):
        (layout.book / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "book" / name, layout.book / name)
    files = [
        "notebooks/01_first_chapter",
        "notebooks/02_second_chapter",
        "book/evidence",
        "book/exercises",
        "book/blog/index",
    ]
    parts = [{"caption": "All", "chapters": [{"file": name} for name in files]}]
    (root / "_toc.yml").write_text(json.dumps({"format": "jb-book", "root": "book/index", "parts": parts}))
    for stem in ("01_first_chapter", "02_second_chapter"):
        add_chapter(layout, stem)
    return layout
