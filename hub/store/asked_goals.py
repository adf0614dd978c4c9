"""Deals that the CRM's own automation asked to count as goals: kept until our own access has looked at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from hub.store.crm import Installed
from hub.store.tables import AskedGoal, Deal, Installation, table_of
from hub.store.tx import Tx, insert_or

_asked, _deal, _installation = table_of(AskedGoal), table_of(Deal), table_of(Installation)

MOST_WAITING = 5_000  # of one account: what asks is not signed
_KEPT = timedelta(days=30)  # after it was settled; the goal itself stays
_FIRST_REST, _LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)


class CameTo(StrEnum):
    """What became of an asked goal."""

    GOAL = auto()
    GONE = auto()  # the account has no such deal
    NOT_OURS = auto()  # no enquiry of ours is behind the deal, so there is no visit to count it for


@dataclass(frozen=True, slots=True)
class Asked:
    """One deal that is to count as one goal."""

    deal: str
    name: str
    asked_at: datetime
    tries: int


def note(tx: Tx, tenant_id: int, installation_id: int, deal: str, name: str, now: datetime) -> bool:
    """Keep what was asked; the same again is nothing new, unless it came to no goal. False when too many wait."""
    waiting = select(func.count()).select_from(_asked).where(*_of(tenant_id, installation_id), _waits)
    if tx.execute(waiting).scalar_one() >= MOST_WAITING:
        return False
    anew = {"tenant_id": tenant_id, "asked_at": now, "due_at": now, "tries": 0, "settled_at": None, "came_to": ""}
    tx.execute(
        insert_or(tx, _asked)
        .values(installation_id=installation_id, deal=deal, name=name, **anew)
        .on_conflict_do_update(
            index_elements=["installation_id", "deal", "name"],
            set_=anew,
            where=_asked.c.came_to.in_((CameTo.GONE, CameTo.NOT_OURS)),
        )
    )
    return True


def due(tx: Tx, tenant_id: int, installation_id: int, now: datetime, limit: int) -> list[Asked]:
    """Return what is to be looked at now, the longest waiting first."""
    columns = [_asked.c[name] for name in Asked.__slots__]
    mine = (*_of(tenant_id, installation_id), _waits, _asked.c.due_at <= now)
    rows = tx.execute(select(*columns).where(*mine).order_by(_asked.c.due_at, _asked.c.asked_at).limit(limit))
    return [Asked(*row) for row in rows]


def next_due(tx: Tx, tenant_id: int, installation_id: int) -> datetime | None:
    """Return when something is to be looked at next; None when nothing is."""
    mine = (*_of(tenant_id, installation_id), _waits)
    return tx.execute(select(func.min(_asked.c.due_at)).where(*mine)).scalar()


def postpone(tx: Tx, of: Installed, asked: Sequence[Asked], now: datetime) -> None:
    """Let them wait, longer each time: the account gave no answer to be read."""
    for one in asked:
        rest = min(_FIRST_REST * 2 ** min(one.tries, 10), _LONGEST_REST)
        mine = (*_this(of, one), _waits)
        tx.execute(update(_asked).where(*mine).values(due_at=now + rest, tries=one.tries + 1))


def settle(tx: Tx, of: Installed, asked: Asked, came_to: CameTo, now: datetime) -> None:
    """Write what became of one, and forget those that were settled long ago."""
    tx.execute(update(_asked).where(*_this(of, asked)).values(settled_at=now, came_to=came_to))
    mine = (*_of(of.tenant_id, of.id), _asked.c.settled_at <= now - _KEPT)
    tx.execute(delete(_asked).where(*mine))


@dataclass(frozen=True, slots=True)
class AskedLine:
    """An asked goal as people read it; ``came_to`` is empty while it waits."""

    deal: str
    url: str | None
    name: str
    asked_at: datetime
    came_to: str
    account: str


def last_without_goal(tx: Tx, tenant_id: int, limit: int) -> list[AskedLine]:
    """List what waits or came to no goal, the last asked first."""
    of = (_installation.c.id == _asked.c.installation_id) & (_installation.c.tenant_id == _asked.c.tenant_id)
    known = (
        (_deal.c.installation_id == _asked.c.installation_id)
        & (_deal.c.external_id == _asked.c.deal)
        & (_deal.c.tenant_id == _asked.c.tenant_id)
    )
    rows = tx.execute(
        select(_asked.c.deal, _deal.c.url, _asked.c.name, _asked.c.asked_at, _asked.c.came_to, _installation.c.host)
        .select_from(_asked.join(_installation, of).outerjoin(_deal, known))
        .where(_asked.c.tenant_id == tenant_id, or_(_waits, _asked.c.came_to != CameTo.GOAL))
        .order_by(_asked.c.asked_at.desc(), _asked.c.deal)
        .limit(limit)
    )
    return [AskedLine(*row) for row in rows]


_waits = _asked.c.settled_at.is_(None)


def _of(tenant_id: int, installation_id: int) -> tuple[Any, ...]:
    return _asked.c.tenant_id == tenant_id, _asked.c.installation_id == installation_id


def _this(of: Installed, asked: Asked) -> tuple[Any, ...]:
    return (*_of(of.tenant_id, of.id), _asked.c.deal == asked.deal, _asked.c.name == asked.name)
