"""Visits and leases: the hot path of the page script (transaction T1), and what matching reads of it later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy import bindparam as value

from hub.store import tracking_postgresql as quick
from hub.store.db import Db, Prepared, Tx
from hub.store.moment import from_micros, to_micros
from hub.store.tables import Lease, Placement, Site, TrackingNumber, Visit, Visitor, table_of
from tracking_core.source import Channel, Source
from tracking_core.visit import IDLE, continues

_visitor, _visit, _number, _lease = (table_of(model) for model in (Visitor, Visit, TrackingNumber, Lease))
_placement, _site = table_of(Placement), table_of(Site)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A page view that asks which number to show; ``pool_id`` None (a bot, a flood) gets the overflow number."""

    tenant_id: int
    site_id: int
    pool_id: int | None
    token: str
    source: Source
    now: datetime
    hold: timedelta
    is_new: bool = False  # the token was made for this request: nobody can be known by it


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor sees: the pool number he holds until ``held_until``, or nothing (then the overflow number)."""

    visit_id: int
    number: str | None


_KNOWN = Prepared(
    select(
        _visitor.c.id,
        _visit.c.id,
        _visit.c.last_seen_at,
        _visit.c.channel,
        _visit.c.source,
        _visit.c.medium,
        _visit.c.campaign,
        _visit.c.content,
        _visit.c.term,
        _visit.c.click_ids,
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

_KEEP = Prepared(
    update(_number)
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.pool_id == value("pool_id"))
    .where(_number.c.visitor_id == value("holder"))
    .values(free_at=value("until"))
    .returning(_number.c.id, _number.c.e164)
)

_TAKE = Prepared(
    update(_number)
    .where(
        _number.c.tenant_id == value("tenant_id"),
        _number.c.id
        == select(_number.c.id)
        .where(_number.c.tenant_id == value("tenant_id"), _number.c.pool_id == value("pool_id"))
        .where(_number.c.free_at <= value("now"))
        .order_by(_number.c.free_at, _number.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery(),
    )
    .values(visitor_id=value("holder"), free_at=value("until"))
    .returning(_number.c.id, _number.c.e164)
)

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
    """Open or continue a visit in the way that is quickest on this engine; both ways do the same."""
    if not db.is_sqlite and arrival.pool_id is not None:
        rows = await db.once(quick.NEW if arrival.is_new else quick.RETURNING, _quick_values(arrival))
        if rows:
            return Shown(*rows[0])
    return await db.write(open_visit, arrival)


def _quick_values(arrival: Arrival) -> dict[str, Any]:
    return {
        **_source_columns(arrival.source),
        "tenant_id": arrival.tenant_id,
        "site_id": arrival.site_id,
        "pool_id": arrival.pool_id,
        "token": arrival.token,
        "now": to_micros(arrival.now),
        "until": to_micros(arrival.now + arrival.hold),
        "idle_since": to_micros(arrival.now - IDLE),
        "is_untagged": not arrival.source.is_tagged,
    }


def open_visit(tx: Tx, arrival: Arrival) -> Shown:
    """Recognise the visitor, keep or give him a number and continue or begin his visit."""
    now = to_micros(arrival.now)
    who = {"tenant_id": arrival.tenant_id, "site_id": arrival.site_id, "token": arrival.token}
    known = [] if arrival.is_new else tx.run(_KNOWN, who)
    if known:
        visitor_id, visit_id, *last = known[0]
    else:
        visitor_id, visit_id, last = tx.run(_NEW_VISITOR, {**who, "first_seen_at": now})[0][0], None, []
    number_id, number = _number_for(tx, arrival, visitor_id, now, is_known=bool(known))
    if visit_id is not None and continues(from_micros(last[0]), _last_source(last), arrival.now, arrival.source):
        tx.run(_SEEN, {"tenant_id": arrival.tenant_id, "visit": visit_id, "now": now, "taken": number_id})
        return Shown(visit_id, number)
    row = {**_source_columns(arrival.source), "tenant_id": arrival.tenant_id, "site_id": arrival.site_id}
    row |= {"visitor_id": visitor_id, "number_id": number_id, "started_at": now, "last_seen_at": now}
    return Shown(tx.run(_NEW_VISIT, row)[0][0], number)


def _number_for(
    tx: Tx, arrival: Arrival, visitor_id: int, now: int, *, is_known: bool
) -> tuple[int | None, str | None]:
    if arrival.pool_id is None:
        return None, None
    until = to_micros(arrival.now + arrival.hold)
    ask = {"tenant_id": arrival.tenant_id, "pool_id": arrival.pool_id, "holder": visitor_id, "until": until}
    kept = tx.run(_KEEP, ask) if is_known else []
    if kept:
        return kept[0][0], kept[0][1]
    taken = tx.run(_TAKE, {**ask, "now": now})
    if not taken:
        return None, None
    number_id, number = taken[0]
    tx.run(_END_LEASE, {"tenant_id": arrival.tenant_id, "taken": number_id, "now": now})
    lease = {
        "tenant_id": arrival.tenant_id,
        "number_id": number_id,
        "visitor_id": visitor_id,
        "started_at": now,
    }
    tx.run(_NEW_LEASE, lease)
    return number_id, number


def touch(
    tx: Tx, tenant_id: int, site_id: int, pool_id: int | None, token: str, now: datetime, hold: timedelta
) -> bool:
    """Keep the visitor's number and note that he is still there; False when we do not know him."""
    known = tx.run(_KNOWN, {"tenant_id": tenant_id, "site_id": site_id, "token": token})
    if not known or known[0][1] is None:
        return False
    visitor_id, visit_id = known[0][:2]
    until = to_micros(now + hold)
    kept = tx.run(_KEEP, {"tenant_id": tenant_id, "pool_id": pool_id, "holder": visitor_id, "until": until})
    taken = kept[0][0] if kept else None
    tx.run(_SEEN, {"tenant_id": tenant_id, "visit": visit_id, "now": to_micros(now), "taken": taken})
    return True


