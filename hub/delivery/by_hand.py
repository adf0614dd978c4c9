"""What a person does with deliveries that wait for his decision: send them again, or give them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from connectors.scenario import CALL_OVER, dump_plan, load_plan
from hub import planning
from hub.delivery import lanes
from hub.delivery.retry import State
from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.tables import Delivery, table_of
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault

_delivery = table_of(Delivery)
_GIVEN_UP = (State.PARKED, State.DROPPED)
_COLUMNS = ("id", "enquiry_id", "installation_id", "scenario_version", "plan", "refs", "in_doubt")
_MADE = ("deal", "note", "task")


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


def replay(
    tx: Tx, tenant_id: int, delivery_id: str, now: datetime, person_id: int | None = None, *, vault: Vault
) -> bool:
    """Send a delivery again with a fresh schedule; False when it neither is parked nor was given up."""
    which = (_delivery.c.state.in_(_GIVEN_UP), _delivery.c.id == delivery_id)
    return _replay(tx, tenant_id, now, person_id, vault, *which) == 1


def replay_alike(
    tx: Tx, tenant_id: int, installation_id: int, why: str, now: datetime, person_id: int | None = None, *, vault: Vault
) -> int:
    """Send again whatever is parked at an installation for one reason; return how many."""
    return _replay(tx, tenant_id, now, person_id, vault, *_alike(installation_id, why))


def replay_parked(
    tx: Tx, tenant_id: int, installation_id: int | None, now: datetime, person_id: int | None = None, *, vault: Vault
) -> int:
    """Send again whatever is parked, at one installation or at all; return how many."""
    which = [_delivery.c.state == State.PARKED]
    which += [] if installation_id is None else [_delivery.c.installation_id == installation_id]
    return _replay(tx, tenant_id, now, person_id, vault, *which)


def _replay(tx: Tx, tenant_id: int, now: datetime, person_id: int | None, vault: Vault, *which: Any) -> int:
    fresh = {"state": State.READY, "due_at": now, "spent": 0, "created_at": now, "settled_at": None}
    rows, planned = _move(tx, tenant_id, which, fresh), dict[str, int]()
    for installation_id in sorted({row.installation_id for row in rows}):
        its = [one for one in rows if one.installation_id == installation_id]
        planned |= _plan_anew(tx, tenant_id, installation_id, its, vault)
        lanes.wake(tx, tenant_id, installation_id, now)
    return _noted(tx, tenant_id, Kind.REPLAYED, now, person_id, rows, planned)


def _plan_anew(tx: Tx, tenant_id: int, installation_id: int, rows: Sequence[Any], vault: Vault) -> dict[str, int]:
    """Have the rules of now plan what has made nothing yet: whoever was told to mend them has done so.

    Return the version of the rules for each delivery that has a new plan.
    """
    planned: dict[str, int] = {}
    rules = planning.live_rules(tx, tenant_id, installation_id)
    for row in rows:
        has_made = row.in_doubt or any(ref["kind"] in _MADE for ref in row.refs)
        if rules is None or row.scenario_version == rules.version or has_made:
            continue
        try:
            older = load_plan(vault.open(row.plan, tenant_id, row.id, "plan").encode())
        except (Unopenable, ValueError):  # it is parked once more, with a sentence that says so
            continue
        found = rules.plan(older.enquiry, None if older.trigger in CALL_OVER else older.trigger)
        if found is not None:
            sealed = vault.seal(dump_plan(found).decode(), tenant_id, row.id, "plan")
            here = (_delivery.c.tenant_id == tenant_id, _delivery.c.id == row.id)
            tx.execute(update(_delivery).where(*here).values(plan=sealed, scenario_version=rules.version))
            planned[row.id] = rules.version
    return planned


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
    return tx.execute(moved.returning(*(_delivery.c[name] for name in _COLUMNS))).all()


def _noted(
    tx: Tx,
    tenant_id: int,
    kind: Kind,
    now: datetime,
    person_id: int | None,
    rows: Sequence[Any],
    planned: Mapping[str, int] | None = None,
) -> int:
    who = ledger.person(person_id)
    facts = {id_: {"scenario_version": version} for id_, version in (planned or {}).items()}
    entries = (
        Entry(kind, now, row.enquiry_id, row.id, row.installation_id, who, facts.get(row.id, {})) for row in rows
    )
    ledger.write(tx, tenant_id, *entries)
    return len(rows)
