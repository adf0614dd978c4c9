"""Scenarios to start from, in Russian and English: ``scenarios/LANGUAGE/NAME.yaml`` beside this file."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def ready_made(language: str) -> Mapping[str, str]:
    """Return the texts of the ready-made scenarios of a language, ru or en, by their names; raises ``KeyError``."""
    folder = files("connectors") / "scenarios" / language
    if not folder.is_dir():
        raise KeyError(language)
    found = sorted((one.name.removesuffix(".yaml"), one) for one in folder.iterdir() if one.name.endswith(".yaml"))
    return {name: one.read_text(encoding="utf-8") for name, one in found}
