"""``drain-many``: 200 accounts with 50 deliveries each, served by 1, 2 and 4 worker processes on one PostgreSQL.

The CRM is in the workers' own process and has done everything at once, so only the queue is measured: lanes claimed,
batches taken and settled, contacts told, ledgers written. The workers are real ``cthub worker`` processes; they hear of
all lanes at the same moment, and a rate is the number of deliveries by the time from there to the last one settled.
Commits are synced to the disk. Workers and PostgreSQL share the machine's cores: on two of them PostgreSQL alone keeps
one busy, so two workers gain what one leaves idle, and four little more. ``cores`` says how many there were.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import func, insert, select, update

from bench.history import opened
from hub.delivery import lanes, queue
from hub.store import bell, crm
from hub.store.db import Db
from hub.store.tables import Delivery, Lane, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault, ring_in
from tests import postgres
from tests.hub import seed
from tests.processes import running

ACCOUNTS, DELIVERIES, WORKERS = 200, 50, (1, 2, 4)
ROUNDS = 3  # after one to warm up, which also lets each account be read for the first time
LOOK_S, LOOKS = 0.05, 2_400
FAR = timedelta(days=1)

_delivery, _lane = table_of(Delivery), table_of(Lane)


def run() -> dict[str, Any]:
    """Measure one, two and four workers in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres.server(durable=True))
        hub = _Hub(stack.enter_context(opened(url)), ring_in(folder), folder, url)
        hub.db.write_now(_settled, hub.vault)
        rounds = [{workers: hub.round(workers) for workers in WORKERS} for _ in range(ROUNDS + 1)][1:]
    rates = {workers: median(one[workers] for one in rounds) for workers in WORKERS}
    return {
        "speedup_2": rates[2] / rates[1],
        "speedup_4": rates[4] / rates[1],
        **{f"per_s_{workers}": rate for workers, rate in rates.items()},
        "cores": os.cpu_count(),
        "accounts": ACCOUNTS,
        "deliveries": ACCOUNTS * DELIVERIES,
    }


@dataclass(slots=True)
class _Hub:
    """A database, and the processes that share it."""

    db: Db
    vault: Vault
    folder: Path
    url: str
    turn: int = 0

    def round(self, workers: int) -> float:
        """Plan for every account while all lanes are held, let them go at once; return deliveries per second."""
        self.turn += 1
        self.db.write_now(_hold, True)
        for number in range(ACCOUNTS):
            self.db.write_now(queue.enqueue_all, 1, self._planned(number), datetime.now(UTC), self.vault)
        with self._working(workers):
            began = datetime.now(UTC)
            self.db.write_now(_hold, False)
            ended = self._ended()
        return ACCOUNTS * DELIVERIES / (ended - began).total_seconds()

    def _planned(self, account: int) -> list[queue.Planned]:
        now = datetime.now(UTC)
        names = [f"{self.turn}:{account}:{number}" for number in range(DELIVERIES)]
        return [seed.planned(1 + account, f"call:{name}", name, now) for name in names]

    @contextmanager
    def _working(self, workers: int) -> Iterator[None]:
        apps = '{"acme": {"client_id": "id", "client_secret": "secret"}}'
        told = {"HUB_DATABASE_URL": self.url, "HUB_DATA_DIR": str(self.folder), "HUB_APPS": apps}
        told |= {"HUB_READBACK_S": str(FAR.total_seconds()), "HUB_LOG_LEVEL": "error"}
        with ExitStack() as stack:
            for _ in range(workers):
                asked = running("bench.instant", "worker", environment=told, log=self.folder / "log", says_ready=False)
                stack.enter_context(asked)
            self._until(lambda: self._listening() == workers, "not all workers listen")
            yield

    def _listening(self) -> int:
        with psycopg.connect(self.url) as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE query = 'NOTIFY hub_lane' AND state = 'idle'"
            ((number,),) = connection.execute(asked)
        return int(number)

    def _ended(self) -> datetime:
        self._until(lambda: not self.db.read_now(_is_open), "it does not drain")
        assert self.db.read_now(queue.counts, 1) == {"delivered": self.turn * ACCOUNTS * DELIVERIES}
        return self.db.read_now(_last_settled)

    def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        for _ in range(LOOKS):
            if holds():
                return
            time.sleep(LOOK_S)
        raise RuntimeError(f"{otherwise}: {(self.folder / 'log').read_text()[-2_000:]}")


def _settled(tx: Tx, vault: Vault) -> None:
    """Write the accounts."""
    now = datetime.now(UTC)
    tx.execute(insert(table_of(Tenant)).values(id=1, name="bench", created_at=now))
    for number in range(ACCOUNTS):
        grant = seed.grant(str(number), expires_at=now + 365 * FAR)
        lanes.open_lane(tx, 1, crm.install(tx, 1, "acme", grant, now, vault), now, [])


def _hold(tx: Tx, is_held: bool) -> None:
    """Leave all lanes alone, or let them go and tell every worker."""
    now = datetime.now(UTC)
    tx.execute(update(_lane).where(_lane.c.tenant_id == 1).values(hold_until=now + FAR if is_held else now))
    bell.ring(tx)


def _is_open(tx: Tx) -> bool:
    """Say whether a delivery is not settled yet."""
    open_ones = select(_delivery.c.id).where(_delivery.c.tenant_id == 1, _delivery.c.state.in_(("ready", "sending")))
    return tx.execute(open_ones.limit(1)).first() is not None


def _last_settled(tx: Tx) -> datetime:
    found: datetime = tx.execute(
        select(func.max(_delivery.c.settled_at)).where(_delivery.c.tenant_id == 1)
    ).scalar_one()
    return found
