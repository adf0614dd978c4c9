"""All SQL that moves a delivery. Its states and arrows are ``retry.State``; a lane is one installation.

A lane is claimed by one holder at a time. The claim's fence is taken from the claiming statement itself; every later
write of that holder must still see it. Spent budget is committed before the request it pays for.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select, update

from connectors.protocol import Limits, Outcome, Ref, Why
from connectors.scenario import Plan, dump_plan, load_plan
from hub.delivery import retry
from hub.delivery.retry import State
from hub.store.db import Tx, insert_or
from hub.store.tables import Attempt, Delivery, Lane, table_of
from hub.store.vault import Vault

_lane, _delivery, _attempt = table_of(Lane), table_of(Delivery), table_of(Attempt)
_NEVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


class FenceLost(Exception):
    """Another holder has the lane now: this one must not write, nor send, any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One hold of a lane: what ``fence`` was when it was claimed is what each later write must still find."""

    installation_id: int
    tenant_id: int
    fence: int
    readback_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery claimed for sending: ``attempt`` is the number that settling must name."""

    id: str
    marker: str
    plan: Plan
    attempt: int
    spent: int
    in_doubt: bool
    created_at: datetime
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to be written: unique by enquiry, installation and scenario version."""

    installation_id: int
    enquiry: str
    call_id: int | None
    order_key: str
    position: datetime
    plan: Plan


# -- planned -> ready


def enqueue(tx: Tx, tenant_id: int, planned: Planned, now: datetime, vault: Vault) -> bool:
    """Write a delivery and wake its lane; False when it was planned before."""
    delivery_id = secrets.token_hex(16)
    written = tx.execute(
        insert_or(tx, _delivery)
        .values(
            id=delivery_id,
            tenant_id=tenant_id,
            installation_id=planned.installation_id,
            position=planned.position,
            order_key=planned.order_key,
            enquiry=planned.enquiry,
            call_id=planned.call_id,
            scenario_version=planned.plan.scenario_version,
            marker=f"hub:{delivery_id}",
            plan=vault.seal(dump_plan(planned.plan).decode(), tenant_id, delivery_id, "plan"),
            state=State.READY,
            due_at=now,
            attempt=0,
            spent=0,
            in_doubt=False,
            refs=[],
            why="",
            sentence="",
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    if written.rowcount:
        wake(tx, tenant_id, planned.installation_id, now)
    return bool(written.rowcount)


def wake(tx: Tx, tenant_id: int, installation_id: int, at: datetime) -> None:
    """Make a lane look at its work at ``at`` or sooner."""
    tx.execute(
        update(_lane)
        .where(_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id, _lane.c.wake_at > at)
        .values(wake_at=at)
    )


# -- the lane


def open_lane(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """Make the lane of a new installation, or free the lane of one that is connected again."""
    free = {
        "leased_until": now,
        "wake_at": now,
        "readback_at": now,
        "hold_until": now,
        "hold_count": 0,
        "hold_why": "",
    }
    tx.execute(
        insert_or(tx, _lane)
        .values(installation_id=installation_id, tenant_id=tenant_id, fence=0, budget_at=now, **free)
        .on_conflict_do_update(index_elements=["installation_id"], set_=free)
    )


def take_over(tx: Tx, now: datetime) -> None:
    """Free every lane: only for a process that is known to be the only one (it holds the SQLite file's lock)."""
    tx.execute(update(_lane).where(_lane.c.leased_until > now).values(leased_until=now, wake_at=now))


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
        .returning(_lane.c.installation_id, _lane.c.tenant_id, _lane.c.fence, _lane.c.readback_at)
    ).first()
    return Claim(row.installation_id, row.tenant_id, row.fence, row.readback_at) if row else None


def next_wake(tx: Tx) -> datetime | None:
    """Return when some lane next has something to do."""
    sooner = (
        func.max(_lane.c.wake_at, _lane.c.hold_until)
        if tx.is_sqlite
        else func.greatest(_lane.c.wake_at, _lane.c.hold_until)
    )
    return tx.execute(select(func.min(sooner, type_=_lane.c.wake_at.type))).scalar()


def _mine(claim: Claim) -> Any:
    return and_(
        _lane.c.tenant_id == claim.tenant_id,
        _lane.c.installation_id == claim.installation_id,
        _lane.c.fence == claim.fence,
    )


