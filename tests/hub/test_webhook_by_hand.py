"""A portal connected by an incoming webhook: what is pasted, that its secret stays here, and how it becomes the app's."""

import html
import re

import httpx
import pytest
from sqlalchemy import select

from connectors.protocol import Grant
from connectors.telling import NO_END, known_by_host
from hub.arrivals import came
from hub.store import crm as crm_store
from hub.store import grants, health, market
from hub.store.crm import AccountTaken, AccountThere
from hub.store.market import Account
from hub.store.tables import RoundTrip, Tenant, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.test_frame import crm as crm
from tests.hub.test_frame import crm_kind as crm_kind
from tests.hub.test_frame import installed, linked
from tests.hub.world import World

NOW = worlds.OPENING
HOST = "romashka.bitrix24.ru"


async def pasted(world: World, address: str, **more: str) -> httpx.Response:
    """Fill in the form of the console and send it."""
    form = {"csrf": await world.log_in(), "token": address, "until": "", **more}
    sent = world.web.post("/connections/bitrix24/token", data=form, headers={"sec-fetch-site": "same-origin"})
    return await world.while_time_goes_on(sent)


def secret(world: World) -> str:
    return str(world.crm["webhook_url"]).rstrip("/").rpartition("/")[2]


@pytest.fixture
async def hooked(world: World) -> World:
    """The customer whose administrator pasted an incoming webhook."""
    answer = await pasted(world, world.crm["webhook_url"])
    assert answer.status_code == 303, answer.text
    return world


async def connections(world: World) -> str:
    await world.log_in()
    text = html.unescape(re.sub(r"<[^>]+>", " ", (await world.web.get("/connections")).text))
    return " ".join(text.split())


async def account(world: World) -> health.Health:
    (one,) = await world.hub.db.read(health.installations, 1)
    return one


async def called(world: World, call: str = "c1", caller: str = "+79161234567", number: int = 1) -> None:
    await world.mango_call(call, caller, "+74952220001", talk_s=60)
    await world.delivered(number)


# -- the form


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of what is typed the database learns nothing
async def test_the_form_asks_for_the_address_alone_and_says_what_there_will_not_be(world: World) -> None:
    await world.log_in()
    assert "Подключить входящим вебхуком" in (await world.web.get("/connections")).text
    form = (await world.web.get("/connections/bitrix24/token")).text
    assert 'name="host"' not in form
    assert "Вкладки в карточках, карточки звонящего на экране и мгновенных уведомлений при этом не будет" in form


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of what is typed the database learns nothing
async def test_what_cannot_be_used_is_said_and_never_shown_again(world: World) -> None:
    for typed, said in (
        ("http://127.0.0.1/rest/1/s3cretpart/", "не принял этот вебхук"),
        ("s3cretpart", "не похоже на адрес входящего вебхука"),
    ):
        answer = await pasted(world, typed)
        assert answer.status_code == 422
        assert said in answer.text
        assert "s3cretpart" not in answer.text
    assert (await world.api("status"))["installations"] == []


# -- what works, and what does not


async def test_calls_become_deals_and_won_deals_revenue(hooked: World) -> None:
    await called(hooked)
    (deal,) = (await hooked.state())["deal"]
    await hooked.crm_web.post("/_sandbox/amount", json={"id": deal["id"], "minor": 5_000})
    await hooked.crm_web.post("/_sandbox/move", json={"kind": "deal", "id": deal["id"], "stage": "WON"})
    await hooked.until(lambda status: status["deals_won"] == 1, step_s=10)


async def test_the_card_says_what_there_is_not_and_no_end_of_a_token(hooked: World) -> None:
    said = await connections(hooked)
    assert "Портал подключён входящим вебхуком: нет событий" in said
    assert "Токен до" not in said


async def test_nothing_is_bound_there(hooked: World) -> None:
    await called(hooked)
    state = await hooked.state()
    assert (state["placements"], state.get("handlers", [])) == ([], [])


async def test_an_end_that_is_given_is_foretold(world: World) -> None:
    await pasted(world, world.crm["webhook_url"], until="2026-11-30")
    assert "действует до 01.12.2026" in await connections(world)


async def test_one_that_was_withdrawn_waits_for_a_person_and_goes_on_with_a_new_one(hooked: World) -> None:
    await called(hooked)
    await hooked.crm_web.post("/_sandbox/user", json={"id": 1, "is_active": False})
    await hooked.mango_call("c2", "+79161234568", "+74952220001", talk_s=60)
    await hooked.until(lambda status: status["installations"][0]["status"] == crm_store.REAUTHORISE)
    assert "Доступ по токену закончился" in await connections(hooked)
    await hooked.crm_web.post("/_sandbox/user", json={"id": 1, "is_active": True})
    assert (await pasted(hooked, hooked.crm["webhook_url"])).status_code == 303
    await hooked.delivered(2)


# -- the secret


async def test_the_secret_is_nowhere_but_sealed(hooked: World, capfd: pytest.CaptureFixture[str]) -> None:
    await called(hooked)
    hidden = secret(hooked)
    shown = [await connections(hooked), str(await hooked.api("status")), repr(await account(hooked))]
    (of,) = await hooked.hub.db.read(crm_store.installations, 1)
    kept = await hooked.hub.db.read(grants.load, of, hooked.hub.vault)
    assert hidden in kept.grant.access_token
    assert not [one for one in (*shown, repr(of), repr(kept), "".join(capfd.readouterr())) if hidden in one]


