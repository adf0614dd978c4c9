from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from connectors.bitrix24 import connector
from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import STARTED, rules
from connectors.http import Http
from connectors.protocol import InstallationError, Ref, Status, Why
from connectors.scenario import AddNote, AddTask, CallerState, CreateDeal, Trigger, Write
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import CLOCK, Fault, card, made
from tracking_core.enquiry import EnquiryKind


async def deliver(session, *batch):
    outcomes = await session.deliver(batch or [delivery()])
    return outcomes["d-1"]


def plan_of(*actions, of=None, trigger=Trigger.ENDED):
    return replace(delivery(of).what, rules=rules(dict.fromkeys(CallerState, actions)), trigger=trigger)


def cards_of(portal, entity):
    return [one for one in portal.of("crm.item.add") if one["entityTypeId"] == str(entity)]


def several(count):
    """So many callers, each with a delivery of his own."""
    return [
        delivery(enquiry(caller=f"+7916123{place:04}"), id=f"d-{place + 1}", marker=f"hub:{place + 1}")
        for place in range(count)
    ]


# -- an unknown caller


async def test_unknown_caller_gets_contact_deal_call_note_and_task(session, portal):
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert [(ref.kind, ref.id) for ref in outcome.refs] == [
        ("contact", "44"),
        ("deal", "342"),
        ("note", "7943"),
        ("note", "501"),
        ("task", "999"),
    ]


async def test_it_takes_two_requests(session, portal):
    await deliver(session)
    assert [[one.key for one in batch] for batch in portal.batches] == [
        ["phonec0"],
        ["contact0", "deal0", "call0", "text0x0", "task0x0"],
    ]


async def test_ten_callers_take_one_look_and_two_requests_for_everything(session, portal):
    outcomes = await session.deliver(several(10))
    assert {outcome.status for outcome in outcomes.values()} == {Status.DELIVERED}
    assert [len(batch) for batch in portal.batches] == [10, 25, 25]


async def test_fifty_callers_take_eleven_requests_of_a_portal_that_does_not_say_how_long_it_takes(session, portal):
    await session.deliver(several(50))
    assert len(portal.batches) == 1 + 10


async def test_what_is_written_stands_behind_all_cards_of_a_request(session, portal):
    await session.deliver(several(2))
    cards = ["contact0", "deal0", "contact1", "deal1"]
    written = ["call0", "text0x0", "task0x0", "call1", "text0x1", "task0x1"]
    assert [one.key for one in portal.batches[-1]] == cards + written


async def test_what_finds_no_room_beside_its_card_is_written_after_it(session, portal):
    notes = [AddNote(str(number)) for number in range(60)]
    outcome = await deliver(session, delivery(what=plan_of(CreateDeal("x"), *notes)))
    assert outcome.status is Status.DELIVERED
    assert [len(batch) for batch in portal.batches] == [1, 50, 13]


async def test_a_deal_has_a_page_a_person_opens(session, portal):
    outcome = await deliver(session)
    assert Ref("deal", "342", "https://romashka.bitrix24.ru/crm/deal/details/342/") in outcome.refs


async def test_a_phone_is_asked_for_in_every_spelling_at_once(session, portal):
    await deliver(session)
    [asked] = portal.of("crm.duplicate.findbycomm")
    assert asked.params == {
        "type": "PHONE",
        "values[0]": "+79161234567",
        "values[1]": "79161234567",
        "values[2]": "89161234567",
        "values[3]": "9161234567",
        "entity_type": "CONTACT",
    }


async def test_the_contact_carries_phone_and_mark(session, portal):
    await deliver(session)
    [asked] = cards_of(portal, 3)
    assert asked.params == {
        "entityTypeId": "3",
        "fields[name]": "+7 916 123-45-67",
        "fields[fm][0][typeId]": "PHONE",
        "fields[fm][0][valueType]": "WORK",
        "fields[fm][0][value]": "+79161234567",
        "fields[originatorId]": "calltracking_hub",
        "fields[originId]": MARKER,
        "useOriginalUfNames": "Y",
    }


