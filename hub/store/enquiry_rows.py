"""Enquiries as they are listed: who, matched to what, and what became of it in the CRM."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import and_, exists, func, or_, select

from hub.store.reports import campaign_of_enquiry, in_call, source_of_enquiry, with_source
from hub.store.tables import Call, Deal, Delivery, Enquiry, Installation, Match, Placement, Visit, Visitor, table_of
from hub.store.tx import Tx

_enquiry, _call, _match = (table_of(model) for model in (Enquiry, Call, Match))
_visit, _visitor, _placement = (table_of(model) for model in (Visit, Visitor, Placement))
_delivery, _deal, _installation = table_of(Delivery), table_of(Deal), table_of(Installation)

UNSETTLED = ("ready", "sending", "accepted", "parked")  # states of a delivery that is not there yet
_CERTAIN = 0.8  # confidence; the same line that notes in the CRM draw
FILTERS = ("all", "missed", "written", "unmatched", "undelivered")


@dataclass(frozen=True, slots=True)
class DealLine:
    """A deal that came from an enquiry, as the CRM had it when we last read it."""

    enquiry_id: int
    external_id: str
    url: str | None
    outcome: str
    amount_minor: int
    stage: str
    pipeline: str
    installation_id: int


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery of an enquiry: its state and why, in words, and where it is in the CRM."""

    id: str
    enquiry_id: int
    connector: str
    state: str
    attempt: int
    due_at: datetime
    created_at: datetime
    in_doubt: bool
    why: str
    sentence: str
    refs: Sequence[Mapping[str, Any]]


_Line = TypeVar("_Line", DealLine, DeliveryLine)


@dataclass(frozen=True, slots=True)
class EnquiryRow:
    """One enquiry of a list; ``deals`` and ``deliveries`` say what became of it in the CRM."""

    id: int
    kind: str
    key: str
    at: datetime
    phone_masked: str
    first_time: bool
    qualified: bool
    qualified_why: str
    heard: str
    direction: str | None  # this and the next eight: of a call
    status: str | None
    dialled: str | None
    ended_at: datetime | None
    talk_s: int | None
    wait_s: int | None
    operator: str | None
    account_id: int | None
    provider_call_id: str | None
    visitor: str | None
    visit_id: int | None
    placement: str | None
    channel: str | None
    source: str
    campaign: str
    region: str | None
    confidence: float
    reason: str
    words: str
    deals: tuple[DealLine, ...] = ()
    deliveries: tuple[DeliveryLine, ...] = ()

    @property
    def is_call(self) -> bool:
        """Says whether it is a call: everything else was written."""
        return self.kind == "call"

    @property
    def is_ours(self) -> bool:
        """Says whether we called him, or one another."""
        return self.is_call and self.direction != "inbound"

    @property
    def is_missed(self) -> bool:
        """Says whether somebody called us, it is over, and no person answered."""
        return self.ended_at is not None and self.direction == "inbound" and self.status != "answered"

    @property
    def waits_for_a_call(self) -> bool:
        """Says whether we are to call him: he called in vain, or ordered a call."""
        return self.is_missed or self.kind == "callback"

    @property
    def is_matched(self) -> bool:
        """Says whether the source of the call is known."""
        return self.visit_id is not None or self.placement is not None

    @property
    def is_certain(self) -> bool:
        """Says whether the match is sure enough to be called so."""
        return self.is_matched and self.confidence >= _CERTAIN


_row = select(
    _enquiry,
    *in_call,
    _visitor.c.token.label("visitor"),
    _match.c.visit_id,
    _placement.c.name.label("placement"),
    _visit.c.channel,
    source_of_enquiry.label("source"),
    campaign_of_enquiry.label("campaign"),
    _visit.c.region,
    func.coalesce(_match.c.confidence, 0.0).label("confidence"),
    func.coalesce(_match.c.reason, "").label("reason"),
    func.coalesce(_match.c.words, "").label("words"),
).select_from(
    with_source.outerjoin(
        _visitor, and_(_visitor.c.id == _visit.c.visitor_id, _visitor.c.tenant_id == _visit.c.tenant_id)
    )
)


