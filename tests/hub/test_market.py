"""An account installed from the marketplace: its code comes once, with nobody's browser, and waits for its owner."""

import hmac
import html
import re
from datetime import timedelta
from hashlib import sha256

import httpx
from sqlalchemy import select

from connectors.protocol import Grant as ConnectorGrant
from connectors.protocol import HookRequest, Opened
from hub.arrivals import Arrivals, settle
from hub.store import crm, market, people
from hub.store.tables import ArrivedCode, Grant, Installation, UnlinkedAccount, table_of
from hub.store.tx import Tx
from hub.web.link import link_to
from tests.hub import world as worlds
from tests.hub.world import World

_code, _account, _installation, _grant = (
    table_of(model) for model in (ArrivedCode, UnlinkedAccount, Installation, Grant)
)


async def install_pressed(world: World) -> httpx.Response:
    """Press Install in the marketplace: the vendor's own server tells the hub."""
    code = (await world.crm_web.post("/_sandbox/code", json={})).json()["code"]
    host = httpx.URL(world.crm["base_url"]).netloc.decode()
    told = {"code": code, "referer": host, "client_id": world.crm["client_id"], "platform": "1", "from_widget": "1"}
    return await world.web.get("/oauth/amocrm/callback", params=told)


def rows(tx: Tx, table: object) -> list[object]:
    return list(tx.execute(select(table)))  # type: ignore[call-overload]


async def come(world: World, table: object, number: int) -> None:
    """Let time go on until a table has so many rows."""
    await world.comes_to(lambda: world.hub.db.read(rows, table), lambda found: len(found) == number)


async def frame_token(world: World, **asked: object) -> str:
    told: str = (await world.crm_web.post("/_sandbox/frame-token", json=asked)).json()["token"]
    return told


async def asked(world: World, method: str, path: str, **more: object) -> httpx.Response:
    """Ask the hub as the widget does, with a fresh token of the administrator."""
    headers = {"X-Auth-Token": await frame_token(world)}
    return await world.web.request(method, f"/embed/amocrm/{path}", headers=headers, **more)  # type: ignore[arg-type]


async def link_address(world: World) -> str:
    told: str = (await asked(world, "GET", "state")).json()["connect_url"]
    return told


