"""What happens to one call is told to the CRM as it happens, each with its own rules, and one deal comes of it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.hub import world as worlds
from tests.hub.test_popups import tell
from tests.hub.world import World

IVAN, NUMBER = "+79161234567", "+74951110001"
SCENARIO = """
  amocrm: |
    language: en
    ringing:
      unknown: [deal: {name: "Rings {caller}"}]
    answered:
      open_deal: [note: "Talks: {operator}"]
    ended:
      unknown: [deal: {name: "Talked"}]
      open_deal: [note: "Talked {talk}"]
    missed:
      open_deal: [task: {text: "Call back {caller}", due_minutes: 15}]
    recording_ready:
      open_deal: [note: "Listen: {recording}"]
    qualified:
      open_deal: [note: "It counts"]
    callback_done:
      open_deal: [note: "Called back"]
"""


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def end(world: World, message: str, **more: Any) -> None:
    await tell(world, "ended", message, status="answered", talk_s=40, **more)


async def notes(world: World) -> list[str]:
    """Return the first line of each note on the deal, and what stands for the call itself."""
    state = await world.state()
    texts = [note["params"].get("text", "").partition("\n")[0] or "(call)" for note in state["notes"]]
    return sorted(texts)


async def deals(world: World) -> list[str]:
    return [lead["name"] for lead in (await world.state())["leads"]]


async def test_the_deal_is_there_while_the_phone_still_rings(connected: World) -> None:
    await tell(connected, "ringing", "m1")
    await connected.delivered(1)
    assert await deals(connected) == ["Rings +7 916 123-45-67"]


async def test_what_follows_goes_to_the_same_deal_in_its_order(connected: World) -> None:
    await tell(connected, "ringing", "m1")
    await connected.delivered(1)
    await tell(connected, "answered", "m2", operator="101")
    await connected.delivered(2)
    connected.clock.forward(40)
    await end(connected, "m3", operator="101")
    await connected.delivered(4)
    assert len(await deals(connected)) == 1
    assert await notes(connected) == ["(call)", "It counts", "Talked 40 s", "Talks: 101"]


async def test_what_is_told_only_at_the_end_comes_to_the_same(connected: World) -> None:
    await end(connected, "m1", operator="101", answered_at=connected.clock.now().isoformat())
    await connected.delivered(4)
    assert len(await deals(connected)) == 1
    assert await notes(connected) == ["(call)", "It counts", "Talked 40 s", "Talks: 101"]


async def test_a_recording_is_told_of_when_it_is_there(connected: World) -> None:
    await end(connected, "m1", operator="101")
    await connected.delivered(4)
    await tell(connected, "recorded", "m2", recording_url="https://pbx.example/r1.mp3")
    await connected.delivered(5)
    told = await notes(connected)
    assert [note for note in told if note.startswith("Listen: http")], told


async def test_the_same_event_again_does_nothing_again(connected: World) -> None:
    await tell(connected, "ringing", "m1")
    await connected.delivered(1)
    await tell(connected, "ringing", "m2")
    await connected.goes_on(5)
    assert (await connected.api("status"))["deliveries"] == {"delivered": 1}
    assert len(await deals(connected)) == 1


async def test_who_called_in_vain_and_was_called_back_is_told_of(connected: World) -> None:
    await tell(connected, "ended", "m1", status="missed", talk_s=0)
    await connected.delivered(2)
    connected.clock.forward(300)
    began = connected.clock.now() - timedelta(seconds=60)
    back = {"call_id": "g2", "direction": "outbound", "started_at": began.isoformat()}
    await tell(connected, "ended", "m2", status="answered", talk_s=50, **back)
    await connected.delivered(3)
    assert "Called back" in await notes(connected)
