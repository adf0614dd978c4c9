"""The habits of each site: which are to be learned anew, and what was learned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from hub.store.habits_text import read_habits, write_habits
from hub.store.tables import Pool, Site, SiteHabits, table_of
from hub.store.tx import Tx, insert_or
from tracking_core.habits import SHEET_HABITS, Habits

_site, _pool, _kept = table_of(Site), table_of(Pool), table_of(SiteHabits)
_of_site = and_(_kept.c.site_id == _site.c.id, _kept.c.tenant_id == _site.c.tenant_id)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a site's calls have taught: its habits, from how many calls, and when; the general habits while too few."""

    learned_at: datetime
    from_calls: int
    habits: Habits

    @property
    def is_own(self) -> bool:
        """Return whether the habits are the site's own."""
        return self.habits != SHEET_HABITS


def due(tx: Tx, before: datetime) -> tuple[int, int] | None:
    """Return tenant and site whose habits were never learned, or not since a moment; None when there is none."""
    pools = select(_pool.c.id).where(_pool.c.site_id == _site.c.id, _pool.c.tenant_id == _site.c.tenant_id)
    row = tx.execute(
        select(_site.c.tenant_id, _site.c.id)
        .select_from(_site.outerjoin(_kept, _of_site))
        .where(pools.exists(), or_(_kept.c.id.is_(None), _kept.c.learned_at <= before))
        .order_by(_site.c.id)
        .limit(1)
    ).first()
    return (row.tenant_id, row.id) if row else None


def save(tx: Tx, tenant_id: int, site_id: int, learned: Learned) -> None:
    """Write what was learned over what was before."""
    told = {
        "learned_at": learned.learned_at,
        "from_calls": learned.from_calls,
        "habits": write_habits(learned.habits) if learned.is_own else None,
    }
    row = insert_or(tx, _kept).values(tenant_id=tenant_id, site_id=site_id, **told)
    tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "site_id"], set_=told))


def put_off(tx: Tx, tenant_id: int, site_id: int, now: datetime) -> None:
    """Leave the habits as they are until they are due again."""
    new: dict[str, Any] = {"tenant_id": tenant_id, "site_id": site_id, "from_calls": 0}
    row = insert_or(tx, _kept).values(**new, learned_at=now)
    tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "site_id"], set_={"learned_at": now}))


def learned_of(tx: Tx, tenant_id: int, site_id: int) -> Learned | None:
    """Return what a site's calls have taught; None when nobody has looked at them yet."""
    here = (_kept.c.tenant_id == tenant_id, _kept.c.site_id == site_id)
    row = tx.execute(select(_kept).where(*here)).first()
    return Learned(row.learned_at, row.from_calls, read_habits(row.habits)) if row else None


def habits_of(tx: Tx, tenant_id: int, site_id: int) -> Habits:
    """Return the habits a site is matched with."""
    learned = learned_of(tx, tenant_id, site_id)
    return learned.habits if learned else SHEET_HABITS
