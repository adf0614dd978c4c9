"""A Bitrix24 portal tells nobody of a deal that was merged away: the hub finds it, and takes no hidden one for it."""

from typing import Any

import pytest

from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World

PERIOD_S = 61


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


async def asked(world: World, what: str, **told: Any) -> Any:
    """Do in the portal what a person does there."""
    answer = await world.crm_web.post(f"/_sandbox/{what}", json=told)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reports(world: World) -> tuple[int, int, int]:
    """Return the deals of the report, the won ones and their revenue."""
    day = world.clock.now().date().isoformat()
    total = (await world.api("report/roi", **{"from": day, "to": day}))["total"]
    return total["deals"], total["won"], total["revenue_minor"]


async def reads(world: World, periods: int = 2) -> None:
    """Let the hub read back for so many periods."""
    until = world.clock.now().timestamp() + periods * PERIOD_S
    await world.until(lambda _: world.clock.now().timestamp() >= until, step_s=2)


@pytest.fixture
async def won(connected: World) -> int:
    """A deal of a call from an ad, won and in the report."""
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    (deal,) = (await connected.state())["deal"]
    await asked(connected, "amount", id=deal["id"], minor=12_500_000)
    await asked(connected, "move", kind="deal", id=deal["id"], stage="WON")
    await connected.until(lambda status: status["deals_won"] == 1, step_s=10)
    return int(deal["id"])


async def test_a_deal_that_was_merged_away_is_gone_from_the_report(connected: World, won: int) -> None:
    told = {
        "method": "crm.item.add",
        "params": {"entityTypeId": 2, "fields": {"title": "Другая", "originId": "x", "originatorId": "1C"}},
    }
    keep = (await asked(connected, "call-method", **told))["result"]["item"]["id"]
    await asked(connected, "merge", kind="deal", lose=won, keep=keep)
    await connected.until(lambda status: status["deals_won"] == 0, step_s=10)
    assert await reports(connected) == (0, 0, 0)


async def test_a_deal_that_was_hidden_from_who_connected_us_stays(connected: World, won: int) -> None:
    await asked(connected, "user", id=1, is_admin=False, rights={"2": "none"})
    await reads(connected, 4)
    assert await reports(connected) == (1, 1, 12_500_000)
