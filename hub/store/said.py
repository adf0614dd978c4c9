"""What was said of a delivery, a hold or an access, as it stands in the database: codes with their values.

The sentences are made when somebody looks, in his language (hub/web/telling.py). A text that is not of this form is
what it says: older rows, and what somebody else wrote, are read as they are.
"""

import re

import orjson

from connectors.telling import Said

_BETWEEN = ": "  # the kind of trouble that a lane's hold names first, and what was said of it
_OF_HOLD = re.compile(rf"[a-z_]+{_BETWEEN}(?=\[)")


def pack(*said: Said) -> str:
    """Return what was said as a text column takes it; nothing for nothing."""
    told = [[one.code, dict(one.values)] for one in said]
    return orjson.dumps(told).decode() if told else ""


def pack_hold(kind: str, said: Said) -> str:
    """Return what a lane is left alone for as its text column takes it."""
    return f"{kind}{_BETWEEN}{pack(said)}"


def of_hold(hold_why: str) -> tuple[str, str]:
    """Return the kind of trouble a lane is left alone for, and what was said of it as it is kept."""
    kind, _, kept = hold_why.partition(_BETWEEN)
    return kind, kept


def unpack(text: str) -> tuple[Said, ...]:
    """Return what a text column says; one that is no such list is said as it stands."""
    try:
        found = orjson.loads(_OF_HOLD.sub("", text, count=1)) if text.endswith("]") else None
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, list) and all(map(_is_said, found)):
        return tuple(Said(code, values) for code, values in found)
    return (Said(text),) if text else ()


def _is_said(one: object) -> bool:
    return isinstance(one, list) and [type(part) for part in one] == [str, dict]
