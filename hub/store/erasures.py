"""What was read from an account that left us: when it is to be deleted, why, and the deleting, a portion at a time.

asked for -> under way -> done; an account that is connected again calls it off. Whoever touches one locks it first,
then what is of its installation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, cast, delete, exists, select, tuple_, update

from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.tables import (
    AskedGoal,
    Attempt,
    CardOf,
    ContactKey,
    Deal,
    DealContact,
    DealPayment,
    DealStage,
    Delivery,
    Doorbell,
    Erasure,
    Goal,
    Installation,
    Lane,
    Payment,
    RoundTrip,
    table_of,
)
from hub.store.tx import Tx, insert_or

THERE, HERE = "there", "here"  # the account asked as it removed us; a person asked in the console
AT_ONCE = 500  # rows of one transaction: others want to write, too

_erasure, _installation, _lane, _bell = (table_of(model) for model in (Erasure, Installation, Lane, Doorbell))
_deal, _stage, _goal = table_of(Deal), table_of(DealStage), table_of(Goal)
_delivery, _attempt = table_of(Delivery), table_of(Attempt)
# What else is known of an account -> where.
_REST = {
    "payments": table_of(Payment),
    "payments_on_deals": table_of(DealPayment),
    "contacts": table_of(ContactKey),
    "contacts_on_deals": table_of(DealContact),
    "cards": table_of(CardOf),
    "asked_goals": table_of(AskedGoal),
    "requests": table_of(RoundTrip),
}
of_account = (_deal, _bell, *_REST.values())  # every table that knows an account and is emptied of it
_COUNTED = ("deals", "stages", "goals", *_REST, "deliveries")


@dataclass(frozen=True, slots=True)
class Erasing:
    """A deletion that is due, with what it has deleted so far."""

    tenant_id: int
    installation_id: int
    why: str
    counts: Mapping[str, int]


def ask(tx: Tx, tenant_id: int, installation_id: int, due_at: datetime, why: str, now: datetime, who: str = "") -> None:
    """Have what was read from an account deleted at a time; asking again sets another time."""
    values = {"due_at": due_at, "why": why, "counts": {}, "done_at": None}
    tx.execute(
        insert_or(tx, _erasure)
        .values(tenant_id=tenant_id, installation_id=installation_id, **values)
        .on_conflict_do_update(index_elements=["installation_id"], set_=values)
    )
    facts = {"why": why, "due_at": due_at.isoformat()}
    entry = Entry(Kind.ERASURE_ASKED, now, installation_id=installation_id, who=who, facts=facts)
    ledger.write(tx, tenant_id, entry)


def call_off(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """Keep what is there of an account that is connected again."""
    here = (_erasure.c.tenant_id == tenant_id, _erasure.c.installation_id == installation_id)
    row = tx.execute(delete(_erasure).where(*here).returning(_erasure.c.why, _erasure.c.done_at)).first()
    if row is not None and row.done_at is None:
        entry = Entry(Kind.ERASURE_CALLED_OFF, now, installation_id=installation_id, facts={"why": row.why})
        ledger.write(tx, tenant_id, entry)


def is_due(tx: Tx, now: datetime) -> bool:
    """Say whether anything is to be deleted by now."""
    return tx.execute(select(_erasure.c.installation_id).where(_due(now)).limit(1)).first() is not None


def _due(now: datetime) -> Any:
    return and_(_erasure.c.done_at.is_(None), _erasure.c.due_at <= now)


def take(tx: Tx, now: datetime) -> Erasing | None:
    """Lock the deletion that waits longest for this transaction, and begin it; None when none can be done now.

    Whoever still serves an account with the access it had would write after us: that is waited for.
    """
    lane = and_(_lane.c.tenant_id == _erasure.c.tenant_id, _lane.c.installation_id == _erasure.c.installation_id)
    row = tx.execute(
        select(_erasure)
        .where(_due(now), ~exists().where(lane, _lane.c.leased_until > now))
        .order_by(_erasure.c.due_at)
        .limit(1)
        .with_for_update(of=_erasure, skip_locked=True)
    ).first()
    if row is None:
        return None
    one = Erasing(row.tenant_id, row.installation_id, row.why, row.counts)
    return one if row.counts else _begun(tx, one)


def _begun(tx: Tx, one: Erasing) -> Erasing:
    """Forget what the account offers and where reading ended, so that who connects it again reads all of it."""
    here = (_installation.c.tenant_id == one.tenant_id, _installation.c.id == one.installation_id)
    unread: dict[str, Any] = {
        "facts": {},
        "facts_at": None,
        "cursor": None,
        "contacts_cursor": None,
        "contacts_known": False,
        "looked_to": None,
    }
    tx.execute(update(_installation).where(*here).values(**unread))
    its_bell = (_bell.c.tenant_id == one.tenant_id, _bell.c.installation_id == one.installation_id)
    tx.execute(delete(_bell).where(*its_bell))
    return Erasing(one.tenant_id, one.installation_id, one.why, dict.fromkeys(_COUNTED, 0))


# -- a portion


@dataclass(frozen=True, slots=True)
class Left:
    """A deal that is to be deleted, and the enquiry it came of."""

    id: int
    enquiry_id: int | None


def deals(tx: Tx, one: Erasing) -> list[Left]:
    """Return the next deals to be deleted."""
    here = (_deal.c.tenant_id == one.tenant_id, _deal.c.installation_id == one.installation_id)
    rows = tx.execute(select(_deal.c.id, _deal.c.enquiry_id).where(*here).order_by(_deal.c.id).limit(AT_ONCE))
    return [Left(row.id, row.enquiry_id) for row in rows]


def delete_deals(tx: Tx, one: Erasing, left: Sequence[Left]) -> None:
    """Delete deals with the stages they stood in and the goals they reached: a goal tells what its deal was worth."""
    ids, tenant_id = [deal.id for deal in left], one.tenant_id
    subjects = [f"deal:{id_}" for id_ in ids]
    gone = {
        "stages": tx.execute(delete(_stage).where(_stage.c.tenant_id == tenant_id, _stage.c.deal_id.in_(ids))).rowcount,
        "goals": tx.execute(
            delete(_goal).where(_goal.c.tenant_id == tenant_id, _goal.c.subject.in_(subjects))
        ).rowcount,
        "deals": tx.execute(delete(_deal).where(_deal.c.tenant_id == tenant_id, _deal.c.id.in_(ids))).rowcount,
    }
    _count(tx, one, gone)


def delete_rest(tx: Tx, one: Erasing) -> bool:
    """Delete the next portion of what else is known of an account; False when nothing is left."""
    for name, table in _REST.items():
        here = (table.c.tenant_id == one.tenant_id, table.c.installation_id == one.installation_id)
        key = tuple_(*table.primary_key)
        some = select(*table.primary_key).where(*here).limit(AT_ONCE)
        if gone := tx.execute(delete(table).where(*here, key.in_(some))).rowcount:
            _count(tx, one, {name: gone})
            return True
    return _empty_deliveries(tx, one)


def _empty_deliveries(tx: Tx, one: Erasing) -> bool:
    """Take out of deliveries on which cards they are and what was answered: that we sent them is the customer's."""
    here = (_delivery.c.tenant_id == one.tenant_id, _delivery.c.installation_id == one.installation_id)
    some = select(_delivery.c.id).where(*here, cast(_delivery.c.refs, String) != "[]").limit(AT_ONCE)
    ids = tx.execute(some).scalars().all()
    tx.execute(update(_delivery).where(*here, _delivery.c.id.in_(ids)).values(refs=[]))
    its = (_attempt.c.tenant_id == one.tenant_id, _attempt.c.delivery_id.in_(ids))
    tx.execute(update(_attempt).where(*its).values(detail=""))
    _count(tx, one, {"deliveries": len(ids)})
    return bool(ids)


def _count(tx: Tx, one: Erasing, gone: Mapping[str, int]) -> None:
    counts = {name: number + gone.get(name, 0) for name, number in one.counts.items()}
    _write(tx, one, {"counts": counts})


def finish(tx: Tx, one: Erasing, now: datetime) -> None:
    """Note that everything is deleted, and how much that was."""
    _write(tx, one, {"counts": dict(one.counts), "done_at": now})
    facts = {"why": one.why, **one.counts}
    ledger.write(tx, one.tenant_id, Entry(Kind.ERASED, now, installation_id=one.installation_id, facts=facts))


def _write(tx: Tx, one: Erasing, values: Mapping[str, Any]) -> None:
    here = (_erasure.c.tenant_id == one.tenant_id, _erasure.c.installation_id == one.installation_id)
    tx.execute(update(_erasure).where(*here).values(**values))
