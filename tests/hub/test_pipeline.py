"""A deal comes into a stage, the CRM's digital pipeline tells the hub over real HTTP, and it counts as a goal once."""

import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connectors.amocrm.package import pipeline_secret
from connectors.protocol import DealChange, InstallationError, Why
from connectors.telling import Said
from hub import asked_goals as asking
from hub.store import asked_goals, crm
from hub.store.asked_goals import CameTo
from hub.store.db import Db
from hub.store.tables import AskedGoal, Goal, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.double import StoppedClock
from tests.hub.seed import NOW
from tests.hub.test_embed import called
from tests.hub.test_flow import AD, sell
from tests.hub.test_goals import Sales, hours
from tests.hub.test_market import removed
from tests.hub.world import World
from tests.serving import in_loop

_goal, _asked = table_of(Goal), table_of(AskedGoal)
ELSEWHERE = 143


def goals(tx: Tx, name: str = "qualified") -> list[Any]:
    return list(tx.execute(select(_goal).where(_goal.c.name == name)))


def asks(tx: Tx) -> list[Any]:
    return list(tx.execute(select(_asked)))


@pytest.fixture
async def heard(connected: World) -> AsyncIterator[str]:
    """The hub on loopback as ``cthub up`` serves it, since the sandbox is another process; its pipeline's address."""
    listener = socket.create_server(("127.0.0.1", 0))
    async with in_loop(connected.app, listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{door(connected)}"


def door(world: World) -> str:
    return f"/embed/amocrm/pipeline/{pipeline_secret(world.hub.apps['amocrm'])}"


async def stage_with_action(world: World, url: str, **settings: str) -> int:
    """Put the widget's action on a stage, as an admin does in the digital pipeline; return the stage."""
    stage = int((await world.state())["pipelines"][0]["stages"][2]["id"])
    asked = {"status_id": stage, "url": url, "settings": {"goal": "qualified", **settings}}
    (await world.crm_web.post("/_sandbox/stage-action", json=asked)).raise_for_status()
    return stage


async def answered(world: World, number: int) -> list[int]:
    """Wait until the CRM has sent what its stages ask for; return what it was answered."""

    async def codes() -> list[int]:
        return [one["code"] for one in (await world.crm_web.get("/_sandbox/webhooks")).json()["attempts"]]

    return await world.comes_to(codes, lambda sent: len(sent) >= number, 0.01)


async def settled(world: World, number: int = 1) -> list[Any]:
    """Let time go on until so many asked goals are settled."""

    def settled_ones(rows: list[Any]) -> list[Any]:
        return [row for row in rows if row.settled_at is not None]

    rows = await world.comes_to(lambda: world.hub.db.read(asks), lambda rows: len(settled_ones(rows)) >= number, 0.1)
    return settled_ones(rows)


async def ask(world: World, deal: object, goal: str = "qualified", **other: object) -> Any:
    """Ask as the vendor does, by its own keys."""
    account = (await world.state())["account"]["id"]
    told = {"account_id": account, "event[data][id]": deal, "event[data][element_type]": 2, **other}
    return await world.web.post(door(world), data={**told, "action[settings][widget][settings][goal]": goal})


# -- the whole way


async def test_a_deal_that_comes_into_the_stage_is_a_goal_of_its_visit(connected: World, heard: str) -> None:
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    stage = await stage_with_action(connected, heard)
    await sell(connected, int(deal), 125_000, stage)
    assert await answered(connected, 1) == [200]
    await settled(connected)
    (goal,) = [one for one in (await connected.api("goals"))["goals"] if one["name"] == "qualified"]
    assert goal["sent_by"] == "crm"
    assert goal["clicks"] == {"yclid": "777"}
    assert (goal["value_minor"], goal["currency"]) == (12_500_000, "RUB")


async def test_a_deal_that_comes_back_into_the_stage_is_the_same_goal(connected: World, heard: str) -> None:
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    stage = await stage_with_action(connected, heard)
    for status in (stage, ELSEWHERE, stage):
        await sell(connected, int(deal), 125_000, status)
    assert await answered(connected, 2) == [200, 200]
    await settled(connected)
    assert len(await connected.hub.db.read(goals)) == 1


async def test_the_documented_json_is_taken_too(connected: World, heard: str) -> None:
    await connected.crm_web.post("/_sandbox/dial", json={"pipeline_hook_body": "json"})
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    await sell(connected, int(deal), 1, await stage_with_action(connected, heard))
    assert await answered(connected, 1) == [200]
    await settled(connected)
    assert len(await connected.hub.db.read(goals)) == 1


async def test_while_the_account_is_away_it_is_answered_and_counts_when_it_is_back(connected: World) -> None:
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    await connected.crm_web.post("/_sandbox/dial", json={"rates": {"500": 1.0}})
    assert (await ask(connected, deal)).status_code == 200
    await connected.until(lambda status: bool(status["installations"][0]["hold_why"]))
    assert await connected.hub.db.read(goals) == []
    await connected.crm_web.post("/_sandbox/dial", json={"rates": {"500": 0.0}})
    await settled(connected)
    assert len(await connected.hub.db.read(goals)) == 1


# -- what is said is not believed


async def test_a_deal_the_account_does_not_have_is_no_goal(connected: World) -> None:
    assert (await ask(connected, 987654321)).status_code == 200
    (row,) = await settled(connected)
    assert row.came_to == CameTo.GONE
    assert await connected.hub.db.read(goals) == []


async def test_a_deal_made_by_hand_is_no_goal(connected: World) -> None:
    minted = (await connected.crm_web.post("/_sandbox/token", json={})).json()
    bearer = {"authorization": f"Bearer {minted['access_token']}"}
    made = await connected.crm_web.post("/api/v4/leads", json=[{"name": "Вручную"}], headers=bearer)
    assert (await ask(connected, made.json()["_embedded"]["leads"][0]["id"])).status_code == 200
    (row,) = await settled(connected)
    assert row.came_to == CameTo.NOT_OURS
    assert await connected.hub.db.read(goals) == []


async def test_another_secret_opens_nothing_and_is_counted(still: World) -> None:
    answer = await still.web.post(f"{door(still)[:-1]}x", data={"account_id": 1})
    assert answer.status_code == 404
    assert (await still.hub.db.read(asks)) == []
    (refusal,) = (await still.api("status"))["refusals"]
    assert (refusal["door"], refusal["reason"], refusal["times"]) == ("pipeline", "unknown_path", 1)


async def test_a_body_that_cannot_be_read_says_why_and_is_counted(still: World) -> None:
    answer = await still.web.post(door(still), content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The action cannot be read")
    assert (await still.api("status"))["refusals"][0]["reason"] == "unreadable"


async def test_an_account_nobody_connected_is_told_so(still: World) -> None:
    told = {"account_id": 31, "event[data][id]": 1, "action[settings][widget][settings][goal]": "q"}
    answer = await still.web.post(door(still), data=told)
    assert answer.status_code == 404
    assert answer.json()["error"] == "The account 31 is not connected to this hub: open the widget's settings there."


async def test_an_account_that_removed_us_is_not_connected(connected: World) -> None:
    await removed(connected)
    assert (await ask(connected, 1)).status_code == 404


async def test_strangers_who_know_the_secret_cannot_fill_the_hub(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connected.crm_web.post("/_sandbox/dial", json={"rates": {"500": 1.0}})
    monkeypatch.setattr(asked_goals, "MOST_WAITING", 3)
    answers = [(await ask(connected, 1_000 + number)).status_code for number in range(4)]
    assert answers == [200, 200, 200, 429]


async def test_no_connector_takes_goals_that_has_no_such_automation(still: World) -> None:
    still.hub.connectors = {"amocrm": replace(still.hub.connectors["amocrm"], goal_asked=None)}
    assert (await still.web.post(door(still), data={"account_id": 1})).status_code == 404


# -- seen for what it is


async def test_the_console_and_the_ledger_say_that_the_crm_sent_it(connected: World) -> None:
    shown = await connected.visit(AD)
    deal, _ = await called(connected, shown["number"])
    await ask(connected, deal)
    await ask(connected, 987654321, "Замер")
    await settled(connected, 2)
    await connected.log_in()
    page = (await connected.web.get("/goals")).text
    assert "прислала CRM" in page
    assert "Сделка, которую как эту цель прислала воронка CRM" in page
    assert "Такой сделки в аккаунте нет" in page
    assert "прислала CRM" in (await connected.web.get("/enquiries/1")).text
    (entry,) = [
        one for one in (await connected.api("enquiries/1/ledger"))["entries"] if one["facts"].get("goal") == "qualified"
    ]
    assert (entry["kind"], entry["facts"]["by"]) == ("goal_reached", "crm")


# -- a deal's further life


class Answering:
    """A session whose account has these deals."""

    def __init__(self, *there: DealChange, error: InstallationError | None = None) -> None:
        self.there, self.error, self.asked = there, error, 0

    async def deals(self, ids: Sequence[str]) -> Sequence[DealChange]:
        self.asked += 1
        if self.error:
            raise self.error
        return [deal for deal in self.there if deal.id in ids]


def asked_for(sales: Sales, name: str = "qualified", deal: str = "771") -> None:
    sales.db.write_now(asked_goals.note, sales.tenant_id, sales.crm, deal, name, NOW)


async def look(sales: Sales, session: Any, at: timedelta = timedelta()) -> None:
    clock = StoppedClock()
    clock.at += at
    of = sales.db.read_now(crm.installation, sales.tenant_id, sales.crm)
    await asking.look(sales.db, clock, session, of, sales.vault)


async def test_another_goal_of_the_same_deal_is_another_goal(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault)
    for name in ("qualified", "sold", "qualified"):
        asked_for(sales, name)
        await look(sales, Answering(sales.deal))
    assert sales.reached() == {"qualified": NOW, "sold": NOW}


async def test_rules_do_not_take_back_what_the_crm_sent(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "measured", "deal": {"tag": ["Целевой"]}})
    asked_for(sales, "measured")
    await look(sales, Answering(sales.deal))
    sales.changes(2, tags=("другой",))
    assert sales.reached() == {"measured": NOW}


async def test_a_goal_by_rules_alone_is_taken_back(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "measured", "deal": {"tag": ["Целевой"]}})
    sales.changes(1, tags=("целевой",))
    sales.changes(2, tags=("другой",))
    assert sales.reached() == {}


async def test_it_is_worth_what_its_deal_is_and_a_deleted_one_takes_it_back(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault)
    asked_for(sales)
    await look(sales, Answering(sales.deal))
    sales.changes(2, amount_minor=700)
    assert sales.worth() == {"qualified": (700, "RUB")}
    sales.changes(3, deleted=True, pipeline="", stage="")
    assert sales.reached() == {}
    sales.changes(4, deleted=False, pipeline="1", stage="11")
    assert sales.worth() == {"qualified": (700, "RUB")}


async def test_a_value_of_the_set_up_file_holds(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "target", "value": "1499.90"})
    asked_for(sales, "target")
    await look(sales, Answering(replace(sales.deal, amount_minor=700)))
    sales.changes(2, amount_minor=900)
    assert sales.worth() == {"target": (149_990, "EUR")}


