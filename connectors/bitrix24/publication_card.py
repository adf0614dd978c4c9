"""Rules of publication about the application's card: texts, counts, pictures, category (sheet sections 8.2, 8.4).

What nobody wrote down, and what no program can judge, a person must look at.
"""

import re
import warnings
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from connectors.bitrix24.publication_words import CARD_BY_HAND
from connectors.publication import Card, Finding, Ruling

TAGS, CATEGORIES, KEYWORDS, SENTENCES = 5, 5, 2_000, 2  # at most; keywords in characters
ICON = (250, 650)  # pixels of a side
SCREENSHOT = (1280, 720)
_END = re.compile(r"(?<=[.!?…])[\"»”)]*\s+(?=[\"«“(]*[A-ZА-ЯЁ0-9])")
_TELEPHONY = re.compile("telephon|телефони", re.IGNORECASE)
_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})

_NAME = "The name is short, and the same as in the licence"


def card_findings(card: Card | None) -> Iterator[Finding]:
    """Yield what is found of the card; without one, what to look at."""
    told = card or Card()
    yield _named(told.name)
    yield _short(told.short_description)
    yield _count("tags", told.tags, TAGS)
    yield _count("categories", told.categories, CATEGORIES)
    yield _keywords(told.keywords)
    yield _icon(told)
    yield from _screenshots(told)
    yield _category(told.categories)
    yield from CARD_BY_HAND


def _unwritten(about: str, allowed: str, rule: str = "8.2") -> Finding:
    return Finding(rule, about, Ruling.LOOK, allowed=allowed, to_do="Look at it in the card, or write it into --card.")


def _named(name: str) -> Finding:
    if name.strip():
        return Finding("8.2", _NAME, Ruling.LOOK, name, to_do="Compare it with the licence.")
    return _unwritten(_NAME, "a short name")


def _short(text: str) -> Finding:
    about, allowed = "Short description", f"one or {SENTENCES} sentences"
    if not text.strip():
        return _unwritten(about, allowed)
    count = len(_END.split(text.strip()))
    said = f"{count} sentences" if count > 1 else "one sentence"
    if count <= SENTENCES:
        return Finding("8.2", about, Ruling.KEPT, said)
    return Finding("8.2", about, Ruling.BROKEN, said, allowed, "Move the rest into the full description.")


def _count(about: str, given: tuple[str, ...], most: int) -> Finding:
    title = f"Number of {about}"
    if not given:
        return _unwritten(title, f"{most} at most")
    if len(given) <= most:
        return Finding("8.2", title, Ruling.KEPT, str(len(given)))
    to_do = f"Leave out {len(given) - most}, those that say least."
    return Finding("8.2", title, Ruling.BROKEN, str(len(given)), f"{most} at most", to_do)


def _keywords(text: str) -> Finding:
    about, allowed = "Keywords", f"{KEYWORDS:,} characters at most, separated by commas, no names of other brands"
    if not text.strip():
        return _unwritten(about, allowed)
    if len(text) > KEYWORDS:
        to_do = f"Shorten them by {len(text) - KEYWORDS:,}."
        return Finding("8.2", about, Ruling.BROKEN, f"{len(text):,} characters", allowed, to_do)
    if re.search(r"[;\n]", text.strip()):
        return Finding("8.2", about, Ruling.BROKEN, "separated by something else", allowed, "Separate them by commas.")
    return Finding("8.2", about, Ruling.KEPT, f"{len(text):,} characters")


def _category(categories: tuple[str, ...]) -> Finding:
    """Judge the category: that of telephony wants calls made from the portal, and the hub makes none."""
    about, allowed = "Not in the category of telephony", "a category of analytics or of CRM"
    if not categories:
        return _unwritten(about, allowed, "8.4")
    found = [one for one in categories if _TELEPHONY.search(one)]
    if not found:
        return Finding("8.4", about, Ruling.KEPT, ", ".join(categories))
    to_do = "Leave it out: it wants click to call and callbacks, and the hub dials nobody."
    return Finding("8.4", about, Ruling.BROKEN, ", ".join(found), allowed, to_do)


def _icon(card: Card) -> Finding:
    about, (least, most) = "Icon", ICON
    allowed = f"JPEG or PNG, square, a side of {least} to {most} pixels, without alpha"
    if not card.icon:
        return _unwritten(about, f"{allowed}, no trademarks of others")
    image = _picture(card, card.icon)
    if image is None:
        return Finding(
            "8.2", about, Ruling.BROKEN, f"{card.icon} cannot be read as a picture", allowed, "Draw it anew."
        )
    flaws = [] if image.format in ("PNG", "JPEG") else [f"of the format {image.format}"]
    if image.width != image.height or not least <= image.width <= most:
        flaws.append(f"{image.width}x{image.height}")
    if image.mode in _ALPHA or "transparency" in image.info:
        flaws.append("with alpha")
    if not flaws:
        said = f"{image.format}, {image.width}x{image.height}, without alpha"
        return Finding("8.2", about, Ruling.KEPT, said)
    said = f"{card.icon} is {', '.join(flaws)}"
    return Finding("8.2", about, Ruling.BROKEN, said, allowed, "Draw it anew, on an opaque ground.")


def _screenshots(card: Card) -> Iterator[Finding]:
    width, height = SCREENSHOT
    allowed = f"{width}x{height} at most"
    if not card.screenshots:
        yield _unwritten("Screenshots", f"{allowed}, of the application inside the portal")
    for name in card.screenshots:
        about, image = f"Screenshot {name}", _picture(card, name)
        if image is None:
            yield Finding("8.2", about, Ruling.BROKEN, "cannot be read as a picture", allowed, "Take it anew.")
        elif image.width > width or image.height > height:
            said = f"{image.width}x{image.height}"
            yield Finding("8.2", about, Ruling.BROKEN, said, allowed, "Take it anew in a smaller window.")
        else:
            yield Finding("8.2", about, Ruling.KEPT, f"{image.width}x{image.height}")


def _picture(card: Card, name: str) -> Image.Image | None:
    """Return a picture by its name, not unpacked; None where it cannot be read."""
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            return Image.open(BytesIO(card.pictures.get(name, b"")))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError, SyntaxError, ValueError):
        return None
