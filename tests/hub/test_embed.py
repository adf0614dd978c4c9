"""Our pages inside the CRM: only who the vendor vouches for is answered, and only of his own account."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from hub.store import people
from hub.store.tables import Installation, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.test_accuracy import passed_on
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_market import asked, frame_token, link, removed
from tests.hub.world import World


async def called(world: World, number: str, call_id: str = "c1") -> tuple[str, str]:
    """Call, and return the deal and the contact that the call became."""
    done = (await world.api("status"))["deliveries"].get("delivered", 0)
    await world.mango_call(call_id, IVAN, number, talk_s=80)
    await world.delivered(done + 1)
    state = await world.state()
    return str(state["leads"][0]["id"]), str(state["contacts"][0]["id"])


async def card(world: World, kind: str, id_: str, lang: str = "ru") -> list[dict[str, Any]]:
    answer = await asked(world, "GET", f"cards/{kind}/{id_}?lang={lang}")
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["enquiries"]
    return told


async def changed(world: World, method: str, path: str, **more: Any) -> httpx.Response:
    """Ask for a change and let time go on until it is answered."""
    headers = {"X-Auth-Token": more.pop("token", None) or await frame_token(world, **more.pop("of", {}))}
    asking = world.web.request(method, f"/embed/amocrm/{path}", headers=headers, **more)
    return await world.while_time_goes_on(asking)


# -- who is answered


async def test_without_a_token_nobody_is_answered(connected: World) -> None:
    answer = await connected.web.get("/embed/amocrm/state?lang=en")
    assert answer.status_code == 401
    assert answer.json()["error"] == "The page of the CRM is too old, or is not this account's. Reload it."


async def test_a_login_to_the_console_is_no_token(connected: World) -> None:
    assert connected.web.cookies
    assert (await connected.web.get("/embed/amocrm/cards/deal/1")).status_code == 401


async def test_a_browser_may_ask_from_the_accounts_pages_and_no_other(connected: World) -> None:
    ours = connected.crm["base_url"]
    told = await connected.web.options("/embed/amocrm/state", headers={"origin": ours})
    assert told.status_code == 204
    assert told.headers["access-control-allow-origin"] == ours
    assert "X-Auth-Token" in told.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in told.headers
    other = await connected.web.options("/embed/amocrm/state", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


async def test_a_refusal_can_be_read_by_the_page_too(connected: World) -> None:
    ours = connected.crm["base_url"]
    told = await connected.web.get("/embed/amocrm/state", headers={"origin": ours})
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (401, ours)


# -- the settings


async def test_where_no_token_ever_arrived_the_person_is_told_to_connect(world: World) -> None:
    told = (await asked(world, "GET", "state?lang=ru")).json()
    assert told["standing"] == "nobody"
    assert told["to_do"] == "Нажмите «Подключить», войдите в консоль хаба и дайте доступ."
    assert told["connect_url"].startswith("http://hub.test/link/amocrm?of=")


async def test_who_is_no_administrator_is_told_whom_to_ask(world: World) -> None:
    manager = next(user for user in (await world.state())["users"] if not user["is_admin"])
    headers = {"X-Auth-Token": await frame_token(world, user_id=manager["id"])}
    told = (await world.web.get("/embed/amocrm/state?lang=en", headers=headers)).json()
    assert told["connect_url"] is None
    assert told["to_do"] == "Ask an administrator of the CRM to open these settings and press Connect."


async def test_a_connected_account_has_its_checks_and_its_one_scenario(connected: World) -> None:
    told = (await asked(connected, "GET", "state?lang=en")).json()
    assert told["standing"] == "connected"
    assert told["connect_url"] is None
    assert told["scenarios"] == [{"id": "1", "name": "The scenario of the set-up file, version 1", "chosen": True}]
    assert {"ok": True, "what": "The hub has access to the account", "to_do": ""} in told["checks"]


async def test_an_account_that_removed_us_must_be_connected_again(connected: World) -> None:
    await removed(connected)
    told = (await asked(connected, "GET", "state")).json()
    assert told["standing"] == "reauthorise"
    assert told["connect_url"]


async def test_there_is_no_other_scenario_to_choose(connected: World) -> None:
    assert (await changed(connected, "POST", "scenario", json={"id": "7"})).status_code == 409
    assert (await changed(connected, "POST", "scenario", json={"id": "1"})).json()["standing"] == "connected"


async def test_only_an_administrator_chooses(connected: World) -> None:
    manager = next(user for user in (await connected.state())["users"] if not user["is_admin"])
    answer = await changed(connected, "POST", "scenario", json={"id": "1"}, of={"user_id": manager["id"]})
    assert answer.status_code == 403


async def test_the_account_is_read_once_to_try_the_connection(connected: World) -> None:
    told = (await changed(connected, "POST", "test?lang=en")).json()
    assert told["ok"] is True
    assert told["sentence"].startswith("It works: the hub has read the account ")


async def test_a_connection_that_does_not_work_says_why(connected: World) -> None:
    await connected.crm_web.post("/_sandbox/revoke", json={})
    connected.clock.forward(24 * 3600)
    told = (await changed(connected, "POST", "test?lang=en")).json()
    assert told["ok"] is False
    assert told["sentence"].startswith("The hub could not read the account: ")


# -- cards


async def test_a_deal_shows_where_the_call_came_from(connected: World) -> None:
    shown = await connected.visit(AD)
    connected.clock.forward(90)
    deal, _ = await called(connected, shown["number"])
    (one,) = await card(connected, "deal", deal)
    assert one["kind_words"] == "Звонок"
    assert one["headline"] == "yandex / okna-msk"
    assert {"name": "Ключевая фраза", "value": "пластиковые окна"} in one["source"]
    landing = next(row for row in one["source"] if row["name"] == "Посадочная страница")
    assert landing["url"].startswith("https://okna.example/")
    assert one["confidence"]["level"] == "sure"
    assert one["confidence"]["words"].startswith("Точно: В момент звонка номер был закреплён")
    assert one["call"]["answered"] is True
    assert one["call"]["talk_words"].replace("\u00a0", " ") == "1 мин 20 с"
    assert one["path"][0]["title"] == "/ · yandex / okna-msk"
    assert one["corrected"] is False


async def test_it_speaks_the_language_it_is_asked_in(connected: World) -> None:
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    (one,) = await card(connected, "deal", deal, "en")
    assert one["kind_words"] == "Call"
    assert one["confidence"]["words"].startswith("Certain: The number was this visitor's alone")


async def test_a_deal_and_a_contact_show_every_call_of_theirs_newest_first(connected: World) -> None:
    shown = await connected.visit(AD)
    await called(connected, shown["number"])
    deal, contact = await called(connected, shown["number"], "c2")
    newest_first = [one["id"] for one in reversed((await connected.api("calls"))["calls"])]
    assert len(newest_first) == 2
    assert [one["id"] for one in await card(connected, "deal", deal)] == newest_first
    assert [one["id"] for one in await card(connected, "contact", contact)] == newest_first


async def test_a_card_the_hub_knows_nothing_of_is_empty(connected: World) -> None:
    assert await card(connected, "deal", "987654321") == []


async def test_what_is_no_card_is_not_here(connected: World) -> None:
    paths = ["cards/task/1", "cards/deal/abc", "cards/deal/0", "cards/deal/1%00"]
    answers = [await asked(connected, "GET", path) for path in paths]
    assert [answer.status_code for answer in answers] == [404] * len(paths)


async def test_another_customers_card_is_never_shown(connected: World) -> None:
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    await connected.hub.db.write(give_account_away)
    assert await card(connected, "deal", deal) == []
    answer = await changed(connected, "POST", "enquiries/1/visit", json={"visit": None})
    assert answer.status_code == 404


def give_account_away(tx: Tx) -> None:
    """Let the account be another customer's, as if he alone had connected it."""
    tenant_id = people.new_owner(tx, "Двери Твери", "owner@dveri.example", "correct-horse-battery", worlds.OPENING)
    tx.execute(update(table_of(Installation)).values(tenant_id=tenant_id))


