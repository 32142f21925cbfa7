"""Write measured outputs back into the committed notebooks: the only thing that does.

A notebook is rewritten when its code changed since its outputs were written (their code's hash is kept in
`metadata.workbench.outputs_of`), or when an output that is compared (text) differs.  Measured values alone, which
differ on every run, rewrite nothing.
"""

import base64
import binascii
import hashlib
import io
import json
from pathlib import Path

from nbformat import NotebookNode

from workbench.errors import CheckFailedError, WorkbenchError
from workbench.layout import Layout
from workbench.runner import execute, notebooks

MAX_FIGURE_KB = 40
COLOURS = (256, 128, 64, 32, 16)


def refresh(layout: Layout, chapters: list[str] | None = None, force: bool = False, progress=None) -> list[Path]:
    """Run changed chapters under the cpu profile, write their outputs into `notebooks/`; return what was rewritten.

    force: rewrite all the chosen chapters.  Solutions and exercises are committed clean.  Nothing is rewritten when it
    raises: CheckFailedError when a chapter does not run to its end, WorkbenchError when a figure cannot be made small.
    """
    results = execute.run(layout, chapters, "cpu", progress=progress, include_solutions=False)
    bad = [result for result in results if not result.good]
    if bad:
        raise CheckFailedError(f"{bad[0].chapter}: {bad[0].message}", "nothing was rewritten")
    sources = {layout.chapter(result.chapter): notebooks.read(result.path) for result in results}
    fresh = {path: renewed(notebooks.read(path), executed, path) for path, executed in sources.items()}
    changed = {path: nb for path, nb in fresh.items() if force or is_stale(notebooks.read(path), nb)}
    for path, nb in changed.items():
        notebooks.write(nb, path)
    return list(changed)


def renewed(source: NotebookNode, executed: NotebookNode, path: Path) -> NotebookNode:
    """The source with the executed copy's outputs: no injected cell, no volatile metadata, small figures."""
    nb = notebooks.strip_volatile(notebooks.without_injected(notebooks.stitch(source, executed)))
    nb.metadata.setdefault("workbench", {})["outputs_of"] = code_hash(nb)
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)  # its state is not kept
            if "image/png" in data:
                data["image/png"] = small_png(data["image/png"], f"{notebooks.show_path(path)}: cell '{cell.id}'")
    return nb


def is_stale(committed: NotebookNode, fresh: NotebookNode) -> bool:
    """Were the committed outputs made by other code, or do compared ones differ from fresh ones?"""
    made_by = committed.metadata.get("workbench", {}).get("outputs_of")
    return made_by != code_hash(fresh) or _compared(committed) != _compared(fresh)


def code_hash(nb: NotebookNode) -> str:
    """Twelve hexadecimal digits of the code cells' sources and tags."""
    return hashlib.sha256(json.dumps(notebooks.code(nb)).encode()).hexdigest()[:12]


def _compared(nb: NotebookNode) -> list:
    """Text outputs of cells whose text is compared by nbval, with the other MIME types that stand beside them."""
    cells = [c for c in nb.cells if c.cell_type == "code" and "nbval-ignore-output" not in notebooks.tags(c)]
    return [[_text(output) for output in cell.outputs] for cell in cells]


def _text(output: NotebookNode) -> tuple:
    data = output.get("data", {})
    return output.output_type, output.get("text", ""), data.get("text/plain", ""), sorted(data)


def small_png(encoded: str, where: str) -> str:
    """Palette-reduce a base64 PNG to at most MAX_FIGURE_KB.  Raises WorkbenchError naming `where` when it cannot."""
    from PIL import Image, UnidentifiedImageError

    try:
        original = base64.b64decode(encoded)
        image = Image.open(io.BytesIO(original))
        image.load()
    except (binascii.Error, UnidentifiedImageError, OSError) as problem:
        raise WorkbenchError(f"{where} holds a PNG that cannot be read: {problem}") from None
    candidates = (original, *(_with_palette(image, colours) for colours in COLOURS))
    best = next((png for png in candidates[1:] if len(png) <= MAX_FIGURE_KB << 10), min(candidates, key=len))
    best = min(best, original, key=len)
    if len(best) > MAX_FIGURE_KB << 10:
        raise WorkbenchError(f"{where} shows a figure of {len(best) >> 10} KB (at most {MAX_FIGURE_KB})", "draw less")
    return base64.b64encode(best).decode()


def _with_palette(image, colours: int) -> bytes:
    """The image as an optimized PNG of so many colours; its transparency and resolution stay."""
    from PIL import Image

    rgba = image.convert("RGBA")
    opaque = rgba.getchannel("A").getextrema() == (255, 255)
    reduced = rgba.convert("RGB").quantize(colours) if opaque else rgba.quantize(colours, Image.Quantize.FASTOCTREE)
    out = io.BytesIO()
    reduced.save(out, "PNG", optimize=True, **({"dpi": image.info["dpi"]} if "dpi" in image.info else {}))
    return out.getvalue()
