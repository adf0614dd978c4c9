"""What the hub knows of a call's number and caller, handed to the matching model (tracking_core.match)."""

from datetime import timedelta

from hub.store import enquiries, tracking
from hub.store.tracking import Holding, NumberFacts
from hub.store.tx import Tx
from tracking_core.call import Call
from tracking_core.habits import interest
from tracking_core.match import SHEET_THRESHOLDS, Evidence, LeaseSpan, Match, Remembered, StaticNumber, match


def find(tx: Tx, tenant_id: int, call: Call, number: NumberFacts | None, phone_key: str | None) -> Match:
    """Match a call to a visit or a placement with what is known now."""
    at, did = call.started_at, call.did
    placement, leases = None, []
    if did and number:
        if number.placement_id:
            placement = StaticNumber(did, str(number.placement_id), number.placement_source)
        held = tracking.holders_at(tx, tenant_id, number.number_id, at, SHEET_THRESHOLDS.newest)
        leases = [_span(did, holding, number.hold) for holding in held]
    remembered = _remembered(tx, tenant_id, call, phone_key) if phone_key else None
    return match(did, call.caller, at, leases, placement, remembered, evidence=_evidence(tx, tenant_id, call.visit_id))


def _remembered(tx: Tx, tenant_id: int, call: Call, phone_key: str) -> Remembered | None:
    since = call.started_at - SHEET_THRESHOLDS.memory
    known = enquiries.remembered(tx, tenant_id, phone_key, call.started_at, since)
    return Remembered(str(known.visitor_id), str(known.visit_id), known.at, known.confidence) if known else None


def _evidence(tx: Tx, tenant_id: int, visit_id: str | None) -> Evidence | None:
    """Return the visit that telephony itself named, if it is one of the tenant's."""
    if visit_id is None or not visit_id.isdecimal() or not tracking.has_visit(tx, tenant_id, int(visit_id)):
        return None
    return Evidence(visit_id)


def _span(did: str, holding: Holding, hold: timedelta) -> LeaseSpan:
    return LeaseSpan(
        number=did,
        visitor=str(holding.visitor_id),
        visit_id=str(holding.visit_id),
        started_at=holding.started_at,
        last_seen=holding.last_seen_at,
        exclusive_until=holding.last_seen_at + hold,
        ended_at=holding.ended_at,
        taps=holding.taps,
        interest=interest(copied=holding.copied),
    )
