"""FreeSWITCH: the JSON that mod_json_cdr posts after each leg (telephony sheet, section 8.1)."""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import unquote, unquote_plus

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.causes import by_q850
from tracking_core.telephony.contract import Adapter, CallRequest, Unreadable, refuse_oversized
from tracking_core.telephony.forms import text_of
from tracking_core.telephony.proof import basic, refuse_stranger
from tracking_core.telephony.reading import Fields, code, first, json_object, link, moment, name_of, nested, words

SECRETS = ("secret",)
_SHORT = 7  # digits: what has fewer is an extension

_CAUSES = {  # what is not here goes by its Q.850 number
    "USER_BUSY": CallStatus.BUSY,
    "NO_ANSWER": CallStatus.MISSED,
    "ORIGINATOR_CANCEL": CallStatus.CANCELLED,
}


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the end of the caller's leg, or the end of a leg made from it and, before that, its answer."""
    refuse_oversized(request)
    refuse_stranger(request, {}, secrets)
    cdr = json_object(_cdr(request), "The CDR")
    told = _decoded(nested(cdr, "variables"))
    leg_id = name_of(told, "uuid")
    call_id = first(told, "call_uuid") or leg_id
    ended = moment(told, UTC, now, "end_uepoch", "end_epoch")
    if ended is None:
        raise Unreadable("end_epoch must be unix seconds.")
    if call_id == leg_id:
        return (_call_end(cdr, told, call_id, ended, now),)
    return tuple(_leg_end(cdr, told, call_id, leg_id, ended, now))


