"""In a Bitrix24 portal, too, a program that makes a deal at each call is said; people and watched calls are not."""

from typing import Any

import pytest

from hub import conflicts
from hub.conflict_rule import Since, Verdict
from hub.conflicts import Conflicts
from hub.store.people import tenants
from tests.hub.test_conflicts import NUMBER, PHONES, is_read
from tests.hub.test_gone_of_portal import asked
from tests.hub.test_observed_calls import SCENARIO, called
from tests.hub.world import World, ruled_by
from tracking_core.enquiry import EnquiryKind

DEAL = 2


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


async def deal(world: World, contact: int) -> Any:
    """Make a deal of a contact as another program does, in the name of an employee."""
    fields = {"title": "Звонок", "contactId": contact}
    told = {"method": "crm.item.add", "params": {"entityTypeId": DEAL, "fields": fields}, "user_id": 6}
    return (await asked(world, "call-method", **told))["result"]["item"]


async def call(world: World, number: int, after_s: float | None) -> None:
    """Let a person call; so many seconds after the hub's deal is there another one is made."""
    before = {one["id"] for one in (await world.state())["deal"]}
    await world.mango_call(f"c{number}", PHONES[number], NUMBER, talk_s=20 + 7 * number)
    await world.delivered(number + 1)
    (ours,) = [one for one in (await world.state())["deal"] if one["id"] not in before]
    if after_s is not None:
        world.clock.forward(max(0.0, ours["createdTime"] + after_s - world.clock.now().timestamp()))
        await deal(world, ours["contactIds"][0])


async def found(world: World) -> Conflicts:
    await is_read(world)
    (tenant_id,) = await world.hub.db.read(tenants)
    (one,) = await world.hub.db.read(conflicts.of_tenant, tenant_id, world.clock.now())
    return one


async def test_a_program_that_makes_a_deal_at_each_call_is_said(connected: World) -> None:
    for number in range(6):
        await call(connected, number, after_s=5)
    judged = (await found(connected)).said[EnquiryKind.CALL]
    assert (judged.enquiries, judged.doubled, judged.since) == (6, 6, Since.OURS)
    assert judged.author == "6"


async def test_people_who_make_deals_by_hand_are_not_said(connected: World) -> None:
    for number, after_s in enumerate((35, None, 140, None, 300, 620)):
        await call(connected, number, after_s)
    judged = (await found(connected)).judged[EnquiryKind.CALL]
    assert (judged.doubled, judged.verdict) == (4, Verdict.BY_HAND)


async def test_a_deal_of_the_evidence_leads_to_the_portal(connected: World) -> None:
    await call(connected, 0, after_s=5)
    (one,) = (await found(connected)).doubles
    assert str(one.card.url).endswith(f"/crm/deal/details/{one.card.id}/")
    assert one.card.responsible == "6"


@pytest.mark.parametrize("set_up", [ruled_by(SCENARIO)], ids=["observe"])
async def test_calls_that_the_hub_only_watches_have_no_double(connected: World) -> None:
    await called(connected)
    await connected.delivered(1)
    (lead,) = (await connected.state())["lead"]
    told = {"method": "crm.item.add", "params": {"entityTypeId": 3, "fields": {"name": "Иван"}}}
    contact = (await asked(connected, "call-method", **told))["result"]["item"]["id"]
    given = {"entityTypeId": 1, "id": lead["id"], "fields": {"contactId": contact}}
    await asked(connected, "call-method", method="crm.item.update", params=given)
    await deal(connected, contact)
    made = await found(connected)
    assert (made.judged, made.doubles) == ({}, ())
