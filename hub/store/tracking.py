"""What matching reads of visits and leases: a dialled number, who held it, and what brought him."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ScalarSelect, Select, Table, case, literal_column, select
from sqlalchemy import bindparam as value

from hub.store.arrival import source_of
from hub.store.habits_text import read_habits
from hub.store.moment import from_micros, to_micros
from hub.store.tables import (
    Enquiry,
    Lease,
    Match,
    PageEvent,
    Placement,
    Site,
    SiteHabits,
    TrackingNumber,
    Visit,
    table_of,
)
from hub.store.tx import Prepared, Tx, of_few
from tracking_core.habits import SHEET_HABITS, SURE, Habits
from tracking_core.source import Source

_visit, _number, _lease = (table_of(model) for model in (Visit, TrackingNumber, Lease))
_placement, _site, _event = table_of(Placement), table_of(Site), table_of(PageEvent)
_habits = table_of(SiteHabits)
_match, _enquiry = table_of(Match), table_of(Enquiry)

# Said once: to build a statement costs more than to run it, and these run for every call.


def _same(table: Table, key: Any) -> Any:
    """Join a table of the same tenant by its id."""
    return (table.c.id == key) & (table.c.tenant_id == _number.c.tenant_id)


_FACTS = Prepared(
    select(
        _number.c.id,
        _number.c.site_id,
        _site.c.hold_s,
        _site.c.repeat_calls,
        _number.c.pool_id,
        _placement.c.id,
        _placement.c.source,
        _placement.c.campaign,
        _habits.c.habits,
    )
    .select_from(_number.join(_site, _same(_site, _number.c.site_id)))
    .outerjoin(_habits, (_habits.c.site_id == _number.c.site_id) & (_habits.c.tenant_id == _number.c.tenant_id))
    .outerjoin(_placement, _same(_placement, _number.c.placement_id))
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.e164 == value("e164"))
)

_AT = value("at", type_=_lease.c.ended_at.type)


def _last_visit() -> ScalarSelect[Any]:
    """Say which visit of a lease's holder was the last to begin before the moment, while he held the number."""
    touched = _visit.alias("touched")
    until = case((_lease.c.ended_at < _AT, _lease.c.ended_at), else_=_AT)
    return (
        select(touched.c.id)
        .where(of_few(touched.c.tenant_id) == value("tenant_id"), touched.c.visitor_id == _lease.c.visitor_id)
        .where(touched.c.started_at <= until)
        .order_by(touched.c.id.desc())
        .limit(1)
        .correlate(_lease)
        .scalar_subquery()
    )


def _sure_call() -> ScalarSelect[Any]:
    """Name a call of a lease's holder before the moment that was surely his, from another phone than this one."""
    his = _visit.alias("his")
    return (
        select(_match.c.id)
        .select_from(his.join(_match, (_match.c.visit_id == his.c.id) & (_match.c.tenant_id == his.c.tenant_id)))
        .join(_enquiry, (_enquiry.c.id == _match.c.enquiry_id) & (of_few(_enquiry.c.tenant_id) == _match.c.tenant_id))
        .where(of_few(his.c.tenant_id) == value("tenant_id"), his.c.visitor_id == _lease.c.visitor_id)
        .where(_match.c.superseded_at.is_(None), _match.c.confidence >= SURE, _enquiry.c.at < _AT)
        .where(_enquiry.c.phone_key != value("phone_key"))  # a hidden phone tells nobody from anybody
        .limit(1)
        .correlate(_lease)
        .scalar_subquery()
    )


def _held(most: int) -> Select[Any]:
    at_visit = (_visit.c.tenant_id == value("tenant_id")) & (_visit.c.id == _last_visit())
    return (
        select(
            _lease, _visit.c.id.label("visit_id"), _visit.c.last_seen_at, _visit.c.region, _sure_call().label("call")
        )
        .select_from(_lease.join(_visit, at_visit))
        .where(_lease.c.tenant_id == value("tenant_id"), _lease.c.number_id == value("number_id"))
        .where(_lease.c.started_at <= select(_AT).scalar_subquery())  # one plan for all moments, not one for each call
        .order_by(_lease.c.started_at.desc())
        .limit(literal_column(str(most)))  # a planner is told how few they are
    )


