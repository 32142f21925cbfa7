"""Preview cards (1200 × 630) that other sites show for a link: the page's own figure, and its title."""

import io
import textwrap
from pathlib import Path

SIZE = (1200, 630)
PAPER, INK, QUIET, ACCENT = "#ffffff", "#1c2430", "#566070", "#0072b2"
MARGIN = 48


def card(title: str, site: str, figure: bytes | None = None) -> bytes:
    """A PNG with `title`, the site's name and, where there is one, a figure (PNG bytes)."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, 14, SIZE[1]), fill=ACCENT)
    lines = textwrap.wrap(title, 46 if figure else 26)[: 2 if figure else 4]
    size = 40 if figure else 68
    draw.multiline_text((MARGIN, MARGIN), "\n".join(lines), INK, _font(size, bold=True), spacing=size // 3)
    draw.text((MARGIN, SIZE[1] - 64), site, QUIET, _font(26))
    if figure:
        _paste(canvas, figure, top=MARGIN + len(lines) * 56 + 24)
    return _small_png(canvas)


def _paste(canvas, figure: bytes, top: int) -> None:
    """Fit the figure into the space between title and footer, in its own proportions."""
    from PIL import Image

    picture = Image.open(io.BytesIO(figure)).convert("RGBA")
    width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - 84 - top
    scale = min(width / picture.width, height / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    canvas.paste(picture, ((SIZE[0] - picture.width) // 2, top), picture)


def _small_png(canvas) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    canvas.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _font(size: int, bold: bool = False):
    """DejaVu Sans out of matplotlib's own data: the same letters on every machine."""
    import matplotlib
    from PIL import ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), size)
