"""A database that is away, or full: it has a name of its own, is said in words, and is nobody else's trouble."""

import asyncio
import io
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from connectors.protocol import Delivery, Limits, Outcome
from hub import logs
from hub.delivery import budget, queue
from hub.delivery.worker import Worker
from hub.errors import DatabaseAway
from hub.inbox import InboxLoop
from hub.loops import for_ever
from hub.store import inbox
from hub.store.away import named
from hub.store.db import Db
from hub.store.moment import to_micros
from hub.store.tables import Delivery as DeliveryRow
from hub.store.tables import Inbox, table_of
from hub.store.tables import Lane as LaneRow
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.double import Acme, StoppedClock
from tests.hub.seed import LIMITS, NOW, Lane, Payer
from tests.hub.world import World

_delivery, _lane, _inbox = (table_of(model) for model in (DeliveryRow, LaneRow, Inbox))
BACK = timedelta(hours=2)
WINDOW = Limits(10, 7, 7, timedelta(seconds=10), timedelta(seconds=1), window=7)


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


def by_sqlalchemy(error: Exception) -> Exception:
    return OperationalError("SELECT 1", {}, error)


# -- its name


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), "disk is full"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), "disk is full"),
        (by_sqlalchemy(of_sqlite(sqlite3.SQLITE_BUSY)), "locked"),
        (psycopg.errors.DiskFull("no space left"), "disk is full"),
        (psycopg.errors.AdminShutdown("terminating connection"), "does not answer"),
        (by_sqlalchemy(psycopg.OperationalError("connection refused")), "does not answer"),
    ],
)
def test_trouble_of_the_database_itself_is_one_sentence(error: Exception, says: str) -> None:
    away = named(error)
    assert isinstance(away, DatabaseAway)
    assert says in str(away)
    assert away.__cause__ is error


@pytest.mark.parametrize(
    "error", [of_sqlite(sqlite3.SQLITE_ERROR), psycopg.errors.UniqueViolation("twice"), ValueError("ours")]
)
def test_trouble_of_a_statement_keeps_its_own_name(error: Exception) -> None:
    assert named(error) is error


# -- who asked