def _asked(tenant_id: int, shown: str) -> list[Any]:
    asked = [_enquiry.c.tenant_id == tenant_id]
    if shown == "missed":
        asked += [_call.c.direction == "inbound", _call.c.ended_at.is_not(None), _call.c.status != "answered"]
    elif shown == "written":
        asked.append(_enquiry.c.kind != "call")
    elif shown == "unmatched":
        asked += [
            or_(_call.c.direction.is_(None), _call.c.direction == "inbound"),
            _match.c.visit_id.is_(None),
            _match.c.placement_id.is_(None),
        ]
    elif shown == "undelivered":
        waiting = exists().where(
            _delivery.c.tenant_id == _enquiry.c.tenant_id,
            _delivery.c.enquiry_id == _enquiry.c.id,
            _delivery.c.state.in_(UNSETTLED),
        )
        asked.append(waiting)
    return asked


def counts(tx: Tx, tenant_id: int) -> dict[str, int]:
    """Count the enquiries under each filter of ``FILTERS``."""
    counted = {name: select(func.count()).select_from(with_source).where(*_asked(tenant_id, name)) for name in FILTERS}
    return {name: tx.execute(count).scalar_one() for name, count in counted.items()}


def rows_of(tx: Tx, tenant_id: int, shown: str, before: int | None, limit: int) -> list[EnquiryRow]:
    """List enquiries under a filter of ``FILTERS``, newest first, those older than the enquiry ``before``."""
    asked = _asked(tenant_id, shown)
    if before is not None:
        cut = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == before)
        began = tx.execute(select(_enquiry.c.at).where(*cut)).scalar()
        if began is None:
            return []
        same = and_(_enquiry.c.at == began, _enquiry.c.id < before)
        asked.append(or_(_enquiry.c.at < began, same))
    newest = (_enquiry.c.at.desc(), _enquiry.c.id.desc())
    rows = tx.execute(_row.where(*asked).order_by(*newest).limit(limit)).all()
    return _rows(tx, tenant_id, rows)


def rows_after(tx: Tx, tenant_id: int, after: int, limit: int, kind: str | None = None) -> list[EnquiryRow]:
    """List enquiries of a kind, or of all, with an id above ``after``, oldest first."""
    asked = [_enquiry.c.tenant_id == tenant_id, _enquiry.c.id > after]
    if kind is not None:
        asked.append(_enquiry.c.kind == kind)
    return _rows(tx, tenant_id, tx.execute(_row.where(*asked).order_by(_enquiry.c.id).limit(limit)).all())


def row_of(tx: Tx, tenant_id: int, enquiry_id: int) -> EnquiryRow | None:
    """Return one enquiry of the tenant, or None."""
    row = tx.execute(_row.where(*_asked(tenant_id, "all"), _enquiry.c.id == enquiry_id)).first()
    return _rows(tx, tenant_id, [row])[0] if row else None


def _rows(tx: Tx, tenant_id: int, rows: Sequence[Any]) -> list[EnquiryRow]:
    ids = [row.id for row in rows]
    deals, deliveries = _deals_of(tx, tenant_id, ids), _deliveries_of(tx, tenant_id, ids)
    names = [name for name in EnquiryRow.__slots__ if name not in ("deals", "deliveries")]
    return [
        EnquiryRow(
            **{name: getattr(row, name) for name in names},
            deals=tuple(deals.get(row.id, ())),
            deliveries=tuple(deliveries.get(row.id, ())),
        )
        for row in rows
    ]


def _deals_of(tx: Tx, tenant_id: int, enquiry_ids: Sequence[int]) -> dict[int, list[DealLine]]:
    here = (_deal.c.tenant_id == tenant_id, _deal.c.enquiry_id.in_(enquiry_ids), _deal.c.deleted.is_(False))
    told = select(*(_deal.c[name] for name in DealLine.__slots__))
    return _by_enquiry(DealLine(*row) for row in tx.execute(told.where(*here).order_by(_deal.c.id)))


def _deliveries_of(tx: Tx, tenant_id: int, enquiry_ids: Sequence[int]) -> dict[int, list[DeliveryLine]]:
    here = (_delivery.c.tenant_id == tenant_id, _delivery.c.enquiry_id.in_(enquiry_ids))
    of = and_(_installation.c.id == _delivery.c.installation_id, _installation.c.tenant_id == _delivery.c.tenant_id)
    columns = [_installation.c[name] if name == "connector" else _delivery.c[name] for name in DeliveryLine.__slots__]
    told = select(*columns).select_from(_delivery.join(_installation, of))
    return _by_enquiry(DeliveryLine(*row) for row in tx.execute(told.where(*here).order_by(_delivery.c.created_at)))


def _by_enquiry(lines: Iterable[_Line]) -> dict[int, list[_Line]]:
    found: dict[int, list[_Line]] = {}
    for line in lines:
        found.setdefault(line.enquiry_id, []).append(line)
    return found
