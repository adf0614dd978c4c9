"""What a person does with deliveries that wait for his decision: send them again, or give them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from hub.delivery import lanes
from hub.delivery.retry import State
from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.tables import Delivery, table_of
from hub.store.tx import Tx

_delivery = table_of(Delivery)
_GIVEN_UP = (State.PARKED, State.DROPPED)


@dataclass(frozen=True, slots=True)
class Alike:
    """Parked deliveries of one installation that stopped for the same reason."""

    installation_id: int
    why: str
    number: int


def alike(tx: Tx, tenant_id: int) -> list[Alike]:
    """Return what is parked, by installation and reason, the most frequent first."""
    number = func.count().label("number")
    rows = tx.execute(
        select(_delivery.c.installation_id, _delivery.c.why, number)
        .where(_delivery.c.tenant_id == tenant_id, _delivery.c.state == State.PARKED)
        .group_by(_delivery.c.installation_id, _delivery.c.why)
        .order_by(number.desc(), _delivery.c.installation_id, _delivery.c.why)
    )
    return [Alike(*row) for row in rows]


# -- parked, dropped -> ready


def replay(tx: Tx, tenant_id: int, delivery_id: str, now: datetime, person_id: int | None = None) -> bool:
    """Send a delivery again with a fresh schedule; False when it neither is parked nor was given up."""
    return _replay(tx, tenant_id, now, person_id, _delivery.c.state.in_(_GIVEN_UP), _delivery.c.id == delivery_id) == 1


def replay_alike(
    tx: Tx, tenant_id: int, installation_id: int, why: str, now: datetime, person_id: int | None = None
) -> int:
    """Send again whatever is parked at an installation for one reason; return how many."""
    return _replay(tx, tenant_id, now, person_id, *_alike(installation_id, why))


def replay_parked(
    tx: Tx, tenant_id: int, installation_id: int | None, now: datetime, person_id: int | None = None
) -> int:
    """Send again whatever is parked, at one installation or at all; return how many."""
    which = [_delivery.c.state == State.PARKED]
    which += [] if installation_id is None else [_delivery.c.installation_id == installation_id]
    return _replay(tx, tenant_id, now, person_id, *which)


def _replay(tx: Tx, tenant_id: int, now: datetime, person_id: int | None, *which: Any) -> int:
    fresh = {"state": State.READY, "due_at": now, "spent": 0, "created_at": now, "settled_at": None}
    rows = _move(tx, tenant_id, which, fresh)
    for installation_id in sorted({row.installation_id for row in rows}):
        lanes.wake(tx, tenant_id, installation_id, now)
    return _noted(tx, tenant_id, Kind.REPLAYED, now, person_id, rows)


# -- parked -> dropped


def drop(tx: Tx, tenant_id: int, delivery_id: str, now: datetime, person_id: int | None = None) -> bool:
    """Give a parked delivery up; False when it is not parked."""
    return _drop(tx, tenant_id, now, person_id, _delivery.c.state == State.PARKED, _delivery.c.id == delivery_id) == 1


def drop_alike(
    tx: Tx, tenant_id: int, installation_id: int, why: str, now: datetime, person_id: int | None = None
) -> int:
    """Give up whatever is parked at an installation for one reason; return how many."""
    return _drop(tx, tenant_id, now, person_id, *_alike(installation_id, why))


def _drop(tx: Tx, tenant_id: int, now: datetime, person_id: int | None, *which: Any) -> int:
    rows = _move(tx, tenant_id, which, {"state": State.DROPPED, "settled_at": now})
    return _noted(tx, tenant_id, Kind.DROPPED, now, person_id, rows)


def _alike(installation_id: int, why: str) -> tuple[Any, ...]:
    return (
        _delivery.c.state == State.PARKED,
        _delivery.c.installation_id == installation_id,
        _delivery.c.why == why,
    )


def _move(tx: Tx, tenant_id: int, which: Sequence[Any], values: Mapping[str, Any]) -> Sequence[Any]:
    moved = update(_delivery).where(_delivery.c.tenant_id == tenant_id, *which).values(**values)
    return tx.execute(moved.returning(_delivery.c.id, _delivery.c.enquiry_id, _delivery.c.installation_id)).all()


def _noted(tx: Tx, tenant_id: int, kind: Kind, now: datetime, person_id: int | None, rows: Sequence[Any]) -> int:
    who = ledger.person(person_id)
    ledger.write(tx, tenant_id, *(Entry(kind, now, row.enquiry_id, row.id, row.installation_id, who) for row in rows))
    return len(rows)
