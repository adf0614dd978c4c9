"""Telnyx Call Control: JSON signed with Ed25519 (telephony sheet, section 5)."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.causes import by_sip
from tracking_core.telephony.contract import (
    Adapter,
    BadSignature,
    CallRequest,
    Stale,
    Unreadable,
    refuse_oversized,
    secret,
)
from tracking_core.telephony.forms import text_of
from tracking_core.telephony.reading import Fields, code, identifier, json_object, link, moment, nested, words

SECRETS = ("public_key",)
TOLERANCE = timedelta(seconds=300)

_KINDS = {
    "call.initiated": CallEventKind.RINGING,
    "call.answered": CallEventKind.ANSWERED,
    "call.bridged": CallEventKind.ANSWERED,
    "call.hangup": CallEventKind.ENDED,
    "call.recording.saved": CallEventKind.RECORDED,
}
_DIRECTIONS = {"incoming": Direction.INBOUND, "outgoing": Direction.OUTBOUND}
_HANGUPS = {  # normal_clearing, time_limit and unspecified say nothing of whether somebody talked
    "user_busy": CallStatus.BUSY,
    "no_answer": CallStatus.MISSED,
    "timeout": CallStatus.MISSED,
    "originator_cancel": CallStatus.CANCELLED,
    "call_rejected": CallStatus.BLOCKED,
    "not_found": CallStatus.FAILED,
}


def is_signed(public_key: str, signature: str, text: bytes) -> bool:
    """Says whether an Ed25519 signature is the key's over the text; key and signature are base64."""
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(public_key, validate=True))
        key.verify(b64decode(signature, validate=True), text)
    except (ValueError, InvalidSignature):
        return False
    return True


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the event of one signed message; kinds that tell nothing of a call give none."""
    refuse_oversized(request)
    _refuse_unsigned(request, secret(secrets, "public_key"), now)
    told = nested(json_object(text_of(request), "The body"), "data")
    kind = _KINDS.get(identifier(told, "event_type"))
    return () if kind is None else (_told(told, kind, now, zone),)


def _refuse_unsigned(request: CallRequest, public_key: str, now: datetime) -> None:
    signature, timestamp = request.header("telnyx-signature-ed25519"), request.header("telnyx-timestamp")
    if not (signature and timestamp):
        raise BadSignature("The headers telnyx-signature-ed25519 and telnyx-timestamp must both be present.")
    signed = f"{timestamp}|".encode("utf-8", "surrogatepass") + request.body
    if not is_signed(public_key, signature, signed):
        raise BadSignature("The header telnyx-signature-ed25519 does not belong to this connection.")
    at = code({"timestamp": timestamp}, "timestamp")
    if at is None:
        raise Unreadable("telnyx-timestamp must be unix seconds.")
    if abs(at - now.timestamp()) > TOLERANCE.total_seconds():
        raise Stale("telnyx-timestamp must be within 5 minutes of the present.")


def _told(told: Fields, kind: CallEventKind, now: datetime, zone: tzinfo) -> CallEvent:
    """The caller's own hangup ends the call; the main line's is the end of one leg."""
    event_id, at = identifier(told, "id"), moment(told, zone, now, "occurred_at") or now
    call = nested(told, "payload")
    call_id, leg_id = identifier(call, "call_session_id"), words(call, "call_leg_id")
    direction = _DIRECTIONS.get(words(call, "direction") or "", Direction.UNKNOWN)
    incoming, recorded = direction is Direction.INBOUND, kind is CallEventKind.RECORDED
    ended, human = kind is CallEventKind.ENDED, _is_human(told, direction)
    caller = words(call, "from" if incoming else "to")
    ended_at = (moment(call, zone, now, "end_time") or at) if ended else None
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        provider_leg_id=leg_id,
        dedupe_key=dedupe_key(kind, call_id, leg_id, None, None, event_id),
        occurred_at=at,
        direction=Direction.UNKNOWN if recorded else direction,
        did=to_e164(words(call, "to" if incoming else "from")),
        caller=to_e164(caller),
        caller_anonymous=incoming and is_anonymous(caller),
        started_at=moment(call, zone, now, "start_time") if incoming else None,
        answered_at=at if human else None,
        ended_at=ended_at,
        status=_status(call) if ended else CallStatus.UNKNOWN,
        final=ended and incoming,
        human=human,
        recording_url=_recording(call) if recorded else None,
        reason_code=words(call, "hangup_cause"),
        visit_id=_visit_id(call),
    )


def _is_human(told: Fields, direction: Direction) -> bool:
    """An incoming leg is answered by the programme; a person answers the outgoing one, or is bridged to it."""
    event = told["event_type"]
    return event == "call.bridged" or (event == "call.answered" and direction is Direction.OUTBOUND)


def _status(call: Fields) -> CallStatus:
    known = _HANGUPS.get(words(call, "hangup_cause") or "", CallStatus.UNKNOWN)
    return known if known is not CallStatus.UNKNOWN else by_sip(code(call, "sip_hangup_cause"))


def _recording(call: Fields) -> str | None:
    """The public address if there is one: the other is gone after ten minutes."""
    lasting, passing = nested(call, "public_recording_urls"), nested(call, "recording_urls")
    return link(lasting, "mp3", "wav") or link(passing, "mp3", "wav")


def _visit_id(call: Fields) -> str | None:
    for name in ("custom_headers", "sip_headers"):
        headers = call.get(name)
        for header in headers if isinstance(headers, list) else ():
            if isinstance(header, dict) and str(header.get("name")).lower() == "x-visit-id":
                return words(header, "value")
    return None


TELNYX = Adapter("telnyx", parse, SECRETS, example=None)
