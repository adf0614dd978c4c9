"""Mango Office VPBX: signed form posts; the path says what is told (telephony sheet, section 1)."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.contract import (
    Adapter,
    BadSignature,
    CallRequest,
    Unreadable,
    refuse_future,
    refuse_oversized,
    secret,
)
from tracking_core.telephony.mango_mappings import (
    DIRECTIONS,
    LEG_KINDS,
    MACHINES,
    RECORDED_WELL,
    result_of,
)
from tracking_core.telephony.proof import same
from tracking_core.telephony.reading import Fields, epoch, identifier, json_object, nested, whole, words
from tracking_core.telephony.recordings import Fetch, Recording

SECRETS = ("vpbx_api_key", "vpbx_api_salt")
_FORM_FIELDS = ("vpbx_api_key", "sign", "json")
_MOST_FORM_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"
_RECORDINGS = "https://app.mango-office.ru/vpbx/queries/recording/post"


def sign(key: str, salt: str, text: str) -> str:
    """Returns ``sha256(key + json + salt)`` in lowercase hex, over the json field exactly as received."""
    return sha256(f"{key}{text}{salt}".encode("utf-8", "surrogatepass")).hexdigest()


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the events of one Mango request; ``zone`` is not needed, all its times are unix seconds."""
    refuse_oversized(request)
    path = "/" + request.path.strip("/")
    if path.endswith("/ping"):
        return ()
    read = next((read for ending, read in _READERS.items() if path.endswith(ending)), None)
    if read is None:
        raise Unreadable(f"The address must end with one of: /ping, {', '.join(_READERS)}.")
    return read(json_object(_verified_json(request.body, secrets), "json"), now)


def _verified_json(body: bytes, secrets: Mapping[str, str]) -> str:
    form = _form(body)
    key, salt = secret(secrets, "vpbx_api_key"), secret(secrets, "vpbx_api_salt")
    right_key = same(form["vpbx_api_key"], key)
    if not (same(form["sign"].lower(), sign(key, salt, form["json"])) and right_key):
        raise BadSignature("The sign or vpbx_api_key of the request does not belong to this connection.")
    return form["json"]


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MOST_FORM_FIELDS,
        )
    except ValueError:
        raise Unreadable("The body must be a UTF-8 form (application/x-www-form-urlencoded).") from None
    form = {name: told for name, told in pairs if name in _FORM_FIELDS}
    if len([name for name, _ in pairs if name in _FORM_FIELDS]) != len(form):
        raise Unreadable("Each of the form fields vpbx_api_key, sign, json must be given once.")
    if not form.get("sign"):
        raise BadSignature("The form field sign is missing.")
    if len(form) != len(_FORM_FIELDS):
        raise Unreadable("The form must have the fields vpbx_api_key, sign, json.")
    return form


def _leg_state(fields: Fields, now: datetime) -> tuple[CallEvent, ...]:
    state = identifier(fields, "call_state")
    at = _timestamp(fields, now)
    call_id, leg_id, seq = identifier(fields, "entry_id"), identifier(fields, "call_id"), whole(fields, "seq")
    near, far = nested(fields, "from"), nested(fields, "to")
    kind = LEG_KINDS.get(state, CallEventKind.UPDATED)
    direction = _leg_direction(fields, near, far)
    ended = kind is CallEventKind.ENDED
    status = result_of(whole(fields, "disconnect_reason")) if ended else CallStatus.UNKNOWN
    return (
        CallEvent(
            kind=kind,
            provider_call_id=call_id,
            provider_leg_id=leg_id,
            previous_leg_id=words(near, "taken_from_call_id"),
            dedupe_key=dedupe_key(kind, call_id, leg_id, at, seq, state),
            seq=seq,
            occurred_at=at,
            direction=direction,
            did=to_e164(words(far, "line_number")) or to_e164(words(nested(fields, "dct"), "number")),
            caller=_outsider(direction, near, far),
            caller_anonymous=direction is Direction.INBOUND and is_anonymous(words(near, "number")),
            operator=_operator(direction, near, far),
            ended_at=at if ended else None,
            status=status,
            human=_is_human(fields, far),
            reason_code=words(fields, "disconnect_reason"),
        ),
    )


def _leg_direction(fields: Fields, near: Fields, far: Fields) -> Direction:
    """Section 1.1: not told, but visible from who has an extension."""
    by_api = words(fields, "command_id") and words(near, "taken_from_call_id")
    if by_api or not words(near, "extension"):
        return Direction.INBOUND
    outside = to_e164(words(far, "number")) and not words(far, "extension")
    return Direction.OUTBOUND if outside else Direction.INTERNAL


def _outsider(direction: Direction, near: Fields, far: Fields) -> str | None:
    return to_e164(words(far if direction is Direction.OUTBOUND else near, "number"))


def _operator(direction: Direction, near: Fields, far: Fields) -> str | None:
    return words(near if direction is Direction.OUTBOUND else far, "extension")


def _is_human(fields: Fields, far: Fields) -> bool:
    location = words(fields, "location")
    return location not in MACHINES if location else words(far, "extension") is not None


