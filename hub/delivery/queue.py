"""The queue's door. All SQL that moves a delivery is here, in taking.py, settling.py, parking.py and by_hand.py.

The states and arrows of a delivery are ``retry.State``; its lane is in lanes.py.
"""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam as value
from sqlalchemy import func, select, text, update

from connectors.protocol import Why
from connectors.scenario import Plan, dump_plan
from hub.delivery import lanes
from hub.delivery.parking import hold as hold
from hub.delivery.retry import State
from hub.delivery.settling import settle as settle
from hub.delivery.taking import Taken as Taken
from hub.delivery.taking import are_due as are_due
from hub.delivery.taking import release as release
from hub.delivery.taking import take_batch as take_batch
from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.moment import to_micros
from hub.store.tables import Delivery, table_of
from hub.store.tx import Prepared, Tx, of_few
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

_COLUMNS = """id, tenant_id, installation_id, position, order_key, enquiry, enquiry_id, scenario_version, marker, plan,
state, due_at, attempt, spent, in_doubt, refs, why, sentence, created_at"""
_WRITE = Prepared(
    text(f"""
INSERT INTO delivery ({_COLUMNS})
VALUES (:id, :tenant_id, :installation_id, :position, :order_key, :enquiry, :enquiry_id, :scenario_version, :marker,
        :plan, 'ready', :now, 0, 0, false, '[]', '', '', :now)
ON CONFLICT DO NOTHING RETURNING installation_id, enquiry_id, id, scenario_version
""")  # noqa: S608 - put together of our own words alone
)
_WRITE_ALL = Prepared(
    text(f"""
INSERT INTO delivery ({_COLUMNS})
SELECT id, :tenant_id, installation_id, position, order_key, enquiry, enquiry_id, scenario_version, marker,
       decode(plan, 'base64'), 'ready', :now, 0, 0, false, '[]', '', '', :now
FROM json_to_recordset(:asked) AS asked(id text, installation_id bigint, position bigint, order_key text, enquiry text,
    enquiry_id bigint, scenario_version int, marker text, plan text)
ON CONFLICT DO NOTHING RETURNING installation_id, enquiry_id, id, scenario_version
""")  # noqa: S608 - as above
)


def enqueue(tx: Tx, tenant_id: int, planned: Planned, now: datetime, vault: Vault) -> bool:
    """Write a delivery and wake its lane; False when it was planned before."""
    return enqueue_all(tx, tenant_id, [planned], now, vault) == 1


def enqueue_all(tx: Tx, tenant_id: int, planned: Sequence[Planned], now: datetime, vault: Vault) -> int:
    """Write deliveries and wake their lanes; return how many were not planned before."""
    rows = [_row(tenant_id, one, now, vault) for one in planned]
    same = {"tenant_id": tenant_id, "now": to_micros(now)}
    if tx.is_sqlite:
        written = tx.run_many(_WRITE, rows, **same)
    else:
        asked = [{**row, "plan": b64encode(row["plan"]).decode()} for row in rows]
        written = tx.run(_WRITE_ALL, {"asked": orjson.dumps(asked).decode(), **same})
    for installation_id in sorted({found[0] for found in written}):  # in one order, as their rows are locked by it
        lanes.wake(tx, tenant_id, installation_id, now)
    ledger.write(tx, tenant_id, *(_noted(now, *found) for found in written))
    return len(written)


def _noted(now: datetime, installation_id: int, enquiry_id: int | None, delivery_id: str, version: int) -> Entry:
    return Entry(Kind.PLANNED, now, enquiry_id, delivery_id, installation_id, facts={"scenario_version": version})


def _row(tenant_id: int, planned: Planned, now: datetime, vault: Vault) -> dict[str, Any]:
    delivery_id = _new_id(now)
    return {
        "id": delivery_id,
        "installation_id": planned.installation_id,
        "position": to_micros(planned.position),
        "order_key": planned.order_key,
        "enquiry": planned.enquiry,
        "enquiry_id": planned.enquiry_id,
        "scenario_version": planned.plan.scenario_version,
        "marker": f"hub:{delivery_id}",
        "plan": vault.seal(dump_plan(planned.plan).decode(), tenant_id, delivery_id, "plan"),
    }


def _new_id(now: datetime) -> str:
    """Return an id that begins with its moment: new ones then stand side by side in every index, however long it is."""
    return f"{to_micros(now):014x}{secrets.token_hex(9)}"


_PLANNED = Prepared(
    select(_delivery.c.id)
    .where(of_few(_delivery.c.tenant_id) == value("tenant_id"), _delivery.c.enquiry == value("enquiry"))
    .where(_delivery.c.installation_id == value("installation_id"))
    .limit(1)
)


def is_planned(tx: Tx, tenant_id: int, installation_id: int, enquiry: str) -> bool:
    """Say whether an enquiry has a delivery at an installation, by whatever version of the rules."""
    asked = {"tenant_id": tenant_id, "installation_id": installation_id, "enquiry": enquiry}
    return bool(tx.run(_PLANNED, asked))


def hurry(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> None:
    """Try now what came too early for the account: it says that it went on by itself."""
    here = (_delivery.c.installation_id == installation_id, _delivery.c.state == State.READY)
    waits = (_delivery.c.why == Why.TOO_EARLY, _delivery.c.due_at > now)
    told = tx.execute(
        update(_delivery).where(of_few(_delivery.c.tenant_id) == tenant_id, *here, *waits).values(due_at=now)
    )
    if told.rowcount:
        lanes.wake(tx, tenant_id, installation_id, now)


def counts(tx: Tx, tenant_id: int) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    number = func.count().label("number")
    here = _delivery.c.tenant_id == tenant_id
    rows = tx.execute(select(_delivery.c.state, number).where(here).group_by(_delivery.c.state))
    return {row.state: row.number for row in rows}
