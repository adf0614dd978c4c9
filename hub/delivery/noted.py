"""What the ledger is told of a delivery's way; queue.py writes it beside the change of state."""

from collections.abc import Mapping
from datetime import datetime

from connectors.protocol import Outcome
from hub.delivery.lanes import Claim
from hub.delivery.retry import State
from hub.store.ledger import Entry, Kind

_KINDS: Mapping[State, Kind] = {
    State.READY: Kind.TRIED,
    State.ACCEPTED: Kind.ACCEPTED,
    State.DELIVERED: Kind.DELIVERED,
    State.PARKED: Kind.PARKED,
}
On = tuple[int | None, str, int]  # an enquiry, its delivery, and the attempt


def settled(claim: Claim, on: On, outcome: Outcome, state: State, now: datetime) -> Entry:
    """Say what one try came to: its status and why, and the objects it made; not the CRM's own sentences."""
    refs = [{"kind": ref.kind, "id": ref.id} for ref in outcome.refs]
    told = {"status": outcome.status, "why": outcome.why or "", "refs": refs}
    return _entry(_KINDS[state], claim, on, now, **told)


def held(claim: Claim, on: On, now: datetime) -> Entry:
    """Say that a claimed delivery was not sent: its account is held, or its worker ended."""
    return _entry(Kind.HELD, claim, on, now)


def doubted(claim: Claim, on: On, now: datetime) -> Entry:
    """Say that the worker of a try ended before it knew what came of it."""
    return _entry(Kind.DOUBTED, claim, on, now)


def parked(claim: Claim, on: On, why: str, now: datetime) -> Entry:
    """Say that a delivery is parked unsent: its plan cannot be read, or its account took nothing for days."""
    return _entry(Kind.PARKED, claim, on, now, why=why)


def _entry(kind: Kind, claim: Claim, on: On, now: datetime, **facts: object) -> Entry:
    enquiry_id, delivery_id, attempt = on
    return Entry(kind, now, enquiry_id, delivery_id, claim.installation_id, facts={"attempt": attempt, **facts})
