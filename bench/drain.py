"""``drain``: a backlog of calls into one account of each CRM, beside the least time its documented limits allow.

The hub's own worker and SQLite, and the CRM's sandbox behind real HTTP in a process of its own with the limits on, in
real time. What the least is, and what an independent client from PyPI does with calls of the same kind on the same
account, says each CRM's module: bench/drain_amocrm.py with bench/one_by_one.py, bench/drain_bitrix24.py with
bench/in_bulk.py. ``throttled`` counts what both sandboxes refused to the hub because it came too early.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
from sqlalchemy import func, insert, select

from bench import drain_amocrm, drain_bitrix24
from bench.backlog import backlog
from bench.history import opened
from connectors.protocol import App, Can, Grant
from connectors.registry import CONNECTORS
from connectors.scenario import Enquiry
from hub import logs
from hub.clock import SystemClock
from hub.delivery import lanes, queue
from hub.delivery.worker import Worker
from hub.round_trips import RoundTrips
from hub.store import crm
from hub.store.moment import to_micros
from hub.store.tables import Delivery, Installation, Lane, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.processes import running

TOGETHER = 500  # planned in one transaction
READBACK = timedelta(minutes=1)  # the hub's default
KEPT = timedelta(days=7)  # the hub's default
LOOK_S = 0.2  # between two looks at whether it is over
VAULT = Vault({"bench": b"b" * 32})

_delivery, _tenant, _installation, _lane = map(table_of, (Delivery, Tenant, Installation, Lane))


class Account(Protocol):
    """One account of a CRM: how it is filled and asked, and what is told of it."""

    forgets_s: float  # how long its limits remember what was asked

    @property
    def app(self) -> App:
        """Our registration there."""

    def grant(self) -> Grant:
        """Return a token that outlives the bench."""

    def fill(self) -> None:
        """Let it hold what is from before."""

    def last(self) -> int:
        """Return the number of the last request it was asked."""

    def figures(self, before: int, ended: datetime, seconds: float) -> dict[str, Any]:
        """Return what the hub's deliveries took, which all came after request ``before``."""

    def beside(self, hub: dict[str, Any], calls: Sequence[Enquiry]) -> dict[str, Any]:
        """Let the other client deliver calls of its own; return its figures beside the hub's."""


def run() -> dict[str, Any]:
    """Measure one account of each."""
    logs.configure("error")
    amocrm = _measured("amocrm", drain_amocrm.Account, drain_amocrm.CALLS, drain_amocrm.ONE_BY_ONE)
    calls = drain_bitrix24.calls()
    bitrix24 = _measured("bitrix24", drain_bitrix24.Account, calls, calls, drain_bitrix24.dialled(calls))
    throttled = amocrm["throttled"] + bitrix24["bitrix24_throttled"]
    return {**amocrm, **bitrix24, "throttled": throttled}


def _measured(
    name: str,
    account: Callable[[dict[str, Any], httpx.Client], Account],
    calls: int,
    of_client: int,
    dialled: Sequence[str] = (),
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sandbox = running("sandbox", name, "--port", "0", *dialled, environment={}, log=Path(folder) / "log")
        asked = account(stack.enter_context(sandbox).printed, stack.enter_context(httpx.Client(timeout=60)))
        asked.fill()
        db = stack.enter_context(opened(f"sqlite:///{folder}/hub.sqlite3"))
        clock = SystemClock()
        kept = RoundTrips(db, clock, VAULT, KEPT)  # the log of requests that a hub writes beside its work
        worker = Worker(db, clock, VAULT, CONNECTORS, {name: asked.app}, READBACK, heard=kept.listener)
        db.write_now(_connected, name, asked.grant(), clock.now())
        loop = stack.enter_context(asyncio.Runner())  # one for both: the worker belongs to it
        loop.run(_until(worker, kept, lambda tx: _is_read(tx, name), lambda seen: bool(seen)))
        before, planned = asked.last(), backlog(clock.now(), calls, "+7916")
        for first in range(0, calls, TOGETHER):
            db.write_now(queue.enqueue_all, 1, planned[first : first + TOGETHER], clock.now(), VAULT)
        time.sleep(asked.forgets_s)
        began = clock.now()
        loop.run(_until(worker, kept, lambda tx: queue.counts(tx, 1), lambda states: _are_delivered(states, calls)))
        ended = db.read_now(lambda tx: tx.execute(select(func.max(_delivery.c.settled_at))).scalar_one())
        figures = asked.figures(before, ended, (ended - began).total_seconds())
        time.sleep(asked.forgets_s)
        others = [one.plan.enquiry for one in backlog(clock.now(), of_client, "+7917")]
        return {**figures, **asked.beside(figures, others)}


def _connected(tx: Tx, name: str, grant: Grant, now: datetime) -> None:
    tx.execute(insert(_tenant).values(id=1, name="bench", created_at=now))
    spent = [to_micros(now)]  # for what it holds from before
    lanes.open_lane(tx, 1, crm.install(tx, 1, name, grant, now, VAULT), now, spent)


async def _until(worker: Worker, kept: RoundTrips, look: Callable[[Tx], Any], holds: Callable[[Any], bool]) -> None:
    """Let the worker serve until what is looked at is so."""
    serving = asyncio.gather(worker.run(), kept.run())
    while not ((seen := await worker.db.read(look)) and holds(seen)):  # noqa: ASYNC110 - a worker tells nobody
        await asyncio.sleep(LOOK_S)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


def _is_read(tx: Tx, name: str) -> bool:
    """Say whether the account has been read once, and its contacts where the hub keeps them, and the lane rests."""
    of = tx.execute(select(_installation.c.facts_at, _installation.c.contacts_known)).one()
    leased_until = tx.execute(select(_lane.c.leased_until)).scalar_one()
    knows = of.contacts_known or Can.CONTACT_INDEX not in CONNECTORS[name].manifest.can
    return of.facts_at is not None and knows and to_micros(leased_until) == 0


def _are_delivered(states: dict[str, int], calls: int) -> bool:
    assert states.keys() <= {"ready", "sending", "delivered"}, states
    return states == {"delivered": calls}
