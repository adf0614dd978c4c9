"""Visits and leases as page views make them: the hot path of the page script (transaction T1)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam as value
from sqlalchemy import case, func, insert, select, update

from hub.store import free_numbers, visits_postgresql
from hub.store.arrival import Arrival, Shown, last_source, source_columns
from hub.store.db import Db
from hub.store.moment import from_micros, to_micros
from hub.store.tables import Lease, TrackingNumber, Visit, Visitor, table_of
from hub.store.tx import Prepared, Tx
from tracking_core.source import Source
from tracking_core.visit import continues

_visitor, _visit, _number, _lease = (table_of(model) for model in (Visitor, Visit, TrackingNumber, Lease))

_KNOWN = Prepared(
    select(
        _visitor.c.id,
        _visit.c.id,
        _visit.c.last_seen_at,
        _visit.c.region,
        _visit.c.channel,
        _visit.c.source,
        _visit.c.medium,
        _visit.c.campaign,
        _visit.c.content,
        _visit.c.term,
        _visit.c.click_ids,
        _visit.c.referrer_host,
        _visit.c.landing,
    )
    .select_from(
        _visitor.outerjoin(
            _visit,
            _visit.c.id
            == select(func.max(_visit.c.id))
            .where(_visit.c.visitor_id == _visitor.c.id, _visit.c.tenant_id == value("tenant_id"))
            .correlate(_visitor)
            .scalar_subquery(),
        )
    )
    .where(_visitor.c.tenant_id == value("tenant_id"), _visitor.c.site_id == value("site_id"))
    .where(_visitor.c.token == value("token"))
)

_NEW_VISITOR = Prepared(
    insert(_visitor)
    .values({name: value(name) for name in ("tenant_id", "site_id", "token", "first_seen_at")})
    .returning(_visitor.c.id)
)

# A number is idle since its holder was last seen, unless what was known before says later (tracking_core.pool.given).
_later = case((_number.c.idle_since > value("now"), _number.c.idle_since), else_=value("now"))
_idle_since = case((_number.c.is_called, _number.c.idle_since), else_=_later)

_KEEP = Prepared(
    update(_number)
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.pool_id == value("pool_id"))
    .where(_number.c.visitor_id == value("holder"))
    .values(free_at=value("until"), idle_since=_idle_since)
    .returning(_number.c.id, _number.c.e164)
)

_KEEP_ALL = Prepared(
    update(_number)
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.visitor_id == value("holder"))
    .values(free_at=value("until"), idle_since=_idle_since)
)

_give = (
    update(_number)
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.free_at <= value("now"))
    .values(visitor_id=value("holder"), free_at=value("until"), idle_since=_later, is_called=False, rests=False)
    .values(region=value("region"))
    .returning(_number.c.id, _number.c.e164)
)

_TAKE = Prepared(
    _give.where(
        _number.c.id
        == select(_number.c.id)
        .where(_number.c.tenant_id == value("tenant_id"), _number.c.pool_id == value("pool_id"))
        .where(_number.c.free_at <= value("now"))
        .order_by(_number.c.idle_since, _number.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery(),
    )
)

_TAKE_CHOSEN = Prepared(_give.where(_number.c.id == value("chosen")).values(regions=value("regions")))

_END_LEASE = Prepared(
    update(_lease)
    .where(_lease.c.tenant_id == value("tenant_id"), _lease.c.number_id == value("taken"))
    .where(_lease.c.ended_at.is_(None))
    .values(ended_at=value("now"))
)

_NEW_LEASE = Prepared(
    insert(_lease).values({name: value(name) for name in ("tenant_id", "number_id", "visitor_id", "started_at")})
)

_SEEN = Prepared(
    update(_visit)
    .where(_visit.c.tenant_id == value("tenant_id"), _visit.c.id == value("visit"))
    .values(last_seen_at=value("now"), number_id=func.coalesce(value("taken"), _visit.c.number_id))
)

_NEW_VISIT = Prepared(
    insert(_visit)
    .values({column.name: value(column.name) for column in _visit.c if column.name != "id"})
    .returning(_visit.c.id)
)


async def arrive(db: Db, arrival: Arrival) -> Shown:
    """Open or continue the visit this page view belongs to, and return what its visitor sees."""
    return await db.together(open_visits, arrival, place=arrival.token)


def open_visits(tx: Tx, arrivals: Sequence[Arrival]) -> list[Shown]:
    """Do it for all page views that wait."""
    if tx.is_sqlite:
        return [open_visit(tx, arrival) for arrival in arrivals]
    return visits_postgresql.open_visits(tx, arrivals)


def open_visit(tx: Tx, arrival: Arrival) -> Shown:
    """Recognise the visitor, continue or begin his visit, and keep or give him its numbers."""
    now = to_micros(arrival.now)
    who = {"tenant_id": arrival.tenant_id, "site_id": arrival.site_id, "token": arrival.token}
    known = [] if arrival.is_new else tx.run(_KNOWN, who)
    if known:
        visitor_id, visit_id, *last = known[0]
    else:
        visitor_id, visit_id, last = tx.run(_NEW_VISITOR, {**who, "first_seen_at": now})[0][0], None, []
    source, region, goes_on = _came(arrival, visit_id, last)
    numbers = {
        pool_id: held
        for pool_id in arrival.pools(source, region)
        if (held := _number_for(tx, arrival, pool_id, visitor_id, region, is_known=bool(known)))
    }
    shown = {pool_id: e164 for pool_id, (_, e164) in numbers.items()}
    number_id = next((number_id for number_id, _ in numbers.values()), None)
    if goes_on and visit_id is not None:
        tx.run(_SEEN, {"tenant_id": arrival.tenant_id, "visit": visit_id, "now": now, "taken": number_id})
        return Shown(visit_id, source, region, shown)
    row = {**source_columns(source), "tenant_id": arrival.tenant_id, "site_id": arrival.site_id}
    row |= {"visitor_id": visitor_id, "number_id": number_id, "started_at": now, "last_seen_at": now}
    row["region"] = region
    return Shown(tx.run(_NEW_VISIT, row)[0][0], source, region, shown)


def _came(arrival: Arrival, visit_id: int | None, last: Sequence[Any]) -> tuple[Source, str | None, bool]:
    """Return the source and region of the visit this view belongs to, and whether that is his last visit."""
    if visit_id is not None:
        before = last_source(last[2:])
        if continues(from_micros(last[0]), before, arrival.now, arrival.source):
            return before, last[1], True
    return arrival.source, arrival.region, False


def _number_for(
    tx: Tx, arrival: Arrival, pool_id: int, visitor_id: int, region: str | None, *, is_known: bool
) -> tuple[int, str] | None:
    now, until = to_micros(arrival.now), to_micros(arrival.now + arrival.hold)
    pool = {"tenant_id": arrival.tenant_id, "pool_id": pool_id}
    ask: dict[str, Any] = {**pool, "holder": visitor_id, "region": region, "until": until, "now": now}
    kept = tx.run(_KEEP, ask) if is_known else []
    if kept:
        return kept[0][0], kept[0][1]
    taken = _take_chosen(tx, arrival, ask) or tx.run(_TAKE, ask)
    if not taken:
        return None
    number_id, number = taken[0]
    tx.run(_END_LEASE, {"tenant_id": arrival.tenant_id, "taken": number_id, "now": now})
    lease = {"number_id": number_id, "visitor_id": visitor_id, "started_at": now}
    tx.run(_NEW_LEASE, {"tenant_id": arrival.tenant_id, **lease})
    return number_id, number


def _take_chosen(tx: Tx, arrival: Arrival, ask: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Take the number that blurs the fewest calls to come, where the region of a visit counts."""
    if arrival.habits is None:
        return []
    wanted = (ask["pool_id"], [ask["region"]], arrival.now)
    chosen = free_numbers.choose(tx, arrival.tenant_id, *wanted, arrival.habits)
    return tx.run(_TAKE_CHOSEN, {**ask, "chosen": chosen[0].number_id, "regions": chosen[0].regions}) if chosen else []


def touch(tx: Tx, tenant_id: int, site_id: int, token: str, now: datetime, hold: timedelta) -> int | None:
    """Keep the visitor's numbers and note that he is still there; return his visit, None when we do not know him."""
    known = tx.run(_KNOWN, {"tenant_id": tenant_id, "site_id": site_id, "token": token})
    if not known or known[0][1] is None:
        return None
    visitor_id, visit_id = known[0][:2]
    until = {"until": to_micros(now + hold), "now": to_micros(now)}
    tx.run(_KEEP_ALL, {"tenant_id": tenant_id, "holder": visitor_id, **until})
    tx.run(_SEEN, {"tenant_id": tenant_id, "visit": visit_id, "now": to_micros(now), "taken": None})
    return int(visit_id)
