"""The queue's door. All SQL that moves a delivery is here, in taking.py and in settling.py.

The states and arrows of a delivery are ``retry.State``; its lane is in lanes.py.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam as value
from sqlalchemy import func, select, text, update

from connectors.scenario import Plan, dump_plan
from hub.delivery import lanes
from hub.delivery.retry import State
from hub.delivery.settling import settle as settle
from hub.delivery.taking import Taken as Taken
from hub.delivery.taking import release as release
from hub.delivery.taking import take_batch as take_batch
from hub.store.moment import to_micros
from hub.store.tables import Delivery, table_of
from hub.store.tx import Prepared, Tx
from hub.store.vault import Vault

_delivery = table_of(Delivery)


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

_WRITE = Prepared(
    text("""
INSERT INTO delivery (id, tenant_id, installation_id, position, order_key, enquiry, enquiry_id, scenario_version,
                      marker, plan, state, due_at, attempt, spent, in_doubt, refs, why, sentence, created_at)
VALUES (:id, :tenant_id, :installation_id, :position, :order_key, :enquiry, :enquiry_id, :scenario_version,
        :marker, :plan, 'ready', :now, 0, 0, false, '[]', '', '', :now)
ON CONFLICT DO NOTHING RETURNING id
""")
)


def enqueue(tx: Tx, tenant_id: int, planned: Planned, now: datetime, vault: Vault) -> bool:
    """Write a delivery and wake its lane; False when it was planned before."""
    delivery_id = _new_id(now)
    values = {
        "id": delivery_id,
        "tenant_id": tenant_id,
        "installation_id": planned.installation_id,
        "position": to_micros(planned.position),
        "order_key": planned.order_key,
        "enquiry": planned.enquiry,
        "enquiry_id": planned.enquiry_id,
        "scenario_version": planned.plan.scenario_version,
        "marker": f"hub:{delivery_id}",
        "plan": vault.seal(dump_plan(planned.plan).decode(), tenant_id, delivery_id, "plan"),
        "now": to_micros(now),
    }
    written = bool(tx.run(_WRITE, values))
    if written:
        lanes.wake(tx, tenant_id, planned.installation_id, now)
    return written


def _new_id(now: datetime) -> str:
    """Return an id that begins with its moment: new ones then stand side by side in every index, however long it is."""
    return f"{to_micros(now):014x}{secrets.token_hex(9)}"


_PLANNED = Prepared(
    select(_delivery.c.id)
    .where(_delivery.c.tenant_id == value("tenant_id"), _delivery.c.installation_id == value("installation_id"))
    .where(_delivery.c.enquiry == value("enquiry"))
    .limit(1)
)


def is_planned(tx: Tx, tenant_id: int, installation_id: int, enquiry: str) -> bool:
    """Say whether an enquiry has a delivery at an installation, by whatever version of the rules."""
    asked = {"tenant_id": tenant_id, "installation_id": installation_id, "enquiry": enquiry}
    return bool(tx.run(_PLANNED, asked))


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
