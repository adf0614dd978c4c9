"""UIS, CoMagic, CallGear and Novofon's second API: the customer's template, unsigned (telephony sheet, section 2)."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.destination import DestinationKind, kind_of
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony import uis_mappings as names
from tracking_core.telephony.contract import Adapter, Answer, CallRequest, Routing, Unreadable, refuse_oversized
from tracking_core.telephony.forms import fields_of
from tracking_core.telephony.proof import refuse_stranger
from tracking_core.telephony.reading import Fields, first, link, moment, name_of, nested, seconds, words

SECRETS = ("secret",)


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a notification; ``zone`` is the account's, as UIS's times carry none."""
    refuse_oversized(request)
    fields = _flat(fields_of(request))
    refuse_stranger(request, fields, secrets)
    event = (words(fields, "event") or "").lower()
    if event not in names.KINDS:
        raise Unreadable(f"event must be one of: {', '.join(names.KINDS)}; write it into the template.")
    kind = names.KINDS[event]
    if kind is CallEventKind.ENDED:
        return (_end(fields, now, zone),)
    return (_moment_of(fields, kind, now, zone),)


def _flat(fields: Fields) -> Fields:
    """Lifts Novofon's nested objects to the top, where UIS's placeholders are."""
    inner = [nested(fields, name) for name in names.NESTED]
    return {name: told for part in (*inner, fields) for name, told in part.items()}


def _moment_of(fields: Fields, kind: CallEventKind, now: datetime, zone: tzinfo) -> CallEvent:
    call_id, at = name_of(fields, *names.CALL), moment(fields, zone, now, *names.MOMENT)
    direction, answered = _direction(fields), kind is CallEventKind.ANSWERED
    recorded = kind is CallEventKind.RECORDED
    recording_url = link(fields, *names.RECORDING)
    if recorded and not recording_url:
        raise Unreadable("url must be the http or https address of the recording ({{file_link}}).")
    # A recording's template may have no time; its address tells it from another recording of the call.
    mark = recording_url or "" if recorded else first(fields, "leg_id", *names.OPERATOR) or ""
    caller = first(fields, *names.CALLER)
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(kind, call_id, None, at, None, mark),
        occurred_at=at or now,
        direction=Direction.UNKNOWN if recorded else direction,
        did=to_e164(first(fields, *names.DIALLED)),
        caller=to_e164(caller),
        caller_anonymous=not recorded and direction is Direction.INBOUND and is_anonymous(caller),
        operator=first(fields, *names.OPERATOR),
        started_at=moment(fields, zone, now, *names.STARTED),
        answered_at=(at or now) if answered else None,
        human=answered,
        recording_url=recording_url,
        visit_id=first(fields, *names.VISIT),
    )


def _end(fields: Fields, now: datetime, zone: tzinfo) -> CallEvent:
    """The call-level end: with talk it was answered; a menu of the scenario is no talk (rule 5)."""
    call_id, at = name_of(fields, *names.CALL), moment(fields, zone, now, *names.MOMENT)
    started = moment(fields, zone, now, *names.STARTED)
    talk_s, wait_s, total_s = (seconds(fields, *one) for one in (names.TALK, names.WAIT, names.TOTAL))
    ended = at or (started + timedelta(seconds=total_s) if started and total_s is not None else now)
    status = CallStatus.ANSWERED if talk_s else names.REASONS.get(_reason(fields), CallStatus.MISSED)
    direction, caller = _direction(fields), first(fields, *names.CALLER)
    return CallEvent(
        kind=CallEventKind.ENDED,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(CallEventKind.ENDED, call_id, None, at or started, None, f"{status}|{talk_s}"),
        occurred_at=ended,
        direction=direction,
        did=to_e164(first(fields, *names.DIALLED)),
        caller=to_e164(caller),
        caller_anonymous=direction is Direction.INBOUND and is_anonymous(caller),
        operator=first(fields, *names.OPERATOR),
        started_at=started or (ended - timedelta(seconds=total_s) if total_s is not None else None),
        ended_at=ended,
        talk_s=talk_s or 0,
        wait_s=wait_s,
        status=status,
        final=True,
        recording_url=link(fields, *names.RECORDING),
        reason_code=_reason(fields) or None,
        visit_id=first(fields, *names.VISIT),
    )


def _reason(fields: Fields) -> str:
    return first(fields, *names.REASON) or ""


def _direction(fields: Fields) -> Direction:
    """A template without a direction is of a call to a virtual number, so somebody called us."""
    if str(fields.get("is_internal")).lower() in ("true", "1"):
        return Direction.INTERNAL
    return names.DIRECTIONS.get((words(fields, "direction") or "in").lower(), Direction.UNKNOWN)


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the end of an answered call that ended at ``now``, as our template writes it."""
    fields = {
        "event": "ended",
        "secret": secrets["secret"],
        "call_session_id": int(now.timestamp()),
        "did": "74951112233",
        "caller": "79161234567",
        "ts": int(now.timestamp()),
        "direction": "in",
        "talk": 62,
        "wait": 8,
        "total": 70,
        "employee": "Анна",
    }
    return CallRequest("POST", "/", {"content-type": "application/json"}, {}, json.dumps(fields).encode())


def route(destination: str | None, events: str) -> Answer:
    """Returns the answer of interactive call processing: whom to ring, or the branch 1 of the customer's scenario."""
    if destination is None or kind_of(destination) is not DestinationKind.PHONE:
        told: dict[str, object] = {"returned_code": 1}
    else:
        told = {"phones": [destination.removeprefix("+")]}
    return Answer(json.dumps(told).encode(), "application/json")


UIS = Adapter(
    "uis",
    parse,
    SECRETS,
    example,
    methods=("POST", "GET"),
    recording_hosts=("comagic.ru", "uiscom.ru", "novofon.ru"),
    routing=Routing(("numb",), ("numa",), route),
)
