"""Kamailio: JSON that the proxy's own routes build and post (telephony sheet, sections 8.4 and 9.2)."""

import json
from collections.abc import Mapping
from datetime import datetime, tzinfo

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.causes import by_sip
from tracking_core.telephony.contract import Adapter, CallRequest, Unreadable, refuse_oversized
from tracking_core.telephony.forms import text_of
from tracking_core.telephony.proof import refuse_stranger
from tracking_core.telephony.reading import Fields, code, identifier, json_object, moment, seconds, words

SECRETS = ("secret",)

_KINDS = {
    "start": CallEventKind.RINGING,
    "ringing": CallEventKind.RINGING,
    "answered": CallEventKind.ANSWERED,
    "ended": CallEventKind.ENDED,
    "failed": CallEventKind.ENDED,
}


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a request."""
    refuse_oversized(request)
    fields = json_object(text_of(request), "The body")
    refuse_stranger(request, fields, secrets)
    event = fields.get("event")
    if not isinstance(event, str) or event not in _KINDS:
        raise Unreadable(f"event must be one of: {', '.join(_KINDS)}.")
    return (_told(fields, event, now, zone),)


def _told(fields: Fields, event: str, now: datetime, zone: tzinfo) -> CallEvent:
    kind, call_id = _KINDS[event], identifier(fields, "call_id")
    at, began = moment(fields, zone, now, "ts"), moment(fields, zone, now, "ring_ts")
    ended, answered = kind is CallEventKind.ENDED, kind is CallEventKind.ANSWERED
    caller = words(fields, "from")
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, None, at, None, event),
        occurred_at=at or now,
        direction=Direction.INBOUND,
        did=to_e164(words(fields, "to")),
        caller=to_e164(caller),
        caller_anonymous=is_anonymous(caller),
        started_at=began,
        answered_at=(at or now) if answered else None,
        ended_at=(at or now) if ended else None,
        talk_s=_talk_s(fields, event),
        status=_status(fields, event),
        final=ended,
        human=answered,
        reason_code=words(fields, "sip_code"),
        visit_id=words(fields, "x_visit"),
    )


def _talk_s(fields: Fields, event: str) -> int | None:
    """``$DLG_lifetime`` counts from the answer."""
    return {"ended": seconds(fields, "duration"), "failed": 0}.get(event)


def _status(fields: Fields, event: str) -> CallStatus:
    if event == "ended":  # dialog:end follows an answer only
        return CallStatus.ANSWERED
    return by_sip(code(fields, "sip_code")) if event == "failed" else CallStatus.UNKNOWN


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the end of an answered call that ended at ``now``."""
    fields = {
        "event": "ended",
        "secret": secrets["secret"],
        "call_id": f"example-{int(now.timestamp())}@127.0.0.1",
        "from": "79161234567",
        "to": "74951112233",
        "ring_ts": f"{now.timestamp() - 70:.6f}",
        "ts": f"{now.timestamp():.6f}",
        "duration": 62,
        "sip_code": "200",
    }
    return CallRequest("POST", "/", {"content-type": "application/json"}, {}, json.dumps(fields).encode())


KAMAILIO = Adapter("kamailio", parse, SECRETS, example)
