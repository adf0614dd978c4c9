"""An account with leads: a lead is a deal of one more pipeline, and its number has an L before it."""

from dataclasses import replace

import pytest

from connectors.contract import MARKER, delivery
from connectors.contract_inputs import rules
from connectors.protocol import Ref, Status
from connectors.scenario import AddNote, CallerState, CreateDeal, MoveDeal
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import card, made, ours

LEAD, DEAL = "1", "2"


def asks_for(*actions, **changed):
    return delivery(what=replace(delivery().what, rules=rules(dict.fromkeys(CallerState, actions))), **changed)


INCOMING = asks_for(CreateDeal("Звонок", incoming=True), AddNote("n"))


@pytest.fixture
def making(portal):
    portal.on("crm.item.add", made(10), where=lambda asked: asked["entityTypeId"] == LEAD)
    return portal


@pytest.fixture
def with_lead(portal):
    """The caller is nobody but an open lead."""
    portal.on("crm.duplicate.findbycomm", {"LEAD": [10]}, where=lambda asked: asked["entity_type"] == "LEAD")
    lead = card(10, contactId=None, stageId="IN_PROCESS")
    portal.on("crm.item.list", {"items": [lead]}, where=lambda asked: asked["filter[@id][0]"] == "10")
    return portal


async def deliver(session, of):
    return (await session.deliver([of]))["d-1"]


async def test_an_incoming_enquiry_is_a_lead_with_the_callers_phone(classic, making):
    outcome = await deliver(classic, INCOMING)
    [lead] = making.of("crm.item.add")
    assert (lead["entityTypeId"], lead["fields[fm][0][value]"]) == (LEAD, "+79161234567")
    assert (lead["fields[originId]"], lead["fields[name]"]) == (MARKER, "+7 916 123-45-67")
    assert Ref("deal", "L10", "https://romashka.bitrix24.ru/crm/lead/details/10/") in outcome.refs


async def test_contacts_and_leads_are_asked_for_apart_so_that_none_hides_the_other(classic, making):
    await deliver(classic, INCOMING)
    assert [one["entity_type"] for one in making.of("crm.duplicate.findbycomm")] == ["CONTACT", "LEAD"]


async def test_notes_go_on_the_lead(classic, making):
    await deliver(classic, INCOMING)
    assert making.of("crm.timeline.comment.add")[0]["fields[ENTITY_TYPE]"] == "lead"
    assert making.of("crm.activity.add")[0]["fields[OWNER_TYPE_ID]"] == LEAD


async def test_a_lead_of_a_known_contact_is_his(classic, making):
    making.on("crm.duplicate.findbycomm", {"CONTACT": [44]}, where=lambda asked: asked["entity_type"] == "CONTACT")
    await deliver(classic, INCOMING)
    [lead] = making.of("crm.item.add")
    assert (lead["fields[contactId]"], lead["fields[fm][0][value]"]) == ("44", None)


async def test_a_scenario_may_name_the_pipeline_of_leads_and_its_stage(classic, making):
    await deliver(classic, asks_for(CreateDeal("x", pipeline="leads", stage="IN_PROCESS")))
    [lead] = making.of("crm.item.add")
    assert (lead["entityTypeId"], lead["fields[stageId]"], lead["fields[categoryId]"]) == (LEAD, "IN_PROCESS", None)


async def test_a_deal_is_a_deal_where_there_are_leads_too(classic, portal):
    await deliver(classic, asks_for(CreateDeal("x")))
    assert [one["entityTypeId"] for one in portal.of("crm.item.add")] == ["3", DEAL]


async def test_an_open_lead_of_the_caller_is_his_open_deal(classic, with_lead):
    outcome = await deliver(classic, delivery())
    assert next((ref.kind, ref.id) for ref in outcome.refs) == ("deal", "L10")
    assert not with_lead.of("crm.item.add")


async def test_an_open_deal_goes_before_an_open_lead(classic, known):
    lead = card(10, stageId="NEW")
    known.on("crm.item.list", {"items": [lead]}, where=lambda asked: asked["entityTypeId"] == LEAD)
    outcome = await deliver(classic, delivery())
    assert ("deal", "340") in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_a_converted_lead_is_not_open(classic, with_lead):
    converted = card(10, contactId=None, stageId="CONVERTED", stageSemanticId="S")
    with_lead.on("crm.item.list", {"items": [converted]}, where=lambda asked: asked["filter[@id][0]"] == "10")
    await deliver(classic, delivery())
    assert with_lead.of("crm.item.add")


async def test_a_lead_is_moved_in_its_own_pipeline(classic, with_lead):
    with_lead.on("crm.item.update", {"item": {"id": 10}})
    await deliver(classic, asks_for(MoveDeal("leads", "PROCESSED", ("IN_PROCESS",))))
    [move] = with_lead.of("crm.item.update")
    assert (move["entityTypeId"], move["id"], move["fields[stageId]"]) == (LEAD, "10", "PROCESSED")


async def test_a_lead_in_doubt_is_found_by_its_mark(classic, portal):
    lead = ours(10, contactId=None)
    portal.on("crm.item.list", {"items": [lead]}, where=lambda asked: asked["entityTypeId"] == LEAD)
    outcome = await deliver(classic, replace(INCOMING, in_doubt=True, attempt=2))
    assert ("deal", "L10") in [(ref.kind, ref.id) for ref in outcome.refs]
    assert not portal.of("crm.item.add")


async def test_a_lead_that_is_known_is_read_by_its_number(classic, portal):
    portal.on("crm.item.get", {"item": ours(10, contactId=None)})
    await deliver(classic, replace(INCOMING, attempt=2, known=(Ref("deal", "L10"),)))
    [asked] = portal.of("crm.item.get")
    assert (asked["entityTypeId"], asked["id"]) == (LEAD, "10")


async def test_without_leads_an_incoming_enquiry_is_a_deal_and_that_is_said(session, portal):
    outcome = await deliver(session, INCOMING)
    assert [one["entityTypeId"] for one in portal.of("crm.item.add")] == ["3", DEAL]
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (Said("leads_are_off"),))


async def test_without_leads_the_stage_of_the_leads_pipeline_is_not_written(session, portal):
    await deliver(session, asks_for(CreateDeal("x", pipeline="leads", stage="IN_PROCESS")))
    deal = portal.of("crm.item.add")[1]
    assert (deal["fields[stageId]"], deal["fields[categoryId]"]) == (None, None)


@pytest.mark.parametrize(("mode", "entities"), [(1, [LEAD]), ("1", [LEAD]), (2, ["3", DEAL])])
async def test_an_account_that_was_never_read_is_asked_whether_it_has_leads(opened, making, mode, entities):
    making.on("crm.settings.mode.get", mode)
    await deliver(opened(traits=()), INCOMING)
    assert [one["entityTypeId"] for one in making.of("crm.item.add")] == entities
