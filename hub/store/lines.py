"""Enquiries as the programming interface lists them: who, matched to what, and what became of it in the CRM."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select

from hub.store.reports import campaign_of_enquiry, in_call, source_of_enquiry, with_source
from hub.store.tables import Delivery, Enquiry, Match, Placement, Visit, Visitor, table_of
from hub.store.tx import Tx

_enquiry, _match, _delivery = (table_of(model) for model in (Enquiry, Match, Delivery))
_visit, _visitor, _placement = (table_of(model) for model in (Visit, Visitor, Placement))


@dataclass(frozen=True, slots=True)
class EnquiryLine:
    """One enquiry of the list, with its match, its source and what became of it in the CRM."""

    id: int
    kind: str
    at: datetime
    phone_masked: str
    heard: str
    provider_call_id: str | None  # this and the next five: of a call
    direction: str | None
    status: str | None
    dialled: str | None
    talk_s: int | None
    wait_s: int | None
    first_time: bool
    qualified: bool
    qualified_why: str
    visitor: str | None
    visit_id: int | None
    placement: str | None
    channel: str | None
    source: str
    campaign: str
    term: str
    landing: str
    region: str | None
    confidence: float
    reason: str
    words: str
    deliveries: tuple["DeliveryLine", ...]


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery of a list: its state and why, in words, and where it is in the CRM."""

    id: str
    enquiry_id: int | None
    state: str
    attempt: int
    due_at: datetime
    created_at: datetime
    in_doubt: bool
    why: str
    sentence: str
    refs: tuple[dict[str, Any], ...]


def enquiry_lines(tx: Tx, tenant_id: int, after: int, limit: int, kind: str | None = None) -> list[EnquiryLine]:
    """List enquiries of a kind, or of all, with an id above ``after``, oldest first."""
    asked = [_enquiry.c.tenant_id == tenant_id, _enquiry.c.id > after]
    if kind is not None:
        asked.append(_enquiry.c.kind == kind)
    rows = tx.execute(
        select(
            _enquiry,
            *in_call,
            _visitor.c.token.label("visitor"),
            _match.c.visit_id,
            _placement.c.name.label("placement"),
            _visit.c.channel,
            source_of_enquiry.label("source"),
            campaign_of_enquiry.label("campaign"),
            func.coalesce(_visit.c.term, "").label("term"),
            func.coalesce(_visit.c.landing, "").label("landing"),
            _visit.c.region,
            func.coalesce(_match.c.confidence, 0.0).label("confidence"),
            func.coalesce(_match.c.reason, "").label("reason"),
            func.coalesce(_match.c.words, "").label("words"),
        )
        .select_from(
            with_source.outerjoin(
                _visitor,
                and_(_visitor.c.id == _visit.c.visitor_id, _visitor.c.tenant_id == _visit.c.tenant_id),
            )
        )
        .where(*asked)
        .order_by(_enquiry.c.id)
        .limit(limit)
    ).all()
    sent = _deliveries_of(tx, tenant_id, [row.id for row in rows])
    names = [name for name in EnquiryLine.__slots__ if name != "deliveries"]
    return [
        EnquiryLine(**{name: getattr(row, name) for name in names}, deliveries=tuple(sent.get(row.id, ())))
        for row in rows
    ]


def _deliveries_of(tx: Tx, tenant_id: int, enquiry_ids: Sequence[int]) -> dict[int, list[DeliveryLine]]:
    found: dict[int, list[DeliveryLine]] = {}
    here = (_delivery.c.tenant_id == tenant_id, _delivery.c.enquiry_id.in_(enquiry_ids))
    for row in tx.execute(select(_delivery).where(*here)):
        found.setdefault(row.enquiry_id, []).append(_delivery_line(row))
    return found


def _delivery_line(row: Any) -> DeliveryLine:
    names = [name for name in DeliveryLine.__slots__ if name != "refs"]
    return DeliveryLine(**{name: getattr(row, name) for name in names}, refs=tuple(row.refs))
