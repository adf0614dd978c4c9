"""Who comes back after his deal was lost has it opened again, once, and what he says is written there."""

from typing import Any

import pytest

from tests.hub import world as worlds
from tests.hub.both_crms import a_deal
from tests.hub.both_crms import crm_kind as crm_kind
from tests.hub.test_contact_index import as_person
from tests.hub.world import World

IVAN, NUMBER = "+79161234567", "+74951110001"
SCENARIO = """
  {crm}: |
    language: en
    ended:
      unknown:
        - deal: {{{place}}}
      lost_lately:
        - reopen: {{{place}stage: "{stage}"}}
        - note: "He is back"
        - task: {{text: "Call {{caller}}", due_minutes: 15}}
      open_deal:
        - note: "One more call"
"""


@pytest.fixture
def set_up(crm_kind: str) -> str:
    stage = {"amocrm": "Принимают решение", "bitrix24": "PREPARATION"}[crm_kind]
    return worlds.ruled_by(SCENARIO.format(crm=crm_kind, place=a_deal(crm_kind), stage=stage))


async def called(world: World, number: int) -> None:
    world.clock.forward(60)
    await world.mango_call(f"c{number}", IVAN, NUMBER, talk_s=60)
    await world.delivered(number)


async def the_deal(world: World) -> dict[str, Any]:
    """Return the one deal that there is."""
    state = await world.state()
    (deal,) = state["deal"] if world.vendor == "bitrix24" else state["leads"]
    return dict(deal)


async def lost(world: World) -> dict[str, Any]:
    """Let a person give the deal up, and the hub see it."""
    deal = await the_deal(world)
    if world.vendor == "bitrix24":
        asked = {"kind": "deal", "id": deal["id"], "stage": "LOSE"}
        (await world.crm_web.post("/_sandbox/move", json=asked)).raise_for_status()
    else:
        await as_person(world, "PATCH", "leads", [{"id": deal["id"], "status_id": 143}])
    world.clock.forward(600)
    return deal


def stage(deal: dict[str, Any]) -> str:
    return str(deal.get("stageId") or deal.get("status_id"))


async def written(world: World) -> str:
    state = await world.state()
    return str(state["comments"] if world.vendor == "bitrix24" else [note["params"] for note in state["notes"]])


async def test_his_lost_deal_is_open_again_and_no_second_one_is_made(connected: World) -> None:
    await called(connected, 1)
    first = await lost(connected)
    await called(connected, 2)
    again = await the_deal(connected)
    assert again["id"] == first["id"]
    assert stage(again) not in ("143", "LOSE", stage(first))
    assert "He is back" in await written(connected)


async def test_the_call_after_that_finds_it_open(connected: World) -> None:
    await called(connected, 1)
    await lost(connected)
    await called(connected, 2)
    await called(connected, 3)
    assert (await written(connected)).count("One more call") == 1


@pytest.mark.parametrize("crm_kind", ["amocrm"], indirect=True)  # a portal's batch fails whole, or not
async def test_a_note_that_fails_at_first_is_still_of_the_rule_that_opened_it(connected: World) -> None:
    await called(connected, 1)
    await lost(connected)
    failing = {"rates": {"500": 1.0}, "only": {"method": "POST", "path": "leads/notes"}}
    await connected.crm_web.post("/_sandbox/dial", json=failing)
    connected.clock.forward(60)
    await connected.mango_call("c2", IVAN, NUMBER, talk_s=60)
    await connected.until(lambda status: status["deliveries"].get("ready", 0) == 1 and not status["inbox"])
    for _ in range(20):
        await connected.goes_on(0.5)
    await connected.crm_web.post("/_sandbox/dial", json={"rates": {"500": 0.0}})
    await connected.delivered(2)
    told = await written(connected)
    assert (told.count("He is back"), told.count("One more call")) == (1, 0)
