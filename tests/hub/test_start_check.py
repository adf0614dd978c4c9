"""The tab of the source on a deal's card, what a person does to it, and what the start check says of an account."""

import html
import re
from typing import Any

import pytest

from tests.hub.world import World

AD = "https://okna.example/kvartiry?utm_source=yandex&utm_medium=cpc&utm_campaign=okna-msk&utm_term=пластиковые+окна"
IVAN, MARIA = "+79161234567", "+79161234568"
OURS = ["HUB_SOURCE", "HUB_CAMPAIGN", "HUB_KEYWORD", "HUB_LANDING", "HUB_NUMBER", "HUB_CONFIDENCE", "HUB_SCENARIO"]


async def read(world: World, path: str) -> dict[str, Any]:
    """Read the CRM as a person at the screen."""
    token = (await world.crm_web.post("/_sandbox/token", json={})).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    told: dict[str, Any] = (await world.crm_web.get(f"/api/v4/{path}", headers=headers)).json()["_embedded"]
    return told


async def own_fields(world: World) -> list[dict[str, Any]]:
    fields = (await read(world, "leads/custom_fields?limit=250"))["custom_fields"]
    return [one for one in fields if one["code"] in OURS]


async def delivered_call(world: World, caller: str = IVAN, number: int = 1) -> dict[str, Any]:
    """Let a visitor of an ad call; return his deal."""
    shown = await world.visit(AD)
    world.clock.forward(90)
    await world.mango_call(f"c{number}", caller, shown["number"], talk_s=60)
    await world.delivered(number)
    deals: list[dict[str, Any]] = (await world.state())["leads"]
    return deals[-1]


def values(deal: dict[str, Any]) -> dict[str, str]:
    return {one["field_code"]: one["values"][0]["value"] for one in deal["custom_fields_values"]}


async def checks(world: World, language: str = "ru") -> list[str]:
    """Return what the settings of the widget say is missing."""
    frame = (await world.crm_web.post("/_sandbox/frame-token", json={})).json()["token"]
    asked = {"params": {"lang": language}, "headers": {"X-Auth-Token": frame}}
    found = (await world.web.get("/embed/amocrm/state", **asked)).json()["checks"]  # type: ignore[arg-type]
    return [f"{one['what']} {one['to_do']}" for one in found if not one["ok"]]


async def connections(world: World) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", (await world.web.get("/connections")).text)).split())


async def told(world: World, said: str) -> None:
    """Let time go on until the connections page says something; or, behind a dash, no more."""
    words, no_more = said.removeprefix("-"), said.startswith("-")
    await world.comes_to(lambda: connections(world), lambda page: (words in page) != no_more)


async def dial(world: World, **switches: object) -> None:
    assert (await world.crm_web.post("/_sandbox/dial", json=switches)).status_code == 200


async def test_connecting_makes_a_tab_with_the_fields_of_the_source_once(connected: World) -> None:
    await connected.connect()
    groups = (await read(connected, "leads/custom_fields/groups"))["custom_field_groups"]
    (tab,) = [one for one in groups if one["name"] == "CallTracking Hub"]
    fields = await own_fields(connected)
    assert [one["code"] for one in fields] == OURS
    assert {one["group_id"] for one in fields} == {tab["id"]}


async def test_a_deal_says_on_its_tab_where_the_call_came_from(connected: World) -> None:
    card = values(await delivered_call(connected))
    assert card["HUB_SOURCE"] == "yandex / cpc"
    assert (card["HUB_CAMPAIGN"], card["HUB_KEYWORD"]) == ("okna-msk", "пластиковые окна")
    assert card["HUB_LANDING"].startswith("https://okna.example/kvartiry")
    assert card["HUB_NUMBER"] == "+7 495 111-00-01"
    assert card["HUB_CONFIDENCE"].endswith("%")


async def test_a_field_a_person_removed_costs_no_call_and_stays_away_until_he_connects_again(
    connected: World,
) -> None:
    await connected.crm_web.post("/_sandbox/field", json={"code": "HUB_CAMPAIGN", "delete": True})
    card = values(await delivered_call(connected))
    assert "HUB_CAMPAIGN" not in card
    assert card["HUB_KEYWORD"] == "пластиковые окна"
    connected.clock.forward(3_700)
    await delivered_call(connected, MARIA, 2)  # the facts are read again by now
    assert "HUB_CAMPAIGN" not in [one["code"] for one in await own_fields(connected)]
    await told(connected, "удалены поля источника: Кампания")
    again = await connected.connect()
    assert again.status_code == 303, again.text
    await told(connected, "-удалены поля")
    assert [one["code"] for one in await own_fields(connected)].count("HUB_CAMPAIGN") == 1


