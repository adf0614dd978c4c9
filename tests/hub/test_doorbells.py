"""A connected CRM rings when a deal changes: asked once, looked after daily, mended when it was switched off, taken away."""

import re
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from connectors.protocol import Grant
from connectors.telling import Ringing
from hub.app import build, running, web_app
from hub.settings import AppSettings, Settings
from hub.setup import apply
from hub.store import crm, doorbells
from hub.store.tables import Doorbell, Installation, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.world import World
from tests.serving import in_loop

_bell, _installation = table_of(Doorbell), table_of(Installation)
DAY_S = 86_400


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Where the hub listens: a port of this machine that the CRM can reach."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def public_url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def crm_line(hand_clock: worlds.HandClock, public_url: str) -> Iterator[dict[str, Any]]:
    with worlds.sandbox(hand_clock.path, f"{public_url}/oauth/amocrm/callback") as printed:
        yield printed


@pytest.fixture
async def world(
    database_url: str,
    tmp_path: Path,
    hand_clock: worlds.HandClock,
    crm_line: dict[str, Any],
    public_url: str,
    listener: socket.socket,
) -> AsyncIterator[World]:
    """A customer whose hub answers on real HTTP, so that his CRM can ring."""
    keys = {name: crm_line[name] for name in ("client_id", "client_secret", "base_url")}
    hub = build(
        Settings(
            data_dir=tmp_path / "data",
            database_url=database_url,
            public_url=public_url,
            apps={"amocrm": AppSettings(**keys)},
            clock_file=hand_clock.path,
        )
    )
    applied = hub.db.write_now(apply, *worlds.read(worlds.SETUP), hub.clock.now(), hub.vault)
    app = web_app(hub, works=False)
    async with running(hub), in_loop(app, listener):
        made = World(hub, app, hand_clock, crm_line, applied)
        made.web = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=public_url)
        yield made
        await made.close()
    hub.db.stop()


@pytest.fixture
async def connected(world: World) -> World:
    answer = await world.connect()
    assert answer.status_code == 303, answer.text
    return world


async def hooks(world: World) -> list[dict[str, Any]]:
    """Return the subscriptions the CRM has."""
    told: list[dict[str, Any]] = (await world.crm_web.get("/_sandbox/webhooks")).json()["subscriptions"]
    return told


def bells(tx: Tx) -> list[Any]:
    return list(tx.execute(select(_bell)))


async def looked(world: World, since: datetime | None = None) -> Any:
    """Let time go on until the doorbell was looked at after a moment; return its row."""

    def those(rows: list[Any]) -> list[Any]:
        return [row for row in rows if row.looked_at and (since is None or row.looked_at > since)]

    return those(await world.comes_to(lambda: world.hub.db.read(bells), those))[0]


async def looked_the_next_day(world: World) -> Any:
    """Let a day go by; return the doorbell as it was found then."""
    before = world.clock.now()
    world.clock.forward(DAY_S)
    return await looked(world, before)


async def ours(world: World) -> str:
    def token(tx: Tx) -> str:
        return str(tx.execute(select(_installation.c.hook_token)).scalar_one())

    return f"{world.hub.settings.public_url}/hooks/amocrm/{await world.hub.db.read(token)}"


async def dial(world: World, **switches: object) -> None:
    assert (await world.crm_web.post("/_sandbox/dial", json=switches)).status_code == 200


async def a_person(world: World) -> dict[str, str]:
    token = (await world.crm_web.post("/_sandbox/token", json={})).json()["access_token"]
    return {"authorization": f"Bearer {token}"}


async def page(world: World) -> str:
    await world.log_in()
    return re.sub(r"<[^>]+>|\s+", " ", (await world.web.get("/connections")).text)


async def test_connecting_subscribes_once_to_what_read_back_wants(connected: World) -> None:
    row = await looked(connected)
    (hook,) = await hooks(connected)
    assert row.rings
    assert hook["destination"] == await ours(connected)
    assert hook["settings"] == ["add_lead", "update_lead", "status_lead", "delete_lead", "restore_lead"]


@pytest.mark.parametrize(("lost", "is_soon"), [(0, True), (1, False)])
async def test_a_ring_brings_a_sale_at_once_and_without_it_the_next_reading_does(
    connected: World, lost: float, is_soon: bool
) -> None:
    await looked(connected)
    await dial(connected, lost_webhook=lost)
    await connected.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await connected.delivered(1)
    await connected.until(lambda status: status["deals"] == 1)
    (deal,) = (await connected.state())["leads"]
    change, sold_at = {"status_id": 142, "price": 90_000}, connected.clock.now()
    await connected.crm_web.patch(f"/api/v4/leads/{deal['id']}", json=change, headers=await a_person(connected))
    await connected.until(lambda status: status["deals_won"] == 1, step_s=0.2)
    waited = connected.clock.now() - sold_at
    assert (waited < timedelta(seconds=20)) == is_soon


async def test_a_subscription_that_is_there_is_adopted(connected: World) -> None:
    await looked(connected)
    (before,) = await hooks(connected)
    await looked_the_next_day(connected)
    (after,) = await hooks(connected)
    assert after["id"] == before["id"]


async def test_a_subscription_of_other_events_is_set_right_and_a_strangers_is_left_alone(connected: World) -> None:
    await looked(connected)
    headers, strange = await a_person(connected), "https://other.example/hook"
    for destination in (await ours(connected), strange):
        body = {"destination": destination, "settings": ["add_task"]}
        await connected.crm_web.post("/api/v4/webhooks", json=body, headers=headers)
    await looked_the_next_day(connected)
    kept = {one["destination"]: one["settings"] for one in await hooks(connected)}
    assert kept[strange] == ["add_task"]
    assert "status_lead" in kept[await ours(connected)]


