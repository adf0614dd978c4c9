"""The nightly reconciliations: whose turn it is, and what they told."""

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update

from hub.store.tables import Reconciliation, Tenant, table_of
from hub.store.tx import Tx, insert_or

_kept, _tenant = table_of(Reconciliation), table_of(Tenant)
_LONGEST = timedelta(hours=1)  # at one tenant; then whoever was at it is taken for dead
_NIGHTS = timedelta(days=31)  # kept


def take(tx: Tx, until: datetime, now: datetime) -> int | None:
    """Take the turn of a tenant whose night ``until`` was not reconciled yet; None when there is none left."""
    of_night = and_(_kept.c.tenant_id == _tenant.c.id, _kept.c.until == until)
    left = or_(_kept.c.begun_at.is_(None), and_(_kept.c.told.is_(None), _kept.c.begun_at <= now - _LONGEST))
    due = select(_tenant.c.id).select_from(_tenant.outerjoin(_kept, of_night))
    for tenant_id in tx.execute(due.where(_tenant.c.created_at < until, left).order_by(_tenant.c.id)).scalars().all():
        row = insert_or(tx, _kept).values(tenant_id=tenant_id, until=until, begun_at=now)
        again = row.on_conflict_do_update(
            index_elements=["tenant_id", "until"],
            set_={"begun_at": now},
            where=and_(_kept.c.told.is_(None), _kept.c.begun_at <= now - _LONGEST),
        )
        if tx.execute(again.returning(_kept.c.tenant_id)).first():  # else another process was faster
            return int(tenant_id)
    return None


def save(tx: Tx, tenant_id: int, until: datetime, told: str) -> None:
    """Write what a night's reconciliation told, and forget those of a month ago."""
    here = _kept.c.tenant_id == tenant_id
    tx.execute(update(_kept).where(here, _kept.c.until == until).values(told=told))
    tx.execute(delete(_kept).where(here, _kept.c.until < until - _NIGHTS))


def last(tx: Tx, tenant_id: int) -> str | None:
    """Return what the last one told; None before the first night."""
    here = (_kept.c.tenant_id == tenant_id, _kept.c.told.is_not(None))
    told: str | None = tx.execute(select(_kept.c.told).where(*here).order_by(_kept.c.until.desc()).limit(1)).scalar()
    return told