def spend(tx: Tx, claim: Claim, limits: Limits, now: datetime, lease: timedelta) -> datetime | None:
    """Pay for one request from the lane's token bucket and renew the lease; return when to come back if it is empty."""
    row = tx.execute(select(_lane.c.budget_at).where(_mine(claim)).with_for_update()).first()
    if row is None:
        raise FenceLost
    step = timedelta(seconds=1 / limits.per_second)
    full_at = max(row.budget_at, now)
    allowed_at: datetime = full_at - step * (limits.burst - 1)
    if allowed_at > now:
        return allowed_at
    tx.execute(update(_lane).where(_mine(claim)).values(budget_at=full_at + step, leased_until=now + lease))
    return None


def release(tx: Tx, claim: Claim, now: datetime, *, readback_at: datetime | None = None) -> None:
    """Give the lane back, awake when its next work is due."""
    # The lane's row is locked first: whoever enqueues now is either seen below or waits and wakes the lane after us.
    if tx.execute(select(_lane.c.fence).where(_mine(claim)).with_for_update()).first() is None:
        return
    values: dict[str, Any] = {"leased_until": now, "hold_count": 0, "hold_why": ""}
    if readback_at:
        values["readback_at"] = readback_at
    due = tx.execute(select(func.min(_delivery.c.due_at)).where(_waiting(claim), ~_blocked())).scalar()
    values["wake_at"] = min(due or _NEVER, readback_at or claim.readback_at)
    tx.execute(update(_lane).where(_mine(claim)).values(**values))


def hold(tx: Tx, claim: Claim, now: datetime, why: Why, sentence: str, asked: timedelta | None) -> datetime | None:
    """Give the lane back but leave the installation alone for a while; return until when."""
    row = tx.execute(select(_lane.c.hold_count).where(_mine(claim))).first()
    if row is None:
        return None
    until = now + retry.hold(why, row.hold_count, asked)
    tx.execute(
        update(_lane)
        .where(_mine(claim))
        .values(
            leased_until=now,
            hold_until=until,
            wake_at=until,
            hold_count=row.hold_count + 1,
            hold_why=f"{why}: {sentence}",
        )
    )
    return until


# -- ready -> sending


def _waiting(claim: Claim) -> Any:
    return and_(
        _delivery.c.tenant_id == claim.tenant_id,
        _delivery.c.installation_id == claim.installation_id,
        _delivery.c.state == State.READY,
    )


def _blocked() -> Any:
    """An earlier delivery of the same caller at the same installation is not settled yet."""
    earlier = _delivery.alias("earlier")
    return exists().where(
        earlier.c.tenant_id == _delivery.c.tenant_id,
        earlier.c.installation_id == _delivery.c.installation_id,
        earlier.c.order_key == _delivery.c.order_key,
        earlier.c.state.in_((State.READY, State.SENDING)),
        or_(
            earlier.c.position < _delivery.c.position,
            and_(earlier.c.position == _delivery.c.position, earlier.c.id < _delivery.c.id),
        ),
    )


def take_batch(tx: Tx, claim: Claim, limits: Limits, now: datetime, vault: Vault) -> list[Taken]:
    """Claim the next deliveries of the lane, oldest first and one per caller, and write their attempts."""
    if tx.execute(select(_lane.c.fence).where(_mine(claim)).with_for_update()).first() is None:
        raise FenceLost
    _doubt_the_abandoned(tx, claim, limits, now)
    rows = tx.execute(
        select(_delivery)
        .where(_waiting(claim), _delivery.c.due_at <= now, ~_blocked())
        .order_by(_delivery.c.position, _delivery.c.id)
        .limit(limits.batch)
    ).all()
    for row in rows:
        number = {"attempt": row.attempt + 1}
        tx.execute(update(_delivery).where(_one(claim, row.id)).values(state=State.SENDING, **number))
        tx.execute(
            insert(_attempt).values(
                delivery_id=row.id,
                number=row.attempt + 1,
                tenant_id=claim.tenant_id,
                started_at=now,
                why="",
                detail="",
            )
        )
    return [_taken(row, vault) for row in rows]


def _taken(row: Any, vault: Vault) -> Taken:
    return Taken(
        id=row.id,
        marker=row.marker,
        plan=load_plan(vault.open(row.plan, row.tenant_id, row.id, "plan").encode()),
        attempt=row.attempt + 1,
        spent=row.spent,
        in_doubt=row.in_doubt,
        created_at=row.created_at,
        refs=tuple(Ref(**ref) for ref in row.refs),
    )


def _one(claim: Claim, delivery_id: str) -> Any:
    return and_(_delivery.c.tenant_id == claim.tenant_id, _delivery.c.id == delivery_id)