async def link(world: World, address: str) -> httpx.Response:
    """Open the link from the widget in the console and agree."""
    page = await world.web.get(address)
    assert page.status_code == 200, page.text
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(csrf|of)" value="([^"]*)"', page.text)}
    return await world.web.post("/link/amocrm", data=fields, headers={"sec-fetch-site": "same-origin"})


async def test_the_code_is_kept_sealed_and_answered_at_once(still: World) -> None:
    told = {"code": "c0de", "referer": "127.0.0.1:9", "client_id": "id", "from_widget": "1"}
    answer = await still.web.get("/oauth/amocrm/callback", params=told)
    assert answer.status_code == 200
    (kept,) = await still.hub.db.read(rows, _code)
    assert b"c0de" not in kept.code  # type: ignore[attr-defined]


async def test_a_code_that_came_before_a_restart_is_exchanged_after_it(still: World) -> None:
    taken = ("amocrm", "id", "127.0.0.1:9", "c0de")
    await still.hub.db.write(market.take_code, *taken, still.clock.now(), still.hub.vault)
    lost = await still.hub.db.write(market.next_code, still.clock.now(), timedelta(seconds=90), still.hub.vault)
    assert lost is not None  # the process that claimed it ended
    later = still.clock.forward(100)
    again = await still.hub.db.write(market.next_code, later, timedelta(seconds=90), still.hub.vault)
    assert again is not None
    assert again.code == "c0de"


async def test_a_vendor_that_cannot_answer_is_asked_again_and_a_code_that_ended_is_not(still: World) -> None:
    taken = ("amocrm", "id", "127.0.0.1:9", "c0de")
    hub = still.hub
    await hub.db.write(market.take_code, *taken, still.clock.now(), hub.vault)
    arrivals = Arrivals(hub.db, still.clock, hub.vault, hub.connectors, hub.apps, hub.round_trips)
    assert await arrivals.exchange_next()
    still.clock.forward(20)
    assert await arrivals.exchange_next()
    still.clock.forward(20 * 60)
    assert not await arrivals.exchange_next()


async def test_strangers_cannot_fill_the_hub_with_codes(still: World) -> None:
    told = {"referer": "127.0.0.1:9", "client_id": "id", "from_widget": "1"}
    answers = [await still.web.get("/oauth/amocrm/callback", params={**told, "code": f"made-up-{n}"}) for n in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]


async def test_a_made_up_code_makes_no_account(world: World) -> None:
    host = httpx.URL(world.crm["base_url"]).netloc.decode()
    told = {"code": "made-up", "referer": host, "client_id": world.crm["client_id"], "from_widget": "1"}
    await world.web.get("/oauth/amocrm/callback", params=told)
    await come(world, _code, 0)
    assert await world.hub.db.read(rows, _account) == []


async def test_the_account_waits_unlinked_until_who_came_from_its_widget_agrees(world: World) -> None:
    await install_pressed(world)
    await come(world, _account, 1)
    assert await world.hub.db.read(rows, _installation) == []
    assert (await asked(world, "GET", "state")).json()["standing"] == "waiting"
    await world.log_in()
    answer = await link(world, await link_address(world))
    assert answer.headers["location"] == "/connections"
    assert await world.hub.db.read(rows, _account) == []
    await world.until(lambda status: status["installations"][0]["status"] == "active")
    assert (await asked(world, "GET", "state")).json()["standing"] == "connected"


async def test_who_agreed_before_the_code_came_gets_the_account_when_it_does(world: World) -> None:
    await world.log_in()
    answer = await link(world, await link_address(world))
    assert "/oauth?" in answer.headers["location"]  # he may as well give access now
    await install_pressed(world)
    await come(world, _installation, 1)
    (made,) = await world.hub.db.read(rows, _installation)
    assert made.status == crm.ACTIVE  # type: ignore[attr-defined]


async def test_who_agrees_while_the_code_is_being_exchanged_is_not_asked_for_access_again(world: World) -> None:
    await world.log_in()
    address = await link_address(world)
    await world.crm_web.post("/_sandbox/dial", json={"latency_ms": [100, 100]})
    await install_pressed(world)
    answer = await world.while_time_goes_on(link(world, address))
    assert answer.headers["location"] == "/connections"
    (made,) = await world.hub.db.read(rows, _installation)
    assert made.status == crm.ACTIVE  # type: ignore[attr-defined]


async def test_a_link_needs_a_login_and_comes_back_to_itself_after_it(world: World) -> None:
    address = httpx.URL(await link_address(world))
    answer = await world.web.get(address)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Flink%2Famocrm%3Fof%3D")


async def test_a_link_is_good_once(world: World) -> None:
    await world.log_in()
    address = await link_address(world)
    await link(world, address)
    again = await link(world, address)
    assert again.status_code == 403


async def test_a_link_ends(world: World) -> None:
    await world.log_in()
    address = await link_address(world)
    world.clock.forward(31 * 60)
    assert (await world.web.get(address)).status_code == 403


async def test_a_changed_link_is_none(world: World) -> None:
    await world.log_in()
    address = await link_address(world)
    changed = address[:-3] + ("abc" if not address.endswith("abc") else "abd")
    assert (await world.web.get(changed)).status_code == 403


async def test_a_second_customer_is_told_that_the_account_is_taken(world: World) -> None:
    await install_pressed(world)
    await come(world, _account, 1)
    await world.log_in()
    await link(world, await link_address(world))
    await world.hub.db.write(other_tenant)
    world.web.cookies.clear()
    await as_the_other(world)
    refused = await world.web.get(await a_link(world))
    assert refused.status_code == 409


def other_tenant(tx: Tx) -> None:
    people.new_owner(tx, "Двери Твери", "owner@dveri.example", "correct-horse-battery", worlds.OPENING)


async def as_the_other(world: World) -> None:
    owner = {"email": "owner@dveri.example", "password": "correct-horse-battery"}
    answer = await world.web.post("/login", data=owner, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303


async def a_link(world: World) -> str:
    """Return a fresh link of the account's administrator, whatever the state says."""
    app, connector = world.hub.apps["amocrm"], world.hub.connectors["amocrm"]
    headers = {"x-auth-token": await frame_token(world)}
    opened = connector.hooks.opened(HookRequest("GET", "/", {}, headers, b""), app, world.clock.now())
    assert isinstance(opened, Opened)
    return link_to(world.hub, "amocrm", opened, world.clock.now())


async def test_an_account_that_nobody_links_is_forgotten_with_its_tokens(world: World) -> None:
    await install_pressed(world)
    await come(world, _account, 1)
    later = world.clock.now() + market.KEPT
    await world.hub.db.write(market.forget_old, later)
    assert await world.hub.db.read(rows, _account) == []


async def test_its_tokens_are_sealed_while_it_waits(world: World) -> None:
    await install_pressed(world)
    await come(world, _account, 1)
    (kept,) = await world.hub.db.read(rows, _account)
    assert b"eyJ" not in kept.access_token  # type: ignore[attr-defined]


# -- removed, and installed again


async def removed(world: World, **changed: str) -> httpx.Response:
    """Let the vendor tell that the account removed us."""
    told = (await world.crm_web.post("/_sandbox/uninstall", json={"disable_hook": ""})).json()
    assert told == {"status": None}
    account = str((await world.state())["account"]["id"])
    message = f"{world.crm['client_id']}|{account}"
    mark = hmac.new(world.crm["client_secret"].encode(), message.encode(), sha256).hexdigest()
    query = {"client_uuid": world.crm["client_id"], "account_id": account, "signature": mark, **changed}
    return await world.web.get("/oauth/amocrm/removed", params=query)


async def test_an_account_that_removed_us_stops_with_its_reason_and_keeps_its_data(connected: World) -> None:
    assert (await removed(connected)).status_code == 200
    (made,) = (await connected.api("status"))["installations"]
    assert made["status"] == crm.REMOVED
    assert made["reason"]
    assert len(await connected.hub.db.read(rows, _grant)) == 1


async def test_a_notice_that_the_vendor_did_not_sign_removes_nothing(connected: World) -> None:
    assert (await removed(connected, signature="0" * 64)).status_code == 400
    (made,) = (await connected.api("status"))["installations"]
    assert made["status"] == crm.ACTIVE


async def test_installed_again_it_works_again_without_a_link(connected: World) -> None:
    await removed(connected)
    await install_pressed(connected)
    await connected.until(lambda status: status["installations"][0]["status"] == crm.ACTIVE)
    await connected.mango_call("call-1", "+79161234567", "+74952220001", talk_s=60)
    await connected.delivered(1)


async def test_the_connections_page_shows_an_account_that_was_not_read_yet(still: World) -> None:
    of = market.Account("amocrm", "31000001", "id")
    grant = ConnectorGrant("31000001", "127.0.0.1:9", "access", "refresh", still.clock.now() + timedelta(hours=24))
    await still.hub.db.write(market.want, of, "127.0.0.1:9", 1, 1, still.clock.now())
    await still.hub.db.write(settle, of, "hash", grant, [], still.clock.now(), still.hub.vault)
    await still.log_in()
    page = await still.web.get("/connections")
    assert page.status_code == 200
    assert "31000001" in page.text
