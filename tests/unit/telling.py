"""Call events of one call, told in a line each, for the tests of the fold."""

from datetime import UTC, datetime, timedelta

from tracking_core.call import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = T0 + timedelta(hours=1)
DID, OTHER_DID, CALLER = "+74951112233", "+74959998877", "+79161234567"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def told(kind: CallEventKind, seconds: float, leg: str | None = "leg-1", **facts) -> CallEvent:
    key = dedupe_key(kind, "call-1", leg, at(seconds), facts.get("seq"), str(facts))
    return CallEvent(
        kind=kind,
        provider_call_id="call-1",
        provider_leg_id=leg,
        occurred_at=at(seconds),
        dedupe_key=key,
        **facts,
    )


def rings(seconds: float, leg: str | None = "leg-1", **facts) -> CallEvent:
    return told(CallEventKind.RINGING, seconds, leg, **facts)


def answers(seconds: float, leg: str | None = "leg-1", **facts) -> CallEvent:
    return told(CallEventKind.ANSWERED, seconds, leg, **{"human": True, **facts})


def hangs_up(seconds: float, leg: str | None = "leg-1", **facts) -> CallEvent:
    return told(CallEventKind.ENDED, seconds, leg, **facts)


def call_ends(seconds: float, **facts) -> CallEvent:
    return told(CallEventKind.ENDED, seconds, None, final=True, **facts)


INBOUND = {"direction": Direction.INBOUND, "did": DID, "caller": CALLER}
ANSWERED_CALL = [
    rings(0, **INBOUND),
    answers(10, operator="101"),
    hangs_up(70),
    call_ends(70, status=CallStatus.ANSWERED, talk_s=59, wait_s=11),
]
