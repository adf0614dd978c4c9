"""Single values that requests give as text: days, ids and versions."""

from datetime import date

FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)
_LARGEST_ID = 2**63 - 1


def day_in(text: str) -> date:
    """Return the day a text like 2026-11-20 names; raises ValueError for what cannot be one."""
    found = date.fromisoformat(text)
    if not FIRST <= found <= LAST:
        raise ValueError(f"{found} is no day from {FIRST} to {LAST}")
    return found


def version_in(text: str) -> int | None:
    """Return the version a text names, 0 where there was none yet; None for what cannot be one."""
    return 0 if text == "0" else id_in(text)


def id_in(text: str) -> int | None:
    """Return the id a text names; None for what cannot be one."""
    if not (text.isascii() and text.isdecimal()):
        return None
    number = int(text[:20])
    return number if 0 < number <= _LARGEST_ID else None
