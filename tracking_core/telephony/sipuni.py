"""Sipuni: unsigned GET or POST, so the address is the secret (telephony sheet, section 6.6).

Sipuni stops sending when an answer is not ``{"success":true}``: what is merely unheard of is taken, not refused.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.causes import by_dial
from tracking_core.telephony.contract import Adapter, Answer, CallRequest, refuse_oversized
from tracking_core.telephony.forms import fields_of
from tracking_core.telephony.reading import Fields, first, link, moment, name_of, words

_KINDS = {
    "1": CallEventKind.RINGING,
    "2": CallEventKind.ENDED,
    "3": CallEventKind.ANSWERED,
    "4": CallEventKind.ENDED,  # of one leg, at a transfer
}
_SHORT = 7  # digits: what has fewer is an extension


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a request; all its times are unix seconds."""
    refuse_oversized(request)
    fields = fields_of(request)
    kind = _KINDS.get(words(fields, "event") or "")
    return () if kind is None else (_told(fields, kind, now),)


def success(request: CallRequest) -> Answer:
    """Returns the only answer after which Sipuni goes on sending."""
    return Answer(b'{"success":true}', "application/json")


def _told(fields: Fields, kind: CallEventKind, now: datetime) -> CallEvent:
    call_id, at = name_of(fields, "call_id"), moment(fields, UTC, now, "timestamp")
    final = words(fields, "event") == "2"
    ended = kind is CallEventKind.ENDED
    direction = _direction(fields)
    outbound = direction is Direction.OUTBOUND
    answered = moment(fields, UTC, now, "call_answer_timestamp")
    status = by_dial(words(fields, "status")) if final else CallStatus.UNKNOWN
    leg_id = None if final else words(fields, "dst_num")
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        provider_leg_id=leg_id,
        dedupe_key=dedupe_key(kind, call_id, leg_id, at, None, _mark(fields)),
        occurred_at=at or now,
        direction=direction,
        did=None if outbound else _dialled(fields),
        caller=to_e164(words(fields, "dst_num" if outbound else "src_num")),
        caller_anonymous=direction is Direction.INBOUND and is_anonymous(words(fields, "src_num")),
        operator=_operator(fields, outbound=outbound),
        started_at=moment(fields, UTC, now, "call_start_timestamp"),
        answered_at=answered if ended else at or now if kind is CallEventKind.ANSWERED else None,
        ended_at=(at or now) if ended else None,
        talk_s=_talk_s(answered, at or now) if final else None,
        status=status,
        final=final,
        human=kind is CallEventKind.ANSWERED,
        recording_url=link(fields, "call_record_link"),
        reason_code=words(fields, "status"),
    )


def _mark(fields: Fields) -> str:
    return "|".join(words(fields, name) or "" for name in ("event", "status", "channel"))


def _direction(fields: Fields) -> Direction:
    """src_type means opposite things in two public projects: the numbers themselves decide."""
    if words(fields, "is_inner_call") == "1":
        return Direction.INTERNAL
    if not _is_internal(fields, "src"):
        return Direction.INBOUND
    return Direction.INTERNAL if _is_internal(fields, "dst") else Direction.OUTBOUND


def _is_internal(fields: Fields, side: str) -> bool:
    """Says whether a number is an extension, alone or behind the account's number: 015856205 of 205."""
    number, short = words(fields, f"{side}_num") or "", words(fields, f"short_{side}_num") or ""
    if is_anonymous(number):
        return False
    behind_account = 0 < len(short) < _SHORT and number.endswith(short)
    return behind_account or len(number) < _SHORT or to_e164(number) is None


def _dialled(fields: Fields) -> str | None:
    outer = None if _is_internal(fields, "dst") else words(fields, "dst_num")
    found = (to_e164(one) for one in (words(fields, "pbxdstnum"), outer, words(fields, "treeNumber")))
    return next((one for one in found if one), None)


def _operator(fields: Fields, *, outbound: bool) -> str | None:
    side = "src" if outbound else "dst"
    if (short := words(fields, f"short_{side}_num")) and len(short) < _SHORT:
        return short
    return words(fields, f"{side}_num") if _is_internal(fields, side) else first(fields, "user_id")


def _talk_s(answered: datetime | None, ended: datetime) -> int:
    return max(0, int((ended - answered).total_seconds())) if answered else 0


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the hangup of an answered call that ended at ``now``."""
    query = {
        "event": "2",
        "call_id": f"example.{int(now.timestamp())}",
        "src_num": "79161234567",
        "dst_num": "74951112233",
        "short_dst_num": "205",
        "timestamp": str(int(now.timestamp())),
        "status": "ANSWER",
        "call_start_timestamp": str(int((now - timedelta(seconds=70)).timestamp())),
        "call_answer_timestamp": str(int((now - timedelta(seconds=62)).timestamp())),
    }
    return CallRequest("GET", "/", {}, query, b"")


SIPUNI = Adapter("sipuni", parse, (), example, methods=("POST", "GET"), answer=success)