def _source_columns(source: Source) -> dict[str, str]:
    return {
        "channel": source.channel.value,
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign,
        "content": source.content,
        "term": source.term,
        "click_ids": json.dumps(source.click_ids, ensure_ascii=False),
        "referrer_host": source.referrer_host,
        "landing": source.landing,
    }


def _last_source(last: list[Any]) -> Source:
    _, channel, source, medium, campaign, content, term, click_ids = last
    return source_of(
        {
            "channel": channel,
            "source": source,
            "medium": medium,
            "campaign": campaign,
            "content": content,
            "term": term,
            "click_ids": click_ids,
        }
    )


def source_of(row: Mapping[str, Any]) -> Source:
    """Return the source a visit row carries."""
    return Source(
        channel=Channel(row["channel"]),
        source=row["source"],
        medium=row["medium"],
        campaign=row["campaign"],
        content=row["content"],
        term=row["term"],
        click_ids=tuple((name, given) for name, given in json.loads(row["click_ids"])),
        referrer_host=row.get("referrer_host", ""),
        landing=row.get("landing", ""),
    )


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What we know of a dialled number: its site, and its placement when it is static."""

    number_id: int
    site_id: int
    hold: timedelta
    placement_id: int | None
    placement_source: str
    placement_campaign: str


def find_number(tx: Tx, tenant_id: int, e164: str) -> NumberFacts | None:
    """Find a tracking number of the tenant by its E.164 form."""
    rows = tx.execute(
        select(
            _number.c.id,
            _number.c.site_id,
            _site.c.hold_s,
            _placement.c.id,
            _placement.c.source,
            _placement.c.campaign,
        )
        .select_from(_number.join(_site, _same(_site, _number.c.site_id)))
        .outerjoin(_placement, _same(_placement, _number.c.placement_id))
        .where(_number.c.tenant_id == tenant_id, _number.c.e164 == e164)
    ).all()
    if not rows:
        return None
    number_id, site_id, hold_s, placement_id, source, campaign = rows[0]
    return NumberFacts(number_id, site_id, timedelta(seconds=hold_s), placement_id, source or "", campaign or "")


def _same(table: Table, key: Any) -> Any:
    """Join a table of the same tenant by its id."""
    return (table.c.id == key) & (table.c.tenant_id == _number.c.tenant_id)


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder of a number: his lease, and his last visit that began before the asked moment."""

    visitor_id: int
    visit_id: int
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None


def holders_at(tx: Tx, tenant_id: int, number_id: int, at: datetime, most: int = 5) -> list[Holding]:
    """Return who held a number at a moment and before it, newest first."""
    leases = tx.execute(
        select(_lease.c.visitor_id, _lease.c.started_at, _lease.c.ended_at)
        .where(_lease.c.tenant_id == tenant_id, _lease.c.number_id == number_id, _lease.c.started_at <= at)
        .order_by(_lease.c.started_at.desc())
        .limit(most)
    ).all()
    holdings = []
    for visitor_id, started_at, ended_at in leases:
        until = min(at, ended_at) if ended_at else at
        visit = tx.execute(
            select(_visit.c.id, _visit.c.last_seen_at)
            .where(_visit.c.tenant_id == tenant_id, _visit.c.visitor_id == visitor_id)
            .where(_visit.c.started_at <= until)
            .order_by(_visit.c.started_at.desc(), _visit.c.id.desc())
            .limit(1)
        ).first()
        if visit:
            holdings.append(Holding(visitor_id, visit.id, started_at, min(visit.last_seen_at, until), ended_at))
    return holdings


def visit_source(tx: Tx, tenant_id: int, visit_id: int) -> Source:
    """Return the source of a visit."""
    row = tx.execute(select(_visit).where(_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)).one()
    return source_of(row._asdict())


def has_visit(tx: Tx, tenant_id: int, visit_id: int) -> bool:
    """Say whether the tenant has this visit."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)
    return visit_id < 2**63 and tx.execute(select(_visit.c.id).where(*here)).first() is not None
