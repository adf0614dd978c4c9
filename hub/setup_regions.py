"""Regions as a person writes them into the set-up file, and the codes they mean."""

from difflib import get_close_matches

from tracking_core import regions
from tracking_core.selective import pattern

_SPELLINGS = {name.lower(): name for one in regions.ALL.values() for name in (one.code, *one.spellings)}


def region(text: str) -> str:
    """Return the code of a region by code or name, or the pattern of codes as it is; raises ``ValueError``."""
    found = regions.of_code(text) or regions.of_name(text)
    if found is not None:
        return found
    codes = text.strip().upper()
    if "*" in codes and any(pattern(codes).fullmatch(code) for code in regions.ALL):
        return codes
    raise ValueError(f"{text!r} is no region; allowed: {_like(text)}")


def _like(text: str) -> str:
    near = [_SPELLINGS[name] for name in get_close_matches(text.strip().lower(), _SPELLINGS, n=3)]
    allowed = "a name like Москва or Tatarstan, a code like RU-MOW or KZ, a pattern like RU-*"
    return f"{allowed}; did you mean {' or '.join(near)}?" if near else allowed