async def test_the_deal_carries_contact_source_and_mark(session, portal):
    await deliver(session)
    [asked] = cards_of(portal, 2)
    assert asked.params == {
        "entityTypeId": "2",
        "fields[title]": "Звонок",
        "fields[contactId]": "$result[contact0][item][id]",
        "fields[sourceId]": "CALL",
        "fields[sourceDescription]": "yandex, окна, 90%",
        "fields[utmSource]": "yandex",
        "fields[utmTerm]": "окна",
        "fields[UF_CRM_HUB_SOURCE]": "yandex",
        "fields[originatorId]": "calltracking_hub",
        "fields[originId]": MARKER,
        "useOriginalUfNames": "Y",
    }


async def test_after_the_first_refusal_nothing_more_of_a_request_for_cards_is_done(session, portal):
    await deliver(session)
    assert [body["halt"] for body in portal.bodies] == [0, 1]


async def test_a_note_that_is_refused_beside_its_card_is_tried_once_more_and_the_rest_whatever_happens(session, portal):
    portal.on("crm.timeline.comment.add", Fault("ACCESS_DENIED", "Access denied."), 501)
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert [body["halt"] for body in portal.bodies] == [0, 1, 0]
    assert [one.key for one in portal.batches[-1]] == ["text0x0", "task0x0"]


async def test_a_note_of_which_the_portal_does_not_know_itself_is_not_tried_again(session, portal):
    portal.on("crm.timeline.comment.add", Fault("INTERNAL_SERVER_ERROR"))
    outcome = await deliver(session)
    assert outcome.status is Status.UNKNOWN
    assert len(portal.of("crm.timeline.comment.add")) == 1


async def test_a_deal_that_was_made_before_the_account_was_refused_is_not_forgotten(session, portal):
    portal.on("crm.timeline.comment.add", Fault("ACCESS_DENIED"))
    portal.instead(2, httpx.Response(401, json={"error": "expired_token"}))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    outcome = raised.value.outcomes["d-1"]
    assert outcome.status is Status.RETRY
    assert ("deal", "342") in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_the_place_of_the_deal_comes_from_the_scenario(session, portal):
    action = CreateDeal("Звонок", "9", "C9:NEW", "12", tags=("реклама",))
    await deliver(session, delivery(what=plan_of(action)))
    [asked] = cards_of(portal, 2)
    assert (asked["fields[categoryId]"], asked["fields[stageId]"]) == ("9", "C9:NEW")
    assert asked["fields[assignedById]"] == "12"
    assert asked["fields[sourceDescription]"].endswith("#реклама")


async def test_settings_fill_what_the_scenario_leaves_open(opened, portal):
    await deliver(opened(pipeline="9", stage="C9:NEW", responsible=12), delivery(what=plan_of(CreateDeal("x"))))
    [asked] = cards_of(portal, 2)
    told = (asked["fields[categoryId]"], asked["fields[stageId]"], asked["fields[assignedById]"])
    assert told == ("9", "C9:NEW", "12")


async def test_the_stage_of_the_settings_is_not_mixed_with_another_pipeline(opened, portal):
    await deliver(opened(pipeline="9", stage="C9:NEW"), delivery(what=plan_of(CreateDeal("x", pipeline="0"))))
    [asked] = cards_of(portal, 2)
    assert (asked["fields[categoryId]"], asked["fields[stageId]"]) == ("0", None)


async def test_raw_fields_of_the_scenario_are_written_where_the_account_has_them(session, portal):
    await deliver(
        session, delivery(what=plan_of(CreateDeal("x", fields={"UF_CRM_7": Write("Опт"), "GONE": Write("?")})))
    )
    [asked] = cards_of(portal, 2)
    assert asked["fields[UF_CRM_7]"] == "Опт"
    assert "?" not in asked.params.values()


async def test_a_source_that_the_account_has_not_is_not_named(opened, portal):
    await deliver(opened(traits=("simple",)))
    assert cards_of(portal, 2)[0]["fields[sourceId]"] is None


