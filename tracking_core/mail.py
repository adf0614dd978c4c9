"""A letter as a mail server hands it over (RFC 5322): who wrote, what, whom it was sent to, and whether it is one.

Anything may stand in a letter, so nothing here raises but ``NotALetter``: what cannot be read is left empty.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from enum import StrEnum

from tracking_core.enquiry import to_email
from tracking_core.mail_text import decoded, text_of
from tracking_core.visit_code import codes_in

_RECIPIENTS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "resent-to", "to", "cc")
_MAKE_A_LETTER = frozenset({"from", "to", "subject", "date", "message-id", "received", "return-path"})
_MOST_HEADERS, _LONGEST_HEADER = 500, 20_000
_MOST_ADDRESSES, _MOST_CODES = 100, 20
_LONGEST_NAME, _LONGEST_SUBJECT, _LONGEST_ID = 200, 500, 250
_OLDEST_KNOWN, _LATEST_KNOWN = 5, 15  # letters of a thread, from its beginning and from its end
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]\\]{1,64}@[^\s<>,;:\"()\[\]\\]{1,255}")
_ID = re.compile(rf"<([^<>\s]{{1,{_LONGEST_ID}}})>")

Headers = Mapping[str, Sequence[str]]


class NotALetter(Exception):
    """Bytes that are no letter."""


class NotEnquiry(StrEnum):
    """Why a letter is not a person's enquiry."""

    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    MAILING_LIST = "mailing_list"
    SPAM = "spam"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter as read; texts are "" where there is none, ``email`` as ``to_email`` gives it.

    ``key`` is its Message-ID, or a hash of what it says; ``thread`` are those of the letters it answers. ``codes`` are
    the visits' codes its recipients may carry. ``not_enquiry`` is None for a person's letter.
    """

    key: str
    thread: tuple[str, ...]
    email: str
    name: str
    subject: str
    text: str
    written_at: datetime | None
    codes: tuple[str, ...]
    not_enquiry: NotEnquiry | None


def read_mail(raw: bytes, own: Collection[str]) -> Mail:
    """Return what a letter says, also of one whose end is missing; ``own`` are our addresses and domains.

    Raises ``NotALetter`` for bytes without a single header of a letter.
    """
    message, text = _opened(raw.lstrip(b"\r\n"))
    headers = _headers(message)
    if _MAKE_A_LETTER.isdisjoint(headers):
        raise NotALetter
    name, email = _sender(headers, own)
    return Mail(
        key=_key(headers, text),
        thread=_thread(headers),
        email=email or "",
        name=name[:_LONGEST_NAME],
        subject=_clear(_first(headers, "subject"))[:_LONGEST_SUBJECT],
        text=text,
        written_at=_written_at(headers),
        codes=_codes(headers),
        not_enquiry=_not_enquiry(message, headers, own),
    )


def is_own(email: str, own: Collection[str]) -> bool:
    """Say whether an address is one of ours, or of one of our domains or their subdomains."""
    labels = email.rpartition("@")[2].split(".")
    return email in own or any(".".join(labels[place:]) in own for place in range(len(labels)))


def _opened(raw: bytes) -> tuple[Message, str]:
    """Return a letter and its text; of one that is nested without end only its headers."""
    try:
        message = BytesParser().parsebytes(raw)
        return message, text_of(message)
    except RecursionError:
        return BytesParser().parsebytes(raw, headersonly=True), ""


# -- headers


def _headers(message: Message) -> Headers:
    found: dict[str, list[str]] = {}
    for name, raw in list(message.raw_items())[:_MOST_HEADERS]:
        found.setdefault(name.lower(), []).append(re.sub(r"\r?\n[ \t]*", " ", str(raw))[:_LONGEST_HEADER].strip())
    return found


def _first(headers: Headers, name: str) -> str:
    return headers.get(name, [""])[0]


def _clear(raw: str) -> str:
    """Return a header in clear words: encoded ones decoded, bare bytes read as what they most likely are."""
    try:
        pieces = decode_header(raw) if "=?" in raw else [(raw.encode("utf-8", "surrogateescape"), None)]
    except (HeaderParseError, ValueError):
        pieces = [(raw, None)]
    text = "".join(
        decoded(piece, charset) if isinstance(piece, bytes) else piece.encode("utf-8", "replace").decode()
        for piece, charset in pieces
    )
    return " ".join(text.split())


def _mailboxes(headers: Headers, name: str) -> list[tuple[str, str]]:
    """Return name and address of each mailbox in a header that can be read as one."""
    raw = headers.get(name, [])
    try:
        listed = getaddresses(raw)
    except (IndexError, ValueError, AttributeError, RecursionError):
        listed = []
    boxes = [(_clear(box), email) for box, address in listed if (email := to_email(address))]
    return boxes or [("", email) for found in _ADDRESS.findall(" ".join(raw)) if (email := to_email(found))]


def _sender(headers: Headers, own: Collection[str]) -> tuple[str, str | None]:
    """Return name and address of whom to answer: the Reply-To of somebody else's letter, or else its From."""
    wrote = _mailboxes(headers, "from")
    answer_to = [box for box in _mailboxes(headers, "reply-to") if not is_own(box[1], own)]
    if not wrote and not answer_to:
        return _clear(_first(headers, "from")), None
    name, email = (answer_to or wrote)[0]
    return name or (wrote[0][0] if wrote else ""), email


