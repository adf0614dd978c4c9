"""Another integration that makes a deal at each call is said, with the evidence; a person who makes one is not."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.changes import ROBOT
from hub import conflicts
from hub.conflict_rule import Since, Verdict
from hub.conflicts import Conflicts
from hub.store.people import tenants
from tests.hub.test_contact_index import as_person, contact, merge
from tests.hub.world import World, ruled_by
from tracking_core.enquiry import EnquiryKind

NUMBER = "+74951110001"
PHONES = [f"+791600000{number:02}" for number in range(20)]
WINDOW_S = 16 * 60
Beside = Callable[[World, int, dict[str, Any]], Awaitable[Any]]


async def deal(world: World, contact_id: int, made_at: float, **more: Any) -> int:
    """Make a deal of a contact with another token than the hub's."""
    asked = {"name": "Звонок", "created_at": int(made_at), "_embedded": {"contacts": [{"id": contact_id}]}}
    made = await as_person(world, "POST", "leads", [asked | more])
    return int(made["_embedded"]["leads"][0]["id"])


async def call(world: World, number: int, beside: Beside | None = None) -> None:
    """Let a person call, and somebody else do something in the CRM once the hub has made its deal."""
    before = {one["id"] for one in (await world.state())["leads"]}
    await world.mango_call(f"c{number}", PHONES[number], NUMBER, talk_s=20 + 7 * number)
    await world.delivered(number + 1)
    (ours,) = [one for one in (await world.state())["leads"] if one["id"] not in before]
    if beside is not None:
        await beside(world, number, ours)


async def found(world: World) -> Conflicts:
    """Let the time pass in which a deal is one of a call, and everything be read; return what is found."""
    await read(world, WINDOW_S)
    (tenant_id,) = await world.hub.db.read(tenants)
    (one,) = await world.hub.db.read(conflicts.of_tenant, tenant_id, world.clock.now())
    return one


async def read(world: World, seconds: float) -> None:
    world.clock.forward(seconds)
    until = world.clock.now() + timedelta(seconds=130)
    await world.until(lambda _: world.clock.now() >= until, step_s=2)


def whose(lead: dict[str, Any]) -> int:
    return int(lead["links"]["contacts"][0]["id"])


async def at_once(world: World, number: int, ours: dict[str, Any]) -> int:
    """A program: four or five seconds after the hub's deal is there."""
    return await deal(world, whose(ours), ours["created_at"] + 4 + number % 2)


async def test_an_integration_that_makes_a_deal_at_each_call_is_said(connected: World) -> None:
    for number in range(6):
        await call(connected, number, at_once)
    conflict = await found(connected)
    judged = conflict.said[EnquiryKind.CALL]
    assert (judged.enquiries, judged.doubled, judged.later) == (6, 6, 0)
    assert (judged.steady, judged.since) == (6, Since.OURS)
    assert judged.verdict is Verdict.CONFLICT


async def test_the_evidence_names_the_call_both_deals_and_who_made_the_other(connected: World) -> None:
    await call(connected, 0, at_once)
    (one,) = (await found(connected)).doubles
    leads = sorted((await connected.state())["leads"], key=lambda lead: lead["id"])
    assert (one.told.ours[0].id, one.card.id) == (str(leads[0]["id"]), str(leads[1]["id"]))
    assert one.card.url is not None and one.card.url.endswith(f"/leads/detail/{one.card.id}")
    assert one.card.author == str(leads[1]["created_by"])
    assert one.card.responsible == str(leads[1]["responsible_user_id"])
    assert one.gap(Since.OURS) == 4
    (told,) = (await connected.api("calls"))["calls"]
    assert one.told.sent.enquiry_id == told["enquiry"]
