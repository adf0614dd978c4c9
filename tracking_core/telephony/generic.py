"""Our own call events, for any telephony that can post signed JSON (Standard Webhooks; sheet section 10).

Headers: ``webhook-id`` (unique to the message, the same when it is sent again), ``webhook-timestamp`` (unix
seconds, within 5 minutes of ours), ``webhook-signature`` (``v1,<base64 of HMAC-SHA256>``; several, parted by
spaces, while a secret is being changed). Signed is ``{webhook-id}.{webhook-timestamp}.{body}``. A secret that
begins with ``whsec_`` is base64 after that; any other is used as it is.

Body: one JSON object of at most 64 kB. Unknown fields are ignored. Required are the first three:

call_id        1 to 255 printable characters, the same in all events of one call
event          ringing | answered (by a person, not by a menu) | ended (the whole call) | recorded
at             ISO 8601, from the year 2000; without an offset it is read in the connection's time zone
direction      inbound (default) | outbound | internal
dialled        the number the caller dialled (outbound: our own number), any spelling
caller         the outside person's number, any spelling; absent, null or "anonymous" when hidden
talk_s         whole seconds of talk, 0 to 604800; read only with ended, as are the next two
wait_s         whole seconds before the answer, or before the end when nobody answered, 0 to 604800
status         answered | missed | busy | cancelled | failed | voicemail | blocked
operator       name or extension of who took the call
recording_url  http or https address of at most 2000 characters; required with recorded
visit_id       our visit, when the sender knows it
"""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.contract import (
    Adapter,
    BadSignature,
    CallRequest,
    Stale,
    Unreadable,
    refuse_future,
    refuse_oversized,
    secret,
)
from tracking_core.telephony.reading import LONGEST_SECONDS, Fields, identifier, json_object, words

SECRETS = ("secret",)
TOLERANCE = timedelta(minutes=5)
_PREFIX = "whsec_"
_EARLIEST_YEAR = 2000
_LONGEST_URL = 2000

_KINDS = {
    "ringing": CallEventKind.RINGING,
    "answered": CallEventKind.ANSWERED,
    "ended": CallEventKind.ENDED,
    "recorded": CallEventKind.RECORDED,
}
_DIRECTIONS = {one.value: one for one in (Direction.INBOUND, Direction.OUTBOUND, Direction.INTERNAL)}
_RESULTS = {one.value: one for one in CallStatus if one.rank >= CallStatus.MISSED.rank}


