"""What comes late corrects a match; what was matched before stays on record."""

from typing import Any

from sqlalchemy import select

from hub.inbox import look
from hub.store.tables import Match, table_of
from hub.store.tx import Tx
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_heat import MINUTE, tell
from tests.hub.world import World

_match = table_of(Match)


def matches(tx: Tx) -> list[tuple[Any, ...]]:
    asked = select(_match.c.visit_id, _match.c.reason, _match.c.superseded_at.is_not(None))
    return [tuple(row) for row in tx.execute(asked.order_by(_match.c.id))]


async def look_at_all(world: World) -> None:
    while await world.hub.db.write(look, world.clock.now(), world.hub.vault) is not None:
        pass


async def rings(world: World, name: str, dialled: str, caller: str = IVAN) -> None:
    told = {"call_id": name, "event": "ringing", "at": world.clock.now().isoformat(), "dialled": dialled}
    assert (await world.generic(told | {"caller": caller}, f"{name}-rings")).status_code == 200
    await look_at_all(world)


async def test_a_tap_told_after_the_call_rang_decides_between_two_holders(still: World) -> None:
    first = await still.visit(AD)
    still.clock.forward(11 * MINUTE)
    for _ in range(3):  # the third takes the first one's number
        second = await still.visit(AD)
    assert second["number"] == first["number"]
    await rings(still, "c1", first["number"])
    await tell(still, "tel_tap", first)
    await look_at_all(still)
    found = await still.hub.db.read(matches)
    assert [(visit, superseded) for visit, _, superseded in found] == [
        (second["visit"], True),
        (first["visit"], False),
    ]


async def test_a_tap_on_another_number_changes_nothing(still: World) -> None:
    first, second = await still.visit(AD), await still.visit(AD)
    still.clock.forward(MINUTE)
    await rings(still, "c1", first["number"])
    await tell(still, "tel_tap", second)
    await look_at_all(still)
    assert len(await still.hub.db.read(matches)) == 1


async def test_an_earlier_call_told_late_lends_its_visit_to_the_later_one(still: World) -> None:
    shown = await still.visit(AD)
    began = still.clock.forward(MINUTE)
    still.clock.forward(120 * MINUTE)
    await rings(still, "later", "+74951000000")
    before = {"call_id": "earlier", "event": "ended", "at": began.isoformat(), "status": "missed"}
    await still.generic(before | {"dialled": shown["number"], "caller": IVAN}, "earlier")
    await look_at_all(still)
    calls = {call["provider_call_id"]: call for call in (await still.api("calls"))["calls"]}
    assert (calls["later"]["match"]["reason"], calls["later"]["match"]["visit"]) == ("repeat_caller", shown["visit"])
    assert calls["later"]["first_time"] is False


async def test_a_late_call_of_somebody_else_changes_nothing(still: World) -> None:
    shown = await still.visit(AD)
    began = still.clock.forward(MINUTE)
    still.clock.forward(120 * MINUTE)
    await rings(still, "later", "+74951000000")
    before = {"call_id": "earlier", "event": "ended", "at": began.isoformat(), "status": "missed"}
    await still.generic(before | {"dialled": shown["number"], "caller": "+79160000009"}, "earlier")
    await look_at_all(still)
    calls = {call["provider_call_id"]: call for call in (await still.api("calls"))["calls"]}
    assert calls["later"]["match"]["reason"] == "nobody"