async def test_the_call_is_an_activity_with_the_recording(session, portal):
    await deliver(session)
    [asked] = portal.of("crm.activity.add")
    told = {name.removeprefix("fields["): value for name, value in asked.params.items()}
    assert told["TYPE_ID]"] == "2"
    assert (told["OWNER_TYPE_ID]"], told["OWNER_ID]"]) == ("2", "$result[deal0][item][id]")
    assert told["RESPONSIBLE_ID]"] == "$result[deal0][item][assignedById]"
    assert told["SUBJECT]"] == "Входящий звонок: +7 916 123-45-67"
    assert (told["START_TIME]"], told["END_TIME]"]) == ("2026-01-01T09:00:00+00:00", "2026-01-01T09:01:08+00:00")
    assert told["COMMUNICATIONS][0][VALUE]"] == "+79161234567"
    assert told["COMMUNICATIONS][0][ENTITY_ID]"] == "$result[contact0][item][id]"
    assert told["DESCRIPTION]"] == "https://hub.example/rec/1.mp3"
    assert told["ORIGIN_ID]"] == MARKER


async def test_a_missed_call_says_so(session, portal):
    await deliver(session, delivery(what=plan_of(CreateDeal("x"), AddNote("n"), trigger=Trigger.MISSED)))
    assert portal.of("crm.activity.add")[0]["fields[SUBJECT]"].startswith("Пропущенный звонок")


async def test_a_call_is_called_as_the_portal_speaks(opened, portal):
    await deliver(opened(traits=("simple", "language:en")))
    assert portal.of("crm.activity.add")[0]["fields[SUBJECT]"].startswith("Incoming call")


async def test_the_note_is_a_comment_whose_last_line_is_our_mark(session, portal):
    await deliver(session)
    [asked] = portal.of("crm.timeline.comment.add")
    assert asked.params == {
        "fields[ENTITY_ID]": "$result[deal0][item][id]",
        "fields[ENTITY_TYPE]": "deal",
        "fields[COMMENT]": f"Источник: yandex\n{MARKER} v1",
    }


async def test_what_a_visitor_wrote_is_no_markup(session, portal):
    await deliver(session, delivery(what=plan_of(CreateDeal("x"), AddNote("[url=https://evil.example]a[/url]"))))
    assert "[" not in portal.of("crm.timeline.comment.add")[0]["fields[COMMENT]"]


async def test_the_second_note_has_a_mark_of_its_own(session, portal):
    await deliver(session, delivery(what=plan_of(CreateDeal("x"), AddNote("a"), AddNote("b"))))
    told = [one["fields[COMMENT]"] for one in portal.of("crm.timeline.comment.add")]
    assert told == [f"a\n{MARKER} v1", f"b\n{MARKER}#2 v1"]


async def test_a_task_is_due_from_the_start_of_the_call(session, portal):
    await deliver(session)
    [asked] = portal.of("crm.activity.todo.add")
    assert asked.params == {
        "ownerTypeId": "2",
        "ownerId": "$result[deal0][item][id]",
        "deadline": "2026-01-01T09:15:00+00:00",
        "title": "Перезвонить",
        "description": f"Перезвонить\n{MARKER} v1",
        "responsibleId": "$result[deal0][item][assignedById]",
    }


async def test_a_task_may_be_another_persons(session, portal):
    await deliver(session, delivery(what=plan_of(CreateDeal("x"), AddTask("t", 5, responsible="12"))))
    assert portal.of("crm.activity.todo.add")[0]["responsibleId"] == "12"


async def test_a_long_text_is_cut_and_that_is_said(session, portal):
    outcome = await deliver(session, delivery(what=plan_of(CreateDeal("x"), AddNote("я" * 17_000))))
    assert outcome.said == (Said("text_cut", {"most": "16000"}),)


# -- who leaves no phone


async def test_an_anonymous_caller_gets_a_deal_without_a_contact_and_the_recording_in_the_note(session, portal):
    outcome = await deliver(session, delivery(enquiry(caller=None)))
    assert [ref.kind for ref in outcome.refs] == ["deal", "note", "task"]
    assert not cards_of(portal, 3)
    assert not portal.of("crm.activity.add")
    assert "https://hub.example/rec/1.mp3" in portal.of("crm.timeline.comment.add")[0]["fields[COMMENT]"]


