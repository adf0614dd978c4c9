"""Which handler answers which REST method (sheet section 12.6)."""

import re

from sandbox.bitrix24 import (
    account,
    activities,
    dictionaries,
    duplicates,
    events,
    items,
    legacy,
    money,
    offline,
    placements,
    statistic,
    tasks,
    telephony,
    timeline,
    tracking,
    userfields,
)
from sandbox.bitrix24.turn import Method, Methods, Turn


def existing(turn: Turn) -> dict[str, bool]:
    """method.get: whether a method exists and whether this caller may use it."""
    name = str(turn.needed("name")).lower()
    method = known(turn, name)
    if method is None:
        return {"isExisting": name == BATCH, "isAvailable": name == BATCH}
    return {"isExisting": True, "isAvailable": not method.scopes or bool(turn.scopes & set(method.scopes))}


def known(turn: Turn, name: str) -> Method | None:
    """Returns a method of this portal, or None."""
    absent = turn.portal.dial["missing_methods"]
    return None if absent and re.search(absent, name) else METHODS.get(name)


def names(turn: Turn) -> list[str]:
    """methods: every method of the portal."""
    return sorted((BATCH, *METHODS))


BATCH = "batch"  # has a module of its own, above all methods
ROOMS = (
    *(account, events, offline, placements, dictionaries, items, legacy, userfields, duplicates),
    *(tracking, timeline, activities, tasks, money, telephony, statistic),
)
METHODS: Methods = {
    "method.get": Method(existing, ()),
    "methods": Method(names, ()),
    **{name: method for room in ROOMS for name, method in room.METHODS.items()},
}