async def test_asked_again_after_it_was_not_there_it_is_looked_at_again(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault)
    asked_for(sales)
    await look(sales, Answering())
    assert sales.reached() == {}
    asked_for(sales)
    await look(sales, Answering(sales.deal))
    assert sales.reached() == {"qualified": NOW}


async def test_asked_again_after_it_counted_nobody_is_asked(store: Db, vault: Vault) -> None:
    sales, account = Sales(store, vault), None
    asked_for(sales)
    account = Answering(sales.deal)
    await look(sales, account)
    asked_for(sales)
    await look(sales, account)
    assert account.asked == 1


async def test_deals_an_account_cannot_answer_for_wait_by_themselves(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault)
    asked_for(sales)
    await look(sales, Answering(error=InstallationError(Why.UNREADABLE, Said("What is this?"))))
    due = sales.db.read_now(asked_goals.next_due, sales.tenant_id, sales.crm)
    assert due == NOW + timedelta(minutes=1)
    await look(sales, Answering(sales.deal), at=timedelta(minutes=1))
    assert sales.reached() == {"qualified": NOW}


async def test_an_account_in_trouble_is_held_as_ever(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault)
    asked_for(sales)
    with pytest.raises(InstallationError):
        await look(sales, Answering(error=InstallationError(Why.UNAVAILABLE, Said("away"))))
    assert sales.db.read_now(asked_goals.next_due, sales.tenant_id, sales.crm) == NOW


async def test_what_was_settled_long_ago_is_forgotten_and_its_goal_is_not(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault)
    asked_for(sales)
    await look(sales, Answering(sales.deal))
    asked_for(sales, deal="772")
    await look(sales, Answering(), at=timedelta(days=31))
    assert [row.deal for row in sales.db.read_now(asks)] == ["772"]
    assert sales.reached() == {"qualified": hours(0)}
