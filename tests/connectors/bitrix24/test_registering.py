"""A call that becomes one of the portal's own: registered and finished once, put on its deal, given its recording."""

import json
from dataclasses import replace

import httpx
import pytest

from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import Status, Why
from connectors.scenario import AddNote, CallerState, CreateDeal, Telephony, Trigger
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import HOST, Fault, card, made

RECORDING = "https://hub.example/recordings/s3cret"
ATTACH = f"https://{HOST}/rest/telephony.externalCall.attachRecord"
CALL = "externalCall.716f"
ENDED = {"ID": 7, "CALL_ID": CALL, "CRM_ACTIVITY_ID": 7943, "CALL_START_DATE": {}}
ROW = {"ID": "7", "CALL_ID": CALL, "EXTERNAL_CALL_ID": MARKER, "CRM_ACTIVITY_ID": "7943", "RECORD_FILE_ID": None}


def registering(*actions, of=None, answered_by="12", **more):
    """A delivery whose call is to become one of the portal's."""
    what = replace(
        delivery(of or enquiry(recording_url=None)).what,
        rules=rules(dict.fromkeys(CallerState, actions or (CreateDeal("Звонок"),))),
        telephony=Telephony.REGISTER,
        answered_by=answered_by,
    )
    return delivery(what=what, **more)


DOUBTFUL = {"attempt": 2, "in_doubt": True}


@pytest.fixture
def telephony(portal):
    """A portal that knows nobody, and takes calls."""
    portal.on("telephony.externalCall.register", {"CALL_ID": CALL, "CRM_CREATED_ENTITIES": []})
    portal.on("telephony.externalCall.finish", ENDED)
    portal.on("crm.activity.binding.add", True)
    portal.on("voximplant.statistic.get", [])
    return portal


@pytest.fixture
def records(telephony):
    """The same, which fetches recordings."""
    return telephony.router.post(ATTACH).mock(return_value=httpx.Response(200, json={"result": {"FILE_ID": 9079}}))


async def deliver(session, of):
    return (await session.deliver([of]))["d-1"]


async def test_the_call_is_registered_finished_and_put_on_the_deal_beside_its_cards(session, telephony):
    await deliver(session, registering())
    assert [one.key for one in telephony.batches[-1]] == ["contact0", "deal0", "register0", "call0", "link0"]


async def test_it_is_registered_after_the_fact_with_our_own_id_and_makes_nothing(session, telephony):
    await deliver(session, registering())
    [asked] = telephony.of("telephony.externalCall.register")
    assert asked.params == {
        "USER_ID": "12",
        "PHONE_NUMBER": "+79161234567",
        "TYPE": "2",
        "CALL_START_DATE": "2026-01-01T09:00:00+00:00",
        "CRM_CREATE": "0",
        "CRM_ENTITY_TYPE": "CONTACT",
        "CRM_ENTITY_ID": "$result[contact0][item][id]",
        "SHOW": "0",
        "ADD_TO_CHAT": "0",
        "LINE_NUMBER": "+74951112233",
        "EXTERNAL_CALL_ID": MARKER,
    }


async def test_it_is_finished_by_who_talked_for_as_long_as_they_talked(session, telephony):
    await deliver(session, registering())
    [asked] = telephony.of("telephony.externalCall.finish")
    told = {name: asked[name] for name in ("CALL_ID", "USER_ID", "DURATION", "STATUS_CODE")}
    assert told == {"CALL_ID": "$result[register0][CALL_ID]", "USER_ID": "12", "DURATION": "61", "STATUS_CODE": "200"}


async def test_a_missed_call_is_one_of_who_is_responsible(session, telephony):
    missed = enquiry(recording_url=None, answered=False, talk_s=0, operator=None)
    await deliver(session, registering(of=missed, answered_by=None))
    [asked] = telephony.of("telephony.externalCall.finish")
    assert (asked["STATUS_CODE"], asked["DURATION"]) == ("304", "0")
    assert asked["USER_ID"] == "$result[deal0][item][assignedById]"


async def test_no_activity_of_ours_is_written_beside_it(session, telephony):
    await deliver(session, registering(CreateDeal("Звонок"), AddNote("Источник: yandex")))
    assert not telephony.of("crm.activity.add")
    assert telephony.of("crm.timeline.comment.add")


async def test_the_activity_of_the_call_is_a_note_of_the_delivery(session, telephony):
    outcome = await deliver(session, registering())
    assert outcome.status is Status.DELIVERED
    assert [ref.id for ref in outcome.refs if ref.kind == "note"] == ["7943"]


async def test_on_an_open_deal_it_is_registered_for_its_contact(session, telephony, known):
    await deliver(session, registering(AddNote("Ещё звонок")))
    [asked] = telephony.of("telephony.externalCall.register")
    assert (asked["CRM_ENTITY_TYPE"], asked["CRM_ENTITY_ID"]) == ("CONTACT", "44")
    [linked] = telephony.of("crm.activity.binding.add")
    assert (linked["entityTypeId"], linked["entityId"]) == ("2", "340")


async def test_on_a_lead_it_is_the_leads_and_needs_no_link(classic, telephony):
    telephony.on("crm.item.add", made(501), where=lambda asked: asked["entityTypeId"] == "1")
    await deliver(classic, registering(CreateDeal("Звонок", incoming=True)))
    [asked] = telephony.of("telephony.externalCall.register")
    assert (asked["CRM_ENTITY_TYPE"], asked["CRM_ENTITY_ID"]) == ("LEAD", "$result[deal0][item][id]")
    assert not telephony.of("crm.activity.binding.add")


