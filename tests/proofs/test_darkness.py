"""Proof 10, Six hours of darkness (docs/reliability.md): a CRM that is away costs no call, no order and no try.

Calls arrive while the CRM is down for six hours, comes back ten times for a moment, and returns; then it is down for
five days. The hub runs in this process on a clock of its own, the CRM's sandbox behind real HTTP. Quick: 30 calls; with
--full: 5,000.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from connectors.amocrm.manifest import manifest
from connectors.protocol import Outcome, Status, Why
from hub.delivery import by_hand, queue, retry, settling
from hub.delivery.retry import State
from tests.hub.world import World
from tests.proofs.look import Look, delivered, look, tenant
from tests.proofs.results import Tell

FLAPS, DARK_S = 10, 6 * 3_600
DOWN = {"rates": {"drop_before": 0.5, "html_error": 0.5}, "only": {"path": ""}}
UP = {"rates": {"drop_before": 0, "html_error": 0}}


async def dial(world: World, to: dict[str, Any]) -> None:
    """Turn the CRM off or on."""
    (await world.crm_web.post("/_sandbox/dial", json=to)).raise_for_status()


async def quiet(world: World) -> Look:
    """Let the hub do what is due now; time goes on slowly while somebody is at work."""
    for _ in range(20_000):
        seen = await world.hub.db.read(look)
        now = world.clock.now()
        if not seen.busy(now) and seen.due() > now:
            return seen
        world.clock.forward(0.05)
        await asyncio.sleep(0)
    raise AssertionError(f"it does not come to rest: {seen}")


async def wait(world: World, seconds: float) -> None:
    """Let this time go by, stopping wherever the hub has something to do."""
    until = world.clock.now() + timedelta(seconds=seconds)
    while (now := world.clock.now()) < until:
        seen = await quiet(world)
        world.clock.forward(min(max((seen.due() - now).total_seconds(), 1), (until - now).total_seconds()))
    await quiet(world)


async def drained(world: World, calls: int) -> None:
    """Let time go on until every call is in the CRM."""
    for _ in range(2_000):
        seen = await quiet(world)
        if seen.done(calls):
            return
        world.clock.forward(max((seen.due() - world.clock.now()).total_seconds(), 0.05))
    raise AssertionError(f"not all is delivered: {seen}")


async def call(world: World, number: int, callers: int) -> None:
    """Tell the end of one call; how long it was says which it is."""
    told = {"call_id": f"call-{number}", "event": "ended", "at": world.clock.now().isoformat(), "status": "answered"}
    told |= {"dialled": "+74952220001", "caller": f"+7916{number % callers:07}", "talk_s": 60 + number, "wait_s": 4}
    assert (await world.generic(told, f"m{number}")).status_code == 200


async def darkness(world: World, calls: int, seed: int) -> None:
    """Let calls arrive while the CRM is down, but for ten moments; it is up at the end."""
    chance = random.Random(seed)
    moments = set(chance.sample(range(1, calls), FLAPS))
    await dial(world, DOWN | {"seed": seed, "search_lag": 3})
    for number in range(calls):
        await call(world, number, max(1, calls // 3))
        if number in moments:
            await dial(world, UP)
            await wait(world, chance.uniform(5, 20))
            await dial(world, DOWN)
        await wait(world, DARK_S / calls)
    await dial(world, UP)


def callers_out_of_order(state: dict[str, Any]) -> int:
    """Count the call notes that were written after a later one of the same caller."""
    last: Counter[str] = Counter()
    late = 0
    for note in sorted((one for one in state["notes"] if one["note_type"] == "call_in"), key=lambda one: one["id"]):
        phone, length = note["params"]["phone"], note["params"]["duration"]
        late += length < last[phone]
        last[phone] = max(last[phone], length)
    return late


def in_first_minute(rows: Sequence[dict[str, Any]]) -> int:
    """Count the requests of the minute that begins with the first one after the return."""
    return sum(row["arrived"] < rows[0]["arrived"] + 60 for row in rows)


async def states(world: World) -> Counter[str]:
    """Count the deliveries in each state."""
    return Counter(one.state for one in await world.hub.db.read(delivered))


async def test_six_hours_of_darkness_cost_nothing_and_five_days_are_one_command(
    connected: World,
    full: bool,
    tell: Tell,
) -> None:
    world, calls, seed = connected, 5_000 if full else 30, 1
    await quiet(world)
    await darkness(world, calls, seed)
    before = (await world.crm_web.get("/_sandbox/ledger")).json()["rows"][-1]["number"]
    await drained(world, calls)
    rows = (await world.crm_web.get("/_sandbox/ledger", params={"since": before})).json()["rows"]
    deliveries = await world.hub.db.read(delivered)
    tries, minute = max(one.spent for one in deliveries), in_first_minute(rows)
    late = callers_out_of_order(await world.state())

    await dial(world, DOWN)
    for number in range(calls, calls + 6):
        await call(world, number, calls)
    for _ in range(5 * 24 // 3):
        await wait(world, 3)
        world.clock.forward(3 * 3_600)
    parked = [one for one in await world.hub.db.read(delivered) if one.state == State.PARKED]
    await dial(world, UP)
    await wait(world, 700)
    of = await world.hub.db.read(tenant)
    replayed = await world.hub.db.write(
        partial(by_hand.replay_parked, vault=world.hub.vault), of, None, world.clock.now()
    )
    await drained(world, calls + 6)

    figures = {"calls": calls, "seed": seed, "flaps": FLAPS, "tries": tries, "first_minute": minute}
    tell("darkness", **figures, out_of_order=late, parked=len(parked), replayed=replayed)
    assert late == 0
    assert tries <= 2
    assert minute <= manifest.limits.per_second * 60
    assert not [row for row in rows if row["status"] == 429]
    assert (len(parked), replayed) == (6, 6)
    assert all("hub.dark" in one.sentence for one in parked)


@pytest.mark.control
async def test_a_queue_that_counts_holds_as_tries_parks(
    connected: World,
    tell: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "PATIENCE", timedelta())
    monkeypatch.setattr(retry, "SCHEDULE_S", (5, 30, 120, 600, 1_800))  # the usual five tries
    failed = Outcome(Status.RETRY, why=Why.UNAVAILABLE)

    def counted(one: Any, now: Any) -> Any:
        return settling._settled(one, failed, manifest.limits, now)

    monkeypatch.setattr(settling, "_put_back", counted)
    monkeypatch.setattr(queue, "hold", queue.lanes.hold)
    await quiet(connected)
    await darkness(connected, 12, 1)
    parked = (await states(connected))[State.PARKED]
    tell("darkness (control)", calls=12, seed=1, parked=parked)
    assert parked > 0