async def test_nobody_is_looked_for_where_nothing_is_known_of_him(session, portal):
    await deliver(session, delivery(enquiry(caller=None)))
    assert [[one.key for one in batch] for batch in portal.batches] == [["deal0", "text0x0", "task0x0"]]


async def test_who_leaves_an_e_mail_is_known_by_it(session, portal):
    form = enquiry(caller=None, email="anna@example.ru", person="Анна", kind=EnquiryKind.FORM)
    await deliver(session, delivery(form))
    [asked] = portal.of("crm.duplicate.findbycomm")
    assert (asked["type"], asked["values[0]"]) == ("EMAIL", "anna@example.ru")
    [contact] = cards_of(portal, 3)
    assert (contact["fields[name]"], contact["fields[fm][0][value]"]) == ("Анна", "anna@example.ru")


async def test_a_phone_goes_before_an_e_mail(session, portal):
    portal.on("crm.duplicate.findbycomm", {"CONTACT": [45]}, where=lambda asked: asked["type"] == "EMAIL")
    portal.on("crm.duplicate.findbycomm", {"CONTACT": [44]}, where=lambda asked: asked["type"] == "PHONE")
    outcome = await deliver(session, delivery(enquiry(email="anna@example.ru")))
    assert ("contact", "44") in [(ref.kind, ref.id) for ref in outcome.refs]
    assert len(portal.batches[0]) == 2


# -- a known caller


async def test_a_caller_with_an_open_deal_is_noted_on_it(session, known):
    outcome = await deliver(session)
    assert [(ref.kind, ref.id) for ref in outcome.refs][:2] == [("contact", "44"), ("deal", "340")]
    assert not known.of("crm.item.add")
    assert len(known.batches) == 3


async def test_a_contact_whose_deals_are_closed_gets_a_new_deal(session, known):
    closed = [card(339, stageSemanticId="F", closed="Y")]
    known.on("crm.item.list", {"items": closed}, where=lambda asked: asked["filter[@contactId][0]"] == "44")
    await deliver(session)
    assert not cards_of(known, 3)
    assert cards_of(known, 2)[0]["fields[contactId]"] == "44"


async def test_of_two_contacts_the_one_with_an_open_deal_is_the_caller(session, portal):
    portal.on("crm.duplicate.findbycomm", {"CONTACT": [44, 51]})
    portal.on("crm.item.list", {"items": [card(340, contactId=51)]})
    outcome = await deliver(session)
    assert [(ref.kind, ref.id) for ref in outcome.refs][:2] == [("contact", "51"), ("deal", "340")]


async def test_of_two_contacts_without_open_deals_the_oldest_is_the_caller(session, portal):
    portal.on("crm.duplicate.findbycomm", {"CONTACT": [51, 44]})
    outcome = await deliver(session)
    assert next((ref.kind, ref.id) for ref in outcome.refs) == ("contact", "44")


async def test_a_contact_made_a_moment_ago_counts_before_a_search_shows_it(session, portal):
    portal.on("crm.item.get", {"item": {"id": 44, "fm": [{"typeId": "PHONE", "value": "8 (916) 123-45-67"}]}})
    portal.on("crm.item.list", {"items": [card(341)]}, where=lambda asked: asked["filter[@id][0]"] == "341")
    nearby = (Ref("contact", "44"), Ref("deal", "341"))
    outcome = await deliver(session, delivery(nearby=nearby))
    assert [(ref.kind, ref.id) for ref in outcome.refs][:2] == [("contact", "44"), ("deal", "341")]
    assert not portal.of("crm.item.add")


async def test_a_nearby_contact_of_another_phone_is_not_the_caller(session, portal):
    portal.on("crm.item.get", {"item": {"id": 44, "fm": [{"typeId": "PHONE", "value": "+74950000000"}]}})
    await deliver(session, delivery(nearby=(Ref("contact", "44"),)))
    assert cards_of(portal, 3)


