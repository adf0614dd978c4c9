"""MegaFon VATS and its family (Kcell, other ITooLabs exchanges): forms with a token (telephony sheet, section 6.2)."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from urllib.parse import urlencode

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.contract import (
    Adapter,
    BadSignature,
    CallRequest,
    Unreadable,
    refuse_oversized,
    secret,
)
from tracking_core.telephony.forms import FORM, form_of
from tracking_core.telephony.proof import same
from tracking_core.telephony.reading import Fields, first, identifier, link, moment, seconds, words

SECRETS = ("crm_token",)

_COMMANDS = ("event", "history", "contact")
_KINDS = {  # INCOMING and ACCEPTED are seen in code, the rest is UNVERIFIED
    "INCOMING": CallEventKind.RINGING,
    "OUTGOING": CallEventKind.RINGING,
    "ACCEPTED": CallEventKind.ANSWERED,
    "TRANSFERRED": CallEventKind.TRANSFERRED,
    "COMPLETED": CallEventKind.ENDED,
    "CANCELLED": CallEventKind.ENDED,
}
_DIRECTIONS = {"in": Direction.INBOUND, "out": Direction.OUTBOUND}
_BY_TYPE = {"INCOMING": Direction.INBOUND, "OUTGOING": Direction.OUTBOUND}
_STATUSES = {  # looked up in lower case: the sheet has both Success and missed
    "success": CallStatus.ANSWERED,
    "missed": CallStatus.MISSED,
    "busy": CallStatus.BUSY,
    "cancel": CallStatus.CANCELLED,
    "notavailable": CallStatus.FAILED,
    "notallowed": CallStatus.FAILED,
}


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the event of one command; ``contact`` asks for a name and tells nothing of a call."""
    refuse_oversized(request)
    form = form_of(request)
    ours = secret(secrets, "crm_token")
    if not same(form.get("crm_token", ""), ours):
        raise BadSignature("The form field crm_token does not belong to this connection.")
    command = form.get("cmd")
    if command not in _COMMANDS:
        raise Unreadable(f"cmd must be one of: {', '.join(_COMMANDS)}.")
    if command == "contact":
        return ()
    return (_history(form, now, zone) if command == "history" else _event(form, now),)


def _event(form: Fields, now: datetime) -> CallEvent:
    """An event carries no time: it is timed by its arrival, and known again by what it says."""
    told = identifier(form, "type").upper()
    kind = _KINDS.get(told, CallEventKind.UPDATED)
    call_id, leg_id = identifier(form, "callid"), first(form, "user", "ext", "telnum")
    direction = _DIRECTIONS.get(words(form, "direction") or "", _BY_TYPE.get(told, Direction.UNKNOWN))
    answered = kind is CallEventKind.ANSWERED
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        provider_leg_id=leg_id,
        dedupe_key=dedupe_key(kind, call_id, leg_id, None, None, f"{told}|{words(form, 'second_callid') or ''}"),
        occurred_at=now,
        direction=direction,
        did=to_e164(words(form, "diversion")),
        caller=to_e164(words(form, "phone")),
        caller_anonymous=_is_hidden(form, direction),
        operator=first(form, "ext", "user"),
        answered_at=now if answered else None,
        ended_at=now if kind is CallEventKind.ENDED else None,
        status=CallStatus.CANCELLED if told == "CANCELLED" else CallStatus.UNKNOWN,
        human=answered,
    )


def _history(form: Fields, now: datetime, zone: tzinfo) -> CallEvent:
    """The call-level end; ``duration`` is of the whole call, of which ``wait`` may be a part."""
    call_id, started = identifier(form, "callid"), moment(form, zone, now, "start")
    if started is None:
        raise Unreadable("start must be a time such as 20261122T070000Z.")
    direction = _DIRECTIONS.get(identifier(form, "type").lower(), Direction.UNKNOWN)
    status = _STATUSES.get((words(form, "status") or "").lower(), CallStatus.UNKNOWN)
    total, wait = seconds(form, "duration") or 0, seconds(form, "wait")
    answered, ended = status is CallStatus.ANSWERED, started + timedelta(seconds=total)
    recording_url = link(form, "link")  # in the key, as a history may come again once its record is ready
    mark = f"history|{status}|{total}|{recording_url or ''}"
    return CallEvent(
        kind=CallEventKind.ENDED,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(CallEventKind.ENDED, call_id, None, started, None, mark),
        occurred_at=ended,
        direction=direction,
        did=to_e164(words(form, "diversion")),
        caller=to_e164(words(form, "phone")),
        caller_anonymous=_is_hidden(form, direction),
        operator=first(form, "ext", "user"),
        started_at=started,
        ended_at=ended,
        talk_s=max(0, total - (wait or 0)) if answered else 0,
        wait_s=wait if answered or wait else total,
        status=status,
        final=True,
        recording_url=recording_url,
        reason_code=words(form, "status"),
    )


def _is_hidden(form: Fields, direction: Direction) -> bool:
    return direction is Direction.INBOUND and is_anonymous(words(form, "phone"))


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the history of an answered call that ended at ``now``."""
    started = now - timedelta(seconds=70)
    form = {
        "cmd": "history",
        "type": "in",
        "status": "Success",
        "phone": "79161234567",
        "diversion": "74951112233",
        "user": "ivan",
        "ext": "101",
        "callid": f"example-{int(now.timestamp())}",
        "start": started.strftime("%Y%m%dT%H%M%SZ"),
        "duration": "70",
        "wait": "8",
        "crm_token": secrets["crm_token"],
    }
    return CallRequest("POST", "/", {"content-type": FORM}, {}, urlencode(form).encode())


MEGAFON = Adapter("megafon", parse, SECRETS, example)
