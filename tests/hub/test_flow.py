"""The whole way through the product: an ad, a number, a call, a deal with its source, a sale, ROI."""

import json
from typing import Any

from sqlalchemy import select

from hub.store.tables import Goal, Match, table_of
from hub.store.tx import Tx
from tests.hub.world import World

AD = "https://okna.example/?utm_source=yandex&utm_medium=cpc&utm_campaign=okna-msk&utm_term=пластиковые+окна&yclid=777"
IVAN = "+79161234567"


def field(deal: dict[str, Any], code: str) -> str | None:
    for told in deal["custom_fields_values"] or []:
        if told["field_code"] == code:
            return str(told["values"][0]["value"])
    return None


async def test_a_call_from_an_ad_becomes_a_deal_with_its_source(connected: World) -> None:
    shown = await connected.visit(AD)
    connected.clock.forward(90)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    state = await connected.state()
    (deal,) = state["leads"]
    assert field(deal, "UTM_SOURCE") == "yandex"
    assert field(deal, "UTM_CAMPAIGN") == "okna-msk"
    assert field(deal, "YCLID") == "777"
    (call,) = (await connected.api("calls"))["calls"]
    assert call["match"]["visitor"] == shown["visitor"]
    assert call["match"]["confidence"] > 0.9


async def test_a_missed_call_of_an_unknown_caller_is_also_a_task(connected: World) -> None:
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=0)
    await connected.delivered(1)
    state = await connected.state()
    (deal,), (task,) = state["leads"], state["tasks"]
    assert task["entity_id"] == deal["id"]


async def test_a_second_call_is_a_note_on_the_open_deal(connected: World) -> None:
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    await connected.mango_call("c2", IVAN, shown["number"], talk_s=40)
    await connected.delivered(2)
    state = await connected.state()
    assert len(state["leads"]) == 1
    assert len(state["contacts"]) == 1
    calls = (await connected.api("calls"))["calls"]
    deals = [next(ref["id"] for ref in call["deliveries"][0]["refs"] if ref["kind"] == "deal") for call in calls]
    assert deals == [str(state["leads"][0]["id"])] * 2


async def test_two_calls_at_once_of_one_caller_make_one_deal(connected: World) -> None:
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=0)
    await connected.mango_call("c2", IVAN, shown["number"], talk_s=0)
    await connected.delivered(2)
    state = await connected.state()
    assert (len(state["leads"]), len(state["contacts"])) == (1, 1)


async def test_a_call_to_a_billboard_carries_its_placement(connected: World) -> None:
    told = {"call_id": "g1", "event": "ended", "at": connected.clock.now().isoformat(), "status": "answered"}
    told |= {"dialled": "8 (495) 222-00-01", "caller": "8 916 555-44-33", "talk_s": 45, "wait_s": 5}
    assert (await connected.generic(told, "m1")).status_code == 200
    await connected.delivered(1)
    (deal,) = (await connected.state())["leads"]
    assert field(deal, "UTM_SOURCE") == "billboard"
    assert field(deal, "UTM_CAMPAIGN") == "mkad-42"


async def test_a_call_to_a_number_nobody_held_says_so_honestly(connected: World) -> None:
    await connected.mango_call("c1", IVAN, "+74951110003", talk_s=60)
    await connected.delivered(1)
    (call,) = (await connected.api("calls"))["calls"]
    assert call["match"]["visit"] is None
    assert call["match"]["reason"] == "nobody"


async def test_a_manager_reads_on_the_card_why_in_the_language_of_the_scenario(connected: World) -> None:
    await connected.mango_call("c1", IVAN, "+74951110003", talk_s=60)
    await connected.delivered(1)
    texts = [note["params"].get("text", "") for note in (await connected.state())["notes"]]
    assert any("Почему: До звонка этот номер никому не показывали." in text for text in texts)


async def test_a_won_deal_becomes_revenue_and_a_goal_in_the_report(connected: World) -> None:
    await sold(connected)
    day = connected.clock.now().date().isoformat()
    spend = f"day,source,campaign,cost,clicks\n{day},yandex,okna-msk,2500.50,10\n"
    site, token = connected.applied.sites[0]["key"], connected.applied.api_token
    sent = await connected.web.post(
        f"/api/v1/spend?site={site}", content=spend, headers={"authorization": f"Bearer {token}"}
    )
    assert sent.json() == {"rows": 1}
    report = await connected.api("report/roi", **{"from": day, "to": day})
    (row,) = [row for row in report["rows"] if row["source"] == "yandex"]
    assert (row["visits"], row["enquiries"], row["calls"]) == (1, 1, 1)
    assert (row["qualified"], row["deals"], row["won"]) == (1, 1, 1)
    assert row["revenue_minor"] == 12_500_000
    assert row["spend_minor"] == 250_050
    assert row["cost_per_enquiry_minor"] == 250_050
    goals = await connected.hub.db.read(all_goals)
    assert goals == [("call_qualified", 0, True), ("deal_won", 12_500_000, True)]


async def test_a_reopened_deal_takes_its_revenue_and_goal_back(connected: World) -> None:
    deal = await sold(connected)
    await sell(connected, deal["id"], 125_000, status_id=deal["status_id"])
    await connected.until(lambda status: status["deals_won"] == 0, step_s=10)
    day = connected.clock.now().date().isoformat()
    report = await connected.api("report/roi", **{"from": day, "to": day})
    assert report["total"]["revenue_minor"] == 0
    assert ("deal_won", 12_500_000, False) in await connected.hub.db.read(all_goals)


async def sold(world: World) -> dict[str, Any]:
    """Follow a call from an ad until its deal is won, and return the deal as it was made."""
    shown = await world.visit(AD)
    await world.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await world.delivered(1)
    (deal,) = (await world.state())["leads"]
    await sell(world, deal["id"], 125_000)
    await world.until(lambda status: status["deals_won"] == 1, step_s=10)
    return dict(deal)


async def sell(world: World, deal_id: int, price: int, status_id: int = 142) -> None:
    """Move a deal as a person of the sales department."""
    minted = await world.crm_web.post("/_sandbox/token", json={})
    bearer = {"authorization": f"Bearer {minted.json()['access_token']}"}
    change = {"status_id": status_id, "price": price}
    answer = await world.crm_web.patch(f"/api/v4/leads/{deal_id}", json=change, headers=bearer)
    assert answer.status_code == 200, answer.text


def all_goals(tx: Tx) -> list[tuple[str, int, bool]]:
    goals = table_of(Goal)
    rows = tx.execute(select(goals).order_by(goals.c.name))
    return [(row.name, row.value_minor, row.withdrawn_at is None) for row in rows]


async def test_a_tap_on_the_number_before_the_call_is_evidence(connected: World) -> None:
    shown = await connected.visit(AD)
    tap = {"site": connected.applied.sites[0]["key"], "visitor": shown["visitor"], "visit": shown["visit"]}
    tap |= {"kind": "tel_tap", "number": shown["number"]}
    assert (await connected.web.post("/dni/v1/event", content=json.dumps(tap))).status_code == 204
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    words = await connected.hub.db.read(lambda tx: tx.execute(select(table_of(Match).c.words)).scalar_one())
    assert "tapped the number" in words