async def test_a_nearby_contact_is_not_looked_at_where_the_search_finds_one(session, known):
    await deliver(session, delivery(nearby=(Ref("contact", "44"),)))
    assert not known.of("crm.item.get")


async def test_nearby_deals_of_all_callers_are_asked_for_at_once_and_each_gets_his_own(session, portal):
    phones = {"44": "+79161230000", "45": "+79161230001"}
    portal.on("crm.item.get", lambda asked: {"item": {"id": asked["id"], "fm": [phone(phones[asked["id"]])]}})
    both = {"items": [card(342, contactId=45), card(341, contactId=44)]}
    portal.on("crm.item.list", both, where=lambda asked: asked["filter[@id][1]"] == "342")
    first, second = several(2)
    first = replace(first, nearby=(Ref("contact", "44"), Ref("deal", "341")))
    second = replace(second, nearby=(Ref("contact", "45"), Ref("deal", "342")))
    outcomes = await session.deliver([first, second])
    found = [{ref.id for ref in outcome.refs if ref.kind == "deal"} for outcome in outcomes.values()]
    assert found == [{"341"}, {"342"}]
    assert not portal.of("crm.item.add")


def of_two(portal, *cards):
    """Let two callers be contacts 44 and 45, who together have these deals."""
    for caller, contact in (("+79161230000", 44), ("+79161230001", 45)):
        portal.on(
            "crm.duplicate.findbycomm",
            {"CONTACT": [contact]},
            where=lambda asked, caller=caller: asked["values[0]"] == caller,
        )
    portal.on("crm.item.list", {"items": list(cards)}, where=lambda asked: asked["filter[@contactId][1]"] == "45")


async def test_the_deals_of_several_callers_are_asked_for_at_once_and_told_apart(session, portal):
    of_two(portal, card(342, contactId=45), card(341, contactId=44))
    outcomes = await session.deliver(several(2))
    found = [{ref.id for ref in outcome.refs if ref.kind == "deal"} for outcome in outcomes.values()]
    assert found == [{"341"}, {"342"}]
    assert len(portal.of("crm.item.list")) == 1


async def test_where_a_page_is_too_short_for_several_callers_each_is_asked_for_alone(session, portal):
    of_two(portal, *(card(number, contactId=45, closed="Y") for number in range(400, 450)))
    for contact, deal in (("44", 341), ("45", 342)):
        alone = {"items": [card(deal, contactId=int(contact))]}
        portal.on(
            "crm.item.list",
            alone,
            where=lambda asked, contact=contact: (
                asked["filter[@contactId][0]"] == contact and not asked["filter[@contactId][1]"]
            ),
        )
    outcomes = await session.deliver(several(2))
    found = [{ref.id for ref in outcome.refs if ref.kind == "deal"} for outcome in outcomes.values()]
    assert found == [{"341"}, {"342"}]


def phone(value):
    """A phone of a contact, as the vendor tells it."""
    return {"typeId": "PHONE", "value": value}


async def test_a_deal_that_is_closed_is_not_open_whatever_its_stage_says(session, known):
    closed = [card(340, stageSemanticId=None, closed="Y")]
    known.on("crm.item.list", {"items": closed}, where=lambda asked: asked["filter[@contactId][0]"] == "44")
    await deliver(session)
    assert cards_of(known, 2)


async def test_two_calls_of_one_person_go_one_after_the_other(session, portal):
    outcomes = await session.deliver([delivery(), delivery(id="d-2", marker="hub:2")])
    assert outcomes["d-1"].status is Status.DELIVERED
    assert (outcomes["d-2"].status, outcomes["d-2"].said) == (Status.RETRY, (Said("same_caller"),))
    assert len(cards_of(portal, 2)) == 1


async def test_a_note_without_a_deal_to_write_it_on_is_rejected(session, portal):
    plan = replace(delivery().what, rules=rules({CallerState.UNKNOWN: (AddNote("n"),)}))
    outcome = await deliver(session, delivery(what=plan))
    assert (outcome.status, outcome.said) == (Status.REJECTED, (Said("no_deal"),))


# -- companies


