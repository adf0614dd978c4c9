"""Twilio Voice: forms signed with their address; some are answered in TwiML (telephony sheet, section 4)."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from urllib.parse import SplitResult, urlencode, urlsplit

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.destination import DestinationKind, kind_of
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.contract import (
    Adapter,
    Answer,
    BadSignature,
    CallRequest,
    Routing,
    Unreadable,
    refuse_future,
    refuse_oversized,
    secret,
)
from tracking_core.telephony.forms import FORM, pairs_of
from tracking_core.telephony.proof import basic, hmac_sha1, same
from tracking_core.telephony.reading import Fields, first, identifier, link, seconds, whole, words
from tracking_core.telephony.recordings import Fetch, Recording
from tracking_core.telephony.twilio_mappings import DIAL_RESULTS, DIRECTIONS, LOST, STATE_KINDS

SECRETS = ("auth_token",)

_PORTS = {"https": 443, "http": 80}
_RECORDING = re.compile(r"https://api\.twilio\.com/[^?#]*/Accounts/(\w{1,64})/Recordings/\w{1,64}", re.ASCII)


def sign(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """Returns ``X-Twilio-Signature``: base64 of HMAC-SHA1 over the address and the sorted fields."""
    fields = "".join(name + told for name, told in sorted(set(form)))
    return b64encode(hmac_sha1(token, url + fields)).decode()


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the events of one request; the end of its address says which form it is."""
    refuse_oversized(request)
    read = _READERS.get(_ending(request))
    if read is None:
        raise Unreadable(f"The address must end with one of: {', '.join(_READERS)}.")
    form = pairs_of(request)
    _refuse_unsigned(request, form, secret(secrets, "auth_token"))
    if _ending(request) == "/voice" and _to_ring(request) is None:
        raise Unreadable("The address /voice must say whom to ring, as in /voice?to=+74950000000.")
    return read(dict(form), now)


def answer(request: CallRequest) -> Answer | None:
    """Returns the TwiML Twilio waits for: whom to ring, or after the ringing nothing more."""
    ending = _ending(request)
    if ending == "/dial":
        return Answer(b"<Response/>", "text/xml")
    if ending != "/voice":
        return None
    base = urlsplit(request.url)._replace(query="", fragment="").geturl().rstrip("/").removesuffix("/voice")
    return route(_to_ring(request), base)


def route(destination: str | None, events: str) -> Answer:
    """Returns the TwiML that rings a phone or a SIP address and tells its events; for anything else it is busy."""
    if destination is None or kind_of(destination) is DestinationKind.EXTENSION:
        return Answer(b'<Response><Reject reason="busy"/></Response>', "text/xml")
    base = escape(events)
    noun = "Number" if kind_of(destination) is DestinationKind.PHONE else "Sip"
    # Without answerOnBridge Twilio takes the call at once and the talk would begin with the ringing.
    told = (
        f'<Response><Dial answerOnBridge="true" action="{base}/dial">'
        f'<{noun} statusCallback="{base}/leg" statusCallbackEvent="initiated ringing answered completed">'
        f"{destination}</{noun}></Dial></Response>"
    )
    return Answer(told.encode("utf-8", "replace"), "text/xml")


def _ending(request: CallRequest) -> str:
    return "/" + request.path.strip("/").rpartition("/")[2]


def _to_ring(request: CallRequest) -> str | None:
    told = request.query.get("to", "").strip()
    return to_e164(told) or to_e164(f"+{told}")  # a + in a query is read as a space


def _refuse_unsigned(request: CallRequest, form: list[tuple[str, str]], token: str) -> None:
    given = request.header("x-twilio-signature")
    if not given:
        raise BadSignature("The header X-Twilio-Signature is missing.")
    right = [same(given, sign(token, url, form)) for url in _spellings(request.url)]
    if not any(right):
        raise BadSignature("The header X-Twilio-Signature does not belong to this connection and address.")


def _spellings(url: str) -> list[str]:
    """The address as requested, and with and without its usual port: proxies differ."""
    try:
        parts = urlsplit(url)
        named = parts.port is not None
    except ValueError:
        return [url]
    bare = parts.netloc.rpartition(":")[0] if named else parts.netloc
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return [url, _at(parts, bare), _at(parts, f"{bare}:{port}")]


def _at(parts: SplitResult, netloc: str) -> str:
    return parts._replace(netloc=netloc, fragment="").geturl()


def _state(form: Fields, now: datetime) -> tuple[CallEvent, ...]:
    """A state of the caller's own leg, or of a leg made from it, which has a ParentCallSid."""
    return (_leg_state(form, now) if words(form, "ParentCallSid") else _call_state(form, now),)


def _call_state(form: Fields, now: datetime) -> CallEvent:
    """The end of an inbound call does not say whether somebody talked: its legs and its Dial do (rule 5)."""
    call_id, state, at = identifier(form, "CallSid"), identifier(form, "CallStatus"), _timestamp(form, now)
    kind, direction = STATE_KINDS.get(state, CallEventKind.UPDATED), _direction(form)
    outbound, final = direction is Direction.OUTBOUND, kind is CallEventKind.ENDED
    answered = outbound and kind is CallEventKind.ANSWERED
    talk_s = seconds(form, "CallDuration") if outbound and final else None
    status = LOST.get(state, CallStatus.ANSWERED if talk_s else CallStatus.UNKNOWN)
    caller = first(form, "To", "Called") if outbound else first(form, "From", "Caller")
    seq = whole(form, "SequenceNumber")
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        provider_leg_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, call_id, at, seq, state),
        seq=seq,
        occurred_at=at or now,
        direction=direction,
        did=to_e164(first(form, "From", "Caller") if outbound else first(form, "To", "Called")),
        caller=to_e164(caller),
        caller_anonymous=not outbound and is_anonymous(caller),
        answered_at=(at or now) if answered else None,
        ended_at=(at or now) if final else None,
        talk_s=talk_s,
        status=status,
        final=final,
        human=answered,
        recording_url=link(form, "RecordingUrl"),
        recording_id=words(form, "RecordingSid"),
        reason_code=words(form, "SipResponseCode"),
    )


