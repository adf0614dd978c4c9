"""Who called in vain was called back: the task that asked for it is done, and whatever else there is to do stays."""

from datetime import timedelta
from typing import Any

import pytest

from tests.hub import world as worlds
from tests.hub.both_crms import a_deal
from tests.hub.both_crms import crm_kind as crm_kind
from tests.hub.test_popups import tell
from tests.hub.world import World

SCENARIO = """
  {crm}: |
    language: en
    missed:
      unknown:
        - deal: {{{place}}}
        - task: {{text: "Call back {{caller}}", due_minutes: 15}}
      open_deal:
        - task: {{text: "Call back {{caller}} again", due_minutes: 15}}
    callback_done:
      open_deal:
        - close_tasks
        - note: "Called back"
"""


@pytest.fixture
def set_up(crm_kind: str) -> str:
    return worlds.ruled_by(SCENARIO.format(crm=crm_kind, place=a_deal(crm_kind)))


async def called_in_vain(world: World, number: int) -> None:
    await tell(world, "ended", f"m{number}", call_id=f"g{number}", status="missed", talk_s=0)
    await world.delivered(number)


async def called_back(world: World, delivered: int, number: int = 9) -> None:
    """Somebody calls him back, and he answers."""
    world.clock.forward(300)
    began = world.clock.now() - timedelta(seconds=60)
    back = {"call_id": f"g{number}", "direction": "outbound", "started_at": began.isoformat()}
    await tell(world, "ended", f"m{number}", status="answered", talk_s=50, **back)
    await world.delivered(delivered)


async def to_do(world: World) -> list[str]:
    """Return the texts of what is still to be done."""
    state: dict[str, Any] = await world.state()
    if world.vendor == "bitrix24":
        told = [one["values"] for one in state["activities"]]
        return [one["SUBJECT"] for one in told if one.get("COMPLETED", "N") == "N" and one["PROVIDER_ID"] == "CRM_TODO"]
    return [one["text"].partition("\n")[0] for one in state["tasks"] if not one["is_completed"]]


async def test_a_call_back_closes_the_task_that_asked_for_it(connected: World) -> None:
    await called_in_vain(connected, 1)
    before = await to_do(connected)
    await called_back(connected, 2)
    assert (len(before), await to_do(connected)) == (1, [])


async def test_however_many_there_are(connected: World) -> None:
    await called_in_vain(connected, 1)
    await called_in_vain(connected, 2)
    before = await to_do(connected)
    await called_back(connected, 4)
    assert (len(before), await to_do(connected)) == (2, [])