async def test_a_company_is_made_with_the_contact_and_the_deal(session, portal):
    portal.on("crm.item.add", made(7), where=lambda asked: asked["entityTypeId"] == "4")
    outcome = await deliver(session, delivery(what=plan_of(CreateDeal("x", company="ООО «Ромашка»"))))
    assert [one.key for one in portal.batches[1]] == ["company0", "contact0", "deal0"]
    assert cards_of(portal, 3)[0]["fields[companyId]"] == "$result[company0][item][id]"
    assert cards_of(portal, 2)[0]["fields[companyId]"] == "$result[company0][item][id]"
    assert outcome.refs[0].kind == "company"


async def test_a_company_is_known_in_any_letter_case_and_with_any_quotes(session, portal):
    there = {"items": [{"id": 8, "title": "Ромашка плюс"}, {"id": 7, "title": 'ооо "РОМАШКА"'}]}
    portal.on("crm.item.list", there, where=lambda asked: asked["entityTypeId"] == "4")
    await deliver(session, delivery(what=plan_of(CreateDeal("x", company="ООО «Ромашка»"))))
    assert not cards_of(portal, 4)
    assert cards_of(portal, 2)[0]["fields[companyId]"] == "7"


async def test_two_who_name_one_new_company_go_one_after_the_other(session, portal):
    one, other = several(2)
    batch = [
        replace(each, what=plan_of(CreateDeal("x", company="Ромашка"), of=each.what.enquiry)) for each in (one, other)
    ]
    outcomes = await session.deliver(batch)
    assert outcomes["d-1"].status is Status.DELIVERED
    assert (outcomes["d-2"].status, outcomes["d-2"].said) == (Status.RETRY, (Said("same_company"),))


# -- what the vendor refuses


async def test_one_refused_deal_does_not_stop_the_others(session, portal):
    wrong = Fault("ACCESS_ERROR_OF_A_STAGE", "Stage is closed")
    portal.on(
        "crm.item.add", wrong, where=lambda asked: asked["fields[originId]"] == "hub:3" and asked["entityTypeId"] == "2"
    )
    outcomes = await session.deliver(several(5))
    assert outcomes["d-3"].status is Status.REJECTED
    assert outcomes["d-3"].said == (Said("deal_refused"), Said("its_words", {"words": "Stage is closed"}))
    assert [one.status for id_, one in outcomes.items() if id_ != "d-3"] == [Status.DELIVERED] * 4


async def test_the_contact_of_a_refused_deal_is_not_forgotten(session, portal):
    portal.on("crm.item.add", Fault("", "no"), where=lambda asked: asked["entityTypeId"] == "2")
    outcome = await deliver(session)
    assert [(ref.kind, ref.id) for ref in outcome.refs] == [("contact", "44")]


async def test_a_field_that_is_refused_is_left_out_and_the_contact_is_not_made_twice(session, portal):
    wrong = Fault("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Invalid value for field "UTM_TERM"')
    portal.on("crm.item.add", wrong, made(342), where=lambda asked: asked["entityTypeId"] == "2")
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (Said("left_out", {"fields": "utmTerm"}),))
    assert len(cards_of(portal, 3)) == 1
    assert cards_of(portal, 2)[1]["fields[contactId]"] == "44"
    assert cards_of(portal, 2)[1]["fields[utmTerm]"] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Invalid value for field "stageId"', Said("stage_gone", {"id": "C9:GONE"})),
        ('Invalid value for field "CATEGORY_ID"', Said("pipeline_gone", {"id": "9"})),
        ('Invalid value for field "assignedById"', Said("responsible_gone", {"id": "12"})),
    ],
)
async def test_a_refusal_names_what_the_scenario_names_wrongly(session, portal, text, said):
    portal.on(
        "crm.item.add", Fault("CRM_FIELD_ERROR_VALUE_NOT_VALID", text), where=lambda asked: asked["entityTypeId"] == "2"
    )
    outcome = await deliver(session, delivery(what=plan_of(CreateDeal("x", "9", "C9:GONE", "12"))))
    assert (outcome.status, outcome.said) == (Status.REJECTED, (Said("deal_refused"), said))


