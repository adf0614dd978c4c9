"""All SQL that moves a delivery. Its states and arrows are ``retry.State``; its lane is in lanes.py."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import and_, exists, func, insert, or_, select, update
from sqlalchemy import bindparam as value

from connectors.protocol import Limits, Outcome, Ref, Why
from connectors.scenario import Plan, dump_plan, load_plan
from hub.delivery import lanes, retry
from hub.delivery.lanes import Claim
from hub.delivery.retry import State
from hub.store.tables import Attempt, Delivery, table_of
from hub.store.tx import Tx, insert_or
from hub.store.vault import Unopenable, Vault

log = structlog.get_logger()

_delivery, _attempt = table_of(Delivery), table_of(Attempt)


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
    nearby: tuple[Ref, ...]  # what this caller's deliveries made lately: a lagging search may not show it yet


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to be written: unique by enquiry, installation and scenario version."""

    installation_id: int
    enquiry: str
    enquiry_id: int | None
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
            enquiry_id=planned.enquiry_id,
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
        .returning(_delivery.c.id)
    ).first()
    if written:
        lanes.wake(tx, tenant_id, planned.installation_id, now)
    return written is not None


_PLANNED = (
    select(_delivery.c.id)
    .where(_delivery.c.tenant_id == value("tenant_id"), _delivery.c.installation_id == value("installation_id"))
    .where(_delivery.c.enquiry == value("enquiry"))
    .limit(1)
)


def is_planned(tx: Tx, tenant_id: int, installation_id: int, enquiry: str) -> bool:
    """Say whether an enquiry has a delivery at an installation, by whatever version of the rules."""
    asked = {"tenant_id": tenant_id, "installation_id": installation_id, "enquiry": enquiry}
    return tx.execute(_PLANNED, asked).first() is not None


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
    lanes.kept(tx, claim)
    _doubt_the_abandoned(tx, claim, limits, now)
    rows = tx.execute(
        select(_delivery)
        .where(_waiting(claim), _delivery.c.due_at <= now, ~_blocked())
        .order_by(_delivery.c.position, _delivery.c.id)
        .limit(max(1, limits.batch // claim.share))
    ).all()
    batch = []
    for row in _apart(rows):
        try:
            batch.append(_taken(row, _nearby(tx, claim, row, limits, now), vault))
        except (Unopenable, ValueError) as error:
            _park_unreadable(tx, claim, row.id, error, now)
            continue
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
    return batch


def _apart(rows: Sequence[Any]) -> Sequence[Any]:
    """What made no sense last time goes alone in its turn, so that it takes no other with it again and again."""
    if rows and rows[0].why == Why.UNREADABLE:
        return rows[:1]
    return [row for row in rows if row.why != Why.UNREADABLE]


def _park_unreadable(tx: Tx, claim: Claim, delivery_id: str, error: Exception, now: datetime) -> None:
    """A plan that nobody can read waits for a person alone; the others of its lane go on."""
    sentence = "Its plan cannot be read. If a key was taken out of the key ring, put it back; then send this again."
    log.error("queue.plan_unreadable", delivery=delivery_id, error=type(error).__name__)
    tx.execute(
        update(_delivery)
        .where(_one(claim, delivery_id), _delivery.c.state == State.READY)
        .values(state=State.PARKED, why=Why.UNREADABLE, sentence=sentence, settled_at=now)
    )


def _nearby(tx: Tx, claim: Claim, row: Any, limits: Limits, now: datetime) -> tuple[Ref, ...]:
    """Return what this caller's other deliveries made here since a search may have caught up."""
    since = now - retry.rest(limits.search_lag)
    found = tx.execute(
        select(_delivery.c.refs)
        .where(_delivery.c.tenant_id == claim.tenant_id, _delivery.c.installation_id == claim.installation_id)
        .where(_delivery.c.order_key == row.order_key, _delivery.c.settled_at >= since)
        .order_by(_delivery.c.settled_at.desc())
        .limit(3)
    )
    return tuple(dict.fromkeys(Ref(**ref) for other in found for ref in other.refs))


def _taken(row: Any, nearby: tuple[Ref, ...], vault: Vault) -> Taken:
    return Taken(
        id=row.id,
        marker=row.marker,
        plan=load_plan(vault.open(row.plan, row.tenant_id, row.id, "plan").encode()),
        attempt=row.attempt + 1,
        spent=row.spent,
        in_doubt=row.in_doubt,
        created_at=row.created_at,
        refs=tuple(Ref(**ref) for ref in row.refs),
        nearby=nearby,
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


def release(tx: Tx, claim: Claim, now: datetime, readback_at: datetime) -> None:
    """Give the lane back until its next delivery or read-back is due."""
    # The lane's row is locked first: whoever enqueues now is either seen below or waits and wakes the lane after us.
    lanes.kept(tx, claim)
    due = tx.execute(select(func.min(_delivery.c.due_at)).where(_waiting(claim), ~_blocked())).scalar()
    lanes.release(tx, claim, now, wake_at=min(due, readback_at) if due else readback_at, readback_at=readback_at)


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
    lanes.kept(tx, claim)
    if all(delivery.id in outcomes for delivery in taken):  # the account answered for the whole batch
        lanes.ease(tx, claim)
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
        lanes.wake(tx, tenant_id, row.installation_id, now)
    return row is not None


def counts(tx: Tx, tenant_id: int) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    number = func.count().label("number")
    here = _delivery.c.tenant_id == tenant_id
    rows = tx.execute(select(_delivery.c.state, number).where(here).group_by(_delivery.c.state))
    return {row.state: row.number for row in rows}