async def test_the_log_of_requests_does_not_hold_it(hooked: World) -> None:
    await called(hooked)
    trip = table_of(RoundTrip)
    rows = await hooked.hub.db.read(lambda tx: tx.execute(select(trip.c.address, trip.c.detail)).all())
    assert rows
    assert not [row for row in rows if secret(hooked) in row.address + row.detail]


async def test_no_trouble_of_the_account_tells_it(hooked: World) -> None:
    await hooked.crm_web.post("/_sandbox/dial", json={"rates": {"page_after_commit": 1.0}, "only": {"path": "."}})
    await hooked.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await hooked.until(lambda status: bool(status["installations"][0]["hold_why"]))
    said = [str(await hooked.api("status")), await connections(hooked)]
    assert not [one for one in said if secret(hooked) in one]


# -- the application in its place


async def test_who_installs_the_application_then_goes_on_where_the_webhook_was(hooked: World) -> None:
    await called(hooked)
    before = await account(hooked)
    assert (await linked(hooked, await installed(hooked))).status_code == 303
    after = await account(hooked)
    assert (after.id, after.account) == (before.id, hooked.crm["member_id"])
    await called(hooked, "c2", number=2)
    assert len((await hooked.state())["deal"]) == 1  # the same caller: his deal is known


async def test_a_webhook_beside_the_application_is_refused(world: World) -> None:
    assert (await linked(world, await installed(world))).status_code == 303
    answer = await pasted(world, world.crm["webhook_url"])
    assert answer.status_code == 422
    assert "сделки удвоит" in answer.text
    assert (await account(world)).account == world.crm["member_id"]


# -- whose account it is


def grant_of(account: str, host: str = HOST) -> Grant:
    return Grant(account, host, "access", None, NO_END)


@pytest.fixture
def other(still: World) -> int:
    """Another customer of the same hub."""
    new = table_of(Tenant).insert().values(name="other", created_at=NOW).returning(table_of(Tenant).c.id)
    return int(still.hub.db.write_now(lambda tx: tx.execute(new).scalar_one()))


def give(tx: Tx, tenant_id: int, grant: Grant, world: World) -> int:
    return crm_store.install(tx, tenant_id, "bitrix24", grant, NOW, world.hub.vault)


def test_an_account_known_by_its_host_becomes_the_one_of_its_id(still: World) -> None:
    first = still.hub.db.write_now(give, 1, grant_of(known_by_host(HOST)), still)
    assert still.hub.db.write_now(give, 1, grant_of("0f" * 16), still) == first
    assert still.hub.db.read_now(crm_store.installation, 1, first).account == "0f" * 16


def test_an_account_at_another_host_is_another(still: World) -> None:
    first = still.hub.db.write_now(give, 1, grant_of(known_by_host("lilia.bitrix24.ru"), "lilia.bitrix24.ru"), still)
    assert still.hub.db.write_now(give, 1, grant_of("0f" * 16), still) != first


def test_a_webhook_beside_an_account_that_works_is_refused(still: World) -> None:
    still.hub.db.write_now(give, 1, grant_of("0f" * 16), still)
    with pytest.raises(AccountThere):
        still.hub.db.write_now(give, 1, grant_of(known_by_host(HOST)), still)


def test_one_that_left_goes_on_by_a_webhook_under_its_own_id(still: World) -> None:
    first = still.hub.db.write_now(give, 1, grant_of("0f" * 16), still)
    of = still.hub.db.read_now(crm_store.installation, 1, first)
    still.hub.db.write_now(crm_store.forget_access, of, "", still.hub.vault)
    assert still.hub.db.write_now(give, 1, grant_of(known_by_host(HOST)), still) == first
    assert still.hub.db.read_now(crm_store.installation, 1, first).account == "0f" * 16


def test_the_host_of_one_that_left_may_be_another_customers(still: World, other: int) -> None:
    first = still.hub.db.write_now(give, 1, grant_of("0f" * 16), still)
    with pytest.raises(AccountTaken):
        still.hub.db.write_now(give, other, grant_of(known_by_host(HOST)), still)
    of = still.hub.db.read_now(crm_store.installation, 1, first)
    still.hub.db.write_now(crm_store.forget_access, of, "", still.hub.vault)
    assert still.hub.db.write_now(give, other, grant_of(known_by_host(HOST)), still) != first


def test_what_another_customer_connected_by_a_webhook_is_his(still: World, other: int) -> None:
    still.hub.db.write_now(give, 1, grant_of(known_by_host(HOST)), still)
    with pytest.raises(AccountTaken):
        still.hub.db.write_now(give, other, grant_of("0f" * 16), still)
    with pytest.raises(AccountTaken):
        still.hub.db.write_now(give, other, grant_of(known_by_host(HOST)), still)


def test_what_another_customer_left_is_nobodys(still: World, other: int) -> None:
    first = still.hub.db.write_now(give, 1, grant_of(known_by_host(HOST)), still)
    of = still.hub.db.read_now(crm_store.installation, 1, first)
    still.hub.db.write_now(crm_store.forget_access, of, "", still.hub.vault)
    assert still.hub.db.write_now(give, other, grant_of("0f" * 16), still) != first


def test_an_application_wanted_where_another_customer_has_a_webhook_waits(still: World, other: int) -> None:
    hub, of = still.hub, Account("bitrix24", "0f" * 16, "id")
    hub.db.write_now(give, 1, grant_of(known_by_host(HOST)), still)
    hub.db.write_now(market.want, of, HOST, other, 1, NOW)
    assert not hub.db.write_now(came, of, grant_of("0f" * 16), [], NOW, hub.vault)
    kept = hub.db.read_now(market.unlinked, of, NOW, hub.vault)
    assert kept is not None and kept.grant is not None
