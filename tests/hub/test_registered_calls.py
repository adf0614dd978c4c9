"""A call as one of the portal's own, by the scenario: in its statistics and on the deal, once whatever happens."""

import pytest

from tests.hub import world as worlds
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World

SCENARIO = """
  bitrix24: |
    telephony: register
    people: {"101": "1"}
    ended:
      unknown: [deal, note: "Источник: {source}"]
      open_deal: [note: "Ещё звонок: {source}"]
    missed:
      unknown: [deal]
"""
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what a portal answers knows no engine


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def called(world: World, call: str = "c1", talk_s: int = 60) -> None:
    shown = await world.visit(AD)
    await world.mango_call(call, IVAN, shown["number"], talk_s=talk_s)


async def test_a_call_stands_in_the_statistics_with_line_and_person(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (call,) = (await connected.state())["calls"]
    assert (call["phone"], call["duration"], call["code"], call["user_id"]) == (IVAN, 60, "200", 1)
    assert call["line"] == "+74951110001"


async def test_it_is_on_its_deal_and_on_its_contact(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    (activity,) = state["activities"]
    assert sorted(activity["bindings"]) == [[2, state["deal"][0]["id"]], [3, state["contact"][0]["id"]]]


async def test_nothing_is_made_by_the_registration_itself(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["deal"]), len(state["contact"]), len(state["lead"])) == (1, 1, 0)


async def test_a_missed_call_is_one_that_nobody_answered(connected: World) -> None:
    await called(connected, talk_s=0)
    await connected.delivered(1)
    (call,) = (await connected.state())["calls"]
    assert (call["duration"], call["code"]) == (0, "304")


async def test_a_lost_answer_does_not_register_a_call_twice(connected: World) -> None:
    lost = {"prescription": {"externalCall.register": [{"fault": "502_after_commit"}, {"fault": "ok"}]}}
    (await connected.crm_web.post("/_sandbox/dial", json=lost)).raise_for_status()
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["calls"]), len(state["deal"])) == (1, 1)