async def test_a_required_field_that_nobody_fills_is_told_by_its_name(session, portal):
    text = 'The "Регион" field is required'
    portal.on("crm.item.add", Fault("CRM_FIELD_ERROR_REQUIRED", text), where=lambda asked: asked["entityTypeId"] == "2")
    outcome = await deliver(session)
    assert outcome.said == (Said("deal_refused"), Said("required_empty", {"words": text}))


async def test_a_contact_that_was_merged_a_moment_ago_is_looked_for_again(session, known):
    known.on("crm.item.list", {"items": []})
    known.on("crm.item.add", Fault("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Invalid value for field "contactId"'))
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("contact_gone"),))


async def test_an_open_deal_that_went_a_moment_ago_is_looked_for_again(session, known):
    known.on("crm.timeline.comment.add", Fault("OWNER_NOT_FOUND", "Owner was not found"))
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("open_deal_gone"),))
    assert not [ref for ref in outcome.refs if ref.kind == "deal"]


async def test_a_refused_note_keeps_the_deal_and_the_task(session, portal):
    portal.on("crm.timeline.comment.add", Fault("ACCESS_DENIED", "Access denied."))
    outcome = await deliver(session)
    assert outcome.status is Status.REJECTED
    assert outcome.said == (Said("note_refused"), Said("its_words", {"words": "Access denied."}))
    assert {"deal", "task"} <= {ref.kind for ref in outcome.refs}


async def test_without_the_right_to_make_deals_the_account_waits(session, portal):
    portal.on("crm.item.add", Fault("ACCESS_DENIED", "Access denied."))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    assert (raised.value.why, raised.value.said) == (Why.FORBIDDEN, Said("no_rights"))
    assert not raised.value.outcomes


async def test_a_method_that_took_too_long_waits_until_the_vendor_forgets(session, portal):
    portal.on("crm.item.add", Fault("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    assert raised.value.why is Why.THROTTLED
    assert 239 <= raised.value.hold.total_seconds() <= 240


async def test_a_method_that_took_too_long_where_no_card_is_made_stops_only_its_delivery(session, portal):
    portal.on("crm.activity.todo.add", Fault("OPERATION_TIME_LIMIT"))
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("too_much_time"),))
    assert outcome.not_before == datetime.fromtimestamp(int(CLOCK) + 240, UTC)
    assert [ref.kind for ref in outcome.refs] == ["contact", "deal", "note", "note"]


async def test_what_was_made_before_an_account_is_stopped_is_told(session, portal):
    portal.on("crm.activity.todo.add", Fault("expired_token"))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    outcome = raised.value.outcomes["d-1"]
    assert outcome.status is Status.RETRY
    assert [ref.kind for ref in outcome.refs] == ["contact", "deal", "note", "note"]


async def test_an_inner_failure_of_a_creation_is_perhaps(session, portal):
    portal.on(
        "crm.item.add",
        Fault("INTERNAL_SERVER_ERROR", "Internal server error"),
        where=lambda asked: asked["entityTypeId"] == "2",
    )
    outcome = await deliver(session)
    assert (outcome.status, outcome.why) == (Status.UNKNOWN, Why.UNAVAILABLE)


@pytest.mark.parametrize(
    ("status", "code", "why", "said"),
    [
        (503, "QUERY_LIMIT_EXCEEDED", Why.THROTTLED, "slow_down"),
        (503, "OVERLOAD_LIMIT", Why.THROTTLED, "overloaded"),
        (429, "OPERATION_TIME_LIMIT", Why.THROTTLED, "too_much_time"),
        (401, "expired_token", Why.UNAUTHORIZED, "token_dead"),
        (401, "authorization_error", Why.UNAUTHORIZED, "user_off"),
        (401, "ERROR_OAUTH", Why.UNAUTHORIZED, "app_gone"),
        (401, "PAYMENT_REQUIRED", Why.FORBIDDEN, "unpaid"),
        (401, "insufficient_scope", Why.FORBIDDEN, "no_scope"),
        (403, "insufficient_scope", Why.FORBIDDEN, "no_scope"),
        (403, "ACCESS_DENIED", Why.FORBIDDEN, "no_rest"),
        (403, "user_access_error", Why.FORBIDDEN, "user_kept_out"),
        (410, "PORTAL_DELETED", Why.FORBIDDEN, "portal_gone"),
        (500, "PORTAL_DELETED", Why.FORBIDDEN, "portal_gone"),
        (200, "expired_token", Why.UNAUTHORIZED, "token_dead"),
    ],
)
async def test_a_refusal_of_the_account_creates_nothing_whatever_its_status(session, portal, status, code, why, said):
    portal.instead(1, httpx.Response(status, json={"error": code, "error_description": "told"}))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    assert (raised.value.why, raised.value.said.code) == (why, said)
    assert not raised.value.outcomes


