"""The whole way with a Bitrix24 portal: connect, a call becomes a deal with its source, a won deal becomes revenue."""

from typing import Any

import pytest

from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


async def called(world: World, call: str = "c1") -> None:
    """Let a visitor from an ad call the number he is shown."""
    shown = await world.visit(AD)
    await world.mango_call(call, IVAN, shown["number"], talk_s=60)


async def asked(world: World, what: str, **told: Any) -> None:
    """Do in the portal what a person does there."""
    answer = await world.crm_web.post(f"/_sandbox/{what}", json=told)
    assert answer.status_code == 200, answer.text


async def test_a_call_from_an_ad_becomes_a_deal_that_says_where_it_came_from(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (deal,) = (await connected.state())["deal"]
    assert deal["title"] == "Звонок +7 916 123-45-67"
    assert (deal["utmSource"], deal["utmCampaign"]) == ("yandex", "okna-msk")
    assert deal["UF_CRM_HUB_CONFIDENCE"] == "100%"


async def test_its_contact_has_the_phone_and_the_deal_stands_on_it(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    state = await connected.state()
    (contact,) = state["contact"]
    assert [one["value"] for one in contact["fm"]] == [IVAN]
    assert state["deal"][0]["contactIds"] == [contact["id"]]


async def test_a_manager_reads_on_the_deal_why(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (comment,) = (await connected.state())["comments"]
    assert "Почему: В момент звонка номер был закреплён только за этим посетителем" in comment["text"]


async def test_two_calls_at_once_of_one_caller_make_one_deal(connected: World) -> None:
    await called(connected)
    await called(connected, "c2")
    await connected.delivered(2)
    state = await connected.state()
    assert (len(state["deal"]), len(state["contact"])) == (1, 1)


async def test_a_won_deal_becomes_revenue(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (deal,) = (await connected.state())["deal"]
    await asked(connected, "amount", id=deal["id"], minor=12_500_000)
    await asked(connected, "move", kind="deal", id=deal["id"], stage="WON")
    await connected.until(lambda status: status["deals_won"] == 1, step_s=10)
    day = connected.clock.now().date().isoformat()
    report = await connected.api("report/roi", **{"from": day, "to": day})
    (row,) = [row for row in report["rows"] if row["source"] == "yandex"]
    assert (row["deals"], row["won"], row["revenue_minor"]) == (1, 1, 12_500_000)
