"""Which handler answers which REST method (sheet section 12.6)."""

import re
from typing import Any

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
    allowed = method is not None and (not method.scopes or bool(turn.scopes & set(method.scopes)))
    return {"isExisting": method is not None, "isAvailable": allowed}


def known(turn: Turn, name: str) -> Method | None:
    """Returns a method of this portal, or None."""
    absent = turn.portal.dial["missing_methods"]
    return None if absent and re.search(absent, name) else METHODS.get(name)


def names(turn: Turn) -> list[str]:
    """methods: every method of the portal."""
    return sorted(METHODS)


def _nested_elsewhere(turn: Turn) -> Any:
    raise AssertionError("a batch is run by its own module")


ROOMS = (
    *(account, events, offline, placements, dictionaries, items, legacy, userfields, duplicates),
    *(tracking, timeline, activities, tasks, money, telephony, statistic),
)
METHODS: Methods = {
    "batch": Method(_nested_elsewhere, (), in_batch=False),
    "method.get": Method(existing, ()),
    "methods": Method(names, ()),
    **{name: method for room in ROOMS for name, method in room.METHODS.items()},
}