async def test_one_that_rings_where_the_hub_was_before_is_taken_away(connected: World) -> None:
    await looked(connected)
    old = (await ours(connected)).replace("127.0.0.1", "old.example")
    body = {"destination": old, "settings": ["add_lead"]}
    await connected.crm_web.post("/api/v4/webhooks", json=body, headers=await a_person(connected))
    await looked_the_next_day(connected)
    assert [one["destination"] for one in await hooks(connected)] == [await ours(connected)]


@pytest.mark.parametrize("upsert_enables_hook", [True, False])
async def test_what_the_crm_switched_off_is_on_again_within_a_day_and_told(
    connected: World, upsert_enables_hook: bool
) -> None:
    await dial(connected, upsert_enables_hook=upsert_enables_hook)
    await looked(connected)
    off = {"destination": await ours(connected), "disabled": True}
    await connected.crm_web.post("/_sandbox/webhook", json=off)
    row = await looked_the_next_day(connected)
    (hook,) = await hooks(connected)
    assert (hook["disabled"], row.rings) == (False, True)
    assert "CRM отключала уведомления" in await page(connected)


async def test_nothing_is_told_of_one_that_was_never_off(connected: World) -> None:
    await looked(connected)
    assert "CRM отключала уведомления" not in await page(connected)


@pytest.mark.parametrize("status", [402, 403])
async def test_without_webhooks_on_the_plan_it_is_told_and_changes_are_asked_for(world: World, status: int) -> None:
    await dial(world, webhooks_plan=False, webhooks_plan_status=status)
    await world.connect()
    row = await looked(world)
    assert (row.rings, row.said[0]["code"]) == (False, "hooks_plan")
    assert "на этом тарифе их нет" in await page(world)
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.delivered(1)
    await world.until(lambda status: status["deals"] == 1)


async def test_a_disconnected_account_has_nothing_of_ours_but_the_customers_data(connected: World) -> None:
    await looked(connected)
    await connected.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await connected.delivered(1)
    assert (await disconnected(connected)).status_code == 303
    assert await hooks(connected) == []
    assert len((await connected.state())["leads"]) == 1
    (made,) = (await connected.api("status"))["installations"]
    assert made["status"] == crm.REMOVED
    assert await connected.hub.db.read(bells) == []


async def test_an_account_that_is_disconnected_rings_at_a_closed_door(connected: World) -> None:
    await looked(connected)
    address, form = await ours(connected), {"account[id]": str((await connected.state())["account"]["id"])}
    assert (await connected.web.post(address, data=form)).status_code == 200
    await disconnected(connected)
    assert (await connected.web.post(address, data=form)).status_code == 404


async def disconnected(world: World) -> httpx.Response:
    csrf = await world.log_in()
    form = await world.web.get("/connections/1/disconnect")
    assert "это ваши данные" in form.text
    posting = world.web.post(
        "/connections/1/disconnect", data={"csrf": csrf}, headers={"sec-fetch-site": "same-origin"}
    )
    return await world.while_time_goes_on(posting)


async def test_a_crm_that_does_not_answer_is_disconnected_all_the_same_and_it_is_told(connected: World) -> None:
    await looked(connected)
    await dial(connected, mode="blocked")
    answer = await disconnected(connected)
    assert "могла в ней остаться" in answer.text
    (made,) = (await connected.api("status"))["installations"]
    assert made["status"] == crm.REMOVED
    assert len(await hooks(connected)) == 1


async def test_an_account_connected_again_rings_again_at_once(connected: World) -> None:
    await looked(connected)
    await disconnected(connected)
    connected.clock.forward(60)
    await connected.connect()
    row = await looked(connected)
    assert row.rings
    assert len(await hooks(connected)) == 1


async def test_a_hub_that_cannot_be_reached_from_outside_does_not_subscribe(connected: World) -> None:
    await looked(connected)
    connected.hub.doorbells._public = "https://hub.local"
    row = await looked_the_next_day(connected)
    assert (row.rings, row.said[0]["code"]) == (False, "hooks_no_way")


def looked_at_once(tx: Tx, now: datetime, *, is_asked_meanwhile: bool) -> datetime | None:
    """Look at the doorbell of a new account, which somebody asks for again before the look ends, or nobody."""
    due = doorbells.take(tx, ("amocrm",), now, timedelta(minutes=5))
    assert due is not None
    if is_asked_meanwhile:
        doorbells.again(tx, due, now)
    doorbells.keep(tx, due, Ringing(rings=True), now, now + timedelta(days=1))
    return doorbells.next_due(tx)


@pytest.mark.parametrize(("is_asked_meanwhile", "after"), [(True, timedelta()), (False, timedelta(days=1))])
def test_a_look_that_is_asked_for_during_another_is_not_lost(
    still: World, is_asked_meanwhile: bool, after: timedelta
) -> None:
    hub, now = still.hub, still.clock.now()
    grant = Grant("31000001", "127.0.0.1:9", "access", "refresh", now + timedelta(hours=1))
    hub.db.write_now(crm.install, 1, "amocrm", grant, now, hub.vault)
    assert hub.db.write_now(partial(looked_at_once, is_asked_meanwhile=is_asked_meanwhile), now) == now + after