async def test_a_renamed_portal_is_asked_for_its_new_address(session, portal):
    portal.instead(0, httpx.Response(302, headers={"location": "https://lilia.bitrix24.ru/"}, text="<html>"))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    assert (raised.value.why, raised.value.said) == (Why.UNAUTHORIZED, Said("nobody_here"))


async def test_a_lost_answer_leaves_only_its_own_deliveries_in_doubt(session, portal):
    portal.instead(1, httpx.ReadTimeout("slow"))
    outcomes = await session.deliver(several(6))
    doubtful = [id_ for id_, outcome in outcomes.items() if outcome.status is Status.UNKNOWN]
    assert doubtful == ["d-1", "d-2", "d-3", "d-4", "d-5"]
    assert outcomes["d-6"].status is Status.DELIVERED


async def test_a_second_lost_answer_stops_the_batch(session, portal):
    portal.instead(1, httpx.ReadTimeout("slow"))
    portal.instead(2, httpx.ReadTimeout("slow"))
    with pytest.raises(InstallationError) as raised:
        await session.deliver(several(50))
    assert raised.value.said == Said("losing")


async def test_a_look_that_is_not_answered_is_asked_again_and_makes_nothing(session, portal):
    portal.on("crm.duplicate.findbycomm", None)
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("untold"),))
    assert not portal.of("crm.item.add")


async def test_deals_that_are_not_told_make_no_new_one(session, known):
    known.on("crm.item.list", None)
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("untold"),))
    assert not known.of("crm.item.add")


async def test_a_card_that_no_answer_speaks_of_is_perhaps_and_not_made_again(session, portal):
    portal.on("crm.item.add", None, where=lambda asked: asked["entityTypeId"] == "2")
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.UNKNOWN, (Said("unnamed"),))
    assert len(cards_of(portal, 2)) == 1


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_an_inner_failure_of_a_whole_request_is_perhaps_whatever_its_status(session, portal, status):
    portal.instead(1, httpx.Response(status, json={"error": "INTERNAL_SERVER_ERROR"}))
    assert (await deliver(session)).status is Status.UNKNOWN


async def test_a_look_takes_effect_for_nobody_and_a_creation_for_its_own(app, grant, portal):
    named = []

    @asynccontextmanager
    async def turn(of):
        named.append(of)
        yield

    http = Http(allowed=connector.manifest.hosts, turn=turn)
    await connector.open(http, app, grant, {"traits": ("simple",)}).deliver(several(6))
    assert named[0] == ()
    assert [list(of) for of in named[1:3]] == [["d-1", "d-2", "d-3", "d-4", "d-5"], ["d-6"]]


async def test_who_may_not_look_makes_nothing(session, portal):
    portal.on("crm.duplicate.findbycomm", Fault("", "Access denied"))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    assert raised.value.said == Said("no_rights")


async def test_an_id_of_the_scenario_that_is_none_is_told(session, portal):
    outcome = await deliver(session, delivery(what=plan_of(CreateDeal("x", responsible="Иван"))))
    assert outcome.said == (Said("no_id", {"what": "responsible", "id": "Иван"}),)


async def test_the_starting_time_of_the_suite_is_what_the_letters_above_say():
    assert STARTED.isoformat() == "2026-01-01T09:00:00+00:00"
