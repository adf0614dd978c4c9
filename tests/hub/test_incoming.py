"""Enquiries that wait in unsorted: put there once, read back when a person accepts or declines them."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from connectors.amocrm import deliver
from hub.store.tables import Deal, table_of
from tests.hub import world as worlds
from tests.hub.test_moving import dial
from tests.hub.world import World

IVAN, NUMBER = "+79161234567", "+74951110001"
SCENARIO = """
  amocrm: |
    ended:
      unknown: [incoming, note: "Звонок"]
      no_open_deal: [incoming, note: "Звонок"]
      open_deal: [note: "Ещё звонок"]
"""
LOST = {"rates": {"504_after_commit": 1}, "only": {"method": "POST", "path": "leads/complex"}}
NEVER = {"rates": {"504_after_commit": 0}}
_deal = table_of(Deal)


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def waiting(world: World) -> list[dict[str, Any]]:
    return [one for one in (await world.state())["unsorted"] if one["state"] == "pending"]


async def judge(world: World, method: str, verdict: str) -> None:
    """Accept or decline what waits, as a person does."""
    (one,) = await waiting(world)
    world.clock.forward(6)  # a very fresh one cannot be accepted yet
    token = (await world.crm_web.post("/_sandbox/token", json={})).json()["access_token"]
    where, headers = f"/api/v4/leads/unsorted/{one['uid']}/{verdict}", {"authorization": f"Bearer {token}"}
    answer: httpx.Response = await world.crm_web.request(method, where, json={}, headers=headers)
    assert answer.status_code == 200, answer.text


async def told(world: World) -> dict[str, Any]:
    (call,) = (await world.api("calls"))["calls"]
    delivery: dict[str, Any] = call["deliveries"][0]
    return delivery


async def read_back(world: World) -> list[tuple[int | None, bool]]:
    """Let the account be read back twice; return the deals known then: of which enquiry, and whether deleted."""
    for _ in range(2):
        due = (await world.api("status"))["installations"][0]["read_back_at"]
        await world.until(lambda status, due=due: status["installations"][0]["read_back_at"] > due)
    asked = select(_deal.c.enquiry_id, _deal.c.deleted)
    return [(row.enquiry_id, row.deleted) for row in world.hub.db.read_now(lambda tx: tx.execute(asked).all())]


async def test_a_call_waits_until_it_is_accepted_and_is_its_deal_then(connected: World) -> None:
    await dial(connected, complex_metadata_whole=True)
    await connected.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await connected.delivered(1)
    (one,) = await waiting(connected)
    assert (one["category"], one["metadata"]["phone"]) == ("sip", IVAN)
    assert await read_back(connected) == []
    await judge(connected, "POST", "accept")
    assert await read_back(connected) == [(1, False)]


async def test_one_that_is_declined_is_no_deal(connected: World) -> None:
    await connected.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await connected.delivered(1)
    await judge(connected, "DELETE", "decline")
    assert [deleted for _, deleted in await read_back(connected)] in ([], [True])
    assert len((await connected.state())["leads"]) == 1


async def test_unsorted_switched_off_makes_a_deal_and_says_so(connected: World) -> None:
    await dial(connected, unsorted_on=False)
    await connected.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await connected.delivered(1)
    assert await waiting(connected) == []
    (deal,) = (await connected.state())["leads"]
    assert not deal["is_deleted"]
    assert "switched off in amoCRM" in (await told(connected))["sentence"]


async def lose_answer(world: World) -> None:
    await dial(world, **LOST)
    await world.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await world.until_held("leads")
    await dial(world, **NEVER)


async def test_after_a_lost_answer_it_waits_once(connected: World) -> None:
    await lose_answer(connected)
    await connected.delivered(1)
    assert len(await waiting(connected)) == 1
    assert len([note for note in (await connected.state())["notes"] if note["note_type"] == "call_in"]) == 1


async def test_one_declined_while_its_answer_was_in_doubt_is_not_made_again(connected: World) -> None:
    await lose_answer(connected)
    await judge(connected, "DELETE", "decline")
    await connected.until(lambda status: status["deliveries"].get("parked", 0) == 1)
    assert len((await connected.state())["leads"]) == 1


async def test_one_accepted_while_its_answer_was_in_doubt_is_not_made_again(connected: World) -> None:
    await lose_answer(connected)
    await judge(connected, "POST", "accept")
    await connected.delivered(1)
    assert len((await connected.state())["leads"]) == 1


async def test_without_a_look_into_unsorted_it_would_wait_twice(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_asked: object) -> None:
        return None

    monkeypatch.setattr(deliver.incoming, "left_behind", nothing)
    await lose_answer(connected)
    await connected.delivered(1)
    assert len(await waiting(connected)) == 2
