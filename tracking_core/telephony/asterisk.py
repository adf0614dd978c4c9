"""Asterisk: forms that the dialplan's CURL sends, and MikoPBX's call tracking module (telephony sheet, section 7)."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from urllib.parse import urlencode

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.causes import by_dial, by_q850
from tracking_core.telephony.contract import Adapter, CallRequest, Unreadable, refuse_oversized
from tracking_core.telephony.forms import FORM, fields_of
from tracking_core.telephony.proof import basic, refuse_stranger
from tracking_core.telephony.reading import Fields, code, first, link, moment, name_of, seconds, words

SECRETS = ("secret",)

_KINDS = {
    "start": CallEventKind.RINGING,
    "answer": CallEventKind.ANSWERED,
    "end": CallEventKind.ENDED,
    "recorded": CallEventKind.RECORDED,
}
_CHANNEL = re.compile(r"[^/]+/(.+)-[0-9a-f]+(?:;\d)?")  # PJSIP/main-00000001


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a request; MikoPBX names none, as it tells of starts alone."""
    refuse_oversized(request)
    fields = fields_of(request)
    refuse_stranger(request, fields, secrets)
    event = "start" if "event" not in fields and "linkedid" in fields else fields.get("event")
    if not isinstance(event, str) or event not in _KINDS:
        raise Unreadable(f"event must be one of: {', '.join(_KINDS)}.")
    return (_told(fields, _KINDS[event], now, zone),)


def _told(fields: Fields, kind: CallEventKind, now: datetime, zone: tzinfo) -> CallEvent:
    call_id, at = name_of(fields, "call_id", "linkedid"), moment(fields, zone, now, "ts")
    started, answered, ended = (
        kind is one for one in (CallEventKind.RINGING, CallEventKind.ANSWERED, CallEventKind.ENDED)
    )
    when, caller = at or now, first(fields, "from", "caller")
    talk_s = (seconds(fields, "answered_time") or 0) if ended else None
    recording_url = link(fields, "recording")
    recording_id = None if recording_url else words(fields, "recording")
    if kind is CallEventKind.RECORDED and not (recording_url or recording_id):
        raise Unreadable("recording must be the name of a file or an http or https address.")
    mark = first(fields, "dialstatus", "channel") or recording_url or recording_id or ""
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, None, at, None, mark),
        occurred_at=when,
        direction=Direction.INBOUND if started else Direction.UNKNOWN,
        did=to_e164(first(fields, "to", "called")),
        caller=to_e164(caller),
        caller_anonymous=started and is_anonymous(caller),
        operator=_operator(fields) if answered else None,
        started_at=_began(fields, when) if ended else at if started else None,
        answered_at=when if answered else when - timedelta(seconds=talk_s) if talk_s else None,
        ended_at=when if ended else None,
        talk_s=talk_s,
        status=_status(fields, talk_s or 0) if ended else CallStatus.UNKNOWN,
        final=ended,
        human=answered,
        recording_url=recording_url,
        recording_id=recording_id,
        reason_code=words(fields, "hangupcause"),
        visit_id=words(fields, "x_visit"),
    )


def _began(fields: Fields, ended: datetime) -> datetime | None:
    """DIALEDTIME is the whole dial with the talk in it, empty when nobody answered."""
    dialled = seconds(fields, "dialed_time")
    return ended - timedelta(seconds=dialled) if dialled else None


def _status(fields: Fields, talk_s: int) -> CallStatus:
    """DIALSTATUS, else the cause: a call that hung up in a menu was never dialled on."""
    dialled = by_dial(words(fields, "dialstatus"))
    if dialled is not CallStatus.UNKNOWN:
        return dialled
    return CallStatus.ANSWERED if talk_s else by_q850(code(fields, "hangupcause"))


def _operator(fields: Fields) -> str | None:
    told = words(fields, "channel") or ""
    channel = _CHANNEL.fullmatch(told)
    return channel.group(1) if channel else told or None


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the end of an answered call that ended at ``now``."""
    form = {
        "event": "end",
        "call_id": f"{int(now.timestamp())}.0",
        "from": "79161234567",
        "to": "74951112233",
        "dialstatus": "ANSWER",
        "dialed_time": "70",
        "answered_time": "62",
        "hangupcause": "16",
        "ts": now.isoformat(),
    }
    headers = {"content-type": FORM, "authorization": basic("hub", secrets["secret"])}
    return CallRequest("POST", "/", headers, {}, urlencode(form).encode())


ASTERISK = Adapter("asterisk", parse, SECRETS, example, methods=("POST", "GET"))
