"""The statements behind the pages mean the same on both engines."""

import re
from datetime import date
from typing import Any

import httpx
import pytest

from hub import report
from hub.store import console, enquiry_rows, goals_told, health, story, tables
from hub.store.db import Db
from hub.store.goals_told import GoalSum
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.console.conftest import NOW, row


@pytest.fixture
def db(db_on_each: Db) -> Db:
    return db_on_each


@pytest.fixture
def seeded(db: Db, vault: Vault, seed: Any) -> Any:
    return db.write_now(seed, vault)


async def test_lists_and_counts_are_the_same(db: Db, seeded: Any, vault: Vault) -> None:
    counts = await db.read(enquiry_rows.counts, seeded.tenant)
    assert counts == {"all": 4, "missed": 1, "written": 0, "unmatched": 2, "undelivered": 2}
    older = await db.read(enquiry_rows.rows_of, seeded.tenant, "all", seeded.billboard, 1)
    assert [row.id for row in older] == [seeded.missed]
    told = await db.read(story.story, seeded.tenant, seeded.answered, vault)
    assert told is not None
    assert [len(told.events), len(told.matches), len(told.sent)] == [2, 1, 1]
    assert await db.read(story.story, seeded.tenant, seeded.foreign, vault) is None


async def test_waiting_and_health_are_the_same(db: Db, seeded: Any) -> None:
    waiting = await db.read(health.waiting, seeded.tenant, "ready", 10)
    assert [(one.enquiry_id, one.is_blocked) for one in waiting] == [(seeded.billboard, False)]
    (one,) = await db.read(health.installations, seeded.tenant)
    assert (one.unsettled, one.parked, one.last_delivered_at is None) == (1, 1, False)
    assert (await db.read(console.home_of, seeded.tenant)).parked == 1


async def test_the_report_is_the_same(db: Db, seeded: Any) -> None:
    made = await report.roi(db, seeded.tenant, date(2026, 11, 1), date(2026, 11, 20))
    assert (made.total.enquiries, made.total.calls) == (4, 4)
    assert (made.total.revenue_minor, made.total.spend_minor) == (123_456_700, 3_000_000)


async def test_goals_are_the_same(db: Db, seeded: Any) -> None:
    def reach(tx: Tx) -> None:
        for number, withdrawn_at in enumerate((None, None, NOW)):
            row(
                tx, tables.Goal, tenant_id=seeded.tenant, name="g", subject=f"{number}", enquiry_id=seeded.answered,
                value_minor=5, currency="RUB", occurred_at=NOW, withdrawn_at=withdrawn_at,
            )  # fmt: skip

    await db.write(reach)
    assert await db.read(goals_told.goal_sums, seeded.tenant, NOW) == [GoalSum("g", "RUB", 2, 0, 10, 1, 0)]
    assert len(await db.read(goals_told.last_goals, seeded.tenant, NOW, 2)) == 2


@pytest.mark.parametrize(
    "path", ["/", "/enquiries", "/enquiries?show=undelivered", "/deliveries", "/connections", "/goals", "/enquiries/1"]
)
async def test_pages_are_there(owner: httpx.AsyncClient, path: str) -> None:
    assert (await owner.get(path)).status_code == 200


async def test_what_no_database_takes_is_refused(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await browser.post("/login", data={"email": "a\x00b", "password": "\x00"})
    assert answer.status_code == 401


async def test_an_id_that_no_database_takes_is_not_here(owner: httpx.AsyncClient) -> None:
    csrf = re.findall(r'name="csrf" value="([^"]+)"', (await owner.get("/enquiries")).text)[0]
    assert (await owner.post("/deliveries/a%00b/again", data={"csrf": csrf})).status_code == 404
