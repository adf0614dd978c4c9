"""``queue``: deliveries planned and settled per second beside a connector that answers at once, on 10,000 and on
1,000,000 deliveries of history.

Each round plans so many deliveries for eight accounts, fifty in a transaction, and then lets the hub's own worker take,
send and settle them; a rate is their number by the time of both. The two histories take turns; each caller has been
delivered for five times before in both, and rounds lie so far apart that none is remembered as just delivered. What is
committed is synced to the disk on both engines. SQLite has no statistics, because a hub gathers none; PostgreSQL has
been vacuumed, because its autovacuum does.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert, select

from bench.history import LARGE, databases, fill, opened
from connectors.protocol import Connector, Delivery, Outcome
from connectors.registry import CONNECTORS
from connectors.scenario import dump_plan
from hub import logs
from hub.clock import SystemClock
from hub.delivery import lanes, queue
from hub.store import crm
from hub.store.db import Db
from hub.store.moment import to_micros
from hub.store.tables import Lane, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub import seed
from tests.hub.double import Acme, delivered

ROUNDS, DELIVERIES = 7, 2_000  # after a round to warm up
LANES, TOGETHER, CALLS_OF_ONE = 8, 50, 5
APART = timedelta(minutes=10)  # longer than a search of a CRM may lag
STEP = timedelta(seconds=8)  # a delivery so often: a million are 93 days
VAULT = Vault({"bench": b"b" * 32})

_GLANCE_S = 0.002  # less often than that costs the figure, more often the hub
_HISTORY = Path(__file__).parent / "queue.sql"
_lane = table_of(Lane)


def run() -> dict[str, Any]:
    """Measure both engines on both histories."""
    logs.configure("error")
    figures = _measure("sqlite") | _measure("postgresql")
    return figures | {"growth_ratio": max(figures[f"{engine}_growth"] for engine in ("sqlite", "postgresql"))}


def _measure(engine: str) -> dict[str, Any]:
    with ExitStack() as stack:
        urls = stack.enter_context(databases(engine, durable=True))
        short, long = (stack.enter_context(filled(url, length)) for length, url in urls.items())
        rounds = [(asyncio.run(short.round()), asyncio.run(long.round())) for _ in range(ROUNDS + 1)][1:]
        assert long.db.read_now(queue.counts, 1) == {"delivered": LARGE + (ROUNDS + 1) * DELIVERIES}
    few, many = zip(*rounds, strict=True)
    return {
        f"{engine}_per_s": median(one.per_s for one in many),
        f"{engine}_10k_per_s": median(one.per_s for one in few),
        f"{engine}_planned_per_s": median(DELIVERIES / one.planned_s for one in many),
        f"{engine}_settled_per_s": median(DELIVERIES / one.settled_s for one in many),
        f"{engine}_own_cpu_us": median(one.cpu_s / DELIVERIES * 1e6 for one in many),
        f"{engine}_growth": median(few.per_s / many.per_s for few, many in rounds),
    }


@dataclass(frozen=True, slots=True)
class _Round:
    planned_s: float
    settled_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return DELIVERIES / (self.planned_s + self.settled_s)


class _Clock(SystemClock):
    """The machine's clock, put forward between rounds."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class _Instant(Acme):
    """A vendor that has done everything at once, with the limits of amoCRM's connector but without its rate."""

    def __init__(self) -> None:
        super().__init__()
        self.answer, self.missing, self.all_answered = self._count, DELIVERIES, asyncio.Event()

    async def _count(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        self.missing -= len(batch)
        if not self.missing:
            self.all_answered.set()
        return await delivered(batch)

    def connector(self) -> Connector:
        made = super().connector()
        return replace(made, manifest=replace(made.manifest, limits=CONNECTORS["amocrm"].manifest.limits))


@dataclass(slots=True)
class _Queue:
    """A hub's queue after its history."""

    db: Db
    length: int
    turn: int = 0
    clock: _Clock = field(default_factory=_Clock)

    async def round(self) -> _Round:
        """Plan so many deliveries, then serve them all."""
        self.turn += 1
        self.clock.ahead += APART
        callers = random.Random(self.turn).sample(range(self.length // CALLS_OF_ONE), DELIVERIES)
        now = self.clock.now()
        asked = [seed.planned(1 + one % LANES, f"call:{self.turn}:{one}", f"caller-{one}", now) for one in callers]
        began, cpu_s = time.perf_counter(), time.process_time()
        for first in range(0, DELIVERIES, TOGETHER):
            await self.db.write(queue.enqueue_all, 1, asked[first : first + TOGETHER], self.clock.now(), VAULT)
        planned = time.perf_counter()
        await self._serve()
        return _Round(planned - began, time.perf_counter() - planned, time.process_time() - cpu_s)

    async def _serve(self) -> None:
        vendor = _Instant()
        worker = vendor.worker(self.db, self.clock, VAULT)
        serving = asyncio.create_task(worker.run())
        await vendor.all_answered.wait()
        while await self.db.read(_is_served, self.clock.now()):  # noqa: ASYNC110 - it is a row of the database
            await asyncio.sleep(_GLANCE_S)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def _is_served(tx: Tx, now: datetime) -> bool:
    """Say whether a lane has a holder, who may still have something to settle."""
    return tx.execute(select(_lane).where(_lane.c.tenant_id == 1, _lane.c.leased_until > now)).first() is not None


@contextmanager
def filled(url: str, length: int) -> Iterator[_Queue]:
    """Yield a hub with a past of so many deliveries."""
    began = datetime.now(UTC) - (length + 100) * STEP
    with opened(url) as db:
        db.write_now(_settle, began)
        plan = VAULT.seal(dump_plan(seed.plan()).decode(), 1, "past", "plan")
        values = {"began": to_micros(began), "step": STEP // timedelta(microseconds=1), "plan": plan}
        fill(db, _HISTORY, {**values, "length": length, "lanes": LANES, "callers": length // CALLS_OF_ONE})
        yield _Queue(db, length)


def _settle(tx: Tx, began: datetime) -> None:
    """Write the accounts that a history needs before it can begin."""
    tx.execute(insert(table_of(Tenant)).values(id=1, name="bench", created_at=began))
    for number in range(LANES):
        grant = seed.grant(str(number), expires_at=datetime.now(UTC) + timedelta(days=365))
        installation_id = crm.install(tx, 1, "acme", grant, began, VAULT)
        lanes.open_lane(tx, 1, installation_id, began, [])
