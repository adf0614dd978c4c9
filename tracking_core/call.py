"""Call events in any order, any number of times -> one Call.

``fold`` is a function of the *set* of events, so order and duplicates cannot matter (telephony sheet, section
10).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key

__all__ = ["FALLBACK", "Call", "CallEvent", "CallEventKind", "CallStatus", "Direction", "dedupe_key", "fold"]

FALLBACK = timedelta(seconds=60)  # rule 1: after the last leg's end, for a call without a call-level end

TELLING_APART = 3  # rule 3, seconds: durations that differ by more are told as different

_KIND_ORDER = {kind: place for place, kind in enumerate(CallEventKind)}
_Legs = Sequence[Sequence[CallEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One conversation or attempt, folded; times aware UTC, phones E.164, whole seconds, 0 until known.

    ``settles_at`` is the moment an open call whose legs all ended will be over by the fallback: fold again
    then. ``operator`` is the last person who talked; for a call nobody answered, whom it rang, as far as
    telephony says. ``rung`` are those whom it rings now, ``rung_since`` the moment the first of them was.
    ``durations_differ`` says that the talk the call-level end gives and the talk the other events
    show are more than 3 s apart; the former is kept.
    """

    provider_call_id: str
    direction: Direction
    did: str | None
    caller: str | None
    caller_anonymous: bool
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    settles_at: datetime | None
    talk_s: int
    wait_s: int
    status: CallStatus
    operator: str | None
    first_operator: str | None
    rung: tuple[str, ...]
    rung_since: datetime | None
    recording_url: str | None
    recording_id: str | None
    visit_id: str | None
    durations_differ: bool

    @property
    def is_ended(self) -> bool:
        """Says whether the call is over, by a call-level end or by the fallback."""
        return self.ended_at is not None

    @property
    def is_answered(self) -> bool:
        """Says whether a person of ours talked or is talking."""
        return self.status in (CallStatus.ANSWERED, CallStatus.IN_PROGRESS)

    @property
    def is_missed(self) -> bool:
        """Says whether somebody called us, it is over, and no person answered (rule 5)."""
        ours = self.direction in (Direction.OUTBOUND, Direction.INTERNAL)
        return self.is_ended and not ours and self.status is not CallStatus.ANSWERED


def fold(events: Iterable[CallEvent], now: datetime) -> Call:
    """Folds everything known about one call into a Call (rules 1-8 and 10 of sheet section 10).

    Order and repetition never change the result. ``now`` only decides whether the fallback of rule 1 has
    passed; a call it closed opens again when a leg unheard of turns up. Raises ValueError for no events or
    several calls.
    """
    told = _in_order(events)
    legs = _legs(told)
    finals = [one for one in told if one.final]
    ended_at, settles_at = _end(finals, legs, now)
    answers = [one for one in told if one.human and one.kind is CallEventKind.ANSWERED]
    answered = bool(answers) or any(one.status is CallStatus.ANSWERED for one in told)
    origin = _origin(legs, finals, told)
    started_at = _started_at(told, [*finals, *(one for leg in legs for one in leg)])
    # An end that says "missed" cannot time a call that an answer corrected.
    trusted = [one for one in finals if not answered or one.status.rank != CallStatus.MISSED.rank]
    talk_s = _talk_s(trusted, told, ended_at) if answered else 0
    answered_at = _answered_at(told, ended_at, talk_s) if answered else None
    recording = _recording(told)
    operators = _operators(answers, finals, legs, answered)
    rings = {} if answered or ended_at else _rings(legs)
    return Call(
        provider_call_id=told[0].provider_call_id,
        direction=_direction(finals, origin),
        did=next((one.did for one in origin if one.did), None),
        caller=(caller := next((one.caller for one in origin if one.caller), None)),
        caller_anonymous=caller is None and any(one.caller_anonymous for one in origin),
        started_at=started_at,
        answered_at=answered_at,
        ended_at=ended_at,
        settles_at=settles_at,
        talk_s=talk_s,
        wait_s=_wait_s(trusted, started_at, answered_at or ended_at),
        status=_status(told, finals, answered, ended_at is not None),
        operator=operators[-1] if operators else None,
        first_operator=operators[0] if operators else None,
        rung=tuple(rings),
        rung_since=min(rings.values(), default=None),
        recording_url=recording.recording_url if recording else None,
        recording_id=recording.recording_id if recording else None,
        visit_id=next((one.visit_id for one in told if one.visit_id), None),
        durations_differ=answered and _durations_differ(trusted, told, ended_at),
    )


def _in_order(events: Iterable[CallEvent]) -> list[CallEvent]:
    by_key: dict[str, CallEvent] = {}
    for one in events:
        known = by_key.get(one.dedupe_key)
        # Two spellings of one fact: any fixed choice will do, as long as arrival does not make it.
        by_key[one.dedupe_key] = one if known is None or known == one else min(known, one, key=repr)
    if len({one.provider_call_id for one in by_key.values()}) != 1:
        raise ValueError("fold takes the events of exactly one call: one or more, with one provider_call_id")
    return sorted(by_key.values(), key=lambda one: (one.occurred_at, _KIND_ORDER[one.kind], one.dedupe_key))


def _legs(told: Sequence[CallEvent]) -> _Legs:
    """Groups state changes by leg: the leg the call came in on first, each leg in the order of rule 7."""
    legs: dict[str, list[CallEvent]] = {}
    for one in told:
        if not one.final and one.kind not in (CallEventKind.RECORDED, CallEventKind.UPDATED):
            legs.setdefault(one.provider_leg_id or "", []).append(one)
    for leg in legs.values():
        if all(one.seq is not None for one in leg):
            leg.sort(key=lambda one: (one.seq or 0, one.occurred_at, _KIND_ORDER[one.kind], one.dedupe_key))
    return sorted(legs.values(), key=_coming_in)


