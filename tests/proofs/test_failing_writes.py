"""Proof 3, Failing writes (docs/reliability.md): whichever write to the database fails, no call is lost or doubled.

For n = 1, 2, 3 ... the n-th commit of a call's whole journey fails, until a journey finishes untouched; and each named
moment raises once and stalls once. Quick: every seventh n, and the stalls of many moments in one journey; with --full:
all of them, and a journey for each.
"""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from hub import failpoints
from hub.app import build, running, web_app
from hub.delivery import serving
from hub.failpoints import POINTS, Deed, Point
from hub.settings import AppSettings, Settings
from hub.setup import apply
from hub.store.tables import Lane, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.world import World
from tests.proofs.crashing import A_DAY_S, asks_for_access, is_whole
from tests.proofs.crm_holds import call_notes, deals, doubled
from tests.proofs.fragile import settle_first
from tests.proofs.results import Tell

_lane = table_of(Lane)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub in this process beside the CRM's sandbox, connected."""
    clock = worlds.HandClock(tmp_path / "clock")
    with worlds.sandbox(clock.path, "http://hub.test/oauth/amocrm/callback") as crm:
        app = AppSettings(client_id=crm["client_id"], client_secret=crm["client_secret"], base_url=crm["base_url"])
        asked: dict[str, Any] = {"public_url": "http://hub.test", "apps": {"amocrm": app}, "log_level": "error"}
        hub = build(Settings(data_dir=tmp_path / "data", database_url=database_url, clock_file=clock.path, **asked))
        applied = hub.db.write_now(apply, *worlds.read(worlds.SETUP), hub.clock.now(), hub.vault)
        async with running(hub):
            made = World(hub, web_app(hub, works=False), clock, crm, applied)
            assert (await made.connect()).status_code == 303
            yield made
            failpoints.disarm()
            await made.close()
        hub.db.stop()


class FailingCommits:
    """Lets the n-th commit fail: before it is done, or (``answer_lost``) after, as when a connection breaks."""

    def __init__(self, world: World, *, answer_lost: bool) -> None:
        dialect = world.hub.db.engine.dialect
        self._honest: Callable[[Any], None] = dialect.do_commit
        self._answer_lost = answer_lost
        self._wide = 2 if world.hub.db.is_sqlite else 1  # there a group that failed is done again one by one
        self._in: int | None = None
        self._dialect = dialect
        self.failed = 0
        dialect.do_commit = self._commit  # type: ignore[method-assign]

    def arm(self, number: int) -> None:
        self._in, self.failed = number, 0

    def disarm(self) -> None:
        self._in = None

    def end(self) -> None:
        self._dialect.do_commit = self._honest  # type: ignore[method-assign]

    def _commit(self, connection: Any) -> None:
        if self._in is None:
            return self._honest(connection)
        self._in -= 1
        if not -self._wide < self._in <= 0:
            return self._honest(connection)
        self.failed += 1
        if self._answer_lost:
            self._honest(connection)
        else:  # a database that refuses to commit has ended the transaction
            connection.rollback()
        raise (sqlite3.OperationalError if self._wide == 2 else psycopg.OperationalError)("disk is full")


class Journeys:
    """Calls, one after the other, each from its event to the CRM and its lane given back."""

    def __init__(self, world: World) -> None:
        self.world, self.calls = world, 0

    async def one(self) -> None:
        """Tell of a call until it is taken, and let time go on until it is delivered and nothing is under way."""
        self.calls += 1
        at = self.world.clock.now().isoformat()
        told = {"call_id": f"call-{self.calls}", "event": "ended", "at": at, "status": "answered", "talk_s": 60}
        told |= {"dialled": "+74952220001", "caller": f"+7916{self.calls:07}", "wait_s": 4}
        for _ in range(5):
            if await self._taken(told):
                break
        await self.world.until(self._is_done, step_s=5)

    async def through(self, points: Sequence[Point], deed: Deed) -> None:
        """Let a call meet a failure or a stall at each of some moments."""
        for point in points:
            # On SQLite a group that failed is done again one by one.
            again = deed is Deed.RAISE and self.world.hub.db.is_sqlite and point.endswith(".written")
            failpoints.arm(point, deed, times=2 if again else 1, delay_s=0.05)
        if points[0].startswith("grant."):
            self.world.clock.forward(A_DAY_S)
        if (points[0], deed) == ("grant.refreshed", Deed.RAISE):  # the new pair is gone: the owner is asked again
            await self.world.until(lambda _: self.world.hub.db.read_now(asks_for_access), step_s=5)
            self.world.clock.forward(2)  # what the hub asked for just now counts against its owner's requests, too
            assert (await self.world.connect()).status_code == 303
        await self.one()

    async def _taken(self, told: dict[str, Any]) -> bool:
        try:
            return (await self.world.generic(told, f"m{self.calls}")).status_code == 200
        except Exception:  # what a server answers 500 to comes through where there is no server
            return False

    def _is_done(self, status: dict[str, Any]) -> bool:
        is_there = status["deliveries"] == {"delivered": self.calls} and not status["inbox"]
        return is_there and not failpoints.armed() and self.world.hub.db.read_now(self._is_idle)

    def _is_idle(self, tx: Tx) -> bool:
        now = self.world.clock.now()
        row = tx.execute(select(_lane.c.leased_until, _lane.c.hold_until)).one()
        return max(row) <= now

    async def found(self) -> dict[str, int]:
        """Count what the CRM holds."""
        state = await self.world.state()
        made, noted = deals(state), call_notes(state)
        extra = doubled(made) + doubled(noted) + len(state["leads"]) - len(made)
        return {"calls": self.calls, "deals": len(made), "notes": len(noted), "doubled": extra}


async def test_whichever_write_fails_no_call_is_lost_and_none_is_doubled(world: World, full: bool, tell: Tell) -> None:
    journeys = Journeys(world)
    for answer_lost in (False,) if world.hub.db.is_sqlite else (False, True):
        failing = FailingCommits(world, answer_lost=answer_lost)
        for number in itertools.count(1, 1 if full else 7):
            failing.arm(number)
            await journeys.one()
            failing.disarm()
            if not failing.failed:
                break
        failing.end()
        found = await journeys.found()
        tell("failing writes", answer_lost=answer_lost, writes=number - 1, **found)
    assert found == {"calls": journeys.calls, "deals": journeys.calls, "notes": journeys.calls, "doubled": 0}
    assert world.hub.db.read_now(is_whole)


async def test_wherever_the_hub_fails_or_stalls_no_call_is_lost_and_none_is_doubled(
    world: World, full: bool, tell: Tell
) -> None:
    journeys = Journeys(world)
    alone = [(point,) for point in POINTS]
    for points in alone:
        await journeys.through(points, Deed.RAISE)
    for points in alone if full else [POINTS[:5], POINTS[5:]]:
        await journeys.through(points, Deed.DELAY)
    found = await journeys.found()
    tell("failing points", points=len(POINTS), **found)
    assert found == {"calls": journeys.calls, "deals": journeys.calls, "notes": journeys.calls, "doubled": 0}
    assert world.hub.db.read_now(is_whole)


@pytest.mark.control
async def test_settling_before_sending_loses_the_call_after_which_the_hub_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    monkeypatch.setattr(serving.Serving, "_send", settle_first)
    journeys = Journeys(world)
    await journeys.through(["settle.kept"], Deed.RAISE)
    found = await journeys.found()
    tell("failing points (control)", points=1, **found)
    assert found["deals"] < found["calls"]