def _leg_state(form: Fields, now: datetime) -> CallEvent:
    """A leg to the main line: its numbers are not the caller's and not the tracking number."""
    call_id, leg_id = identifier(form, "ParentCallSid"), identifier(form, "CallSid")
    state, at, seq = identifier(form, "CallStatus"), _timestamp(form, now), whole(form, "SequenceNumber")
    kind, talk_s = STATE_KINDS.get(state, CallEventKind.UPDATED), seconds(form, "CallDuration")
    when, answered, ended = at or now, kind is CallEventKind.ANSWERED, kind is CallEventKind.ENDED
    talked = state == "completed"
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        provider_leg_id=leg_id,
        previous_leg_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, leg_id, at, seq, state),
        seq=seq,
        occurred_at=when,
        operator=words(form, "To"),
        answered_at=when if answered else when - timedelta(seconds=talk_s) if talked and talk_s else None,
        ended_at=when if ended else None,
        status=CallStatus.ANSWERED if talked and talk_s else LOST.get(state, CallStatus.UNKNOWN),
        human=answered,
        reason_code=words(form, "SipResponseCode"),
    )


def _dialled(form: Fields, now: datetime) -> tuple[CallEvent, ...]:
    """The action of Dial: the result of the ringing, and the end, as we answer that nothing follows."""
    call_id, state, at = identifier(form, "CallSid"), identifier(form, "DialCallStatus"), _timestamp(form, now)
    status = DIAL_RESULTS.get(state, CallStatus.UNKNOWN)
    if words(form, "DialBridged") == "false" and status is CallStatus.ANSWERED:
        status = CallStatus.MISSED  # somebody picked up and was not put through
    kind, caller = CallEventKind.ENDED, first(form, "From", "Caller")
    mark = f"dial|{state}|{words(form, 'DialCallSid') or ''}"
    told = CallEvent(
        kind=kind,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, None, at, None, mark),
        occurred_at=at or now,
        direction=_direction(form),
        did=to_e164(first(form, "To", "Called")),
        caller=to_e164(caller),
        caller_anonymous=is_anonymous(caller),
        ended_at=at or now,
        talk_s=seconds(form, "DialCallDuration") if status is CallStatus.ANSWERED else 0,
        status=status,
        final=True,
        recording_url=link(form, "RecordingUrl"),
        recording_id=words(form, "RecordingSid"),
        reason_code=state,
    )
    return (told,)


def _recording(form: Fields, now: datetime) -> tuple[CallEvent, ...]:
    call_id, state = first(form, "ParentCallSid") or identifier(form, "CallSid"), identifier(form, "RecordingStatus")
    recording_id, ready = identifier(form, "RecordingSid"), state == "completed"
    kind = CallEventKind.RECORDED if ready else CallEventKind.UPDATED
    told = CallEvent(
        kind=kind,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, None, None, None, f"{state}|{recording_id}"),
        occurred_at=_timestamp(form, now) or now,
        recording_url=link(form, "RecordingUrl") if ready else None,
        recording_id=recording_id if ready else None,
        reason_code=state,
    )
    return (told,)


def _direction(form: Fields) -> Direction:
    return DIRECTIONS.get(words(form, "Direction") or "", Direction.UNKNOWN)


def _timestamp(form: Fields, now: datetime) -> datetime | None:
    told = words(form, "Timestamp")
    if told is None:
        return None
    try:
        at = parsedate_to_datetime(told)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise Unreadable("Timestamp must be an RFC 2822 time.") from None
    refuse_future(at, now, "Timestamp")
    return at


_READERS: Mapping[str, Callable[[Fields, datetime], tuple[CallEvent, ...]]] = {
    "/voice": _state,
    "/leg": _state,
    "/status": _state,
    "/dial": _dialled,
    "/recording": _recording,
}


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the action of an answered Dial that ended at ``now``, signed."""
    form = {
        "CallSid": f"CAexample{int(now.timestamp())}",
        "From": "+79161234567",
        "To": "+74951112233",
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "DialCallStatus": "completed",
        "DialCallDuration": "62",
        "Timestamp": format_datetime(now),
    }
    url = "https://hub.example/telephony/example/dial"
    headers = {"content-type": FORM, "x-twilio-signature": sign(secrets["auth_token"], url, form.items())}
    return CallRequest("POST", "/dial", headers, {}, urlencode(form).encode(), url)


def recording(told: Recording, secrets: Mapping[str, str]) -> Fetch | None:
    """Returns the request with the account's name and token, which go to Twilio's own address alone."""
    named = _RECORDING.match(told.url or "")
    if named is None:
        return None
    return Fetch(f"{named[0]}.mp3", headers={"authorization": basic(named[1], secrets["auth_token"])})


TWILIO = Adapter(
    "twilio",
    parse,
    SECRETS,
    example,
    answer=answer,
    recording=recording,
    recording_hosts=("twilio.com",),
    routing=Routing(("To", "Called"), ("From", "Caller"), route),
)
