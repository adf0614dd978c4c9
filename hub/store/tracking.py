"""What matching reads of visits and leases: a dialled number, who held it, and what brought him."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Table, case, select
from sqlalchemy import bindparam as value

from hub.store.arrival import source_of
from hub.store.tables import Lease, PageEvent, Placement, Site, TrackingNumber, Visit, table_of
from hub.store.tx import Tx
from tracking_core.source import Source

_visit, _number, _lease = (table_of(model) for model in (Visit, TrackingNumber, Lease))
_placement, _site, _event = table_of(Placement), table_of(Site), table_of(PageEvent)

# Said once: to build a statement costs more than to run it, and these run for every call.


def _same(table: Table, key: Any) -> Any:
    """Join a table of the same tenant by its id."""
    return (table.c.id == key) & (table.c.tenant_id == _number.c.tenant_id)


_FACTS = (
    select(
        _number.c.id,
        _number.c.site_id,
        _site.c.hold_s,
        _number.c.pool_id,
        _placement.c.id,
        _placement.c.source,
        _placement.c.campaign,
    )
    .select_from(_number.join(_site, _same(_site, _number.c.site_id)))
    .outerjoin(_placement, _same(_placement, _number.c.placement_id))
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.e164 == value("e164"))
)


def _holders() -> Select[Any]:
    at = value("at", type_=_lease.c.ended_at.type)
    until = case((_lease.c.ended_at < at, _lease.c.ended_at), else_=at)
    touched = _visit.alias("touched")
    last = (
        select(touched.c.id)
        .where(touched.c.tenant_id == value("tenant_id"), touched.c.visitor_id == _lease.c.visitor_id)
        .where(touched.c.started_at <= until)
        .order_by(touched.c.started_at.desc(), touched.c.id.desc())
        .limit(1)
        .correlate(_lease)
        .scalar_subquery()
    )
    return (
        select(_lease.c.visitor_id, _lease.c.started_at, _lease.c.ended_at, _visit.c.id, _visit.c.last_seen_at)
        .select_from(_lease.join(_visit, (_visit.c.tenant_id == value("tenant_id")) & (_visit.c.id == last)))
        .where(_lease.c.tenant_id == value("tenant_id"), _lease.c.number_id == value("number_id"))
        .where(_lease.c.started_at <= at)
        .order_by(_lease.c.started_at.desc())
        .limit(value("most"))
    )


_HOLDERS = _holders()

_DONE = (
    select(_event.c.visit_id, _event.c.kind, _event.c.at)
    .where(_event.c.tenant_id == value("tenant_id"), _event.c.number_id == value("number_id"))
    .where(_event.c.at <= value("at"), _event.c.visit_id.in_(value("visit_ids", expanding=True)))
    .order_by(_event.c.at)
)


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What we know of a dialled number: its site, and its placement when it is static."""

    number_id: int
    site_id: int
    hold: timedelta
    pool_id: int | None
    placement_id: int | None
    placement_source: str
    placement_campaign: str


def find_number(tx: Tx, tenant_id: int, e164: str) -> NumberFacts | None:
    """Find a tracking number of the tenant by its E.164 form."""
    rows = tx.execute(_FACTS, {"tenant_id": tenant_id, "e164": e164}).all()
    if not rows:
        return None
    number_id, site_id, hold_s, pool_id, placement_id, source, campaign = rows[0]
    hold = timedelta(seconds=hold_s)
    return NumberFacts(number_id, site_id, hold, pool_id, placement_id, source or "", campaign or "")


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder of a number: his lease, his last visit that began before the asked moment, and what he did there."""

    visitor_id: int
    visit_id: int
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    taps: tuple[datetime, ...] = ()
    copied: bool = False


def holders_at(tx: Tx, tenant_id: int, number_id: int, at: datetime, most: int) -> list[Holding]:
    """Return who held a number at a moment and before it, newest first."""
    asked = {"tenant_id": tenant_id, "number_id": number_id, "at": at}
    rows = tx.execute(_HOLDERS, {**asked, "most": most}).all()
    did = _done(tx, {**asked, "visit_ids": [row.id for row in rows]}) if rows else {}
    return [
        Holding(
            row.visitor_id,
            row.id,
            row.started_at,
            min(row.last_seen_at, at, row.ended_at or at),
            row.ended_at,
            tuple(moment for kind, moment in did.get(row.id, ()) if kind == "tel_tap"),
            any(kind == "copy" for kind, _ in did.get(row.id, ())),
        )
        for row in rows
    ]


def _done(tx: Tx, asked: dict[str, Any]) -> dict[int, list[tuple[str, datetime]]]:
    """Return what was done with the number in each of these visits before the moment."""
    found: dict[int, list[tuple[str, datetime]]] = {}
    for row in tx.execute(_DONE, asked):
        found.setdefault(row.visit_id, []).append((row.kind, row.at))
    return found


def visit_source(tx: Tx, tenant_id: int, visit_id: int) -> Source:
    """Return the source of a visit."""
    row = tx.execute(select(_visit).where(_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)).one()
    return source_of(row._asdict())


def has_visit(tx: Tx, tenant_id: int, visit_id: int) -> bool:
    """Say whether the tenant has this visit."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)
    return visit_id < 2**63 and tx.execute(select(_visit.c.id).where(*here)).first() is not None
