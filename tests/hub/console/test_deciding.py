"""A person decides of stopped deliveries in the console: one by one, or all that stopped for one reason."""

from typing import Any

import httpx
import pytest

from hub.delivery import queue
from hub.store import tables
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.console.conftest import delivery
from tests.hub.console.test_pages import text_of
from tests.hub.console.test_session import csrf_of


@pytest.fixture
async def installation(db: Db, vault: Vault, seeded: Any) -> int:
    """Two deliveries of this account stopped for one reason."""

    def stop(tx: Tx) -> int:
        of = tables.table_of(tables.Installation)
        account = tx.execute(of.select().where(of.c.tenant_id == seeded.tenant)).first()
        assert account is not None
        delivery(tx, vault, seeded.tenant, account.id, seeded.hidden, "parked", why="invalid")
        return int(account.id)

    return await db.write(stop)


async def states(db: Db, seeded: Any) -> dict[str, int]:
    return await db.read(queue.counts, seeded.tenant)


async def decide(owner: httpx.AsyncClient, path: str, **given: object) -> str:
    """Send a form of the page; return what the next page says."""
    answer = await owner.post(path, data={"csrf": await csrf_of(owner), **given})
    assert answer.status_code == 303, answer.text
    return text_of((await owner.get(answer.headers["location"])).text)


async def test_those_that_stopped_for_one_reason_are_offered_together(
    owner: httpx.AsyncClient, installation: int
) -> None:
    text = text_of((await owner.get("/deliveries")).text)
    assert "2 остановлены по одной причине: CRM не приняла эти данные." in text


async def test_one_alone_is_not_offered_as_many(owner: httpx.AsyncClient, seeded: Any) -> None:
    assert "по одной причине" not in (await owner.get("/deliveries")).text


async def test_they_are_sent_again_together(owner: httpx.AsyncClient, db: Db, seeded: Any, installation: int) -> None:
    said = await decide(owner, "/deliveries/alike", installation=installation, why="invalid", do="again")
    assert "Поставлено в очередь: 2." in said
    assert "parked" not in await states(db, seeded)


async def test_they_are_given_up_together(owner: httpx.AsyncClient, db: Db, seeded: Any, installation: int) -> None:
    said = await decide(owner, "/deliveries/alike", installation=installation, why="invalid", do="dropped")
    assert "Отменены 2 передачи." in said
    assert (await states(db, seeded))["dropped"] == 2


async def test_one_is_given_up_and_can_still_be_sent(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    assert "Отменена 1 передача." in await decide(owner, f"/deliveries/{seeded.parked}/drop")
    page = (await owner.get("/deliveries?state=dropped")).text
    assert f'action="/deliveries/{seeded.parked}/again"' in page
    assert "Поставлено в очередь: 1." in await decide(owner, f"/deliveries/{seeded.parked}/again")


async def test_giving_up_twice_says_that_it_was_decided(owner: httpx.AsyncClient, seeded: Any) -> None:
    await decide(owner, f"/deliveries/{seeded.parked}/drop")
    assert "Здесь уже нечего решать" in await decide(owner, f"/deliveries/{seeded.parked}/drop")


@pytest.mark.parametrize("given", [{}, {"installation": "x", "do": "again"}, {"installation": "1", "do": "burn"}])
async def test_what_nobody_offered_is_not_here(
    owner: httpx.AsyncClient, db: Db, seeded: Any, given: dict[str, str]
) -> None:
    before = await states(db, seeded)
    answer = await owner.post("/deliveries/alike", data={"csrf": await csrf_of(owner), **given})
    assert (answer.status_code, await states(db, seeded)) == (404, before)


async def test_another_tenants_delivery_is_not_given_up(owner: httpx.AsyncClient, seeded: Any) -> None:
    csrf = {"csrf": await csrf_of(owner)}
    assert (await owner.post(f"/deliveries/{seeded.foreign_parked}/drop", data=csrf)).status_code == 404


async def test_a_form_without_the_sessions_token_gives_nothing_up(
    owner: httpx.AsyncClient, db: Db, seeded: Any
) -> None:
    before = await states(db, seeded)
    assert (await owner.post(f"/deliveries/{seeded.parked}/drop")).status_code == 403
    assert await states(db, seeded) == before