def _coming_in(leg: Sequence[CallEvent]) -> tuple[bool, datetime, str]:
    # Clocks tick in whole seconds: a leg made from another leg is not the first even at the same second.
    return (
        any(one.previous_leg_id for one in leg),
        min(one.occurred_at for one in leg),
        leg[0].provider_leg_id or "",
    )


def _origin(legs: _Legs, finals: Sequence[CallEvent], told: Sequence[CallEvent]) -> Sequence[CallEvent]:
    """The events that may name dialled number and caller: the first leg, then the call-level end (rule 4).

    A leg that goes the other way than the call was made from it, even if it is the first we heard of.
    """
    direction = _direction(finals, ())
    first = legs[0] if legs else ()
    other_way = any(one.direction not in (direction, Direction.UNKNOWN) for one in first)
    return [*(() if other_way and direction is not Direction.UNKNOWN else first), *finals] or told


def _end(finals: Sequence[CallEvent], legs: _Legs, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Returns (ended_at, settles_at) by rule 1."""
    if finals:
        return max(one.ended_at or one.occurred_at for one in finals), None
    ends = [
        max((one.ended_at or one.occurred_at for one in leg if one.kind is CallEventKind.ENDED), default=None)
        for leg in legs
    ]
    closed = [end for end in ends if end is not None]
    if not closed or len(closed) < len(ends):
        return None, None
    settles_at = max(closed) + FALLBACK
    return (max(closed), None) if now >= settles_at else (None, settles_at)


def _started_at(told: Sequence[CallEvent], states: Sequence[CallEvent]) -> datetime:
    """The earliest start telephony gives, else the earliest event (rule 1): of a recording only if it is alone."""
    given = [one.started_at for one in told if one.started_at]
    return min(given) if given else min(one.occurred_at for one in states or told)


def _first_answer(told: Sequence[CallEvent]) -> datetime | None:
    answers = [one for one in told if one.kind is not CallEventKind.ANSWERED or one.human]
    moments = [one.answered_at for one in answers if one.answered_at]
    moments += [one.occurred_at for one in answers if one.kind is CallEventKind.ANSWERED]
    return min(moments, default=None)


def _answered_at(told: Sequence[CallEvent], ended_at: datetime | None, talk_s: int) -> datetime | None:
    first = _first_answer(told)
    if ended_at and (first is None or first > ended_at):  # an answer without a time of its own, heard of too late
        return ended_at - timedelta(seconds=talk_s)
    return first


def _talk_s(trusted: Sequence[CallEvent], told: Sequence[CallEvent], ended_at: datetime | None) -> int:
    """Seconds of talk: what the call-level end says (rule 3), else from the first answer to the end."""
    given = [one.talk_s for one in trusted if one.talk_s is not None]
    return max(0, given[-1]) if given else _seconds(_first_answer(told), ended_at)


def _durations_differ(trusted: Sequence[CallEvent], told: Sequence[CallEvent], ended_at: datetime | None) -> bool:
    given = [one.talk_s for one in trusted if one.talk_s is not None]
    first = _first_answer(told)
    if not (given and first and ended_at):
        return False
    return abs((ended_at - first).total_seconds() - given[-1]) > TELLING_APART


def _wait_s(trusted: Sequence[CallEvent], started_at: datetime, until: datetime | None) -> int:
    given = [one.wait_s for one in trusted if one.wait_s is not None]
    return max(0, given[-1]) if given else _seconds(started_at, until)


def _seconds(since: datetime | None, until: datetime | None) -> int:
    return max(0, int((until - since).total_seconds())) if since and until else 0


def _direction(finals: Sequence[CallEvent], origin: Sequence[CallEvent]) -> Direction:
    known = (one.direction for one in (*finals, *origin) if one.direction is not Direction.UNKNOWN)
    return next(known, Direction.UNKNOWN)


def _status(told: Sequence[CallEvent], finals: Sequence[CallEvent], answered: bool, ended: bool) -> CallStatus:
    """The highest status of rule 2; how a call ended without a talk counts only once it is over."""
    if answered:
        return CallStatus.ANSWERED if ended else CallStatus.IN_PROGRESS
    if not ended:
        started = any(one.kind in (CallEventKind.RINGING, CallEventKind.ANSWERED) for one in told)
        return CallStatus.RINGING if started else CallStatus.UNKNOWN
    for ends in (finals, told):
        lost = [one.status for one in ends if one.status.rank == CallStatus.MISSED.rank]
        if lost:
            return lost[-1]
    return CallStatus.MISSED


def _operators(answers: Sequence[CallEvent], finals: Sequence[CallEvent], legs: _Legs, answered: bool) -> list[str]:
    talked = [one.operator for one in answers if one.operator]
    if talked:
        return talked
    named = [one.operator for one in finals if one.operator]
    return named or ([] if answered else [one.operator for leg in legs for one in leg if one.operator][:1])


def _rings(legs: _Legs) -> dict[str, datetime]:
    """Returns whom the legs ring that are neither answered nor over, and since when."""
    ringing = [leg for leg in legs if leg[-1].kind is CallEventKind.RINGING]
    return {one.operator: one.occurred_at for leg in ringing for one in reversed(leg) if one.operator}


def _recording(told: Sequence[CallEvent]) -> CallEvent | None:
    """The latest event with a recording, one with a link before one with only an id (rule 8)."""
    linked = [one for one in told if one.recording_url]
    named = linked or [one for one in told if one.recording_id]
    return named[-1] if named else None
