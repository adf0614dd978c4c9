"""What is known of a number's past holders moves its place in the line of free ones."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.inbox import look
from hub.store.tables import Lease, TrackingNumber, table_of
from tests.hub import world as worlds
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World

MINUTE, DAY = 60, 86_400
_number, _lease = table_of(TrackingNumber), table_of(Lease)
STRANGERS = ("+79160000001", "+79160000002", "+79160000003")


async def tell(world: World, kind: str, shown: dict[str, Any]) -> None:
    who = {"site": world.applied.sites[0]["key"], "visitor": shown["visitor"], "visit": shown["visit"]}
    answer = await world.web.post("/dni/v1/event", content=json.dumps({**who, "kind": kind, "number": shown["number"]}))
    assert answer.status_code == 204, answer.text


async def call(world: World, name: str, caller: str, dialled: str) -> None:
    """A call that begins a minute from now."""
    world.clock.forward(2 * MINUTE)
    told = {"call_id": name, "event": "ended", "at": world.clock.now().isoformat(), "status": "answered"}
    answer = await world.generic(told | {"dialled": dialled, "caller": caller, "talk_s": 60, "wait_s": 0}, name)
    assert answer.status_code == 200, answer.text
    assert await world.hub.db.write(look, world.clock.now(), world.hub.vault) is not None


# -- who is likely still to call keeps his number longer


@pytest.mark.parametrize(("kind", "given"), [("copy", 1), ("tel_tap", 1), ("reveal", 0)])
async def test_the_number_of_a_keen_visitor_is_given_last(still: World, kind: str, given: int) -> None:
    shown = [await still.visit(AD)]
    await tell(still, kind, shown[0])
    for _ in range(2):
        still.clock.forward(MINUTE)
        shown.append(await still.visit(AD))
    still.clock.forward(20 * MINUTE)
    assert (await still.visit(AD))["number"] == shown[given]["number"]


async def test_who_has_called_is_known_by_his_phone_and_gives_his_number_back_first(still: World) -> None:
    quiet = [await still.visit(AD)]
    still.clock.forward(MINUTE)
    caller = await still.visit(AD)
    still.clock.forward(MINUTE)
    quiet.append(await still.visit(AD))
    await call(still, "c1", IVAN, caller["number"])
    still.clock.forward(20 * MINUTE)
    assert (await still.visit(AD))["number"] == caller["number"]


async def test_a_caller_who_stays_on_the_site_does_not_warm_his_number_again(still: World) -> None:
    await still.visit(AD)
    still.clock.forward(MINUTE)
    caller = await still.visit(AD)
    await call(still, "c1", IVAN, caller["number"])
    still.clock.forward(5 * MINUTE)
    await still.visit("https://okna.example/prices", visitor=caller["visitor"])
    await still.visit(AD)
    still.clock.forward(20 * MINUTE)
    assert (await still.visit(AD))["number"] == caller["number"]


@pytest.mark.parametrize(("has_called", "reason"), [(True, "nobody"), (False, "last_holder")])
async def test_another_phone_is_hardly_his_who_has_called(still: World, has_called: bool, reason: str) -> None:
    shown = await still.visit(AD)
    if has_called:
        await call(still, "c1", IVAN, shown["number"])
    still.clock.forward(20 * MINUTE)
    await call(still, "c2", STRANGERS[0], shown["number"])
    told = {one["provider_call_id"]: one["match"]["reason"] for one in (await still.api("calls"))["calls"]}
    assert told["c2"] == reason


# -- a number that strangers know rests


@pytest.fixture
def six(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A customer with six numbers in his pool."""
    numbers = ", ".join(f'"+7 495 111-00-0{n}"' for n in range(1, 7))
    setup = worlds.SETUP.replace('"+7 495 111-00-01", "+7 495 111-00-02", "+7 495 111-00-03"', numbers)
    with worlds.still(database_url, tmp_path, setup) as made:
        yield made


async def at_rest(world: World) -> list[str]:
    return await world.hub.db.read(lambda tx: list(tx.execute(select(_number.c.e164).where(_number.c.rests)).scalars()))


async def test_a_number_that_strangers_call_rests_and_comes_back(six: World) -> None:
    for place, caller in enumerate(STRANGERS):
        await call(six, f"c{place}", caller, "+74951110001")
    assert await at_rest(six) == ["+74951110001"]
    shown = {(await six.visit(AD))["number"] for _ in range(6)}
    assert "+74951110001" not in shown and "+74951000000" in shown
    six.clock.forward(31 * DAY)
    assert (await six.visit(AD))["number"] == "+74951110001"
    assert await at_rest(six) == []


async def test_a_number_at_rest_is_nobodys(six: World) -> None:
    shown = await six.visit(AD)
    six.clock.forward(3 * DAY)
    for place, caller in enumerate(STRANGERS):
        await call(six, f"c{place}", caller, shown["number"])
    live = select(_lease.c.id).where(_lease.c.ended_at.is_(None))
    assert await six.hub.db.read(lambda tx: tx.execute(live).first()) is None


async def test_one_stranger_who_dials_wrong_again_and_again_puts_no_number_to_rest(six: World) -> None:
    for place in range(4):
        await call(six, f"c{place}", STRANGERS[0], "+74951110001")
        six.clock.forward(100 * DAY / 4)
    assert await at_rest(six) == []


async def test_old_strangers_put_no_number_to_rest(six: World) -> None:
    for place, caller in enumerate(STRANGERS):
        await call(six, f"c{place}", caller, "+74951110001")
        six.clock.forward(timedelta(days=20).total_seconds())
    assert await at_rest(six) == []


async def test_no_more_than_a_fifth_of_a_pool_rests(six: World) -> None:
    for number in (1, 2):
        for place, caller in enumerate(STRANGERS):
            await call(six, f"c{number}{place}", caller, f"+7495111000{number}")
    assert await at_rest(six) == ["+74951110001"]