def _doubt_the_abandoned(tx: Tx, claim: Claim, limits: Limits, now: datetime) -> None:
    """What an earlier holder left in sending may have taken effect: it rests, then is looked for."""
    left = tx.execute(
        update(_delivery)
        .where(_delivery.c.tenant_id == claim.tenant_id, _delivery.c.installation_id == claim.installation_id)
        .where(_delivery.c.state == State.SENDING)
        .values(state=State.READY, in_doubt=True, due_at=now + retry.rest(limits.search_lag))
        .returning(_delivery.c.id, _delivery.c.attempt)
    ).all()
    for delivery_id, number in left:
        tx.execute(
            update(_attempt)
            .where(_attempt.c.tenant_id == claim.tenant_id, _attempt.c.delivery_id == delivery_id)
            .where(_attempt.c.number == number)
            .values(ended_at=now, status="unknown", detail="the worker that sent it ended before it knew")
        )


# -- sending -> delivered, accepted, ready, parked


def settle(
    tx: Tx,
    claim: Claim,
    taken: Sequence[Taken],
    outcomes: Mapping[str, Outcome],
    limits: Limits,
    now: datetime,
) -> None:
    """Write what became of each claimed delivery; one that is missing in ``outcomes`` goes back unspent."""
    if tx.execute(select(_lane.c.fence).where(_mine(claim)).with_for_update()).first() is None:
        raise FenceLost
    for delivery in taken:
        outcome = outcomes.get(delivery.id)
        if outcome is None:
            _put_back(tx, claim, delivery, now)
        else:
            _settle_one(tx, claim, delivery, outcome, limits, now)


def _settle_one(tx: Tx, claim: Claim, delivery: Taken, outcome: Outcome, limits: Limits, now: datetime) -> None:
    then = retry.after(
        outcome,
        delivery_id=delivery.id,
        spent=delivery.spent,
        in_doubt=delivery.in_doubt,
        created_at=delivery.created_at,
        now=now,
        search_lag=limits.search_lag,
    )
    refs = dict.fromkeys((*delivery.refs, *outcome.refs))
    settled = then.state not in (State.READY, State.ACCEPTED)
    tx.execute(
        update(_delivery)
        .where(
            _one(claim, delivery.id),
            _delivery.c.state == State.SENDING,
            _delivery.c.attempt == delivery.attempt,
        )
        .values(
            state=then.state,
            due_at=then.due_at,
            spent=then.spent,
            in_doubt=then.in_doubt,
            refs=[asdict(ref) for ref in refs],
            why=outcome.why or "",
            sentence=outcome.sentence,
            settled_at=now if settled else None,
        )
    )
    _end_attempt(tx, claim, delivery, outcome.status, outcome.why or "", outcome.detail or outcome.sentence, now)


def _put_back(tx: Tx, claim: Claim, delivery: Taken, now: datetime) -> None:
    tx.execute(
        update(_delivery)
        .where(
            _one(claim, delivery.id),
            _delivery.c.state == State.SENDING,
            _delivery.c.attempt == delivery.attempt,
        )
        .values(state=State.READY, due_at=now)
    )
    _end_attempt(tx, claim, delivery, "held", "", "the installation is held; no try was spent", now)


def _end_attempt(tx: Tx, claim: Claim, delivery: Taken, status: str, why: str, detail: str, now: datetime) -> None:
    tx.execute(
        update(_attempt)
        .where(_attempt.c.tenant_id == claim.tenant_id, _attempt.c.delivery_id == delivery.id)
        .where(_attempt.c.number == delivery.attempt)
        .values(ended_at=now, status=status, why=why, detail=detail[:2_000])
    )


# -- parked -> ready


def replay(tx: Tx, tenant_id: int, delivery_id: str, now: datetime) -> bool:
    """Send a parked delivery again with a fresh schedule; False when it is not parked."""
    row = tx.execute(
        update(_delivery)
        .where(
            _delivery.c.tenant_id == tenant_id,
            _delivery.c.id == delivery_id,
            _delivery.c.state == State.PARKED,
        )
        .values(state=State.READY, due_at=now, spent=0, created_at=now, settled_at=None)
        .returning(_delivery.c.installation_id)
    ).first()
    if row:
        wake(tx, tenant_id, row.installation_id, now)
    return row is not None


def counts(tx: Tx, tenant_id: int) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    number = func.count().label("number")
    here = _delivery.c.tenant_id == tenant_id
    rows = tx.execute(select(_delivery.c.state, number).where(here).group_by(_delivery.c.state))
    return {row.state: row.number for row in rows}


def ring(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """Make read-back run soon: a doorbell rang. What it said is not believed, only that something changed."""
    here = (_lane.c.tenant_id == tenant_id, _lane.c.installation_id == installation_id)
    tx.execute(update(_lane).where(*here, _lane.c.readback_at > now).values(readback_at=now))
    wake(tx, tenant_id, installation_id, now)


def lanes(tx: Tx, tenant_id: int) -> dict[int, dict[str, Any]]:
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
