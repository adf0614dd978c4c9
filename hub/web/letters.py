"""What people write: forms and callback orders from pages, and anything a customer's own programs pass on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.enquiries import Letter
from hub.web.given import id_in
from tracking_core.enquiry import WRITTEN, EnquiryKind
from tracking_core.mail import Mail
from tracking_core.visit_code import codes_in

CAPS: Mapping[str, int] = {
    "phone": 120,
    "email": 254,
    "name": 200,
    "company": 200,
    "text": 4_000,
    "page": 500,
    "heard": 200,
}
_WITHOUT_ADDRESS = (EnquiryKind.CHAT, EnquiryKind.MANUAL)  # a chat is answered where it came from
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
    if not texts["phone"] and not texts["email"] and kind not in _WITHOUT_ADDRESS:
        raise Unreadable("The fields phone and email are both empty: there is nobody to answer to.")
    visitor = _text(asked, "visitor", 64) or None
    said = texts["text"] if kind == EnquiryKind.CHAT else ""  # where a messenger's link has put the code
    return Letter(
        EnquiryKind(kind),
        f"{sender}:{_id(asked)}",
        _moment(asked, now),
        **texts,
        visitor=visitor,
        visit_id=visit_in(asked),
        user=user_in(asked) or "",
        codes=tuple(codes_in(f"{_text(asked, 'code', 64)} {said}")),
    )


def tidied(mail: Mail) -> Mail:
    """Return a letter without what no database takes."""
    name, subject, text = (clean(told) for told in (mail.name, mail.subject, mail.text))
    return replace(mail, name=name, subject=subject, text=text)


def user_in(asked: Mapping[str, Any]) -> str | None:
    """Return the site's own id of its user, if it is told; raises ``Unreadable`` for what cannot be one."""
    given = asked.get("user")
    if given is None or given == "":
        return None
    given = _id_text(given)
    if given is None:
        raise Unreadable(f"The field user is not a text of 1 to {_LONGEST_ID} printable characters.")
    return given


def _id_text(given: object) -> str | None:
    """Return an id of a sender's own as text; None for what cannot be one."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    is_text = isinstance(given, str) and 0 < len(given) <= _LONGEST_ID and given.isprintable()
    return str(given) if is_text else None


def _id(asked: Mapping[str, Any]) -> str:
    given = _id_text(asked.get("id"))
    if given is None:
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


def visit_in(asked: Mapping[str, Any]) -> int | None:
    """Return the visit that is named; raises ``Unreadable`` for what cannot be one."""
    given = asked.get("visit")
    if given is None or given == "":  # as a hidden field tells it that no script has filled
        return None
    if isinstance(given, str):  # as a hidden field of a form carries it
        given = id_in(given)
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