async def test_a_hidden_caller_is_not_registered(session, telephony):
    outcome = await deliver(session, registering(of=enquiry(caller=None, recording_url=None)))
    assert outcome.status is Status.DELIVERED
    assert not telephony.of("telephony.externalCall.register")


async def test_many_calls_stay_whole_in_their_requests(session, telephony, known):
    batch = [
        registering(AddNote("Ещё"), of=enquiry(caller=f"+7916123{place:04}", recording_url=None), id=f"d-{place}")
        for place in range(20)
    ]
    telephony.on("crm.item.list", {"items": [card(340)]})
    await session.deliver(batch)
    for commands in telephony.batches:
        registered = {one.key.removeprefix("register") for one in commands if one.key.startswith("register")}
        finished = {one.key.removeprefix("call") for one in commands if one.key.startswith("call")}
        assert registered == finished


# -- never a second finish


async def test_in_doubt_the_statistics_are_asked_by_our_id(session, telephony):
    await deliver(session, registering(**DOUBTFUL))
    [asked] = telephony.of("voximplant.statistic.get")
    assert asked["FILTER[EXTERNAL_CALL_ID]"] == MARKER


async def test_a_call_that_was_finished_is_not_registered_again(session, telephony):
    telephony.on("voximplant.statistic.get", [ROW])
    outcome = await deliver(session, registering(**DOUBTFUL))
    assert outcome.status is Status.DELIVERED
    assert not telephony.of("telephony.externalCall.register")


async def test_and_is_put_on_its_deal_all_the_same(session, telephony):
    telephony.on("voximplant.statistic.get", [ROW])
    await deliver(session, registering(**DOUBTFUL))
    [asked] = telephony.of("crm.activity.binding.add")
    assert asked["activityId"] == "7943"


async def test_a_row_of_another_call_says_nothing(session, telephony):
    telephony.on("voximplant.statistic.get", [{**ROW, "EXTERNAL_CALL_ID": "hub:another"}])
    await deliver(session, registering(**DOUBTFUL))
    assert telephony.of("telephony.externalCall.register")


async def test_statistics_that_may_not_be_seen_are_waited_for(session, telephony):
    telephony.on("voximplant.statistic.get", Fault("ACCESS_DENIED", "Access denied"))
    outcome = await deliver(session, registering(**DOUBTFUL))
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("no_statistics"),))
    assert not telephony.of("telephony.externalCall.register")


async def test_a_finish_refused_for_a_call_that_was_registered_is_one_that_was_finished(session, telephony):
    telephony.on("telephony.externalCall.finish", Fault("", "Call is not found (call should be registered prior)"))
    outcome = await deliver(session, registering())
    assert outcome.status is Status.DELIVERED


async def test_a_finish_refused_beside_a_refused_registration_is_not(session, telephony):
    telephony.on("telephony.externalCall.register", Fault("ERROR_CORE", "User is not found or is not active."))
    telephony.on("telephony.externalCall.finish", Fault("", "Call is not found (call should be registered prior)"))
    outcome = await deliver(session, registering())
    assert (outcome.status, outcome.why) == (Status.REJECTED, Why.INVALID)


async def test_a_call_that_cannot_be_put_on_its_deal_is_told(session, telephony):
    telephony.on("crm.activity.binding.add", Fault("ACCESS_DENIED", "Access denied."))
    outcome = await deliver(session, registering())
    assert outcome.status is Status.DELIVERED
    assert outcome.said == (Said("call_not_on_deal", {"words": "Access denied."}),)


async def test_one_that_is_on_its_deal_already_is_no_trouble(session, telephony):
    telephony.on("crm.activity.binding.add", Fault("ERROR_CORE", "The binding already exists"))
    assert (await deliver(session, registering())).said == ()


# -- recordings


async def test_the_portal_fetches_the_recording_from_our_link(session, telephony, records):
    await deliver(session, registering(of=enquiry(recording_url=RECORDING)))
    told = json.loads(records.calls.last.request.content)
    assert (told["CALL_ID"], told["RECORD_URL"]) == (CALL, RECORDING)
    assert told["FILENAME"] == "2026-01-01-09-00-00.mp3"


async def test_a_recording_it_does_not_take_is_told(session, telephony, records):
    refusal = {"error": "ERROR_CORE", "error_description": "Only wav and mp3 files are allowed"}
    records.mock(return_value=httpx.Response(400, json=refusal))
    outcome = await deliver(session, registering(of=enquiry(recording_url=RECORDING)))
    assert outcome.status is Status.DELIVERED
    assert [said.code for said in outcome.said] == ["record_refused"]


async def test_a_lost_answer_about_a_recording_is_asked_for_again(session, telephony, records):
    records.mock(side_effect=httpx.ReadTimeout("late"))
    outcome = await deliver(session, registering(of=enquiry(recording_url=RECORDING)))
    assert outcome.status is Status.UNKNOWN


async def test_in_doubt_only_the_recording_that_is_missing_is_attached(session, telephony, records):
    telephony.on("voximplant.statistic.get", [ROW])
    await deliver(session, registering(of=enquiry(recording_url=RECORDING), **DOUBTFUL))
    assert records.call_count == 1


async def test_one_that_is_there_is_not_attached_again(session, telephony, records):
    telephony.on("voximplant.statistic.get", [{**ROW, "RECORD_FILE_ID": 9079}])
    await deliver(session, registering(of=enquiry(recording_url=RECORDING), **DOUBTFUL))
    assert not records.called


async def test_a_form_is_no_call(session, telephony):
    plain = registering()
    form = replace(plain, what=replace(plain.what, trigger=Trigger.FORM, telephony=Telephony.NOTE))
    await deliver(session, form)
    assert not telephony.of("telephony.externalCall.register")
