"""Another call changes the open deal as the scenario asks: its fields, each in its own way, and its tags."""

from typing import Any

import pytest

from tests.hub import world as worlds
from tests.hub.both_crms import a_deal
from tests.hub.both_crms import crm_kind as crm_kind
from tests.hub.world import World

AD = "https://okna.example/?utm_source={source}&utm_medium=cpc&utm_campaign={campaign}"
IVAN = "+79161234567"
OWN = {"amocrm": "HUB_{}", "bitrix24": "UF_CRM_HUB_{}"}
SCENARIO = """
  {crm}: |
    language: en
    ended:
      unknown:
        - deal: {{{place}}}
      open_deal:
        - fields:
            {SOURCE}: "{{source}}"
            {CAMPAIGN}: {{append: "{{campaign}}"}}
            {KEYWORD}: {{if_empty: "again {{campaign}}"}}
            {LANDING}: {{first: "never"}}
        - tag: [repeat, "{{campaign}}"]
"""


@pytest.fixture
def set_up(crm_kind: str) -> str:
    names = {name: OWN[crm_kind].format(name) for name in ("SOURCE", "CAMPAIGN", "KEYWORD", "LANDING")}
    return worlds.ruled_by(SCENARIO.format(crm=crm_kind, place=a_deal(crm_kind), **names))


async def called(world: World, number: int, source: str, campaign: str) -> None:
    """Let Ivan come from an ad and call."""
    shown = await world.visit(AD.format(source=source, campaign=campaign))
    world.clock.forward(90)
    await world.mango_call(f"c{number}", IVAN, shown["number"], talk_s=60)
    await world.delivered(number)


async def card(world: World) -> dict[str, str]:
    """Return what the one deal says, by our own names; with its tags."""
    state: dict[str, Any] = await world.state()
    if world.vendor == "bitrix24":
        (deal,) = state["deal"]
        own = {name: str(deal.get(f"UF_CRM_HUB_{name}") or "") for name in ("SOURCE", "CAMPAIGN", "KEYWORD", "LANDING")}
        return own | {"tags": str(deal["sourceDescription"])}
    (deal,) = state["leads"]
    values = {one["field_code"]: one["values"][0]["value"] for one in deal["custom_fields_values"]}
    tags = ", ".join(sorted(deal["tags"]))
    return {code.removeprefix("HUB_"): str(text) for code, text in values.items()} | {"tags": tags}


async def test_another_call_writes_each_field_in_its_own_way(connected: World) -> None:
    await called(connected, 1, "yandex", "okna")
    before = await card(connected)
    await called(connected, 2, "google", "dveri")
    now = await card(connected)
    assert (now["SOURCE"], now["CAMPAIGN"], now["KEYWORD"]) == ("google", "okna; dveri", "again dveri")
    assert now["LANDING"] == before["LANDING"] != "never"


async def test_and_a_third_one_adds_nothing_that_is_there(connected: World) -> None:
    await called(connected, 1, "yandex", "okna")
    await called(connected, 2, "google", "dveri")
    await called(connected, 3, "google", "okna")
    now = await card(connected)
    assert (now["CAMPAIGN"], now["KEYWORD"]) == ("okna; dveri", "again dveri")


async def test_its_tags_are_there_once(connected: World) -> None:
    await called(connected, 1, "yandex", "okna")
    await called(connected, 2, "google", "dveri")
    await called(connected, 3, "google", "dveri")
    assert ((await card(connected))["tags"].count("repeat"), (await card(connected))["tags"].count("dveri")) == (1, 1)
