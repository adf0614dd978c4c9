"""Calls that the portal's own telephony takes: what it made of them is given the source, and nothing is created."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import STARTED, rules
from connectors.protocol import InstallationError, Status, Why
from connectors.scenario import AddNote, CallerState, MoveDeal, Telephony
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault, card

CLOSE = int(datetime(2026, 1, 1, 9, 5, tzinfo=UTC).timestamp())
ROW = {
    "ID": "7",
    "CALL_ID": "MS.716f",
    "EXTERNAL_CALL_ID": None,
    "PORTAL_NUMBER": "74951112233",
    "PHONE_NUMBER": "79161234567",
    "CALL_TYPE": "2",
    "CALL_START_DATE": "2026-01-01T12:00:20+03:00",
    "CRM_ENTITY_TYPE": "CONTACT",
    "CRM_ENTITY_ID": "44",
    "CRM_ACTIVITY_ID": "7943",
}
ON_DEAL = [{"entityTypeId": 3, "entityId": 44}, {"entityTypeId": 2, "entityId": 340}]
EMPTY = {"utmSource": "", "utmTerm": None, "sourceDescription": "", "sourceId": "CALL", "UF_CRM_HUB_SOURCE": None}


def seen(*actions, of=None, **more):
    """A delivery of a call that the portal's own telephony has, too."""
    what = delivery(of).what
    cases = {CallerState.OPEN_DEAL: actions or (AddNote("Источник: yandex"),)}
    return delivery(what=replace(what, rules=rules(cases), telephony=Telephony.OBSERVE), **more)


@pytest.fixture
def telephony(portal):
    """A portal whose telephony put the call on contact 44 and deal 340, which say nothing of a source."""
    portal.clock = CLOSE
    portal.on("voximplant.statistic.get", [ROW])
    portal.on("crm.activity.binding.list", ON_DEAL)
    portal.on("crm.item.get", {"item": card(340, **EMPTY)}, where=lambda asked: asked["entityTypeId"] == "2")
    portal.on("crm.item.get", {"item": {"id": 44, **EMPTY}}, where=lambda asked: asked["entityTypeId"] == "3")
    portal.on("crm.item.get", {"item": card(501, **EMPTY)}, where=lambda asked: asked["entityTypeId"] == "1")
    portal.on("crm.item.update", lambda asked: {"item": {"id": int(asked["id"])}})
    return portal


async def deliver(session, of=None):
    return (await session.deliver([of or seen()]))["d-1"]


async def test_the_call_is_looked_for_by_its_number_around_its_beginning(session, telephony):
    await deliver(session)
    [asked] = telephony.of("voximplant.statistic.get")
    assert asked["FILTER[%PHONE_NUMBER]"] == "9161234567"
    assert asked["FILTER[>=CALL_START_DATE]"] == "2026-01-01T08:58:30+00:00"
    assert asked["FILTER[<=CALL_START_DATE]"] == "2026-01-01T09:01:30+00:00"


async def test_its_deal_is_given_the_source_and_a_note(session, telephony):
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    [updated] = telephony.of("crm.item.update")
    assert (updated["entityTypeId"], updated["id"]) == ("2", "340")
    assert (updated["fields[utmSource]"], updated["fields[UF_CRM_HUB_SOURCE]"]) == ("yandex", "yandex")
    [note] = telephony.of("crm.timeline.comment.add")
    assert (note["fields[ENTITY_TYPE]"], note["fields[ENTITY_ID]"]) == ("deal", "340")


async def test_nothing_is_created(session, telephony):
    await deliver(session)
    creations = ("crm.item.add", "crm.activity.add", "telephony.externalCall.register", "crm.activity.todo.add")
    assert not [one for one in telephony.asked if one.method in creations]


async def test_it_takes_four_requests_for_any_number_of_calls_to_fifty(session, telephony):
    await session.deliver(
        [seen(of=enquiry(caller=f"+7916123456{place}"), id=f"d-{place}", marker=f"hub:{place}") for place in range(10)]
    )
    assert len(telephony.batches) <= 4


async def test_the_delivery_knows_deal_and_contact(session, telephony):
    outcome = await deliver(session)
    assert {(ref.kind, ref.id) for ref in outcome.refs} >= {("deal", "340"), ("contact", "44")}


async def test_what_a_person_wrote_stays(session, telephony):
    filled = card(340, **{**EMPTY, "utmSource": "telegram"})
    telephony.on("crm.item.get", {"item": filled}, where=lambda asked: asked["entityTypeId"] == "2")
    await deliver(session)
    [updated] = telephony.of("crm.item.update")
    assert updated["fields[utmSource]"] is None


async def test_a_card_that_says_everything_is_not_written(session, telephony):
    filled = card(340, **dict.fromkeys(EMPTY, "there"))
    telephony.on("crm.item.get", {"item": filled}, where=lambda asked: asked["entityTypeId"] == "2")
    await deliver(session)
    assert not telephony.of("crm.item.update")


async def test_fields_that_are_refused_leave_the_note(session, telephony):
    telephony.on("crm.item.update", Fault("ACCESS_DENIED", "Access denied."))
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert outcome.said == (Said("source_not_on_card", {"words": "Access denied."}),)


