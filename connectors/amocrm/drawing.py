"""The pictures of the marketplace package, each drawn anew at the size the vendor wants [8.1]."""

from collections.abc import Mapping
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

SIZES: Mapping[str, tuple[int, int]] = {
    "logo.png": (130, 100),
    "logo_main.png": (400, 272),
    "logo_medium.png": (240, 84),
    "logo_min.png": (84, 84),
    "logo_small.png": (108, 108),
    "logo_dp.png": (174, 109),
}
NAME = "CallTracking Hub"
_FINER = 4  # drawn so many times larger and made small: smooth edges
_PALE_BLUE, _BLUE, _WHITE, _LINE, _INK = "#f1f5fe", "#2456d6", "#ffffff", "#9db8ff", "#171c28"
_BARS = ((9, 15, 21), (16, 10, 21), (23, 6, 21))  # x, top, bottom on a square of 32


@cache
def picture(name: str) -> bytes:
    """Return a PNG of its exact size: the mark alone, or with the name where there is room for it."""
    width, height = SIZES[name]
    page = _PALE_BLUE if name == "logo_main.png" else _WHITE
    image = Image.new("RGB", (width * _FINER, height * _FINER), page)
    draw = ImageDraw.Draw(image)
    if name == "logo_main.png":
        _mark(draw, width / 2 - 56, 44, 112)
        _text(draw, width / 2, 206, 34, "mm")
    elif name == "logo_medium.png":
        _mark(draw, 14, 18, 48)
        _text(draw, 74, height / 2, 19, "lm")
    else:
        side = round(min(width, height) * 0.72)
        _mark(draw, (width - side) / 2, (height - side) / 2, side)
    out = BytesIO()
    image.resize((width, height), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _mark(draw: ImageDraw.ImageDraw, left: float, top: float, side: float) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return (left + x * side / 32) * _FINER, (top + y * side / 32) * _FINER

    def bar(x0: float, y0: float, x1: float, y1: float, round_by: float, color: str) -> None:
        draw.rounded_rectangle((at(x0, y0), at(x1, y1)), round_by * side / 32 * _FINER, fill=color)

    bar(0, 0, 32, 32, 8, _BLUE)
    for x, high, low in _BARS:
        bar(x - 1.7, high - 1.7, x + 1.7, low + 1.7, 1.7, _WHITE)
    bar(6.8, 25, 25.2, 27.4, 1.2, _LINE)


def _text(draw: ImageDraw.ImageDraw, x: float, y: float, size: int, anchor: str) -> None:
    font = ImageFont.load_default(size * _FINER)
    draw.text((x * _FINER, y * _FINER), NAME, fill=_INK, font=font, anchor=anchor)