def _codes(headers: Headers) -> tuple[str, ...]:
    addresses = [
        found for name in _RECIPIENTS for raw in headers.get(name, []) for found in _ADDRESS.findall(raw.lower())
    ]
    found = [code for address in addresses[:_MOST_ADDRESSES] for code in codes_in(address.rpartition("@")[0])]
    return tuple(dict.fromkeys(found))[:_MOST_CODES]


def _key(headers: Headers, text: str) -> str:
    given = _ID.search(_first(headers, "message-id"))
    if given:
        return given[1]
    told = "\n".join([*(_first(headers, name) for name in ("from", "date", "subject")), text])
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()


def _thread(headers: Headers) -> tuple[str, ...]:
    """Return the letters this one answers; a long thread by its beginning and its end."""
    answers = _ID.findall(f"{_first(headers, 'references')} {_first(headers, 'in-reply-to')}")
    return tuple(dict.fromkeys([*answers[:_OLDEST_KNOWN], *answers[-_LATEST_KNOWN:]]))


def _written_at(headers: Headers) -> datetime | None:
    try:
        at = parsedate_to_datetime(_first(headers, "date"))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


# -- who is no person


def _not_enquiry(message: Message, headers: Headers, own: Collection[str]) -> NotEnquiry | None:
    if _is_bounce(message, headers):
        return NotEnquiry.BOUNCE
    if _is_automatic(message, headers):
        return NotEnquiry.AUTO_REPLY
    if "<>" in headers.get("return-path", []):
        return NotEnquiry.BOUNCE
    list_ids = headers.get("list-id", [])
    # A list of our own is how some share a mailbox: what comes through it is no newsletter.
    ours = any(is_own(listed.strip("<> ").rpartition("<")[2].lower(), own) for listed in list_ids)
    if not ours and (list_ids or _precedence(headers) in ("bulk", "list", "junk")):
        return NotEnquiry.MAILING_LIST
    if any(_says_yes(headers, name) for name in ("x-spam-flag", "x-spam-status", "x-spam")):
        return NotEnquiry.SPAM
    wrote = [_sender(headers, own)] if ours else _mailboxes(headers, "from")
    return NotEnquiry.OWN if any(email and is_own(email, own) for _, email in wrote[:1]) else None


def _is_bounce(message: Message, headers: Headers) -> bool:
    kind = _first(headers, "content-type").lower()
    if message.get_content_type() == "multipart/report" and "delivery-status" in kind:
        return True
    senders = [*headers.get("from", []), *headers.get("return-path", [])]
    return any(re.search(r"(^|[\s<\"])mailer-daemon\b", sender.lower()) for sender in senders)


def _is_automatic(message: Message, headers: Headers) -> bool:
    submitted = _first(headers, "auto-submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if message.get_content_type() == "multipart/report" or _precedence(headers) == "auto_reply":
        return True
    return any(name in headers for name in ("x-autoreply", "x-autorespond"))


def _precedence(headers: Headers) -> str:
    return _first(headers, "precedence").lower()


def _says_yes(headers: Headers, name: str) -> bool:
    return _first(headers, name).lower().startswith("yes")