def sign(secret: str, message_id: str, timestamp: int | str, body: bytes) -> str:
    """Returns the ``webhook-signature`` of one message: ``v1,<base64>``.

    Raises ValueError for a ``whsec_`` secret that is not base64.
    """
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    return "v1," + b64encode(hmac.digest(_key(secret), signed, sha256)).decode()


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a signed request."""
    refuse_oversized(request)
    message_id = _verified_id(request, secret(secrets, "secret"), now)
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("The body must be UTF-8.") from None
    return (_told(json_object(text, "The body"), message_id, now, zone),)


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode("utf-8", "surrogatepass")
    encoded = secret.removeprefix(_PREFIX).rstrip("=")
    key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    if not key:
        raise ValueError("a whsec_ secret must not be empty")
    return key


def _verified_id(request: CallRequest, ours: str, now: datetime) -> str:
    message_id, timestamp = request.header("webhook-id"), request.header("webhook-timestamp")
    given = request.header("webhook-signature")
    if not (message_id and timestamp and given):
        raise BadSignature("The headers webhook-id, webhook-timestamp and webhook-signature must all be present.")
    try:
        expected = sign(ours, message_id, timestamp, request.body).encode()
    except ValueError:
        raise BadSignature("This connection's secret is not base64 after whsec_.") from None
    # Each one is compared, so that the time taken does not tell which of them was right.
    right = [hmac.compare_digest(one.encode("utf-8", "surrogatepass"), expected) for one in given.split()]
    if not any(right):
        raise BadSignature("None of the signatures in webhook-signature belongs to this connection.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Unreadable("webhook-timestamp must be unix seconds.")
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise Stale("webhook-timestamp must be within 5 minutes of the present.")
    return message_id


def _told(fields: Fields, message_id: str, now: datetime, zone: tzinfo) -> CallEvent:
    call_id, kind = identifier(fields, "call_id"), _KINDS[_choice(fields, "event", _KINDS)]
    at = _moment(fields, zone)
    refuse_future(at, now, "at")
    talk_s, wait_s = _duration(fields, "talk_s"), _duration(fields, "wait_s")
    caller = _text(fields, "caller")
    ended, answered = kind is CallEventKind.ENDED, kind is CallEventKind.ANSWERED
    status = _status(fields, talk_s) if ended else CallStatus.UNKNOWN
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        # The body's facts are in the key too: a sender that reuses an id must not lose events.
        dedupe_key=dedupe_key(kind, call_id, message_id, at, None, status),
        occurred_at=at,
        direction=_DIRECTIONS[_choice(fields, "direction", _DIRECTIONS, Direction.INBOUND)],
        did=to_e164(_text(fields, "dialled")),
        caller=to_e164(caller),
        caller_anonymous=is_anonymous(caller),
        operator=_text(fields, "operator"),
        started_at=_started(kind, at, talk_s, wait_s),
        answered_at=at if answered else None,
        ended_at=at if ended else None,
        talk_s=talk_s if ended else None,
        wait_s=wait_s if ended else None,
        status=status,
        final=ended,
        human=answered,
        recording_url=_recording_url(fields, kind),
        visit_id=_text(fields, "visit_id"),
    )


def _started(kind: CallEventKind, at: datetime, talk_s: int | None, wait_s: int | None) -> datetime | None:
    """When the call began, as far as this one event knows."""
    if kind is CallEventKind.RINGING:
        return at
    if kind is CallEventKind.ENDED and (talk_s is not None or wait_s is not None):
        return at - timedelta(seconds=(talk_s or 0) + (wait_s or 0))
    return None


def _status(fields: Fields, talk_s: int | None) -> CallStatus:
    if fields.get("status") is None:
        return CallStatus.ANSWERED if talk_s else CallStatus.UNKNOWN
    return _RESULTS[_choice(fields, "status", _RESULTS)]


def _choice(fields: Fields, name: str, allowed: Mapping[str, object], default: str | None = None) -> str:
    told = fields.get(name)
    if told is None and default is not None:
        return default
    if not isinstance(told, str) or told not in allowed:
        raise Unreadable(f"{name} must be one of: {', '.join(allowed)}.")
    return told


def _moment(fields: Fields, zone: tzinfo) -> datetime:
    told = fields.get("at")
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC) if at else None
    except (ValueError, OverflowError):
        at = None
    if at is None or at.year < _EARLIEST_YEAR:
        raise Unreadable(f"at must be an ISO 8601 time from the year {_EARLIEST_YEAR}.")
    return at


def _duration(fields: Fields, name: str) -> int | None:
    told = fields.get(name)
    if told is None:
        return None
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= LONGEST_SECONDS:
        raise Unreadable(f"{name} must be a whole number of seconds from 0 to {LONGEST_SECONDS}.")
    return told


def _text(fields: Fields, name: str) -> str | None:
    if fields.get(name) is not None and not isinstance(fields[name], str):
        raise Unreadable(f"{name} must be a string or null.")
    return words(fields, name)


def _recording_url(fields: Fields, kind: CallEventKind) -> str | None:
    told = fields.get("recording_url")
    if told is None and kind is not CallEventKind.RECORDED:
        return None
    web = isinstance(told, str) and told.startswith(("https://", "http://")) and len(told) <= _LONGEST_URL
    if not isinstance(told, str) or not web or not told.isprintable() or " " in told:
        raise Unreadable(f"recording_url must be an http or https address of at most {_LONGEST_URL} characters.")
    return told


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the end of an answered call, signed."""
    body = json.dumps(
        {
            "call_id": f"example-{int(now.timestamp())}",
            "event": "ended",
            "at": now.isoformat(),
            "direction": "inbound",
            "dialled": "+74951112233",
            "caller": "+79161234567",
            "talk_s": 62,
            "wait_s": 8,
            "status": "answered",
            "operator": "101",
        }
    ).encode()
    message_id, timestamp = f"msg_example_{int(now.timestamp())}", str(int(now.timestamp()))
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secrets["secret"], message_id, timestamp, body),
    }
    return CallRequest("POST", "/", headers, {}, body)


GENERIC = Adapter("generic", parse, SECRETS, example)