@cache
def _holders(most: int) -> Prepared:
    """Ask for the holders, a row for each thing done with the number, at least one for each holder."""
    held = _held(most).subquery("held")
    done = (_event.c.tenant_id == value("tenant_id")) & (_event.c.visit_id == held.c.visit_id)
    done &= (of_few(_event.c.number_id) == value("number_id")) & (_event.c.at <= _AT)
    told = [
        held.c[name] for name in ("visitor_id", "visit_id", "started_at", "last_seen_at", "region", "ended_at", "call")
    ]
    return Prepared(
        select(held.c.id, *told, _event.c.kind, _event.c.at)
        .select_from(held.outerjoin(_event, done))
        .order_by(held.c.started_at.desc(), _event.c.at)
    )


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What we know of a dialled number: its site, and its placement when it is static."""

    number_id: int
    site_id: int
    hold: timedelta
    keeps_first: bool  # who calls again keeps the source of his first call
    pool_id: int | None
    placement_id: int | None
    placement_source: str
    placement_campaign: str
    habits: Habits = SHEET_HABITS


def find_number(tx: Tx, tenant_id: int, e164: str) -> NumberFacts | None:
    """Find a tracking number of the tenant by its E.164 form."""
    rows = tx.run(_FACTS, {"tenant_id": tenant_id, "e164": e164})
    if not rows:
        return None
    number_id, site_id, hold_s, repeat_calls, pool_id, placement_id, source, campaign, habits = rows[0]
    named = (source or "", campaign or "")
    kept = (timedelta(seconds=hold_s), repeat_calls == "first")
    return NumberFacts(number_id, site_id, *kept, pool_id, placement_id, *named, habits=read_habits(habits))


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder of a number: his lease, his last visit that began before the asked moment, and what he did there.

    ``has_called`` says that a call before that moment, from another phone than the asked one, was surely his.
    """

    visitor_id: int
    visit_id: int
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    taps: tuple[datetime, ...] = ()
    copied: bool = False
    has_called: bool = False
    region: str | None = None


def holders_at(
    tx: Tx, tenant_id: int, number_id: int, at: datetime, most: int, phone_key: str | None = None
) -> list[Holding]:
    """Return who held a number at a moment and before it, newest first."""
    asked = {"tenant_id": tenant_id, "number_id": number_id, "at": to_micros(at), "phone_key": phone_key or ""}
    held: dict[int, list[tuple[Any, ...]]] = {}
    for row in tx.run(_holders(most), asked):
        held.setdefault(row[0], []).append(row[1:])
    return [_holding(rows, at) for rows in held.values()]


def _holding(rows: list[tuple[Any, ...]], at: datetime) -> Holding:
    """Make one holder of his rows, which differ in what was done."""
    visitor_id, visit_id, started_at, last_seen_at, region, ended_at, call, *_ = rows[0]
    done = [(kind, moment) for *_, kind, moment in rows if kind is not None]
    ended = from_micros(ended_at) if ended_at is not None else None
    return Holding(
        visitor_id,
        visit_id,
        from_micros(started_at),
        min(from_micros(last_seen_at), at, ended or at),
        ended,
        tuple(from_micros(moment) for kind, moment in done if kind == "tel_tap"),
        any(kind == "copy" for kind, _ in done),
        call is not None,
        region,
    )


def whence(tx: Tx, tenant_id: int, visit_id: int) -> tuple[Source, str | None]:
    """Return the source of a visit and the region of its address."""
    row = tx.execute(select(_visit).where(_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)).one()
    return source_of(row._asdict()), row.region


def has_visit(tx: Tx, tenant_id: int, visit_id: int) -> bool:
    """Say whether the tenant has this visit."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)
    return visit_id < 2**63 and tx.execute(select(_visit.c.id).where(*here)).first() is not None
