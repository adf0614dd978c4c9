"""A portal with telephony of its own, by the scenario: its cards are given the source, and we create nothing."""

from datetime import timedelta
from typing import Any

import pytest

from tests.hub import world as worlds
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_frame import rung
from tests.hub.test_registered_calls import crm_kind as crm_kind
from tests.hub.world import World

SCENARIO = """
  bitrix24: |
    telephony: observe
    ended:
      open_deal: [note: "Источник: {source}"]
    missed:
      open_deal: [note: "Пропущен: {source}"]
"""


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def called(world: World, *, portal_has_it: bool = True) -> dict[str, Any]:
    """Let a visitor from an ad call a number that ends in the portal's own telephony."""
    shown = await world.visit(AD)
    started = world.clock.now().timestamp() + 5
    await world.mango_call("c1", IVAN, shown["number"], talk_s=60)
    return await taken(world, started) if portal_has_it else {"started": started}


async def taken(world: World, started: float) -> dict[str, Any]:
    """The portal's telephony writes the call down, and makes its cards."""
    told = {"phone": IVAN, "line": "+74951110001", "user_id": 1, "duration": 60, "started": started + 4}
    answer = await world.crm_web.post("/_sandbox/call", json=told)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def waits(world: World) -> None:
    """Let time go on until the call was looked for and not found."""
    await world.until(lambda status: not status["inbox"] and status["deliveries"].get("ready", 0) == 1, step_s=0.2)

    def looked_for(told: Any) -> bool:
        deliveries = told["calls"][0]["deliveries"]
        return bool(deliveries and deliveries[0]["sentence"])

    await world.comes_to(lambda: world.api("calls"), looked_for, 0.05)


async def ends(world: World) -> list[dict[str, Any]]:
    """Return the words that a call is over which the portal's server has tried to tell us."""
    await world.crm_web.post("/_sandbox/events/pump")
    attempts = (await world.crm_web.get("/_sandbox/events")).json()["attempts"]
    return [one for one in attempts if "ONVOXIMPLANTCALLEND" in one["body"]]


async def test_the_card_that_the_portal_made_is_given_its_source(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (lead,) = (await connected.state())["lead"]
    assert (lead["utmSource"], lead["utmCampaign"]) == ("yandex", "okna-msk")


async def test_and_a_note_in_its_timeline(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (comment,) = (await connected.state())["comments"]
    assert "Источник: yandex" in comment["text"]


async def test_nothing_is_created_and_no_call_registered(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["lead"]), len(state["deal"]), len(state["contact"])) == (1, 0, 0)
    assert (len(state["calls"]), len(state["activities"])) == (1, 1)


async def test_the_calls_deal_is_known_to_the_hub(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (call,) = (await connected.api("calls"))["calls"]
    lead = (await connected.state())["lead"][0]["id"]
    assert ("deal", f"L{lead}") in [(ref["kind"], ref["id"]) for ref in call["deliveries"][0]["refs"]]


async def test_a_call_that_the_portal_has_later_is_waited_for(connected: World) -> None:
    told = await called(connected, portal_has_it=False)
    await waits(connected)
    await taken(connected, told["started"])
    await connected.delivered(1)
    assert (await connected.state())["lead"][0]["utmSource"] == "yandex"


async def test_the_portals_word_that_the_call_is_over_ends_the_waiting(connected: World) -> None:
    await rung(connected)
    told = await called(connected, portal_has_it=False)
    await waits(connected)
    await taken(connected, told["started"])
    (ended,) = await ends(connected)
    before = connected.clock.now()
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await connected.web.post(ended["destination"], content=ended["body"], headers=form)
    assert answer.status_code == 200, answer.text
    await connected.until(lambda status: status["deliveries"].get("delivered") == 1, step_s=0.01)
    assert (connected.clock.now() - before).total_seconds() < 2  # its own next try would be after 4 s at least


async def test_a_call_that_never_reaches_the_portal_is_given_to_a_person(connected: World) -> None:
    await called(connected, portal_has_it=False)
    over = connected.clock.now()
    await connected.until(lambda status: status["deliveries"].get("parked") == 1, step_s=10)
    assert connected.clock.now() - over < timedelta(hours=2)  # the try after that one would be later still
    state = await connected.state()
    assert (len(state["lead"]), len(state["deal"]), len(state["comments"])) == (0, 0, 0)
