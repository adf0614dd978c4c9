"""What a person does with deliveries that wait for his decision: send them again, or give them up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from hub.delivery import lanes
from hub.delivery.retry import State
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


def replay(tx: Tx, tenant_id: int, delivery_id: str, now: datetime) -> bool:
    """Send a delivery again with a fresh schedule; False when it neither is parked nor was given up."""
    return _replay(tx, tenant_id, now, _delivery.c.state.in_(_GIVEN_UP), _delivery.c.id == delivery_id) == 1


def replay_alike(tx: Tx, tenant_id: int, installation_id: int, why: str, now: datetime) -> int:
    """Send again whatever is parked at an installation for one reason; return how many."""
    return _replay(tx, tenant_id, now, *_alike(installation_id, why))


def replay_parked(tx: Tx, tenant_id: int, now: datetime) -> int:
    """Send again whatever is parked; return how many."""
    return _replay(tx, tenant_id, now, _delivery.c.state == State.PARKED)


def _replay(tx: Tx, tenant_id: int, now: datetime, *which: Any) -> int:
    rows = tx.execute(
        update(_delivery)
        .where(_delivery.c.tenant_id == tenant_id, *which)
        .values(state=State.READY, due_at=now, spent=0, created_at=now, settled_at=None)
        .returning(_delivery.c.installation_id)
    ).all()
    for installation_id in sorted({row.installation_id for row in rows}):
        lanes.wake(tx, tenant_id, installation_id, now)
    return len(rows)


# -- parked -> dropped


def drop(tx: Tx, tenant_id: int, delivery_id: str, now: datetime) -> bool:
    """Give a parked delivery up; False when it is not parked."""
    return _drop(tx, tenant_id, now, _delivery.c.state == State.PARKED, _delivery.c.id == delivery_id) == 1


def drop_alike(tx: Tx, tenant_id: int, installation_id: int, why: str, now: datetime) -> int:
    """Give up whatever is parked at an installation for one reason; return how many."""
    return _drop(tx, tenant_id, now, *_alike(installation_id, why))


def _drop(tx: Tx, tenant_id: int, now: datetime, *which: Any) -> int:
    here = _delivery.c.tenant_id == tenant_id
    return tx.execute(update(_delivery).where(here, *which).values(state=State.DROPPED, settled_at=now)).rowcount


def _alike(installation_id: int, why: str) -> tuple[Any, ...]:
    return (
        _delivery.c.state == State.PARKED,
        _delivery.c.installation_id == installation_id,
        _delivery.c.why == why,
    )
