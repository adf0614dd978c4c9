"""Reads fields of a foreign JSON object; a refusal names the field and what is allowed, not what was sent.

``identifier``, ``words``, ``whole`` and ``epoch`` take one spelling. ``name_of``, ``first``, ``moment``, ``seconds``,
``code`` and ``link`` are for sources that spell one thing in several ways.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote

from tracking_core.telephony.contract import Unreadable, refuse_future

LONGEST_SECONDS = 604_800  # a week: no call is longer
_LATEST_EPOCH = 253_402_300_799  # the end of the year 9999, where Python's datetimes end
_MOST_DIGITS = 15
_LONGEST_CODE = 18  # digits: FreeSWITCH counts microseconds
_EARLIEST_YEAR = 2000
_LONGEST_LINK = 2000
_SECOND_SCALES = ((10**11, 1), (10**14, 10**3), (10**17, 10**6))  # below the first: seconds, milli-, microseconds
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


def first(fields: Fields, *names: str) -> str | None:
    """Returns the first of several optional texts that is there."""
    return next((told for name in names if (told := words(fields, name))), None)


def name_of(fields: Fields, *names: str) -> str:
    """Returns a required id under the first of its names that is there; a whole number gives its digits."""
    told = next((told for name in names if (told := fields.get(name)) not in (None, "")), None)
    if isinstance(told, int) and not isinstance(told, bool):
        return words({names[0]: told}, names[0]) or ""
    return identifier({names[0]: told}, names[0])


def moment(fields: Fields, zone: tzinfo, now: datetime, *names: str) -> datetime | None:
    """Returns the first of several optional times, in UTC; empty and 0 mean that it did not happen.

    A time is ISO 8601 (read in ``zone`` when it carries none) or a number: unix seconds, milliseconds or
    microseconds, told apart by their size. Raises ``Unreadable``, and ``Stale`` for a time of the far future.
    """
    name = next((name for name in names if fields.get(name) not in (None, "", "0", 0)), None)
    if name is None:
        return None
    try:
        at = _moment(str(fields[name]).strip(), zone)
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None or at.year < _EARLIEST_YEAR:
        raise Unreadable(f"{name} must be a time: ISO 8601, or unix seconds, from the year {_EARLIEST_YEAR}.")
    refuse_future(at, now, name)
    return at


def _moment(told: str, zone: tzinfo) -> datetime:
    # 20261122T070000Z has a letter; what is digits alone, with or without a fraction, is a count since 1970.
    if told.replace(".", "", 1).isdigit() and told.isascii():
        count = float(told)
        scale = next((scale for limit, scale in _SECOND_SCALES if count < limit), 10**9)
        return datetime.fromtimestamp(count / scale, UTC)
    at = datetime.fromisoformat(told)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def seconds(fields: Fields, *names: str) -> int | None:
    """Returns the first of several optional durations in whole seconds; a negative one is 0 (rule 3)."""
    name = next((name for name in names if fields.get(name) not in (None, "")), None)
    if name is None:
        return None
    told = fields[name]
    try:
        count = float(told) if isinstance(told, str | int | float) and not isinstance(told, bool) else math.nan
    except (ValueError, OverflowError):
        count = math.nan
    if not count <= LONGEST_SECONDS:  # nan is not either
        raise Unreadable(f"{name} must be seconds, at most {LONGEST_SECONDS}.")
    return max(0, int(count)) if count > 0 else 0


def code(fields: Fields, *names: str) -> int | None:
    """Returns the first of several optional codes that is a whole number; what is none tells nothing."""
    told = (str(fields.get(name, "")).strip() for name in names)
    return next((int(one) for one in told if one.isascii() and one.isdigit() and len(one) <= _LONGEST_CODE), None)


def link(fields: Fields, *names: str) -> str | None:
    """Returns the first http or https address, or None; an odd one is left out rather than the call with it."""
    for name in names:
        told = fields.get(name)
        # Some sources encode the address once more than their form does.
        told = unquote(told) if isinstance(told, str) and "%3A%2F%2F" in told.upper() else told
        web = isinstance(told, str) and told.startswith(("https://", "http://")) and len(told) <= _LONGEST_LINK
        if isinstance(told, str) and web and told.isprintable() and " " not in told:
            return told
    return None


def _no_constant(name: str) -> None:
    raise ValueError(name)