def _summary(fields: Fields, now: datetime) -> tuple[CallEvent, ...]:
    call_id = identifier(fields, "entry_id")
    near, far = nested(fields, "from"), nested(fields, "to")
    started, ended = epoch(fields, "create_time"), epoch(fields, "end_time")
    if started is None or ended is None:
        raise Unreadable("create_time and end_time must be unix seconds.")
    refuse_future(max(started, ended), now, "create_time or end_time")
    success = whole(fields, "entry_result", most=1) == 1
    answered = epoch(fields, "talk_time") if success else None
    status = CallStatus.ANSWERED if success else result_of(whole(fields, "disconnect_reason"))
    direction = DIRECTIONS.get(whole(fields, "call_direction"), Direction.UNKNOWN)
    return (
        CallEvent(
            kind=CallEventKind.ENDED,
            provider_call_id=call_id,
            dedupe_key=dedupe_key(CallEventKind.ENDED, call_id, None, ended, None, status),
            occurred_at=ended,
            direction=direction,
            did=to_e164(words(fields, "line_number")) or to_e164(words(nested(fields, "dct"), "number")),
            caller=_outsider(direction, near, far),
            caller_anonymous=direction is Direction.INBOUND and is_anonymous(words(near, "number")),
            operator=_operator(direction, near, far),
            started_at=started,
            answered_at=answered,
            ended_at=ended,
            talk_s=_seconds(answered, ended),
            wait_s=_seconds(started, answered or ended),
            status=status,
            final=True,
            reason_code=words(fields, "disconnect_reason"),
        ),
    )


def _seconds(since: datetime | None, until: datetime) -> int:
    return max(0, int((until - since).total_seconds())) if since else 0


def _recording(fields: Fields, now: datetime) -> tuple[CallEvent, ...]:
    """Section 1.3, events/recording: only a completed recording can be fetched."""
    state = identifier(fields, "recording_state")
    code = whole(fields, "completion_code")
    ready = state == "Completed" and code in (None, RECORDED_WELL)
    return _recorded(fields, now, state, ready=ready)


def _record_added(fields: Fields, now: datetime) -> tuple[CallEvent, ...]:
    return _recorded(fields, now, "added", ready=True)


def _recorded(fields: Fields, now: datetime, state: str, *, ready: bool) -> tuple[CallEvent, ...]:
    at = _timestamp(fields, now)
    call_id, leg_id = identifier(fields, "entry_id"), words(fields, "call_id")
    recording_id = identifier(fields, "recording_id")
    kind = CallEventKind.RECORDED if ready else CallEventKind.UPDATED
    return (
        CallEvent(
            kind=kind,
            provider_call_id=call_id,
            provider_leg_id=leg_id,
            dedupe_key=dedupe_key(kind, call_id, leg_id, at, None, f"{state}|{recording_id}"),
            occurred_at=at,
            recording_id=recording_id if ready else None,
            reason_code=words(fields, "completion_code"),
        ),
    )


def _nothing(fields: Fields, now: datetime) -> tuple[CallEvent, ...]:
    return ()


def _timestamp(fields: Fields, now: datetime) -> datetime:
    at = epoch(fields, "timestamp")
    if at is None:
        raise Unreadable("timestamp must be unix seconds.")
    refuse_future(at, now, "timestamp")
    return at


_READERS: Mapping[str, Callable[[Fields, datetime], tuple[CallEvent, ...]]] = {
    "/events/call": _leg_state,
    "/events/summary": _summary,
    "/events/recording": _recording,
    "/events/record/added": _record_added,
    "/events/record/tagged": _nothing,
    "/events/dtmf": _nothing,
    "/events/sms": _nothing,
    "/result/callback": _nothing,
    "/result/stat": _nothing,
    "/result/sms": _nothing,
}


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the summary of an answered call that ended at ``now``, signed."""
    started = int((now - timedelta(seconds=70)).timestamp())
    text = json.dumps(
        {
            "entry_id": f"example-{started}",
            "call_direction": 1,
            "from": {"number": "79161234567"},
            "to": {"extension": "101", "number": "sip:u101@vpbx.example"},
            "line_number": "74951112233",
            "create_time": started,
            "forward_time": started + 2,
            "talk_time": started + 8,
            "end_time": started + 70,
            "entry_result": 1,
            "disconnect_reason": 1110,
        }
    )
    return CallRequest("POST", "/events/summary", {"content-type": _FORM}, {}, _signed(text, secrets))


def _signed(text: str, secrets: Mapping[str, str]) -> bytes:
    key = secrets["vpbx_api_key"]
    return urlencode({"vpbx_api_key": key, "sign": sign(key, secrets["vpbx_api_salt"], text), "json": text}).encode()


def recording(told: Recording, secrets: Mapping[str, str]) -> Fetch | None:
    """Returns the signed request of section 1.3, which is answered with a redirect to a link good once."""
    if told.id is None:
        return None
    text = json.dumps({"recording_id": told.id, "action": "download"})
    return Fetch(_RECORDINGS, "POST", {"content-type": _FORM}, _signed(text, secrets))


MANGO = Adapter("mango", parse, SECRETS, example, recording=recording, recording_hosts=("mango-office.ru",))
