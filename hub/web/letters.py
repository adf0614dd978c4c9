"""What people write: forms and callback orders from pages, and anything a customer's own programs pass on."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.enquiries import Letter
from tracking_core.enquiry import WRITTEN, EnquiryKind

CAPS: Mapping[str, int] = {"phone": 120, "email": 254, "name": 200, "text": 4_000, "page": 500, "heard": 200}
_LONGEST_ID = 200
_AHEAD, _BEHIND = timedelta(minutes=5), timedelta(days=90)


class Unreadable(Exception):
    """A letter that cannot be taken; its text is the sentence for the sender."""


def read(asked: Mapping[str, Any], sender: str, now: datetime, kinds: tuple[EnquiryKind, ...] = WRITTEN) -> Letter:
    """Return the letter a JSON object tells; ``sender`` keeps the ids of different senders apart."""
    kind = _text(asked, "kind", 40)
    if kind not in kinds:
        raise Unreadable(f"The field kind is {kind!r}; allowed: {', '.join(kinds)}.")
    texts = {name: clean(_text(asked, name, cap)) for name, cap in CAPS.items()}
    if not texts["phone"] and not texts["email"] and kind != EnquiryKind.MANUAL:
        raise Unreadable("The fields phone and email are both empty: there is nobody to answer to.")
    visitor = _text(asked, "visitor", 64) or None
    return Letter(
        EnquiryKind(kind),
        f"{sender}:{_id(asked)}",
        _moment(asked, now),
        **texts,
        visitor=visitor,
        visit_id=_visit(asked),
    )


def _id(asked: Mapping[str, Any]) -> str:
    given = asked.get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST_ID or not given.isprintable():
        raise Unreadable(
            f"The field id is not a text of 1 to {_LONGEST_ID} printable characters; it makes a letter told twice one."
        )
    return given


def _text(asked: Mapping[str, Any], name: str, cap: int) -> str:
    given = asked.get(name)
    if given is None:
        return ""
    if not isinstance(given, str):
        raise Unreadable(f"The field {name} is not a text.")
    return given[:cap]


def clean(text: str) -> str:
    """Return a text without what no database takes: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def _visit(asked: Mapping[str, Any]) -> int | None:
    given = asked.get("visit")
    if given is None or given == "":  # as a hidden field tells it that no script has filled
        return None
    if isinstance(given, str) and given.isascii() and given.isdecimal():  # as a hidden field of a form carries it
        given = int(given[:20])
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 2**63:
        raise Unreadable("The field visit is not the id of a visit.")
    return given


def _moment(asked: Mapping[str, Any], now: datetime) -> datetime:
    given = _text(asked, "at", 40)
    if not given:
        return now
    try:
        at: datetime | None = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Unreadable("The field at is not a moment with its zone, like 2026-11-20T12:30:05+03:00.")
    if not now - _BEHIND <= at <= now + _AHEAD:
        raise Unreadable(f"The field at is {at.isoformat()}; allowed are the {_BEHIND.days} days before now.")
    return min(at.astimezone(UTC), now)