async def test_a_lead_is_as_good(session, telephony):
    telephony.on("crm.activity.binding.list", [{"entityTypeId": 1, "entityId": 501}])
    outcome = await deliver(session)
    assert ("deal", "L501") in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_where_there_is_only_a_contact_its_source_is_written_there(session, telephony):
    telephony.on("crm.activity.binding.list", ON_DEAL[:1])
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    [note] = telephony.of("crm.timeline.comment.add")
    assert (note["fields[ENTITY_TYPE]"], note["fields[ENTITY_ID]"]) == ("contact", "44")


async def test_the_deal_may_be_moved(session, telephony):
    move = MoveDeal("0", "PREPARATION", ("NEW",))
    await deliver(session, seen(AddNote("x"), move))
    assert [one["fields[stageId]"] for one in telephony.of("crm.item.update")] == ["PREPARATION", None]


# -- which call


@pytest.mark.parametrize(
    "odd",
    [
        {"CALL_TYPE": "1"},
        {"PHONE_NUMBER": "79167654321"},
        {"CALL_START_DATE": "2026-01-01T12:02:00+03:00"},
        {"CALL_START_DATE": {}},
        {"EXTERNAL_CALL_ID": "hub:another"},
        {"EXTERNAL_CALL_ID": "hub-card-6-79161234567"},
    ],
)
async def test_another_call_is_not_it(session, telephony, odd):
    telephony.on("voximplant.statistic.get", [{**ROW, **odd}])
    outcome = await deliver(session)
    assert (outcome.status, outcome.why) == (Status.RETRY, Why.TOO_EARLY)
    assert not telephony.of("crm.timeline.comment.add")


async def test_a_call_of_another_application_may_be_it_whatever_that_calls_it(session, telephony):
    telephony.on("voximplant.statistic.get", [{**ROW, "EXTERNAL_CALL_ID": "hubspot-77"}])
    assert (await deliver(session)).status is Status.DELIVERED


async def test_of_two_calls_the_one_over_the_dialled_line_is_it(session, telephony):
    other = {**ROW, "PORTAL_NUMBER": "74959999999", "CALL_START_DATE": "2026-01-01T12:00:00+03:00"}
    telephony.on("voximplant.statistic.get", [{**other, "CRM_ACTIVITY_ID": "1"}, ROW])
    await deliver(session)
    assert [one["activityId"] for one in telephony.of("crm.activity.binding.list")] == ["7943"]


async def test_of_two_over_other_lines_the_nearest_is_it(session, telephony):
    far = {**ROW, "PORTAL_NUMBER": "3", "CALL_START_DATE": "2026-01-01T12:01:00+03:00", "CRM_ACTIVITY_ID": "1"}
    telephony.on("voximplant.statistic.get", [far, {**ROW, "PORTAL_NUMBER": "reg12345"}])
    await deliver(session)
    assert [one["activityId"] for one in telephony.of("crm.activity.binding.list")] == ["7943"]


async def test_a_hidden_caller_is_a_row_without_a_number(session, telephony):
    telephony.on("voximplant.statistic.get", [{**ROW, "PHONE_NUMBER": "anonymous"}])
    outcome = await deliver(session, seen(of=enquiry(caller=None)))
    assert outcome.status is Status.DELIVERED


# -- a portal that is slow, or has no card


async def test_a_call_that_is_not_written_down_yet_is_waited_for(session, telephony):
    telephony.on("voximplant.statistic.get", [])
    outcome = await deliver(session)
    assert (outcome.status, outcome.why, outcome.said) == (Status.RETRY, Why.TOO_EARLY, (Said("no_call_yet"),))


async def test_after_half_an_hour_it_is_a_persons_matter(session, telephony):
    telephony.clock = int(STARTED.timestamp()) + 34 * 60
    telephony.on("voximplant.statistic.get", [])
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.REJECTED, (Said("no_call_there"),))


async def test_a_call_without_a_card_is_waited_for(session, telephony):
    telephony.on(
        "voximplant.statistic.get", [{**ROW, "CRM_ACTIVITY_ID": "0", "CRM_ENTITY_TYPE": "", "CRM_ENTITY_ID": "0"}]
    )
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("no_card_yet"),))


async def test_a_call_without_an_activity_is_its_cards(session, telephony):
    telephony.on("voximplant.statistic.get", [{**ROW, "CRM_ACTIVITY_ID": None}])
    assert (await deliver(session)).status is Status.DELIVERED
    assert not telephony.of("crm.activity.binding.list")


async def test_statistics_that_may_not_be_seen_are_the_accounts_matter(session, telephony):
    telephony.on("voximplant.statistic.get", Fault("ACCESS_DENIED", "Access denied"))
    with pytest.raises(InstallationError) as raised:
        await deliver(session)
    assert (raised.value.why, raised.value.said) == (Why.FORBIDDEN, Said("no_statistics"))


async def test_in_doubt_a_note_that_is_there_is_not_written_again(session, telephony):
    telephony.on("crm.timeline.comment.list", [{"ID": "501", "COMMENT": f"Источник: yandex\n{MARKER}"}])
    outcome = await deliver(session, seen(attempt=2, in_doubt=True))
    assert outcome.status is Status.DELIVERED
    assert not telephony.of("crm.timeline.comment.add")
