"""However long the history, an enquiry is matched by the few rows it needs; on SQLite no statistics tell the planner."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.inbox import look
from hub.store import goals
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub import world as worlds
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World

MINUTE = 60
FEW = {"installation"}  # tables that do not grow with time
FORM = {"kind": "form", "id": "f1", "phone": IVAN, "email": "ivan@mail.example", "name": "Иван"}


@pytest.fixture
def without_statistics(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """A hub on SQLite as every hub is: nobody has counted its rows."""
    shutil.copy(sqlite_template, tmp_path / "hub.sqlite3")
    with worlds.still(f"sqlite:///{tmp_path / 'hub.sqlite3'}", tmp_path) as made:
        yield made


def driver(tx: Tx) -> Any:
    return tx._driver  # the one that can be listened to


def statements_of(world: World, work: Callable[[Tx, datetime, Vault], Any]) -> list[str]:
    """Return what was asked of SQLite in a unit of work, values and all."""
    said: list[str] = []

    def listened(tx: Tx) -> Any:
        driver(tx).set_trace_callback(said.append)
        try:
            return work(tx, world.clock.now(), world.hub.vault)
        finally:
            driver(tx).set_trace_callback(None)

    assert world.hub.db.write_now(listened) is not None
    return [one for one in said if one.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]


def ways(tx: Tx, statement: str) -> list[str]:
    """Return how SQLite goes through a statement, a line for each table."""
    with closing(driver(tx).execute(f"EXPLAIN QUERY PLAN {statement}")) as cursor:
        return [row[3] for row in cursor]


def is_long(way: str) -> bool:
    """Say whether a way leads through everything a tenant has, or had up to a moment."""
    kind, name, *_ = way.split()
    if name in FEW or kind not in ("SCAN", "SEARCH") or "CONSTANT" in way:
        return False
    unbounded = re.search(r"\(tenant_id=\?( AND \w+[<>]\?)?\)", way)
    return bool(unbounded) or (kind == "SCAN" and name != "held" and not name.startswith("anon_"))


def long_ways(world: World, statements: list[str]) -> list[str]:
    def read(tx: Tx) -> list[str]:
        return [f"{way}: {one[:200]}" for one in statements for way in ways(tx, one) if is_long(way)]

    return world.hub.db.read_now(read)


async def call(world: World, dialled: str) -> None:
    world.clock.forward(2 * MINUTE)
    told = {"call_id": "c1", "event": "ended", "at": world.clock.now().isoformat(), "status": "answered"}
    answer = await world.generic(told | {"dialled": dialled, "caller": IVAN, "talk_s": 60, "wait_s": 0}, "c1")
    assert answer.status_code == 200, answer.text


async def test_a_call_is_looked_at_without_walking_the_history(without_statistics: World) -> None:
    shown = await without_statistics.visit(AD)
    await call(without_statistics, shown["number"])
    said = statements_of(without_statistics, look)
    assert len(said) > 10
    assert long_ways(without_statistics, said) == []


async def test_a_form_with_phone_and_mail_is_looked_at_without_walking_the_history(without_statistics: World) -> None:
    shown = await without_statistics.visit(AD)
    who = {"site": without_statistics.applied.sites[0]["key"], "visitor": shown["visitor"], "visit": shown["visit"]}
    headers = {"origin": "https://okna.example"}
    answer = await without_statistics.web.post("/dni/v1/enquiry", content=json.dumps(FORM | who), headers=headers)
    assert answer.status_code == 204, answer.text
    said = statements_of(without_statistics, look)
    assert len(said) > 10
    assert long_ways(without_statistics, said) == []


def test_goals_that_the_crm_sent_are_found_without_walking_the_history(without_statistics: World) -> None:
    def read(tx: Tx, now: datetime, vault: Vault) -> frozenset[str]:
        return goals.sent_for(tx, 1, "deal:1")

    assert long_ways(without_statistics, statements_of(without_statistics, read)) == []


def test_a_way_through_the_history_is_noticed(without_statistics: World) -> None:
    statement = "SELECT id FROM enquiry WHERE tenant_id = 1 AND at < 5"
    assert len(long_ways(without_statistics, [statement, "SELECT id FROM enquiry WHERE id = 1"])) == 1
