"""A pool's past: the visits it was there for with the numbers they held, and its calls with what each is matched to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from hub.store.enquiries import its_call, its_match
from hub.store.past_calls import phone_of
from hub.store.tables import Call, Enquiry, Lease, Match, PageEvent, Pool, TrackingNumber, Visit, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault

_visit, _lease, _event = table_of(Visit), table_of(Lease), table_of(PageEvent)
_pool, _number = table_of(Pool), table_of(TrackingNumber)
_enquiry, _call, _match = table_of(Enquiry), table_of(Call), table_of(Match)

_OF_A_VISIT = 2  # leases, and page events, that are read for each visit read: the latest


@dataclass(frozen=True, slots=True)
class Span:
    """What is read: from ``since`` on, before ``until``, and of it the ``most`` latest visits and calls."""

    since: datetime
    until: datetime
    most: int


@dataclass(slots=True)
class Done:
    """What a visitor did with a number of the pool, as far as the page script tells."""

    taps: list[datetime] = field(default_factory=list)
    copied: bool = False
    revealed: bool = False  # told only where a number is given on intent


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit; ``number_id`` is the pool's number its visitor held in it, None when he held none."""

    id: int
    visitor_id: int
    started_at: datetime
    last_seen_at: datetime
    number_id: int | None
    done: Done
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PastCall:
    """An inbound call to a number of the pool; ``visit_id`` is what it is matched to now, with that confidence.

    ``phone`` is read only where visits have regions to hold it against.
    """

    at: datetime
    phone_key: str | None
    visit_id: int | None
    confidence: float
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class PoolPast:
    """Visits and calls in order of time; ``is_cut`` says that there were more visits than were read."""

    visits: Sequence[PastVisit]
    calls: Sequence[PastCall]
    is_cut: bool


def pool_past(tx: Tx, tenant_id: int, site_id: int, name: str, span: Span, vault: Vault) -> PoolPast:
    """Return the past of the site's pool of this name; memory is bounded by ``span.most``."""
    its = (_pool.c.tenant_id == tenant_id, _pool.c.site_id == site_id, _pool.c.name == name)
    pool = tx.execute(select(_pool).where(*its)).one()
    rows = _visits(tx, tenant_id, pool, span)
    is_cut = len(rows) > span.most
    rows = rows[-span.most :]
    read = Span(rows[0].started_at, span.until, span.most) if is_cut else span
    leases, done = _leases(tx, tenant_id, pool.id, read), _done(tx, tenant_id, pool, read)
    visits = [
        PastVisit(**row._asdict(), number_id=_held(row, leases.get(row.visitor_id, ())), done=done.get(row.id, Done()))
        for row in rows
    ]
    tells_regions = any(one.region is not None for one in visits)
    return PoolPast(visits, _calls(tx, tenant_id, pool.id, read, vault if tells_regions else None), is_cut)


def _visits(tx: Tx, tenant_id: int, pool: Any, span: Span) -> list[Any]:
    """Read the site's visits but those that another pool of the same group was there for; one more than ``most``."""
    number = and_(_number.c.id == _visit.c.number_id, _number.c.tenant_id == tenant_id)
    its_pool = and_(_pool.c.id == _number.c.pool_id, _pool.c.tenant_id == tenant_id)
    rows = tx.execute(
        select(_visit.c.id, _visit.c.visitor_id, _visit.c.started_at, _visit.c.last_seen_at, _visit.c.region)
        .select_from(_visit.outerjoin(_number, number).outerjoin(_pool, its_pool))
        .where(_visit.c.tenant_id == tenant_id, _visit.c.site_id == pool.site_id)
        .where(_visit.c.started_at >= span.since, _visit.c.started_at < span.until)
        .where(or_(_pool.c.id.is_(None), _pool.c.id == pool.id, _pool.c.group_name != pool.group_name))
        .order_by(_visit.c.started_at.desc(), _visit.c.id.desc())
        .limit(span.most + 1)
    ).all()
    return list(reversed(rows))


def _leases(tx: Tx, tenant_id: int, pool_id: int, span: Span) -> Mapping[int, Sequence[Any]]:
    """Read the leases of the pool's numbers that were not over yet, by visitor, newest first."""
    number = and_(_number.c.id == _lease.c.number_id, _number.c.tenant_id == tenant_id)
    rows = tx.execute(
        select(_lease.c.visitor_id, _lease.c.number_id, _lease.c.started_at, _lease.c.ended_at)
        .join(_number, number)
        .where(_lease.c.tenant_id == tenant_id, _number.c.pool_id == pool_id, _lease.c.started_at < span.until)
        .where(or_(_lease.c.ended_at.is_(None), _lease.c.ended_at > span.since))
        .order_by(_lease.c.started_at.desc())
        .limit(_OF_A_VISIT * span.most)
    )
    found = defaultdict(list)
    for row in rows:
        found[row.visitor_id].append(row)
    return found


def _held(visit: Any, leases: Sequence[Any]) -> int | None:
    """Return the number of the visitor's latest lease that touches the visit."""
    for lease in leases:
        if lease.started_at <= visit.last_seen_at and (lease.ended_at is None or lease.ended_at > visit.started_at):
            return int(lease.number_id)
    return None


def _done(tx: Tx, tenant_id: int, pool: Any, span: Span) -> Mapping[int, Done]:
    """Read what was done in each visit: with the pool's numbers, or to see any."""
    visit = and_(_visit.c.id == _event.c.visit_id, _visit.c.tenant_id == tenant_id)
    number = and_(_number.c.id == _event.c.number_id, _number.c.tenant_id == tenant_id)
    rows = tx.execute(
        select(_event.c.visit_id, _event.c.kind, _event.c.at)
        .select_from(_event.join(_visit, visit).outerjoin(_number, number))
        .where(_event.c.tenant_id == tenant_id, _visit.c.site_id == pool.site_id)
        .where(_visit.c.started_at >= span.since, _visit.c.started_at < span.until)
        .where(or_(_event.c.kind == "reveal", _number.c.pool_id == pool.id))
        .order_by(_visit.c.started_at.desc(), _event.c.id)
        .limit(_OF_A_VISIT * span.most)
    )
    found: dict[int, Done] = defaultdict(Done)
    for row in rows:
        did = found[row.visit_id]
        did.revealed |= row.kind == "reveal"
        did.copied |= row.kind == "copy"
        did.taps += [row.at] if row.kind == "tel_tap" else []
    return found


def _calls(tx: Tx, tenant_id: int, pool_id: int, span: Span, vault: Vault | None) -> list[PastCall]:
    number = and_(_number.c.e164 == _call.c.dialled, _number.c.tenant_id == tenant_id)
    rows = tx.execute(
        select(
            _enquiry.c.at,
            _enquiry.c.key,
            _enquiry.c.phone,
            _enquiry.c.phone_key,
            _match.c.visit_id,
            _match.c.confidence,
        )
        .select_from(_enquiry.join(_call, its_call).join(_number, number).outerjoin(_match, its_match))
        .where(_enquiry.c.tenant_id == tenant_id, _number.c.pool_id == pool_id, _call.c.direction == "inbound")
        .where(_enquiry.c.at >= span.since, _enquiry.c.at < span.until)
        .order_by(_enquiry.c.at.desc(), _enquiry.c.id.desc())
        .limit(span.most)
    ).all()
    return [
        PastCall(
            row.at,
            row.phone_key,
            row.visit_id,
            row.confidence or 0.0,
            phone_of(row, tenant_id, vault) if vault else None,
        )
        for row in reversed(rows)
    ]