@pytest.mark.parametrize(("times", "status"), [(3, 303), (4, 502)])
async def test_a_busy_account_is_asked_for_its_tokens_a_few_times(world: World, times: int, status: int) -> None:
    await dial(world, prescription={"authorization_code": [{"fault": "429"}] * times}, block_after=10_000)
    assert (await world.connect()).status_code == status


async def test_the_marker_a_person_removed_is_made_again(connected: World) -> None:
    await connected.crm_web.post("/_sandbox/field", json={"code": "HUB_CALL_ID", "delete": True})
    card = values(await delivered_call(connected))
    assert card["HUB_CALL_ID"].startswith("hub:")


async def test_fields_required_on_the_first_stage_are_foretold_and_a_refused_call_waits_for_a_person(
    world: World,
) -> None:
    field = await a_required_field(world)
    await dial(world, required_fields_enforced=True)
    await world.connect()
    assert "обязательны поля: Проект" in await connections(world)
    await world.mango_call("c1", IVAN, "+74952220001", talk_s=60)
    await world.until(lambda status: status["deliveries"].get("parked", 0) == 1)
    await world.crm_web.post("/_sandbox/field", json={"id": field, "required_statuses": []})
    assert (await world.state())["leads"] == []


async def a_required_field(world: World) -> int:
    """Let an admin make a field that a new deal must have."""
    token = (await world.crm_web.post("/_sandbox/token", json={})).json()["access_token"]
    made = await world.crm_web.post(
        "/api/v4/leads/custom_fields",
        json=[{"type": "text", "name": "Проект"}],
        headers={"authorization": f"Bearer {token}"},
    )
    field: int = made.json()["_embedded"]["custom_fields"][0]["id"]
    pipelines = (await world.state())["pipelines"]
    first = [
        {"pipeline_id": one["id"], "status_id": next(stage["id"] for stage in one["stages"] if stage["type"] == 0)}
        for one in pipelines
    ]
    await world.crm_web.post("/_sandbox/field", json={"id": field, "required_statuses": first})
    return field


@pytest.mark.parametrize(
    ("language", "said"),
    [("ru", "Платная опция «Фильтрация»"), ("en", "The paid filter option of amoCRM is off")],
)
async def test_what_is_missing_is_said_in_the_language_of_who_looks(connected: World, language: str, said: str) -> None:
    (one, *_) = [text for text in await checks(connected, language) if text.startswith(said)]
    assert len(one) > len(said)


async def test_nothing_is_missing_where_everything_is_there(world: World) -> None:
    await dial(world, api_filters=True)
    await world.connect()
    assert [text for text in await checks(world) if "HUB_PUBLIC_URL" not in text] == []


async def test_an_account_that_takes_no_changes_for_want_of_money_is_connected_and_says_so(world: World) -> None:
    await dial(world, mode="unpaid_writes")
    assert (await world.connect()).status_code == 303
    assert any(text.startswith("Аккаунт amoCRM не оплачен") for text in await checks(world))
    await world.mango_call("c1", IVAN, "+74952220001", talk_s=60)
    await world.until(lambda status: bool(status["installations"][0]["hold_why"]))
    await dial(world, mode="open")
    world.clock.forward(3_700)
    await world.delivered(1)
    await told(world, "-не оплачен")
    assert len(await own_fields(world)) == len(OURS)


async def test_a_user_without_rights_is_told_to_connect_as_an_administrator(world: World) -> None:
    await dial(world, api_filters=True)
    await world.connect()
    admin = next(one for one in (await world.state())["users"] if one["is_admin"])
    await world.crm_web.post("/_sandbox/user", json={"id": admin["id"], "is_admin": False})
    world.clock.forward(3_700)
    await world.mango_call("c1", IVAN, "+74952220001", talk_s=60)
    await world.delivered(1)
    await told(world, "без прав администратора")