# -- corrections


@pytest.fixture
async def doubted(connected: World) -> World:
    """Somebody called a number that two visitors had held."""
    _, later = await passed_on(connected)
    await called(connected, later["number"])
    return connected


async def test_a_manager_corrects_the_source_and_takes_it_back(doubted: World) -> None:
    (before,) = await card(doubted, "deal", str((await doubted.state())["leads"][0]["id"]))
    other = next(one["visit"] for one in before["candidates"] if not one["chosen"])
    told = (await changed(doubted, "POST", "enquiries/1/visit", json={"visit": other})).json()
    assert told["corrected"] is True
    assert next(one["visit"] for one in told["candidates"] if one["chosen"]) == other
    undone = (await changed(doubted, "DELETE", "enquiries/1/visit")).json()
    assert undone == before


async def test_the_console_and_the_ledger_say_who_corrected_it(doubted: World) -> None:
    await changed(doubted, "POST", "enquiries/1/visit?lang=ru", json={"visit": None})
    await doubted.log_in()
    page = (await doubted.web.get("/enquiries/1")).text
    name = next(user["name"] for user in (await doubted.state())["users"] if user["is_admin"])
    assert f"сотрудник {name} в CRM" in page
    (entry,) = [one for one in (await doubted.api("enquiries/1/ledger"))["entries"] if one["kind"] == "corrected"]
    assert entry["who"].startswith("crm:")


