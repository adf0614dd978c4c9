"""Duplicate control of the CRM puts an enquiry into a deal that is open: it is no new deal, and no source of that one."""

from typing import Any

import pytest
from sqlalchemy import select

from hub.store.tables import Deal, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.test_contact_index import contact, deal
from tests.hub.test_moving import dial
from tests.hub.world import World

IVAN, NUMBER = "+79161234567", "+74951110001"
SCENARIO = """
  amocrm: |
    ended:
      unknown: [deal, note: "Новый"]
      open_deal: [note: "Ещё звонок"]
"""
CONTROL = {"duplicate_control": True, "query_digits": False}  # our search does not find "8 (916) ...", theirs does
_deal = table_of(Deal)


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def called(world: World, *, hours_later: int = 0) -> dict[str, Any]:
    """Let a person whose deal somebody has made by hand call; return what there is then."""
    await deal(world, await contact(world, IVAN))
    world.clock.forward(hours_later * 3_600 + 1)
    await world.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await world.delivered(1)
    return await world.state()


async def attributed(world: World) -> int | None:
    """Return the enquiry that the one deal is taken to have come from, once it has been read back."""

    def of_deals(tx: Tx) -> list[Any]:
        return list(tx.execute(select(_deal.c.enquiry_id, _deal.c.marker)))

    rows = await world.comes_to(lambda: world.hub.db.read(of_deals), lambda rows: rows and rows[0].marker)
    return rows[0].enquiry_id


async def test_the_enquiry_goes_on_as_with_an_open_deal_and_says_so(connected: World) -> None:
    await dial(connected, **CONTROL)
    state = await called(connected)
    (call,) = (await connected.api("calls"))["calls"]
    texts = str([note["params"] for note in state["notes"]])
    assert (len(state["leads"]), len(state["contacts"])) == (1, 1)
    assert "Ещё звонок" in texts
    assert "Новый" not in texts
    assert call["deliveries"][0]["sentence"].startswith("There is no new deal")


async def test_without_duplicate_control_it_is_a_new_deal(connected: World) -> None:
    await dial(connected, query_digits=False)
    state = await called(connected)
    assert len(state["leads"]) == 2
    assert "Новый" in str([note["params"] for note in state["notes"]])


@pytest.mark.parametrize(("hours_later", "enquiry"), [(2, None), (0, 1)])
async def test_an_older_deal_is_not_taken_for_one_that_was_made_of_the_enquiry(
    connected: World, hours_later: int, enquiry: int | None
) -> None:
    """The account writes new values over old ones, our mark among them."""
    await dial(connected, **CONTROL, duplicate_policy="update")
    await called(connected, hours_later=hours_later)
    assert await attributed(connected) == enquiry


async def test_after_a_lost_answer_nothing_is_doubled(connected: World) -> None:
    await dial(connected, **CONTROL, rates={"504_after_commit": 1}, only={"method": "POST", "path": "leads/complex"})
    await deal(connected, await contact(connected, IVAN))
    await connected.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await connected.until(lambda status: status["deliveries"].get("ready", 0) == 1 and not status["inbox"])
    for _ in range(20):
        await connected.goes_on(0.5)
    await dial(connected, rates={"504_after_commit": 0})
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["leads"]), len(state["contacts"])) == (1, 1)
    assert len([note for note in state["notes"] if note["note_type"] == "call_in"]) == 1
