"""The days a query may name."""

from datetime import date

FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)


def day_in(text: str) -> date:
    """Return the day a text like 2026-11-20 names; raises ValueError for what cannot be one."""
    found = date.fromisoformat(text)
    if not FIRST <= found <= LAST:
        raise ValueError(f"{found} is no day from {FIRST} to {LAST}")
    return found