async def test_a_token_changes_something_once(doubted: World) -> None:
    token = await frame_token(doubted)
    first = await changed(doubted, "POST", "enquiries/1/visit", json={"visit": None}, token=token)
    again = await changed(doubted, "DELETE", "enquiries/1/visit", token=token)
    assert (first.status_code, again.status_code) == (200, 401)
    (one,) = await card(doubted, "deal", str((await doubted.state())["leads"][0]["id"]))
    assert one["corrected"] is True


async def test_a_token_that_changed_nothing_is_not_spent(doubted: World) -> None:
    token = await frame_token(doubted)
    refused = await changed(doubted, "POST", "enquiries/1/visit", json={"visit": 999}, token=token)
    honest = await changed(doubted, "POST", "enquiries/1/visit", json={"visit": None}, token=token)
    assert (refused.status_code, honest.status_code) == (404, 200)


async def test_a_token_reads_as_often_as_it_likes(connected: World) -> None:
    headers = {"X-Auth-Token": await frame_token(connected)}
    answers = [await connected.web.get("/embed/amocrm/state", headers=headers) for _ in range(3)]
    assert [one.status_code for one in answers] == [200] * 3


async def test_a_token_ends(connected: World) -> None:
    headers = {"X-Auth-Token": await frame_token(connected)}
    connected.clock.forward(timedelta(minutes=32).total_seconds())
    assert (await connected.web.get("/embed/amocrm/state", headers=headers)).status_code == 401


async def test_a_correction_that_cannot_be_read_is_refused(doubted: World) -> None:
    bodies = [b"", b"[]", b"{", b'{"visit": "1"}', b'{"visit": true}', b'{"visit": -1}', b"{}"]
    answers = [await changed(doubted, "POST", "enquiries/1/visit", content=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [400] * len(bodies)


async def test_an_account_of_nobody_has_no_cards(world: World) -> None:
    answer = await asked(world, "GET", "cards/deal/1?lang=en")
    assert answer.status_code == 404
    assert answer.json()["error"] == "This account is not connected to the hub: open the widget's settings."


async def test_who_comes_back_from_a_lost_account_is_told_so_and_gives_access_again(connected: World) -> None:
    await removed(connected)
    address = (await asked(connected, "GET", "state")).json()["connect_url"]
    page = await connected.web.get(address)
    assert "Этот аккаунт уже был подключён к вашей компании." in page.text
    assert (await link(connected, address)).headers["location"].startswith(connected.crm["base_url"])
