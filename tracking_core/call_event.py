"""What telephony tells about a call, in our words (telephony sheet, section 10)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256


class CallEventKind(StrEnum):
    """What one fact from telephony says; the order of members is the tie-break of fold rule 7."""

    RINGING = "ringing"
    ANSWERED = "answered"
    HELD = "held"
    TRANSFERRED = "transferred"
    UPDATED = "updated"
    ENDED = "ended"
    RECORDED = "recorded"


class Direction(StrEnum):
    """Who called whom, seen from our customer."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class CallStatus(StrEnum):
    """How far a call came; see ``rank`` for which one wins."""

    UNKNOWN = "unknown"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    MISSED = "missed"
    BUSY = "busy"
    CANCELLED = "cancelled"
    FAILED = "failed"
    VOICEMAIL = "voicemail"
    BLOCKED = "blocked"
    ANSWERED = "answered"

    @property
    def rank(self) -> int:
        """The place in the lattice of rule 2: 3 is "ended without a talk", 4 is "answered"."""
        return _RANK.get(self, 3)


_RANK = {
    CallStatus.UNKNOWN: 0,
    CallStatus.RINGING: 1,
    CallStatus.IN_PROGRESS: 2,
    CallStatus.ANSWERED: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """One fact about a call, already in our words; times aware UTC, phones E.164, durations in seconds.

    ``caller`` is the outside person: who dialled an inbound call, who was dialled on an outbound one.
    ``final`` marks the end of the whole call, not of one leg. ``human`` says that an answer is a person's,
    not a menu's or a queue's. ``visit_id`` is a visit named by the telephony itself (sheet section 11: a SIP
    header).
    """

    kind: CallEventKind
    provider_call_id: str
    occurred_at: datetime
    dedupe_key: str
    provider_leg_id: str | None = None
    previous_leg_id: str | None = None
    seq: int | None = None
    direction: Direction = Direction.UNKNOWN
    did: str | None = None
    caller: str | None = None
    caller_anonymous: bool = False
    operator: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk_s: int | None = None
    wait_s: int | None = None
    status: CallStatus = CallStatus.UNKNOWN
    final: bool = False
    human: bool = False
    recording_url: str | None = None
    recording_id: str | None = None
    reason_code: str | None = None
    visit_id: str | None = None


def dedupe_key(
    kind: CallEventKind, call_id: str, leg_id: str | None, at: datetime | None, seq: int | None, mark: str
) -> str:
    """Returns the key that is the same each time one fact is sent: sha256 hex, never of the receive time.

    ``at`` is the provider's own time, None where it tells none. ``mark`` is the status, or what else tells two
    facts of one kind and moment apart (a recording id).
    """
    place = str(seq) if seq is not None else at.isoformat() if at else ""
    return sha256("|".join((kind, call_id, leg_id or "", place, mark)).encode()).hexdigest()
