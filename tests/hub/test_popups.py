"""Whom a call rings and who answers sees the caller's card in the CRM: at the moment, once, and never afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from hub.delivery import lanes
from hub.store import crm, ledger
from tests.hub import world as worlds
from tests.hub.world import World

IVAN, NUMBER = "+79161234567", "+74951110001"
SCENARIO = """
  amocrm: |
    people: {"101": Мария Менеджер, "103": Пётр Продавцов}
    popup: true
    ended:
      unknown: [deal]
"""
BLOCKED, OPEN = {"mode": "blocked"}, {"mode": "open"}


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def tell(world: World, event: str, message: str, **more: Any) -> None:
    told = {"call_id": "g1", "event": event, "at": world.clock.now().isoformat(), "dialled": NUMBER, "caller": IVAN}
    answer = await world.generic(told | more, message)
    assert answer.status_code == 200, answer.text
    await world.until(lambda status: not status["inbox"], step_s=0.01)


async def talk(world: World, operator: str = "101") -> None:
    """Somebody answers Ivan."""
    await tell(world, "ringing", "m1")
    await tell(world, "answered", "m2", operator=operator)


async def how(world: World) -> list[str]:
    """Wait until it is told what became of each card, or nothing more comes of it; return that."""
    for _ in range(1_000):
        entries = (await world.api("enquiries/1/ledger"))["entries"]
        kinds = [entry["kind"] for entry in entries]
        if kinds.count("popup_asked") == kinds.count("popup_ended"):
            break
        await world.goes_on(0.01)
    return [entry["facts"]["how"] for entry in entries if entry["kind"] == "popup_ended"]


async def shown(world: World) -> int:
    rows = (await world.crm_web.get("/_sandbox/ledger")).json()["rows"]
    return sum(row["path"].endswith("/api/v2/events") and row["status"] == 200 for row in rows)


async def dial(world: World, **knobs: Any) -> None:
    (await world.crm_web.post("/_sandbox/dial", json=knobs)).raise_for_status()


async def busy(world: World) -> lanes.Claim:
    """Somebody else is served by the account's lane for a while."""
    (of,) = await world.hub.db.read(crm.installations, 1)
    for _ in range(100):
        claim = await world.hub.db.write(lanes.claim_of, 1, of.id, world.clock.now(), timedelta(hours=1))
        if claim is not None:
            return claim
        await world.goes_on(0.1)
    raise AssertionError("the lane was never free")


async def test_the_card_is_shown_to_who_answered(connected: World) -> None:
    await talk(connected)
    assert await how(connected) == ["shown"]
    assert await shown(connected) == 1


async def test_whom_it_rings_sees_it_before_he_answers(connected: World) -> None:
    await tell(connected, "ringing", "m1", operator="101", leg_id="2")
    assert await how(connected) == ["shown"]
    assert await shown(connected) == 1


async def test_who_was_rung_and_answers_sees_it_once(connected: World) -> None:
    await tell(connected, "ringing", "m1", operator="101", leg_id="2")
    await how(connected)
    await tell(connected, "answered", "m2", operator="101", leg_id="2")
    assert await how(connected) == ["shown"]


async def test_who_answers_in_place_of_whom_it_rang_sees_it_too(connected: World) -> None:
    await tell(connected, "ringing", "m1", operator="101", leg_id="2")
    await how(connected)
    await tell(connected, "answered", "m2", operator="103", leg_id="3")
    assert await how(connected) == ["shown", "shown"]


async def test_the_card_is_shown_once_whatever_else_is_told_of_the_call(connected: World) -> None:
    await talk(connected)
    await how(connected)
    await tell(connected, "answered", "m3", operator="101", leg_id="2")
    await tell(connected, "ended", "m4", status="answered", talk_s=30, wait_s=1, operator="101")
    assert await how(connected) == ["shown"]
    assert await shown(connected) == 1


async def test_without_the_note_it_would_be_shown_again(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "popup_asked", lambda *_: set())
    await talk(connected)
    await how(connected)
    await tell(connected, "answered", "m3", operator="101", leg_id="2")
    await how(connected)
    assert await shown(connected) == 2


async def test_a_lost_answer_is_not_asked_for_again(connected: World) -> None:
    lost = {"rates": {"504_after_commit": 1}, "only": {"method": "POST", "path": "v2/events"}}
    await dial(connected, **lost)
    await talk(connected)
    assert await how(connected) == ["refused"]
    await dial(connected, rates={"504_after_commit": 0})
    await tell(connected, "answered", "m3", operator="101", leg_id="2")
    assert await how(connected) == ["refused"]
    assert await shown(connected) == 0  # but for the one whose answer was lost


async def test_nobody_is_shown_a_card_that_the_scenario_does_not_name(connected: World) -> None:
    await talk(connected, operator="102")
    assert await how(connected) == []
    assert await shown(connected) == 0


async def test_a_call_told_of_when_it_was_over_shows_nothing(connected: World) -> None:
    told = {"status": "answered", "talk_s": 30, "wait_s": 1, "operator": "101"}
    await tell(connected, "ended", "m1", **told)
    assert await how(connected) == []


async def test_what_an_account_cannot_show_in_time_is_never_shown(connected: World) -> None:
    await dial(connected, **BLOCKED)
    await talk(connected)  # the account is left alone for a quarter of an hour
    await how(connected)
    connected.clock.forward(30)
    await tell(connected, "ended", "m3", status="answered", talk_s=30, wait_s=1, operator="101")
    await dial(connected, **OPEN)
    connected.clock.forward(3_600)
    await connected.until(lambda status: status["deliveries"].get("delivered", 0) == 1, step_s=20)
    assert await how(connected) in (["late"], ["refused"])  # whoever asks first meets the block
    assert await shown(connected) == 0


async def test_a_card_waits_for_a_busy_account_no_longer_than_the_talk(connected: World) -> None:
    claim = await busy(connected)
    await talk(connected)
    connected.clock.forward(5)
    await tell(connected, "ended", "m3", status="answered", talk_s=5, wait_s=1, operator="101")
    assert await how(connected) == ["late"]
    await connected.hub.db.write(lanes.give_back, claim)
    await connected.delivered(1)
    assert await shown(connected) == 0
