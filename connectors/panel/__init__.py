"""The panel that CRMs show on a card and in their settings: a script, a style sheet, and texts; it is no connector."""

import json
from importlib.resources import files

LANGUAGES = ("ru", "en")
Words = dict[str, dict[str, str]]  # section -> key -> sentence


def text(name: str) -> str:
    """Return a file of the panel: ``panel.js``, ``panel.css``, ``texts/ru.json``."""
    return files("connectors.panel").joinpath(name).read_text(encoding="utf-8")


def words(language: str) -> Words:
    """Return every sentence of the panel in one of LANGUAGES."""
    read: Words = json.loads(text(f"texts/{language}.json"))
    return read
