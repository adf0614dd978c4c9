"""An account that was renamed: its old host knows it no more, the grant follows it to the new one, and no call is lost.

The vendor's own host names lead to its sandbox here, as if a name server said so; everything else is as with the vendor.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from connectors.http import Http
from hub.app import build, running, web_app
from hub.settings import AppSettings, Settings
from hub.setup import apply
from hub.store.tables import Installation, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.world import World

_installation = table_of(Installation)
OLD, NEW = "romashka.amocrm.ru", "vasilek.amocrm.ru"


class Names(httpx.AsyncBaseTransport):
    """Leads every host to the sandbox, which is told the host that was asked for."""

    def __init__(self, base_url: str) -> None:
        self.base, self.asked = httpx.URL(base_url), set[str]()
        self.real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.add(request.url.host)
        request.url = request.url.copy_with(scheme="http", host=self.base.host, port=self.base.port)
        return await self.real.handle_async_request(request)

    async def aclose(self) -> None:
        """Stay open: the clients of several lanes share it."""


@pytest.fixture
async def names(crm: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Names]:
    made = Names(crm["base_url"])
    monkeypatch.setattr(Http, "_open", lambda _self: httpx.AsyncClient(transport=made, trust_env=False))
    yield made
    await made.real.aclose()


@pytest.fixture
async def world(
    database_url: str, tmp_path: Path, hand_clock: worlds.HandClock, crm: dict[str, Any], names: Names
) -> AsyncIterator[World]:
    """A customer whose account is at the vendor's own address."""
    app = AppSettings(client_id=crm["client_id"], client_secret=crm["client_secret"])
    hub = build(
        Settings(
            data_dir=tmp_path / "data",
            database_url=database_url,
            public_url="http://hub.test",
            apps={"amocrm": app},
            clock_file=hand_clock.path,
        )
    )
    applied = hub.db.write_now(apply, *worlds.read(worlds.SETUP), hub.clock.now(), hub.vault)
    async with running(hub):
        made = World(hub, web_app(hub, works=False), hand_clock, crm, applied)
        yield made
        await made.close()
    hub.db.stop()


async def connect(world: World, api_domain: str = "api-b.amocrm.ru") -> None:
    """Give access to the account at its first address."""
    await world.crm_web.post("/_sandbox/dial", json={"api_domain": api_domain})
    csrf = await world.log_in()
    started = await world.web.post("/connect/amocrm", data={"csrf": csrf}, headers={"sec-fetch-site": "same-origin"})
    asked = {**dict(httpx.URL(started.headers["location"]).params), "decision": "allow"}
    granted = await world.crm_web.post("/oauth", data=asked, headers={"host": OLD})
    back = await world.while_time_goes_on(world.web.get(granted.headers["location"]))
    assert back.status_code == 303, back.text


async def move(world: World) -> None:
    await world.crm_web.post("/_sandbox/subdomain", json={"subdomain": "vasilek"})


async def host(world: World) -> str:
    def kept(tx: Tx) -> str:
        return str(tx.execute(select(_installation.c.host)).scalar_one())

    return await world.hub.db.read(kept)


async def test_the_grant_follows_a_renamed_account_and_every_call_arrives(world: World, names: Names) -> None:
    await connect(world)
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.delivered(1)
    await move(world)
    await world.mango_call("c2", "+79161234568", "+74952220001", talk_s=60)
    await world.mango_call("c3", "+79161234567", "+74952220001", talk_s=60)
    status = await world.delivered(3)
    assert status["deliveries"] == {"delivered": 3}
    assert len((await world.state())["leads"]) == 2
    assert await host(world) == NEW
    assert names.asked == {OLD, "api-b.amocrm.ru", NEW}


async def test_a_renamed_account_is_read_back_at_its_new_address(world: World) -> None:
    await connect(world)
    await move(world)
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.delivered(1)
    await world.until(lambda status: status["deals"] == 1)
    (made,) = (await world.api("status"))["installations"]
    assert made["status"] == "active"


async def test_where_nobody_tells_the_new_address_calls_wait_and_none_is_given_up(world: World, names: Names) -> None:
    await connect(world, api_domain="stranger.example")
    await move(world)
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.until(lambda status: bool(status["installations"][0]["hold_why"]))
    world.clock.forward(600)
    status = await world.until(lambda status: bool(status["deliveries"]))
    assert status["deliveries"] == {"ready": 1}
    assert await host(world) == OLD
    assert names.asked == {OLD}
