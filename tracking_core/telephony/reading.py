"""Reads fields of a foreign JSON object; a refusal names the field and what is allowed, not what was sent."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from tracking_core.telephony.contract import Unreadable

LONGEST_SECONDS = 604_800  # a week: no call is longer
_LATEST_EPOCH = 253_402_300_799  # the end of the year 9999, where Python's datetimes end
_MOST_DIGITS = 15
Fields = Mapping[str, object]


def json_object(text: str, name: str) -> Fields:
    """Returns the JSON object in ``text``; ``name`` says in a refusal where it stood."""
    try:
        told = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable(f"{name} must be valid JSON.") from None
    if not isinstance(told, dict):
        raise Unreadable(f"{name} must be a JSON object.")
    return told


def nested(fields: Fields, name: str) -> Fields:
    """Returns an object inside the object; an absent one is empty."""
    told = fields.get(name)
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise Unreadable(f"{name} must be a JSON object.")
    return told


def identifier(fields: Fields, name: str, longest: int = 255) -> str:
    """Returns a required printable id."""
    told = fields.get(name)
    if not isinstance(told, str) or not 0 < len(told) <= longest or not told.isprintable():
        raise Unreadable(f"{name} must be a string of 1 to {longest} printable characters.")
    return told


def words(fields: Fields, name: str, longest: int = 255) -> str | None:
    """Returns an optional text without unprintable characters, or None; a whole number gives its digits."""
    told = fields.get(name)
    if told is None:
        return None
    if isinstance(told, int) and not isinstance(told, bool) and abs(told) < 10**_MOST_DIGITS:
        return str(told)
    if not isinstance(told, str) or len(told) > longest:
        raise Unreadable(f"{name} must be a string of at most {longest} characters.")
    return "".join(char if char.isprintable() else " " for char in told).strip() or None


def whole(fields: Fields, name: str, least: int = 0, most: int = 10**_MOST_DIGITS) -> int | None:
    """Returns an optional whole number; a string of digits is accepted."""
    told = fields.get(name)
    if told is None:
        return None
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= _MOST_DIGITS:
        told = int(told)
    if not isinstance(told, int) or isinstance(told, bool) or not least <= told <= most:
        raise Unreadable(f"{name} must be a whole number from {least} to {most}.")
    return told


def epoch(fields: Fields, name: str) -> datetime | None:
    """Returns an optional time in unix seconds; 0 means that it did not happen."""
    seconds = whole(fields, name, most=_LATEST_EPOCH)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _no_constant(name: str) -> None:
    raise ValueError(name)
