"""What the hub knows of a call's number and caller, handed to the matching model (tracking_core.match)."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.store import enquiries, heat, ties, tracking
from hub.store.enquiries import About, Person
from hub.store.past_calls import PastCall
from hub.store.tracking import Holding, NumberFacts
from hub.store.tx import Tx
from tracking_core import enquiry as writing
from tracking_core import regions
from tracking_core.call import Call
from tracking_core.habits import SHEET_HABITS, SURE, Interest, interest
from tracking_core.learn import HeardCall
from tracking_core.match import (
    SHEET_THRESHOLDS,
    Evidence,
    LeaseSpan,
    Match,
    MatchReason,
    Remembered,
    StaticNumber,
    match,
    spans_at,
)
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan
from tracking_core.pool import HeldNumber, PastHolder, cooled, is_known_outside

_KEEPS_FIRST = replace(SHEET_THRESHOLDS, keeps_first=True)
_REMEMBERED_HOLDERS = 8  # of a number, when its heat is reckoned anew


def find(
    tx: Tx, tenant_id: int, call: Call, number: NumberFacts | None, who: Person, numbering: NumberingPlan = NO_PLAN
) -> Match:
    """Match a call to a visit or a placement with what is known now; ``numbering`` tells a mobile phone's region."""
    at, did = call.started_at, call.did
    placement, leases = None, []
    if did and number:
        if number.placement_id:
            placement = StaticNumber(did, str(number.placement_id), number.placement_source)
        leases = _leases(tx, tenant_id, did, number, at, who)
    thresholds = _KEEPS_FIRST if number and number.keeps_first else SHEET_THRESHOLDS
    remembered = _remembered(tx, tenant_id, who, call.started_at)
    evidence = _evidence(tx, tenant_id, call.visit_id)
    found = match(
        did,
        call.caller,
        at,
        leases,
        placement,
        remembered,
        evidence=evidence,
        caller_region=regions.of_phone(call.caller, numbering),
        habits=number.habits if number else SHEET_HABITS,
        thresholds=thresholds,
    )
    return found if thresholds.keeps_first else _latest(tx, tenant_id, found, at)


def heard(tx: Tx, tenant_id: int, call: PastCall, numbering: NumberingPlan) -> HeardCall:
    """Return a call of the past with its number's holders, for habits to be learned from."""
    number = tracking.find_number(tx, tenant_id, call.dialled)
    who = Person(call.phone, None, call.phone_key, None)
    leases = _leases(tx, tenant_id, call.dialled, number, call.at, who) if number else []
    spans = spans_at(call.dialled, call.at, leases, SHEET_THRESHOLDS.newest)
    named = str(call.named_visit_id) if call.named_visit_id is not None else None
    return HeardCall(call.at, spans, regions.of_phone(call.phone, numbering), named)


def find_blind(
    tx: Tx, tenant_id: int, did: str, number: NumberFacts, at: datetime, who: Person, numbering: NumberingPlan = NO_PLAN
) -> Match:
    """Match a call by who was shown the number alone, as if nobody had tapped it and the caller were new to us.

    What it says can be held against what is known of the caller otherwise.
    """
    untapped = [replace(one, taps=()) for one in _leases(tx, tenant_id, did, number, at, who)]
    habits, region = replace(number.habits, tap_share=0.0), regions.of_phone(who.phone, numbering)
    return match(did, None, at, untapped, None, None, caller_region=region, habits=habits)


def _leases(tx: Tx, tenant_id: int, did: str, number: NumberFacts, at: datetime, who: Person) -> list[LeaseSpan]:
    held = tracking.holders_at(tx, tenant_id, number.number_id, at, SHEET_THRESHOLDS.newest, who.phone_key)
    return [_span(did, holding, number.hold) for holding in held]


def find_written(tx: Tx, tenant_id: int, about: About) -> Match:
    """Match what a person wrote to the visit its sender named, or to the visit we remember of him."""
    named = about.named_visit_id
    visitor = str(enquiries.visitor_of(tx, tenant_id, named)) if named is not None else None
    remembered = _remembered(tx, tenant_id, about.person, about.at)
    found = writing.match(str(named) if named is not None else None, visitor, remembered, about.at)
    return _latest(tx, tenant_id, found, about.at)


def _remembered(tx: Tx, tenant_id: int, who: Person, at: datetime) -> Remembered | None:
    known = enquiries.remembered(tx, tenant_id, who, at, at - SHEET_THRESHOLDS.memory)
    return Remembered(str(known.visitor_id), str(known.visit_id), known.at, known.confidence) if known else None


def _latest(tx: Tx, tenant_id: int, found: Match, at: datetime) -> Match:
    """Return a match by memory with the person's latest visit: he may have come again, perhaps in another browser."""
    if found.reason is not MatchReason.REPEAT_CALLER or found.visitor is None:
        return found
    latest = ties.latest_visit(tx, tenant_id, int(found.visitor), at)
    return replace(found, visitor=str(latest[0]), visit_id=str(latest[1])) if latest else found


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
        caller = int(found.visitor)
        past = (
            PastHolder(one.last_seen_at, one.region, _shown(one, one.has_called or one.visitor_id == caller))
            for one in held
        )
        heat.cool(tx, tenant_id, number.number_id, caller, cooled(HeldNumber(did), past, number.habits))


def _shown(holding: Holding, has_called: bool) -> Interest:
    return interest(copied=holding.copied, tapped=bool(holding.taps), called=has_called)


def _span(did: str, holding: Holding, hold: timedelta) -> LeaseSpan:
    return LeaseSpan(
        number=did,
        visitor=str(holding.visitor_id),
        visit_id=str(holding.visit_id),
        started_at=holding.started_at,
        last_seen=holding.last_seen_at,
        exclusive_until=holding.last_seen_at + hold,
        ended_at=holding.ended_at,
        region=holding.region,
        taps=holding.taps,
        interest=interest(copied=holding.copied, called=holding.has_called),
    )
