"""Zadarma, and Novofon's first API, its twin: signed forms, an echo on GET (telephony sheet, section 3)."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from hashlib import md5
from urllib.parse import urlencode

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.contract import (
    Adapter,
    Answer,
    BadSignature,
    CallRequest,
    Unreadable,
    refuse_oversized,
    secret,
)
from tracking_core.telephony.forms import FORM, form_of
from tracking_core.telephony.proof import hmac_sha1, same
from tracking_core.telephony.reading import Fields, code, first, identifier, moment, seconds, words
from tracking_core.telephony.recordings import Fetch, Recording

SECRETS = ("api_secret",)
KEY = "api_key"  # only the interface asks for it: a recording is fetched with it
_INTERFACE, _RECORD = "https://api.zadarma.com", "/v1/pbx/record/request/"
_LINK_S = 180  # how long the link it gives is good, the least there is

_CALLED = ("caller_id", "called_did", "call_start")
_DIALLING = ("internal", "destination", "call_start")
_SIGNED = {  # what the signature of each event covers; duration, disposition and extension it never does
    "NOTIFY_START": _CALLED,
    "NOTIFY_INTERNAL": _CALLED,
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_END": _CALLED,
    "NOTIFY_OUT_START": _DIALLING,
    "NOTIFY_OUT_END": _DIALLING,
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
    "NOTIFY_IVR": _CALLED,
}
_KINDS = {
    "NOTIFY_START": CallEventKind.RINGING,
    "NOTIFY_INTERNAL": CallEventKind.RINGING,
    "NOTIFY_ANSWER": CallEventKind.ANSWERED,
    "NOTIFY_END": CallEventKind.ENDED,
    "NOTIFY_OUT_START": CallEventKind.RINGING,
    "NOTIFY_OUT_END": CallEventKind.ENDED,
    "NOTIFY_RECORD": CallEventKind.RECORDED,
    "NOTIFY_IVR": CallEventKind.UPDATED,
}
_DISPOSITIONS = {
    "answered": CallStatus.ANSWERED,
    "no answer": CallStatus.MISSED,
    "busy": CallStatus.BUSY,
    "cancel": CallStatus.CANCELLED,
    "failed": CallStatus.FAILED,
    "no money": CallStatus.FAILED,
    "no money, no limit": CallStatus.FAILED,
    "unallocated number": CallStatus.FAILED,
    "no limit": CallStatus.FAILED,
    "no day limit": CallStatus.FAILED,
    "line limit": CallStatus.FAILED,
}


def sign(ours: str, form: Mapping[str, str]) -> str:
    """Returns the ``Signature`` of a form: base64 of the lowercase hex (not of the bytes) of its HMAC-SHA1."""
    signed = "".join(form.get(name, "") for name in _SIGNED[form["event"]])
    return b64encode(hmac_sha1(ours, signed).hex().encode()).decode()


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a signed form; ``zone`` is the account's, as call_start carries none."""
    refuse_oversized(request)
    if request.method == "GET":
        identifier(request.query, "zd_echo")
        return ()
    form = form_of(request)
    if form.get("event") not in _SIGNED:
        raise Unreadable(f"event must be one of: {', '.join(_SIGNED)}.")
    given = request.header("signature")
    if not given:
        raise BadSignature("The header Signature is missing; Zadarma sends it once the account has API keys.")
    if not same(given, sign(secret(secrets, "api_secret"), form)):
        raise BadSignature("The header Signature does not belong to this connection.")
    return (_told(form, now, zone),)


def echo(request: CallRequest) -> Answer | None:
    """Returns what the check of a new address wants to read: its ``zd_echo``, exactly."""
    if request.method != "GET":
        return None
    return Answer(request.query.get("zd_echo", "").encode("utf-8", "replace"), "text/plain; charset=utf-8")


def _told(form: Fields, now: datetime, zone: tzinfo) -> CallEvent:
    """Only call_start has a time of its own: answers and ends are timed by their arrival."""
    event, call_id = identifier(form, "event"), identifier(form, "pbx_call_id")
    kind, began = _KINDS[event], moment(form, zone, now, "call_start")
    ended = kind is CallEventKind.ENDED
    outbound = call_id.startswith("out_") or event.startswith("NOTIFY_OUT")
    status = _DISPOSITIONS.get(words(form, "disposition") or "", CallStatus.UNKNOWN) if ended else CallStatus.UNKNOWN
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, None, began, None, _mark(form)),
        occurred_at=began if began and event in ("NOTIFY_START", "NOTIFY_OUT_START") else now,
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        did=to_e164(words(form, "caller_id" if outbound else "called_did")),
        caller=to_e164(words(form, "destination" if outbound else "caller_id")),
        caller_anonymous=not outbound and "caller_id" in form and is_anonymous(words(form, "caller_id")),
        operator=first(form, "internal") or (words(form, "destination") if event == "NOTIFY_ANSWER" else None),
        started_at=began,
        answered_at=now if kind is CallEventKind.ANSWERED else None,
        ended_at=now if ended else None,
        talk_s=(seconds(form, "duration") if status is CallStatus.ANSWERED else 0) if ended else None,
        status=status,
        final=ended,
        human=kind is CallEventKind.ANSWERED,
        recording_id=_recording_id(form, event),
        reason_code=words(form, "status_code"),
    )


def _mark(form: Fields) -> str:
    """What tells two events of one call apart: an end comes perhaps once per extension."""
    names = ("event", "internal", "disposition", "duration", "call_id_with_rec")
    return "|".join(words(form, name) or "" for name in names)


def _recording_id(form: Fields, event: str) -> str | None:
    if event == "NOTIFY_RECORD":
        return identifier(form, "call_id_with_rec")
    return words(form, "call_id_with_rec") if code(form, "is_recorded") else None


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the end of an answered call that arrives at ``now``, signed; its time is Moscow's."""
    form = {
        "event": "NOTIFY_END",
        "call_start": (now + timedelta(hours=3, seconds=-70)).strftime("%Y-%m-%d %H:%M:%S"),
        "pbx_call_id": f"in_example{int(now.timestamp())}",
        "caller_id": "79161234567",
        "called_did": "74951112233",
        "internal": "100",
        "duration": "62",
        "disposition": "answered",
        "status_code": "16",
        "is_recorded": "0",
        "call_id_with_rec": "",
    }
    headers = {"content-type": FORM, "signature": sign(secrets["api_secret"], form)}
    return CallRequest("POST", "/", headers, {}, urlencode(form).encode())


def recording(told: Recording, secrets: Mapping[str, str]) -> Fetch | None:
    """Returns the signed request of the interface, whose answer names a link good for a while."""
    key = secrets.get(KEY)
    if told.id is None or not key:
        return None
    query = urlencode({"call_id": told.id, "lifetime": _LINK_S})  # in the order of the names: it is signed so
    digest = md5(query.encode(), usedforsecurity=False).hexdigest()
    signed = b64encode(hmac_sha1(secrets["api_secret"], f"{_RECORD}{query}{digest}").hex().encode()).decode()
    return Fetch(f"{_INTERFACE}{_RECORD}?{query}", headers={"authorization": f"{key}:{signed}"}, link_in="link")


ZADARMA = Adapter(
    "zadarma",
    parse,
    SECRETS,
    example,
    methods=("POST", "GET"),
    answer=echo,
    recording=recording,
    recording_hosts=("zadarma.com",),
    secrets_optional=(KEY,),
)
