"""The lane of an installation: who holds it, what it may spend, how long it is left alone.

A lane is claimed by one holder at a time. The claim's fence is taken from the claiming statement itself; every later
write of that holder must still see it. Spent budget is committed before the request it pays for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, literal, select, update
from sqlalchemy import bindparam as value

from connectors.protocol import Limits, Why
from connectors.telling import Said
from hub.delivery import budget, retry
from hub.store import bell
from hub.store.moment import from_micros, to_micros
from hub.store.said import of_hold, pack_hold
from hub.store.tables import Lane, table_of
from hub.store.tx import Prepared, Tx, insert_or

_lane = table_of(Lane)
_LARGEST_SHARE = 64
_MOST_LISTS = 100  # of people who take turns; of the lists of older scenarios the latest stay
MENDED_BY_A_PERSON = (Why.FORBIDDEN, Why.UNREADABLE)
_FREE = from_micros(0)  # not "until now": that would be a moment to come if the clock stepped back


class FenceLost(Exception):
    """Another holder has the lane now: this one must not write, nor send, any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One hold of a lane: what ``fence`` was when it was claimed is what each later write must still find."""

    installation_id: int
    tenant_id: int
    fence: int
    readback_at: datetime
    share: int  # how many times smaller than the manifest's its batches are now


def open_lane(tx: Tx, tenant_id: int, installation_id: int, now: datetime, spent: list[int]) -> None:
    """Make the lane of a new installation, or free the lane of one that is connected again.

    ``spent`` is what connecting has spent of its budget already. Whoever holds the lane with the old access loses it.
    """
    free = {
        "leased_until": _FREE,
        "spent": spent,
        "wake_at": now,
        "readback_at": now,
        "hold_until": _FREE,
        "hold_count": 0,
        "held_since": now,
        "hold_why": "",
        "share": 1,
    }
    tx.execute(
        insert_or(tx, _lane)
        .values(installation_id=installation_id, tenant_id=tenant_id, fence=0, **free)
        .on_conflict_do_update(index_elements=["installation_id"], set_={**free, "fence": _lane.c.fence + 1})
    )
    bell.ring(tx)


def lift(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """End the hold of a lane: what it waited for has come."""
    here = (_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id)
    tx.execute(update(_lane).where(*here).values(hold_until=_FREE, hold_count=0, hold_why="", wake_at=now))


def look_again(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """Let a lane be asked once where a person may have mended what it is held for; its work waits on meanwhile.

    The next hold is no shorter for it. A vendor that asks for time is given it, whoever is in a hurry.
    """
    here = (_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id, _lane.c.hold_until > now)
    row = tx.execute(select(_lane.c.hold_why).where(*here)).first()
    if row is not None and of_hold(row.hold_why)[0] in MENDED_BY_A_PERSON:
        tx.execute(update(_lane).where(*here).values(hold_until=_FREE))


def take_over(tx: Tx, now: datetime) -> None:
    """Free every lane: only for a process that is known to be the only one (it holds the SQLite file's lock)."""
    tx.execute(update(_lane).where(_lane.c.leased_until > now).values(leased_until=_FREE, wake_at=now))


def claim(tx: Tx, now: datetime, lease: timedelta) -> Claim | None:
    """Claim the lane that waits longest: its lease ran out, it is not held, and there is something to do."""
    waits_longest = (
        select(_lane.c.installation_id)
        .where(_lane.c.wake_at <= now, _lane.c.leased_until <= now, _lane.c.hold_until <= now)
        .order_by(_lane.c.wake_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = tx.execute(
        update(_lane)
        .where(_lane.c.installation_id == waits_longest)
        .values(fence=_lane.c.fence + 1, leased_until=now + lease)
        .returning(*(_lane.c[name] for name in Claim.__slots__))
    ).first()
    return Claim(**row._asdict()) if row else None


def claim_of(tx: Tx, tenant_id: int, installation_id: int, now: datetime, lease: timedelta) -> Claim | None:
    """Claim one lane, whether it has something to do or not; None while somebody has it, or it is held."""
    row = tx.execute(
        update(_lane)
        .where(_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id)
        .where(_lane.c.leased_until <= now, _lane.c.hold_until <= now)
        .values(fence=_lane.c.fence + 1, leased_until=now + lease)
        .returning(*(_lane.c[name] for name in Claim.__slots__))
    ).first()
    return Claim(**row._asdict()) if row else None


def next_wake(tx: Tx) -> datetime | None:
    """Return when the next lane can be claimed; None when there is none."""
    latest = func.max if tx.is_sqlite else func.greatest  # SQLite's max of several values is the greatest of them
    due = latest(_lane.c.wake_at, _lane.c.leased_until, _lane.c.hold_until, type_=_lane.c.wake_at.type)
    return tx.execute(select(due.label("due")).order_by(due).limit(1)).scalar()


def mine(claim: Claim) -> Any:
    """Return the condition that the lane is still this claim's."""
    return and_(
        _lane.c.tenant_id == claim.tenant_id,
        _lane.c.installation_id == claim.installation_id,
        _lane.c.fence == claim.fence,
    )


def spend(
    tx: Tx, claim: Claim, limits: Limits, spent: list[int] | None, under_way: int, now: datetime, lease: timedelta
) -> tuple[datetime | None, list[int]]:
    """Pay for one request and renew the lease; return when to come back if the budget is spent, and what was spent.

    ``spent`` is what this returned before, None at first: then it is what the holder before left.
    """
    row = tx.execute(select(_lane.c.spent).where(mine(claim)).with_for_update()).first()
    if row is None:
        raise FenceLost
    known = budget.read(row.spent, limits, now) if spent is None else spent
    come_back_at, after = budget.spend(known, limits, now, under_way)
    if come_back_at is None:
        kept = budget.stored(after, limits, now, under_way + 1)
        tx.execute(update(_lane).where(mine(claim)).values(spent=kept, leased_until=now + lease))
    return come_back_at, after


_SLEEPS = Prepared(
    select(_lane.c.wake_at)
    .where(_lane.c.tenant_id == value("tenant_id"), _lane.c.installation_id == value("installation_id"))
    .with_for_update()
)


def wake(tx: Tx, tenant_id: int, installation_id: int, at: datetime) -> None:
    """Make a lane look at its work at ``at`` or sooner, and say so to every worker if it is news.

    The row is locked even when it is awake already: its holder's giving back then waits for this transaction, and sees
    what it wrote.
    """
    sleeping = tx.run(_SLEEPS, {"tenant_id": tenant_id, "installation_id": installation_id})
    if sleeping and sleeping[0][0] > to_micros(at):
        here = (_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id)
        tx.execute(update(_lane).where(*here).values(wake_at=at))
        bell.ring(tx)


def ring(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """Make read-back run soon: a doorbell rang. What it said is not believed, only that something changed."""
    here = (_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id)
    tx.execute(update(_lane).where(*here).values(readback_at=now))
    wake(tx, tenant_id, installation_id, now)


def hold(tx: Tx, claim: Claim, now: datetime, why: Why, said: Said, asked: timedelta | None) -> datetime | None:
    """Give the lane back but leave the installation alone for a while; return until when.

    Its next batches are half as large: what fails as a whole must not fail as a whole for ever.
    """
    row = tx.execute(select(_lane.c.hold_count).where(mine(claim))).first()
    if row is None:
        return None
    until = now + retry.hold(why, row.hold_count, asked)
    tx.execute(
        update(_lane)
        .where(mine(claim))
        .values(
            leased_until=_FREE,
            hold_until=until,
            wake_at=until,
            hold_count=row.hold_count + 1,
            held_since=_lane.c.held_since if row.hold_count else now,
            share=min(claim.share * 2, _LARGEST_SHARE),
            hold_why=pack_hold(why, said),
        )
    )
    bell.ring(tx)
    return until


def held_since(tx: Tx, claim: Claim) -> datetime:
    """Return when the troubles in a row of a lane that is held began."""
    return tx.execute(select(_lane.c.held_since).where(mine(claim))).scalar_one()  # type: ignore[no-any-return]


def told(tx: Tx, tenant_id: int) -> dict[int, dict[str, Any]]:
    """Return of each installation's lane when it reads back next and, while it is held, until when and why."""
    rows = tx.execute(select(_lane).where(_lane.c.tenant_id == tenant_id))
    return {
        row.installation_id: {
            "read_back_at": row.readback_at,
            "hold_until": row.hold_until if row.hold_why else None,
            "hold_why": row.hold_why,
        }
        for row in rows
    }


_KEPT = Prepared(
    select(_lane.c.hold_count)
    .where(_lane.c.tenant_id == value("tenant_id"), _lane.c.installation_id == value("installation_id"))
    .where(_lane.c.fence == value("fence"))
    .with_for_update()
)


def kept(tx: Tx, claim: Claim) -> int:
    """Lock the lane's row for this transaction and return how many troubles in a row it has.

    Raises ``FenceLost`` when it is not this claim's any more.
    """
    here = {"tenant_id": claim.tenant_id, "installation_id": claim.installation_id, "fence": claim.fence}
    found = tx.run(_KEPT, here)
    if not found:
        raise FenceLost
    return int(found[0][0])


def turns(tx: Tx, claim: Claim) -> dict[str, str]:
    """Return who had the last enquiry of each list of people that take turns."""
    kept = tx.execute(select(_lane.c.turns).where(mine(claim))).scalar()
    return dict(kept or {})


def keep_turns(tx: Tx, claim: Claim, had: Mapping[str, str]) -> None:
    """Write who had the last enquiry of some lists; those that nobody speaks of any more are forgotten in time."""
    others = [(of, user) for of, user in turns(tx, claim).items() if of not in had]
    tx.execute(update(_lane).where(mine(claim)).values(turns=dict([*others, *had.items()][-_MOST_LISTS:])))


def ease(tx: Tx, claim: Claim) -> None:
    """Note that the account answered: the next trouble is the first in a row."""
    tx.execute(update(_lane).where(mine(claim)).values(hold_count=0))


def give_back(tx: Tx, claim: Claim) -> None:
    """Give the lane back as it was found: only a turn of deliveries says that the account's trouble is over."""
    tx.execute(update(_lane).where(mine(claim)).values(leased_until=_FREE))
    bell.ring(tx)


def release(tx: Tx, claim: Claim, now: datetime, *, wake_at: datetime, readback_at: datetime) -> None:
    """Give the lane back, awake when its next work is due; its next batches are twice as large again.

    A doorbell that rang since the claim is heard in the next turn.
    """
    rang, moment = _lane.c.readback_at != claim.readback_at, _lane.c.wake_at.type
    tx.execute(
        update(_lane)
        .where(mine(claim))
        .values(
            leased_until=_FREE,
            hold_until=_FREE,
            wake_at=case((rang, literal(now, moment)), else_=literal(wake_at, moment)),
            readback_at=case((rang, _lane.c.readback_at), else_=literal(readback_at, moment)),
            hold_count=0,
            hold_why="",
            share=max(1, claim.share // 2),
        )
    )
    bell.ring(tx)


def give_up(tx: Tx, claim: Claim, now: datetime) -> None:
    """Leave the lane in the middle of a turn, if it is still mine: who claims it next doubts what was being sent."""
    tx.execute(update(_lane).where(mine(claim)).values(leased_until=_FREE, wake_at=now))
    bell.ring(tx)
