"""Bad input, a clock that steps back (docs/reliability.md): nothing is doubled, nothing waits longer than the step.

It steps while an account has nothing to do, while a batch is under way, and while calls wait for a CRM that is down.
What is new goes out at once; what had its moment before the step waits for that moment to come again.
"""

from datetime import datetime

import pytest
from sqlalchemy import select, update

from hub.store.tables import Lane, table_of
from hub.store.tx import Tx
from tests.hub.world import World
from tests.proofs.crm_holds import call_notes, deals, doubled
from tests.proofs.results import Tell

_lane = table_of(Lane)
AT_ONCE_S = 120
HELD_S = 1_500  # the longest hold of a CRM that is down, and its next try


class Calls:
    """Calls of one customer, and how long each took from the step to the CRM."""

    def __init__(self, world: World) -> None:
        self.world, self.number = world, 0

    async def tell(self) -> None:
        """Let one call end."""
        self.number += 1
        at = self.world.clock.now().isoformat()
        told = {"call_id": f"call-{self.number}", "event": "ended", "at": at, "status": "answered", "talk_s": 60}
        told |= {"dialled": "+74952220001", "caller": f"+7916{self.number:07}", "wait_s": 4}
        assert (await self.world.generic(told, f"m{self.number}")).status_code == 200

    async def delivered(self, step_s: float = 0.2) -> float:
        """Let time go on until all are in the CRM; return how many seconds that took."""
        since = self.world.clock.now()
        done = {"delivered": self.number}
        await self.world.until(lambda status: status["deliveries"] == done and not status["inbox"], step_s)
        return (self.world.clock.now() - since).total_seconds()


async def turn(world: World, **dial: object) -> None:
    """Turn the CRM's dial from how it came."""
    await world.crm_web.post("/_sandbox/dial/reset")
    assert (await world.crm_web.post("/_sandbox/dial", json=dial)).status_code == 200


async def while_idle(world: World, calls: Calls, step_s: float) -> float:
    """Step back just after a lane was given back; return how long a new call takes."""
    await calls.tell()
    await calls.delivered()
    world.clock.forward(-step_s)
    await calls.tell()
    return await calls.delivered()


async def while_sending(world: World, calls: Calls, step_s: float) -> float:
    """Step back while a batch is under way; return how long it takes from there."""
    await turn(world, latency_ms=[100, 100])
    await calls.tell()
    await world.until(lambda status: "sending" in status["deliveries"], step_s=0.1)
    world.clock.forward(-step_s)
    return await calls.delivered()


async def while_held(world: World, calls: Calls, step_s: float) -> float:
    """Step back while calls wait for a CRM that is down; return how long they take once that time came again."""
    await turn(world, rates={"503": 1.0})
    for _ in range(5):
        await calls.tell()
    await world.until(lambda status: status["installations"][0]["hold_why"], step_s=0.1)
    world.clock.forward(-step_s)
    await turn(world)
    world.clock.forward(step_s)
    return await calls.delivered(step_s=2)


async def test_a_clock_that_steps_back_doubles_nothing_and_delays_nothing_by_more_than_its_step(
    connected: World, full: bool, tell: Tell
) -> None:
    calls, steps = Calls(connected), (5, 120, 7_200) * 20 if full else (7_200,)
    found = [
        {"step_s": step_s, "idle_s": await while_idle(connected, calls, step_s)}
        | {"sending_s": await while_sending(connected, calls, step_s)}
        | {"held_s": await while_held(connected, calls, step_s)}
        for step_s in steps
    ]
    state = await connected.state()
    made, noted = deals(state), call_notes(state)
    extra = doubled(made) + doubled(noted)
    longest = {name: max(one[name] for one in found) for name in ("step_s", "idle_s", "sending_s", "held_s")}
    tell("clock back", calls=calls.number, steps=3 * len(steps), **longest, deals=len(made), doubled=extra)
    assert (len(made), len(noted), extra) == (calls.number, calls.number, 0)
    assert max(longest["idle_s"], longest["sending_s"]) <= AT_ONCE_S
    assert longest["held_s"] <= HELD_S


def is_free(tx: Tx, now: datetime) -> bool:
    """Say whether nobody has the lane."""
    return bool(tx.execute(select(_lane.c.leased_until)).scalar_one() <= now)


def free_until(tx: Tx, moment: datetime) -> None:
    """Say of the lane that nobody has it since a moment, as if its end of a lease were kept as the moment it was."""
    tx.execute(update(_lane).values(leased_until=moment))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.control
async def test_a_lane_given_back_at_a_moment_that_comes_again_is_stuck_until_then(connected: World, tell: Tell) -> None:
    calls = Calls(connected)
    await calls.tell()
    await calls.delivered()
    await connected.until(lambda _: connected.hub.db.read_now(is_free, connected.clock.now()), step_s=0.2)
    connected.hub.db.write_now(free_until, connected.clock.now())
    connected.clock.forward(-7_200)
    await calls.tell()
    with pytest.raises(AssertionError, match="it did not come to that"):
        await calls.delivered()
    made = deals(await connected.state())
    tell("clock back (control)", calls=calls.number, step_s=7_200, deals=len(made))
    assert len(made) < calls.number