async def test_who_asks_while_it_is_away_is_told_to_come_again(still: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_db: Db, *_asked: Any, **_more: Any) -> Any:
        raise DatabaseAway("The database does not answer.")

    monkeypatch.setattr(Db, "write", away)
    answers = [await still.generic({}, "m1"), await still.web.get("/health")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all(answer.headers["retry-after"] == "5" for answer in answers)
    assert all(answer.json()["error"].startswith("The database does not answer.") for answer in answers)


async def test_a_database_that_hangs_is_not_well(still: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(_db: Db, *_asked: Any, **_more: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr("hub.web.routes._HEALTHY_S", 0.01)
    monkeypatch.setattr(Db, "write", hangs)
    answer = await still.web.get("/health")
    assert (answer.status_code, "has not answered" in answer.json()["error"]) == (503, True)


async def test_a_hub_that_can_write_is_well(still: World) -> None:
    answer = await still.web.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


# -- the loops


async def test_a_loop_says_once_that_it_is_away_and_once_that_it_is_back() -> None:
    clock, turns = StoppedClock(), iter([DatabaseAway("gone"), DatabaseAway("gone"), None, None])

    async def turn() -> None:
        try:
            trouble = next(turns)
        except StopIteration:
            raise asyncio.CancelledError from None
        if trouble:
            raise trouble

    with capture_logs() as said, suppress(asyncio.CancelledError):
        await for_ever("test", turn, clock)
    assert [line["event"] for line in said] == ["loop.database_away", "loop.database_back"]


async def test_an_enquiry_does_not_wait_longer_because_the_database_was_away(
    store: Db, lane: Lane, vault: Vault, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_now(inbox.look_at, lane.tenant_id, inbox.CALL, "1:c1", NOW)

    def breaks(tx: Tx, *_asked: Any) -> None:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr("hub.inbox.look", breaks)
    with pytest.raises(DatabaseAway):
        await InboxLoop(store, clock, vault)._look_once()
    (row,) = store.read_now(lambda tx: tx.execute(select(_inbox)).all())
    assert (row.due_at, row.tries) == (NOW, 0)


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _told: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    logs.configure("info")
    structlog.get_logger().error("anything")
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", printed)
    structlog.get_logger().error("anything")
    assert json.loads(printed.getvalue())["event"] == "anything"


# -- the worker


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    return Lane(store, vault)


@pytest.fixture
def acme() -> Acme:
    return Acme()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def worker(acme: Acme, store: Db, clock: StoppedClock, vault: Vault) -> AsyncIterator[Worker]:
    made = acme.worker(store, clock, vault)
    yield made
    await asyncio.gather(*made._serving, return_exceptions=True)


def row(lane: Lane, table: Any) -> Any:
    return lane.db.read_now(lambda tx: tx.execute(select(table)).one())


async def test_a_lane_whose_database_went_away_is_given_back_and_what_was_sent_is_in_doubt(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    async def away(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise DatabaseAway("The database does not answer.")

    acme.answer = away
    lane.enqueue("call:1")
    with capture_logs() as said:
        assert await worker._serve_next()
        await asyncio.gather(*worker._serving)
    assert [line["event"] for line in said] == ["worker.database_away", "worker.database_back"]
    left, held = row(lane, _delivery), row(lane, _lane)
    assert (left.state, left.spent, held.hold_why, held.share) == ("sending", 0, "", 1)
    assert lane.take(lane.claimed()) == []
    doubted = row(lane, _delivery)
    assert (doubted.state, doubted.spent, doubted.in_doubt) == ("ready", 0, True)


# -- a clock that steps back


def test_a_lane_given_back_can_be_claimed_after_the_clock_stepped_back(lane: Lane) -> None:
    lane.db.write_now(queue.release, lane.claimed(), NOW, NOW + timedelta(minutes=1))
    lane.enqueue("call:1", at=NOW - BACK)
    assert [one.plan.enquiry.id for one in lane.take(lane.claimed(NOW - BACK), NOW - BACK)] == ["call:1"]


@pytest.mark.parametrize("limits", [LIMITS, WINDOW], ids=["bucket", "window"])
def test_what_was_spent_before_the_clock_stepped_back_is_no_debt_for_long(lane: Lane, limits: Limits) -> None:
    claim, payer = lane.claimed(), Payer(lane, limits)
    while payer.pay(claim, NOW) is None:
        pass
    earlier = NOW - BACK
    while (at := payer.pay(claim, earlier)) is not None:
        assert at > earlier
        earlier = at
    assert earlier - (NOW - BACK) <= timedelta(seconds=2)


def test_a_clock_that_lags_a_little_behind_its_neighbours_forgets_nothing() -> None:
    ahead = [to_micros(NOW) + 500_000] * 7
    assert budget.spend(ahead, WINDOW, NOW)[1] == ahead


# -- its connections


@pytest.mark.postgresql
async def test_connections_that_ended_while_nobody_used_them_cost_nobody_anything(pg_url: str) -> None:
    db = Db(pg_url)
    db.start()
    await asyncio.gather(*(db.write(lambda tx: tx.execute(text("SELECT pg_sleep(0.01)")) and None) for _ in range(30)))
    with db.engine.connect() as other:
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        other.exec_driver_sql(f"{others} AND datname = current_database()")
    asked = [db.write(lambda tx: tx.execute(text("SELECT 1")).scalar()) for _ in range(30)]
    asked += [db.read(lambda tx: tx.execute(text("SELECT 1")).scalar()) for _ in range(10)]
    assert await asyncio.gather(*asked) == [1] * 40
    db.stop()
