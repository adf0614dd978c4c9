"""A visit in the portal's own analytics, where the scenario asks for it: there once, with the card it brought."""

import pytest

from tests.hub import world as worlds
from tests.hub.test_registered_calls import called
from tests.hub.test_registered_calls import crm_kind as crm_kind
from tests.hub.world import World

SCENARIO = """
  bitrix24: |
    analytics: true
    ended:
      unknown: [deal, note: "Источник: {source}"]
      open_deal: [note: "Ещё звонок: {source}"]
"""
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what a portal answers knows no engine


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def test_the_portal_is_told_of_the_visit_of_a_new_deal(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    (trace,) = state["traces"]
    assert trace["trace"]["tags"]["list"]["utm_campaign"] == "okna-msk"
    assert sorted(trace["owners"]) == [[2, state["deal"][0]["id"]], [3, state["contact"][0]["id"]]]


async def test_a_second_call_on_the_deal_tells_of_none(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    await called(connected, "c2")
    await connected.delivered(2)
    assert len((await connected.state())["traces"]) == 1


async def test_an_answer_that_was_lost_leaves_it_as_it_is(connected: World) -> None:
    lost = {"crm.tracking.trace.add": [{"fault": "504_after_commit"}]}
    assert (await connected.crm_web.post("/_sandbox/dial", json={"prescription": lost})).status_code == 200
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["deal"]), len(state["traces"])) == (1, 1)
