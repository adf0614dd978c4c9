"""Calling back: which missed call or order counts by it, whatever was told first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.store.tables import Enquiry, Goal, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.test_enquiries import pass_on
from tests.hub.test_flow import IVAN
from tests.hub.test_rematch import look_at_all
from tests.hub.world import World

_enquiry, _goal = table_of(Enquiry), table_of(Goal)
PETER = "+79160000002"
GOALS = "goals: [{name: target, called_back_within_s: 200}]\n"


@pytest.fixture
def keen(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A customer who counts missed calls and orders that are called back within 200 s."""
    with worlds.still(database_url, tmp_path, worlds.SETUP + GOALS) as made:
        yield made


async def call(world: World, name: str, phone: str, at: datetime, talk_s: int = 0, direction: str = "inbound") -> None:
    """Tell a whole call that began at a moment, by its end."""
    ended = at + timedelta(seconds=talk_s)
    told = {"call_id": name, "event": "ended", "at": ended.isoformat(), "status": "answered" if talk_s else "missed"}
    told |= {"dialled": "+74951000000", "caller": phone, "direction": direction}
    assert (await world.generic(told | {"talk_s": talk_s}, name)).status_code == 200
    await look_at_all(world)


async def order(world: World, name: str, phone: str, at: datetime) -> None:
    await pass_on(world, kind="callback", id=name, phone=phone, at=at.isoformat())
    await look_at_all(world)


def judged(tx: Tx) -> dict[str, str]:
    """Why each enquiry counts or does not, by the name its sender gave it."""
    rows = tx.execute(select(_enquiry.c.key, _enquiry.c.qualified, _enquiry.c.qualified_why))
    return {row.key.rpartition(":")[2]: f"{row.qualified}: {row.qualified_why}" for row in rows}


def goals(tx: Tx) -> list[str]:
    on = _goal.c.enquiry_id == _enquiry.c.id
    alive = select(_enquiry.c.key).join(_goal, on).where(_goal.c.withdrawn_at.is_(None)).order_by(_enquiry.c.at)
    return [key.rpartition(":")[2] for key in tx.execute(alive).scalars()]


async def test_a_missed_call_counts_once_he_was_called_back(keen: World) -> None:
    at = keen.clock.now()
    await call(keen, "c1", IVAN, at)
    assert await keen.hub.db.read(goals) == []
    await call(keen, "back", IVAN, at + timedelta(seconds=120), talk_s=60, direction="outbound")
    assert await keen.hub.db.read(goals) == ["c1"]


@pytest.mark.parametrize(
    ("phone", "after", "talk_s"), [(IVAN, 201, 60), (IVAN, 120, 29), (IVAN, 120, 0), (PETER, 120, 60)],
    ids=["too late", "too short", "not answered", "somebody else"],
)  # fmt: skip
async def test_what_does_not_count_as_a_call_back(keen: World, phone: str, after: int, talk_s: int) -> None:
    at = keen.clock.now()
    await call(keen, "c1", IVAN, at)
    await call(keen, "back", phone, at + timedelta(seconds=after), talk_s=talk_s, direction="outbound")
    assert await keen.hub.db.read(goals) == []


async def test_whatever_is_told_first_the_same_enquiry_counts(keen: World) -> None:
    """He called in vain twice and ordered a call; he was called back, in time for the last two."""
    at = keen.clock.now() - timedelta(hours=1)
    orders = [("first", *one) for one in permutations(("second", "order", "back"))]
    orders += [("back", "order", "second", "first"), ("second", "back", "first", "order")]
    for number, steps in enumerate(orders):
        phone = f"+7916000{number:04d}"
        facts: dict[str, Any] = {
            "first": lambda name, phone=phone: call(keen, name, phone, at),
            "second": lambda name, phone=phone: call(keen, name, phone, at + timedelta(seconds=180)),
            "order": lambda name, phone=phone: order(keen, name, phone, at + timedelta(seconds=240)),
            "back": lambda name, phone=phone: call(keen, name, phone, at + timedelta(seconds=300), 60, "outbound"),
        }
        for step in steps:
            await facts[step](f"{step}-{number}")
    told = await keen.hub.db.read(judged)
    for number in range(len(orders)):
        assert told[f"first-{number}"] == "False: Called back after 300 s, at most 200 s count."
        assert told[f"second-{number}"] == "True: Called back after 120 s; the talk lasted 60 s, at least 30 s count."
        assert told[f"order-{number}"] == "False: The call back counts for an earlier enquiry of the same person."
    assert set(await keen.hub.db.read(goals)) == {f"second-{number}" for number in range(len(orders))}


async def test_an_order_to_call_back_counts_only_once_he_was_called(keen: World) -> None:
    at = keen.clock.now()
    await order(keen, "o1", IVAN, at)
    assert (await keen.hub.db.read(judged))["o1"] == "False: Nobody has called back; a call back within 200 s counts."
    await call(keen, "back", IVAN, at + timedelta(seconds=200), talk_s=45, direction="outbound")
    assert await keen.hub.db.read(goals) == ["o1"]


async def test_without_such_a_goal_a_missed_call_never_counts(still: World) -> None:
    at = still.clock.now()
    await call(still, "c1", IVAN, at)
    await call(still, "back", IVAN, at + timedelta(seconds=120), talk_s=60, direction="outbound")
    assert (await still.hub.db.read(judged))["c1"] == "False: Nobody answered."