def _cdr(request: CallRequest) -> str:
    """The JSON as it is, or the form field cdr, percent-encoded or base64."""
    text = text_of(request).strip()
    if not text.startswith("cdr="):
        return text
    told = text.removeprefix("cdr=")
    if "base64" not in request.header("content-type").lower():
        return unquote_plus(told)
    try:
        return b64decode(unquote(told), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise Unreadable("The form field cdr must be base64 of UTF-8.") from None


def _decoded(fields: Fields) -> Fields:
    """Values are percent-encoded once, unless encode-values is off; a plain + stays a +."""
    return {name: unquote(told) if isinstance(told, str) else told for name, told in fields.items()}


def _call_end(cdr: Fields, told: Fields, call_id: str, ended: datetime, now: datetime) -> CallEvent:
    profile = _dialled_profile(cdr)
    number = first(profile, "destination_number") or words(told, "sip_req_user")
    other = first(profile, "caller_id_number") or words(told, "caller_id_number")
    alone = words(told, "direction") == "outbound"  # a leg FreeSWITCH made by itself
    direction = Direction.OUTBOUND if alone else _direction(other, number)
    outbound = direction is Direction.OUTBOUND
    answered = _talk_began(cdr, told, now, alone=alone)
    caller = number if outbound else other
    started = moment(told, UTC, now, "start_uepoch", "start_epoch")
    recording = first(told, "record_file")
    return CallEvent(
        kind=CallEventKind.ENDED,
        provider_call_id=call_id,
        dedupe_key=dedupe_key(CallEventKind.ENDED, call_id, None, ended, None, "cdr"),
        occurred_at=ended,
        direction=direction,
        did=to_e164(words(told, "ct_did") or (other if outbound else number)),
        caller=to_e164(caller),
        caller_anonymous=direction is Direction.INBOUND and is_anonymous(caller),
        operator=_extension(other) if outbound else None,
        started_at=started,
        answered_at=answered,
        ended_at=ended,
        talk_s=_seconds(answered, ended),
        wait_s=_seconds(started, answered or ended),
        status=CallStatus.ANSWERED if answered else _lost(cdr, told),
        final=True,
        recording_url=link({"record_file": recording}, "record_file"),
        recording_id=recording,
        reason_code=words(told, "hangup_cause"),
        visit_id=first(told, "ct_visit", "sip_h_X-Visit-Id"),
    )


def _leg_end(
    cdr: Fields, told: Fields, call_id: str, leg_id: str, ended: datetime, now: datetime
) -> Iterator[CallEvent]:
    answered = moment(told, UTC, now, "answer_uepoch", "answer_epoch")
    # A full number may be the main line's, or the outside person's whom an employee dialled: it names nobody.
    operator = _extension(words(_dialled_profile(cdr), "destination_number"))
    if answered:
        yield CallEvent(
            kind=CallEventKind.ANSWERED,
            provider_call_id=call_id,
            provider_leg_id=leg_id,
            previous_leg_id=call_id,
            dedupe_key=dedupe_key(CallEventKind.ANSWERED, call_id, leg_id, answered, None, "cdr"),
            occurred_at=answered,
            operator=operator,
            answered_at=answered,
            human=True,
        )
    yield CallEvent(
        kind=CallEventKind.ENDED,
        provider_call_id=call_id,
        provider_leg_id=leg_id,
        previous_leg_id=call_id,
        dedupe_key=dedupe_key(CallEventKind.ENDED, call_id, leg_id, ended, None, "cdr"),
        occurred_at=ended,
        operator=operator,
        ended_at=ended,
        status=CallStatus.UNKNOWN if answered else _cause(told),
        reason_code=words(told, "hangup_cause"),
    )


def _direction(caller: str | None, dialled: str | None) -> Direction:
    """To FreeSWITCH a call of our own extension comes in as well."""
    if not _extension(caller):
        return Direction.INBOUND
    return Direction.OUTBOUND if to_e164(dialled) else Direction.INTERNAL


def _extension(number: str | None) -> str | None:
    return None if is_anonymous(number) or to_e164(number) or len(number or "") >= _SHORT else number


def _flow(cdr: Fields) -> list[Fields]:
    flow = cdr.get("callflow")
    return [one for one in flow if isinstance(one, dict)] if isinstance(flow, list) else []


def _dialled_profile(cdr: Fields) -> Fields:
    """The profile the leg came in with: the oldest, whatever their order (the order is UNVERIFIED)."""

    def age(one: Fields) -> int:
        return code(nested(one, "times"), "profile_created_time") or 0

    oldest = min(_flow(cdr), key=age, default={})
    return _decoded(nested(oldest, "caller_profile"))


def _talk_began(cdr: Fields, told: Fields, now: datetime, *, alone: bool) -> datetime | None:
    """When a person was put through: a menu's own answer is no talk (rule 5); an outbound leg may be alone."""
    bridged = [moment(nested(one, "times"), UTC, now, "bridged_time") for one in _flow(cdr)]
    first_bridge = min((at for at in bridged if at), default=None)
    answered = moment(told, UTC, now, "answer_uepoch", "answer_epoch")
    if first_bridge and answered:
        return max(first_bridge, answered)
    put_through = alone or first(told, "bridge_uuid", "last_bridge_to")
    return answered if put_through else None


def _lost(cdr: Fields, told: Fields) -> CallStatus:
    """A caller who was not put through but to the voicemail left his words there."""
    applications = nested(cdr, "app_log").get("applications")
    names = (
        [one.get("app_name") for one in applications if isinstance(one, dict)] if isinstance(applications, list) else []
    )
    return CallStatus.VOICEMAIL if "voicemail" in names else _cause(told)


def _cause(told: Fields) -> CallStatus:
    known = _CAUSES.get(words(told, "hangup_cause") or "", CallStatus.UNKNOWN)
    return known if known is not CallStatus.UNKNOWN else by_q850(code(told, "hangup_cause_q850"))


def _seconds(since: datetime | None, until: datetime) -> int:
    return max(0, int((until - since).total_seconds())) if since else 0


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the CDR of an answered call that ended at ``now``."""
    began, ended = now - timedelta(seconds=70), int(now.timestamp())
    times = {"profile_created_time": f"{int(began.timestamp())}000000", "bridged_time": f"{ended - 62}000000"}
    variables = {
        "uuid": f"example-{ended}",
        "direction": "inbound",
        "start_epoch": str(int(began.timestamp())),
        "answer_epoch": str(ended - 62),
        "end_epoch": str(ended),
        "hangup_cause": "NORMAL_CLEARING",
    }
    profile = {"caller_id_number": "79161234567", "destination_number": "74951112233"}
    cdr = {"variables": variables, "callflow": [{"caller_profile": profile, "times": times}]}
    headers = {"content-type": "application/json", "authorization": basic("hub", secrets["secret"])}
    return CallRequest("POST", "/", headers, {}, json.dumps(cdr).encode())


FREESWITCH = Adapter("freeswitch", parse, SECRETS, example)
