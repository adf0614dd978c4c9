"""Processes that share a PostgreSQL wake one another at once: here no clock moves, so that nobody looks by himself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from connectors.protocol import Why
from connectors.telling import Said
from hub.delivery import lanes, queue
from hub.delivery.worker import Worker
from hub.store import bell
from hub.store.bell import Bell
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.double import Acme, StoppedClock
from tests.hub.seed import NOW, Lane, planned

pytestmark = pytest.mark.parametrize(
    "_store", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


class FrozenClock(StoppedClock):
    """A clock of which no awaited moment ever comes; it notes how long it was asked to wait at most."""

    def __init__(self) -> None:
        super().__init__()
        self.at_most_s: asyncio.Queue[float] = asyncio.Queue()

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        self.at_most_s.put_nowait(at_most_s)
        await asyncio.Event().wait()

    async def asked_for(self, at_most_s: float) -> None:
        """Wait until somebody asks for this."""
        async with asyncio.timeout(30):
            while await self.at_most_s.get() != at_most_s:
                pass

    async def asked_no_more(self) -> None:
        """Wait until nobody has asked for a while."""
        with suppress(TimeoutError):
            while True:
                await asyncio.wait_for(self.at_most_s.get(), 0.3)


class Ear:
    """Hears the bell of a database, and lets a test wait for it."""

    def __init__(self, db: Db) -> None:
        self.rung = asyncio.Event()
        self.bell = Bell(db, self.rung.set)

    async def hears(self, within_s: float = 30) -> bool:
        """Say whether the bell rings, and forget that it did."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.rung.wait(), within_s)
        heard = self.rung.is_set()
        self.rung.clear()
        return heard


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    """A lane with nothing to do for an hour."""
    made = Lane(store, vault)
    made.db.write_now(queue.release, made.claimed(), NOW, NOW + timedelta(hours=1))
    return made


@pytest.fixture
def other(lane: Lane) -> Iterator[Db]:
    """The database as another process has it open."""
    opened = Db(lane.db.url.render_as_string(hide_password=False))
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
async def ear(other: Db, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ear]:
    """Another process's, listening already."""
    monkeypatch.setattr(bell, "_AGAIN_S", 0.01)
    made = Ear(other)
    async with made.bell.listening():
        assert await made.hears()
        yield made


@pytest.fixture
def acme() -> Acme:
    return Acme()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def resting(acme: Acme, clock: FrozenClock, other: Db, lane: Lane, vault: Vault) -> AsyncIterator[Worker]:
    """Another process's worker, with nothing to do."""
    worker = acme.worker(other, clock, vault)
    running = asyncio.create_task(worker.run())
    yield worker
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def sent(acme: Acme, within_s: float) -> bool:
    """Say whether the vendor is asked for something."""
    asked = asyncio.Event()

    async def deliver(batch: Any) -> dict[str, Any]:
        asked.set()
        return {}

    acme.answer = deliver
    with suppress(TimeoutError):
        await asyncio.wait_for(asked.wait(), within_s)
    return asked.is_set()


# -- a worker


async def test_what_one_process_plans_the_worker_of_another_sends_at_once(
    resting: Worker, clock: FrozenClock, acme: Acme, lane: Lane
) -> None:
    await clock.asked_for(5.0)
    lane.enqueue("call:1")
    assert await sent(acme, within_s=30)


async def test_without_its_bell_a_worker_would_not_know(
    resting: Worker, clock: FrozenClock, acme: Acme, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clock.asked_for(5.0)
    await clock.asked_no_more()
    monkeypatch.setattr(bell, "ring", lambda tx: None)
    lane.enqueue("call:1")
    assert not await sent(acme, within_s=0.3)


async def test_a_worker_that_does_not_hear_looks_by_itself_five_times_a_second(
    clock: FrozenClock, acme: Acme, other: Db, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(_self: Bell) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Bell, "_hear", deaf)
    running = asyncio.create_task(acme.worker(other, clock, vault).run())
    assert await clock.at_most_s.get() <= 0.2
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_worker_whose_listening_breaks_looks_by_itself_from_then_on(
    resting: Worker, clock: FrozenClock, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clock.asked_for(5.0)
    monkeypatch.setattr(bell, "_AGAIN_S", 3_600)
    lane.db.write_now(cut_all_who_listen)
    await clock.asked_for(0.15)


def cut_all_who_listen(tx: Tx) -> None:
    """End the connections that were last told to listen, as a restart of the server does."""
    listen = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'NOTIFY%' OR query LIKE 'LISTEN%'"
    tx.execute(text(listen))


# -- the bell


async def test_an_ear_that_lost_its_connection_hears_again(ear: Ear, lane: Lane) -> None:
    lane.db.write_now(cut_all_who_listen)
    assert await ear.hears()  # that it heard nothing for a moment
    while not ear.bell.is_heard:
        assert await ear.hears()
    ear.rung.clear()
    lane.enqueue("call:1")
    assert await ear.hears()


async def test_only_a_lane_that_slept_rings(ear: Ear, lane: Lane) -> None:
    lane.enqueue("call:1")
    assert await ear.hears()
    lane.enqueue("call:2")
    assert not await ear.hears(within_s=0.3)


async def test_what_is_rolled_back_does_not_ring(ear: Ear, lane: Lane, vault: Vault) -> None:
    def fail(tx: Tx) -> None:
        queue.enqueue(tx, lane.tenant_id, planned(lane.installation_id, "call:1"), NOW, vault)
        raise ValueError

    with suppress(ValueError):
        lane.db.write_now(fail)
    assert not await ear.hears(within_s=0.3)


async def test_a_lane_that_is_given_back_or_held_rings_for_its_new_time(ear: Ear, lane: Lane) -> None:
    later = NOW + timedelta(hours=1)
    lane.db.write_now(queue.release, lane.claimed(later), later, later + timedelta(minutes=5))
    assert await ear.hears()
    last = later + timedelta(hours=1)
    lane.db.write_now(lanes.hold, lane.claimed(last), last, Why.UNAVAILABLE, Said("down"), None)
    assert await ear.hears()
