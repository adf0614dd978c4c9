"""How warm a number is: what is known of its past holders moves its place among the free ones (tracking_core.pool)."""

from datetime import datetime

from sqlalchemy import and_, case, func, select, update

from hub.store import free_numbers
from hub.store.moment import to_micros
from hub.store.tables import Call, Enquiry, Lease, Match, TrackingNumber, table_of
from hub.store.tx import Tx
from tracking_core.pool import MOST_AT_REST, REST, STRAY_WINDOW, HeldNumber

_number, _lease = table_of(TrackingNumber), table_of(Lease)
_enquiry, _call, _match = (table_of(model) for model in (Enquiry, Call, Match))


def warm(tx: Tx, tenant_id: int, number_id: int, visitor_id: int, until: datetime) -> None:
    """Let a number count as idle no earlier than ``until``, as long as this visitor holds it."""
    micros = to_micros(until)
    later = case((_number.c.idle_since > micros, _number.c.idle_since), else_=micros)
    his = (_number.c.tenant_id == tenant_id, _number.c.id == number_id, _number.c.visitor_id == visitor_id)
    tx.execute(update(_number).where(*his).values(idle_since=later))


def cool(tx: Tx, tenant_id: int, number_id: int, caller: int, fresh: HeldNumber) -> None:
    """Let a number be as warm as its holders left it, after this visitor has called from it."""
    if fresh.idle_since is None:
        return
    his = func.coalesce(_number.c.visitor_id == caller, False)
    here = (_number.c.tenant_id == tenant_id, _number.c.id == number_id)
    warmth = {"idle_since": to_micros(fresh.idle_since), "regions": free_numbers.written(fresh.regions)}
    region = case((his, None), else_=_number.c.region)
    tx.execute(update(_number).where(*here).values(is_called=his, region=region, **warmth))


def strays(tx: Tx, tenant_id: int, e164: str, now: datetime) -> list[tuple[datetime, str | None]]:
    """Return the calls to a number that nobody could be named for, each with its caller's key."""
    rows = tx.execute(
        select(_enquiry.c.at, _enquiry.c.phone_key)
        .select_from(_call)
        .join(_enquiry, and_(_enquiry.c.id == _call.c.enquiry_id, _enquiry.c.tenant_id == _call.c.tenant_id))
        .join(_match, and_(_match.c.enquiry_id == _call.c.enquiry_id, _match.c.tenant_id == _call.c.tenant_id))
        .where(_call.c.tenant_id == tenant_id, _call.c.dialled == e164, _call.c.direction == "inbound")
        .where(_match.c.superseded_at.is_(None), _match.c.reason == "nobody", _enquiry.c.at >= now - STRAY_WINDOW)
    )
    return [(row.at, row.phone_key) for row in rows]


def rest(tx: Tx, tenant_id: int, number_id: int, now: datetime) -> None:
    """Take a pool number out of use for a while, unless it rests already or too much of its pool does."""
    here = (_number.c.tenant_id == tenant_id, _number.c.id == number_id)
    pool_id = tx.execute(select(_number.c.pool_id).where(*here)).scalar()
    of_pool = (_number.c.tenant_id == tenant_id, _number.c.pool_id == pool_id)
    resting = and_(_number.c.rests, _number.c.free_at > to_micros(now))
    counted = select(func.count(), func.count(case((resting, 1)))).where(*of_pool)
    numbers, at_rest = tx.execute(counted).one()
    if pool_id is None or (at_rest + 1) * MOST_AT_REST > numbers:
        return
    still = (*here, ~resting)
    until = to_micros(now + REST)
    rested = tx.execute(
        update(_number).where(*still).values(visitor_id=None, free_at=until, rests=True, is_called=False)
    )
    if rested.rowcount:
        live = (_lease.c.tenant_id == tenant_id, _lease.c.number_id == number_id, _lease.c.ended_at.is_(None))
        tx.execute(update(_lease).where(*live).values(ended_at=now))
