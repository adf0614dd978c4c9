"""What the hub knows of a call's number and caller, handed to the matching model (tracking_core.match)."""

from datetime import datetime, timedelta

from hub.store import enquiries, heat, tracking
from hub.store.enquiries import About, Person
from hub.store.tracking import Holding, NumberFacts
from hub.store.tx import Tx
from tracking_core import enquiry as writing
from tracking_core.call import Call
from tracking_core.habits import SHEET_HABITS, SURE, Interest, interest
from tracking_core.match import (
    SHEET_THRESHOLDS,
    Evidence,
    LeaseSpan,
    Match,
    MatchReason,
    Remembered,
    StaticNumber,
    match,
)
from tracking_core.pool import HeldNumber, PastHolder, cooled, is_known_outside

_REMEMBERED_HOLDERS = 8  # of a number, when its heat is reckoned anew


def find(tx: Tx, tenant_id: int, call: Call, number: NumberFacts | None, who: Person) -> Match:
    """Match a call to a visit or a placement with what is known now."""
    at, did = call.started_at, call.did
    placement, leases = None, []
    if did and number:
        if number.placement_id:
            placement = StaticNumber(did, str(number.placement_id), number.placement_source)
        held = tracking.holders_at(tx, tenant_id, number.number_id, at, SHEET_THRESHOLDS.newest)
        others = heat.callers_but(tx, tenant_id, [one.visitor_id for one in held], who.phone_key, at)
        leases = [_span(did, holding, number.hold, has_called=holding.visitor_id in others) for holding in held]
    remembered = _remembered(tx, tenant_id, who, call.started_at)
    return match(did, call.caller, at, leases, placement, remembered, evidence=_evidence(tx, tenant_id, call.visit_id))


def find_written(tx: Tx, tenant_id: int, about: About) -> Match:
    """Match what a person wrote to the visit its sender named, or to the visit we remember of him."""
    named = about.named_visit_id
    visitor = str(enquiries.visitor_of(tx, tenant_id, named)) if named is not None else None
    remembered = _remembered(tx, tenant_id, about.person, about.at)
    return writing.match(str(named) if named is not None else None, visitor, remembered, about.at)


def _remembered(tx: Tx, tenant_id: int, who: Person, at: datetime) -> Remembered | None:
    known = enquiries.remembered(tx, tenant_id, who, at, at - SHEET_THRESHOLDS.memory)
    return Remembered(str(known.visitor_id), str(known.visit_id), known.at, known.confidence) if known else None


def _evidence(tx: Tx, tenant_id: int, visit_id: str | None) -> Evidence | None:
    """Return the visit that telephony itself named, if it is one of the tenant's."""
    if visit_id is None or not visit_id.isdecimal() or not tracking.has_visit(tx, tenant_id, int(visit_id)):
        return None
    return Evidence(visit_id)


def learn(tx: Tx, tenant_id: int, call: Call, number: NumberFacts, who: Person, found: Match, now: datetime) -> None:
    """Let a call that is over move its number's place in the line of free ones, or send the number to rest."""
    at, did = call.started_at, call.did or ""
    if found.reason is MatchReason.NOBODY:
        if number.pool_id is not None and is_known_outside(heat.strays(tx, tenant_id, did, at), at):
            heat.rest(tx, tenant_id, number.number_id, at)
    elif found.visitor is not None and found.confidence >= SURE and who.phone_key is not None:
        held = tracking.holders_at(tx, tenant_id, number.number_id, now, _REMEMBERED_HOLDERS)
        called = heat.callers_but(tx, tenant_id, [one.visitor_id for one in held], None, now)
        called.add(int(found.visitor))
        past = (PastHolder(one.last_seen_at, None, _shown(one, one.visitor_id in called)) for one in held)
        fresh = cooled(HeldNumber(did), past, SHEET_HABITS)
        if fresh.idle_since is not None:
            heat.cool(tx, tenant_id, number.number_id, int(found.visitor), fresh.idle_since)


def _shown(holding: Holding, has_called: bool) -> Interest:
    return interest(copied=holding.copied, tapped=bool(holding.taps), called=has_called)


def _span(did: str, holding: Holding, hold: timedelta, *, has_called: bool) -> LeaseSpan:
    return LeaseSpan(
        number=did,
        visitor=str(holding.visitor_id),
        visit_id=str(holding.visit_id),
        started_at=holding.started_at,
        last_seen=holding.last_seen_at,
        exclusive_until=holding.last_seen_at + hold,
        ended_at=holding.ended_at,
        taps=holding.taps,
        interest=interest(copied=holding.copied, called=has_called),
    )
