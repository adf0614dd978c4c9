"""Moderation of pictures: which, of what size, of what weight, and standing still [8.1]."""

import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from connectors.amocrm.drawing import SIZES
from connectors.amocrm.moderation_manifest import Declared
from connectors.packaging import Flaw

HEAVIEST = 300 * 1024
TOUR = (1188, 616)
_FORMATS = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "GIF": (".gif",)}


def image_flaws(declared: Declared, files: Mapping[str, bytes]) -> Iterator[Flaw]:
    """Yield what is wrong with the pictures of a package."""
    there = {name: raw for name, raw in files.items() if name in declared.images}
    stems = {name.removeprefix("images/").rsplit(".", 1)[0] for name in there}
    for name, (width, height) in SIZES.items():
        if name == "logo_dp.png" and "digital_pipeline" not in declared.locations:
            continue
        if name.removesuffix(".png") not in stems:
            yield Flaw(f"images/{name}", "is missing", f"a picture of {width}x{height}")
    for name in sorted(declared.tour - there.keys()):
        yield Flaw(name, "is missing", "each tour image the manifest names")
    for name, raw in there.items():
        yield from _picture(name, raw, _size_of(name))


def _size_of(name: str) -> tuple[int, int]:
    stem = name.removeprefix("images/").rsplit(".", 1)[0]
    return SIZES.get(f"{stem}.png", TOUR)


def _picture(name: str, raw: bytes, size: tuple[int, int]) -> Iterator[Flaw]:
    if len(raw) > HEAVIEST:
        yield Flaw(name, f"weighs {-(-len(raw) // 1024)} KB", f"at most {HEAVIEST // 1024} KB")
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            image = Image.open(BytesIO(raw))
            moves = getattr(image, "is_animated", False)
            if image.size == size:  # a larger one is not unpacked
                image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError, SyntaxError, ValueError):
        yield Flaw(name, "cannot be read as a picture", "png, jpg, jpeg or gif")
        return
    if not name.lower().endswith(_FORMATS.get(image.format or "", ())):
        yield Flaw(name, f"holds a picture of the format {image.format}", "png, jpg, jpeg or gif, as its name says")
    if image.size != size:
        yield Flaw(name, f"is {image.width}x{image.height}", f"exactly {size[0]}x{size[1]}")
    if moves:
        yield Flaw(name, "moves", "a picture that stands still")
