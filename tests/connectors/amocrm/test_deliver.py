import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors.amocrm import connector
from connectors.amocrm.deliver import MERGED
from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import STARTED, rules
from connectors.http import Http
from connectors.protocol import InstallationError, Ref, Status, Why
from connectors.scenario import AddNote, AddTask, CallerState, CreateDeal, MoveDeal, Trigger, Write
from connectors.telling import Said

COMPLEX, NOTES, TASKS = "api/v4/leads/complex", "api/v4/leads/notes", "api/v4/tasks"
CONTACTS, LEADS, FIELDS = "api/v4/contacts", "api/v4/leads", "api/v4/leads/custom_fields"


@pytest.fixture
def creating(vendor):
    """A vendor that knows nobody and creates what is asked."""
    vendor.on("GET", CONTACTS, None)
    vendor.on("POST", COMPLEX, "complex__created")
    vendor.on("POST", NOTES, "notes__created")
    vendor.on("POST", TASKS, "tasks__created")
    return vendor


def load(name):
    return json.loads((Path(__file__).parent / "fixtures" / f"{name}.json").read_text("utf-8"))


def refused(name):
    return httpx.Response(400, json=load(name))


async def deliver(session, *batch):
    outcomes = await session.deliver(batch or [delivery()])
    return outcomes["d-1"]


def plan_of(*actions, of=None, trigger=Trigger.ENDED):
    return replace(delivery(of).what, rules=rules(dict.fromkeys(CallerState, actions)), trigger=trigger)


# -- an unknown caller


async def test_unknown_caller_gets_contact_deal_note_and_task(session, creating):
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert [(ref.kind, ref.id) for ref in outcome.refs] == [
        ("contact", "61000002"),
        ("deal", "21000003"),
        ("note", "81000001"),
        ("note", "81000002"),
        ("task", "91000001"),
    ]


async def test_a_deal_has_a_page_a_person_opens(session, creating):
    outcome = await deliver(session)
    assert Ref("deal", "21000003", "https://romashka.amocrm.ru/leads/detail/21000003") in outcome.refs


async def test_the_deal_carries_marker_source_and_contact(session, creating):
    await deliver(session)
    [[deal]] = creating.sent("/leads/complex")
    assert deal == {
        "name": "Звонок",
        "request_id": "d-1",
        "custom_fields_values": [
            {"field_id": 700001, "values": [{"value": MARKER}]},
            {"field_code": "UTM_SOURCE", "values": [{"value": "yandex"}]},
            {"field_code": "UTM_TERM", "values": [{"value": "окна"}]},
        ],
        "_embedded": {
            "contacts": [
                {
                    "first_name": "+7 916 123-45-67",
                    "custom_fields_values": [
                        {"field_code": "PHONE", "values": [{"value": "+79161234567", "enum_code": "WORK"}]}
                    ],
                }
            ]
        },
    }


async def test_the_place_of_the_deal_comes_from_the_scenario(session, creating):
    action = CreateDeal("Звонок", "5100001", "45100002", "7100001", tags=("реклама",))
    await deliver(session, delivery(what=plan_of(action)))
    [[deal]] = creating.sent("/leads/complex")
    assert deal["pipeline_id"] == 5100001
    assert deal["status_id"] == 45100002
    assert deal["responsible_user_id"] == 7100001
    assert deal["tags_to_add"] == [{"name": "реклама"}]


async def test_settings_fill_what_the_scenario_leaves_open(http, app, grant, creating):
    settings = {"fields": {"HUB_CALL_ID": "700001"}, "pipeline": "52", "stage": "9", "responsible": 71}
    session = connector.open(http, app, grant, settings)
    await deliver(session, delivery(what=plan_of(CreateDeal("x"))))
    [[deal]] = creating.sent("/leads/complex")
    assert (deal["pipeline_id"], deal["status_id"], deal["responsible_user_id"]) == (52, 9, 71)


async def test_the_stage_of_the_settings_is_not_mixed_with_another_pipeline(http, app, grant, creating):
    session = connector.open(http, app, grant, {"fields": {"HUB_CALL_ID": "1"}, "pipeline": "52", "stage": "9"})
    await deliver(session, delivery(what=plan_of(CreateDeal("x", pipeline="51"))))
    [[deal]] = creating.sent("/leads/complex")
    assert deal["pipeline_id"] == 51
    assert "status_id" not in deal


async def test_only_fields_of_the_account_are_written(session, creating):
    source = {"utm_source": "vk", "yclid": "1", "gclid": "2", "landing": "https://x.example/"}
    await deliver(session, delivery(enquiry(source=source)))
    [[deal]] = creating.sent("/leads/complex")
    assert [one.get("field_code") for one in deal["custom_fields_values"]] == [None, "UTM_SOURCE"]


async def test_values_are_tidied_and_cut(session, creating):
    source = {"utm_source": "a\x00\nb", "utm_term": "я" * 300}
    await deliver(session, delivery(enquiry(source=source)))
    [[deal]] = creating.sent("/leads/complex")
    assert deal["custom_fields_values"][1]["values"] == [{"value": "a b"}]
    assert len(deal["custom_fields_values"][2]["values"][0]["value"]) == 255


async def test_raw_fields_of_the_scenario_are_written_by_id(session, creating):
    await deliver(session, delivery(what=plan_of(CreateDeal("x", fields={"700002": Write("Опт"), "GONE": Write("?")}))))
    [[deal]] = creating.sent("/leads/complex")
    assert deal["custom_fields_values"][-1] == {"field_id": 700002, "values": [{"value": "Опт"}]}


async def test_the_call_and_its_source_are_two_notes_in_one_request(session, creating):
    await deliver(session)
    [[call, text]] = creating.sent("/leads/notes")
    assert call == {
        "entity_id": 21000003,
        "note_type": "call_in",
        "created_at": 1767258000,
        "request_id": "d-1:call",
        "params": {
            "uniq": MARKER,
            "duration": 61,
            "source": "CallTracking Hub",
            "phone": "+79161234567",
            "call_status": 4,
            "call_result": "Разговор состоялся",
            "link": "https://hub.example/rec/1.mp3",
        },
    }
    assert text["note_type"] == "extended_service_message"
    assert text["params"] == {"service": "CallTracking Hub", "text": f"Источник: yandex\n{MARKER} v1"}


async def test_a_missed_call_is_told_as_unanswered(session, creating):
    plan = plan_of(CreateDeal("x"), AddNote("y"), of=enquiry(answered=False, talk_s=0), trigger=Trigger.MISSED)
    await deliver(session, delivery(what=plan))
    [[call, _]] = creating.sent("/leads/notes")
    assert (call["params"]["call_status"], call["params"]["duration"]) == (6, 0)


async def test_the_responsible_user_is_the_author_of_the_call(session, creating):
    await deliver(session, delivery(what=plan_of(CreateDeal("x", responsible="7100001"), AddNote("y"))))
    [[call, _]] = creating.sent("/leads/notes")
    assert call["created_by"] == call["responsible_user_id"] == call["params"]["call_responsible"] == 7100001


async def test_the_task_is_due_from_the_start_of_the_call(session, creating):
    await deliver(session)
    [[task]] = creating.sent("/tasks")
    assert task == {
        "text": f"Перезвонить\n{MARKER} v1",
        "complete_till": 1767258000 + 15 * 60,
        "entity_id": 21000003,
        "entity_type": "leads",
        "task_type_id": 1,
        "request_id": "d-1:task:0",
    }


async def test_an_anonymous_caller_gets_a_deal_without_a_contact(session, creating):
    outcome = await deliver(session, delivery(enquiry(caller=None)))
    [[deal]] = creating.sent("/leads/complex")
    [[text]] = creating.sent("/leads/notes")
    assert outcome.status is Status.DELIVERED
    assert "_embedded" not in deal
    assert "https://hub.example/rec/1.mp3" in text["params"]["text"]
    assert not creating.asked("/contacts")


# -- duplicate control


@pytest.fixture
def merging(creating):
    """An account whose duplicate control puts what was to be a new deal into one that is open."""
    creating.on("POST", COMPLEX, "complex__merged")
    return creating


def cases(**actions):
    return replace(delivery().what, rules=rules({CallerState(state): done for state, done in actions.items()}))


async def test_a_merged_deal_is_delivered_and_says_so(session, merging):
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (MERGED,))
    assert ("deal", "21000001") in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_a_merged_deal_gets_what_an_open_deal_gets(session, merging):
    plan = cases(
        unknown=(CreateDeal("x", responsible="7100001"), AddNote("новый"), AddTask("t", 1)), open_deal=(AddNote("ещё"),)
    )
    await deliver(session, delivery(what=plan))
    [[call, text]] = merging.sent("/leads/notes")
    assert text["params"]["text"].startswith("ещё")
    assert "created_by" not in call  # whose deal it is, nobody has said
    assert not merging.sent("/tasks")


async def test_a_merged_deal_is_moved_as_an_open_one_is(session, merging):
    merging.on("GET", f"{LEADS}/21000001", "lead__open")
    merging.on("PATCH", LEADS, "leads__moved")
    moved = MoveDeal("5100001", "45100003", ("45100002",))
    await deliver(session, delivery(what=cases(unknown=(CreateDeal("x"),), open_deal=(moved,))))
    [asked] = [call.request for call in merging.router.calls if call.request.method == "PATCH"]
    assert json.loads(asked.content)[0]["status_id"] == 45100003


async def test_a_deal_that_is_new_keeps_its_own_case(session, creating):
    await deliver(
        session, delivery(what=cases(unknown=(CreateDeal("x"), AddNote("новый")), open_deal=(AddNote("ещё"),)))
    )
    [[_, text]] = creating.sent("/leads/notes")
    assert text["params"]["text"].startswith("новый")


async def test_two_that_are_merged_into_one_deal_are_both_delivered(session, merging):
    rows = [{"id": 21000001, "contact_id": 61000001, "company_id": None, "request_id": ["d-1", "d-2"], "merged": True}]
    merging.on("POST", COMPLEX, httpx.Response(200, json=rows))
    only = {"what": cases(unknown=(CreateDeal("x"),))}
    other = delivery(id="d-2", marker="hub:2", what=replace(only["what"], enquiry=enquiry(caller="+79035550011")))
    outcomes = await session.deliver([delivery(**only), other])
    assert [outcome.said for outcome in outcomes.values()] == [(MERGED,)] * 2


@pytest.mark.parametrize(("older_s", "text"), [(7_200, "ещё"), (0, "новый")])
async def test_our_mark_on_an_older_deal_does_not_make_it_ours(session, creating, doubtful, older_s, text):
    """Duplicate control may write our mark over another: the answer was lost, the deal is older than the enquiry."""
    deal = load("lead__ours") | {"created_at": int(STARTED.timestamp()) - older_s}
    creating.on("GET", LEADS, httpx.Response(200, json={"_embedded": {"leads": [deal]}}))
    creating.on("GET", f"{LEADS}/21000003/notes", None)
    plan = cases(unknown=(CreateDeal("x"), AddNote("новый")), open_deal=(AddNote("ещё"),))
    await deliver(session, replace(doubtful, what=plan))
    [[_, note]] = creating.sent("/leads/notes")
    assert note["params"]["text"].startswith(text)


# -- the caller is known


async def test_the_search_is_by_ten_digits_then_by_spellings(session, creating):
    await deliver(session)
    assert [query["query"] for query in creating.asked("/contacts")] == ["9161234567", "+79161234567", "89161234567"]


async def test_a_foreign_phone_is_searched_by_its_national_number(session, creating):
    await deliver(session, delivery(enquiry(caller="+4930123456")))
    assert [query["query"] for query in creating.asked("/contacts")] == ["30123456"]


async def test_loose_matches_are_not_the_caller(session, creating):
    creating.on("GET", CONTACTS, "contacts__loose_match")
    await deliver(session)
    [[deal]] = creating.sent("/leads/complex")
    assert "first_name" in deal["_embedded"]["contacts"][0]


async def test_an_open_deal_gets_the_note_and_no_new_deal(session, creating):
    creating.on("GET", CONTACTS, "contacts__one_with_open_deal")
    creating.on("GET", LEADS, "leads__open_and_lost")
    outcome = await deliver(session)
    [[call, _]] = creating.sent("/leads/notes")
    assert outcome.status is Status.DELIVERED
    assert not creating.sent("/leads/complex")
    assert call["entity_id"] == 21000001
    assert call["created_by"] == 7100001  # the deal's responsible user


async def test_an_ignored_filter_costs_requests_but_finds_the_deal(session, creating):
    creating.on("GET", CONTACTS, "contacts__one_with_open_deal")
    creating.on("GET", LEADS, "leads__filter_ignored")
    creating.on("GET", f"{LEADS}/21000002", "lead__lost")
    outcome = await deliver(session)
    assert ("deal", "21000001") in [(ref.kind, ref.id) for ref in outcome.refs]
    assert ("deal", "21000077") not in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_a_closed_deal_leads_to_a_new_one_on_the_same_contact(session, creating):
    creating.on("GET", CONTACTS, "contacts__one_with_closed_deal")
    creating.on("GET", f"{LEADS}/21000002", "lead__lost")
    await deliver(session)
    [[deal]] = creating.sent("/leads/complex")
    assert deal["_embedded"] == {"contacts": [{"id": 61000001}]}


async def test_a_deleted_deal_is_no_open_deal(session, creating):
    creating.on("GET", CONTACTS, "contacts__one_with_closed_deal")
    creating.on("GET", f"{LEADS}/21000002", None)
    await deliver(session)
    assert creating.sent("/leads/complex")


async def test_of_several_contacts_the_one_with_an_open_deal_is_meant(session, creating):
    creating.on("GET", CONTACTS, "contacts__two")
    creating.on("GET", LEADS, "leads__open_and_lost")
    outcome = await deliver(session)
    assert ("contact", "61000009") in [(ref.kind, ref.id) for ref in outcome.refs]


NEARBY = (Ref("contact", "61000001"), Ref("deal", "21000001"))


async def test_a_deal_made_a_moment_ago_is_seen_before_the_search_shows_it(session, creating):
    contact = load("contacts__one_with_closed_deal")["_embedded"]["contacts"][0]
    creating.on("GET", f"{CONTACTS}/61000001", httpx.Response(200, json=contact))
    creating.on("GET", LEADS, "leads__open_and_lost")
    outcome = await deliver(session, delivery(nearby=NEARBY))
    assert ("deal", "21000001") in [(ref.kind, ref.id) for ref in outcome.refs]
    assert not creating.sent("/leads/complex")


async def test_a_recent_contact_whose_phone_was_changed_is_not_the_caller(session, creating):
    other = load("contacts__loose_match")["_embedded"]["contacts"][0]
    creating.on("GET", f"{CONTACTS}/61000001", httpx.Response(200, json=other))
    await deliver(session, delivery(nearby=NEARBY))
    assert creating.sent("/leads/complex")


# -- doubt


@pytest.fixture
def doubtful():
    return delivery(attempt=2, in_doubt=True)


async def test_a_found_deal_is_not_created_again(session, creating, doubtful):
    creating.on("GET", LEADS, "leads__ours")
    creating.on("GET", f"{LEADS}/21000003/notes", None)
    creating.on("GET", TASKS, None)
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert not creating.sent("/leads/complex")
    assert creating.sent("/leads/notes")
    assert creating.sent("/tasks")
    assert creating.asked("/leads")[0]["query"] == MARKER.removeprefix("hub:")


async def test_a_similar_marker_is_not_ours(session, creating, doubtful):
    creating.on("GET", LEADS, "leads__loose_match")
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert len(creating.sent("/leads/complex")) == 1


async def test_notes_that_are_there_are_not_written_again(session, creating, doubtful):
    creating.on("GET", LEADS, "leads__ours")
    creating.on("GET", f"{LEADS}/21000003/notes", "notes__ours")
    creating.on("GET", TASKS, None)
    await deliver(session, doubtful)
    assert not creating.sent("/leads/notes")
    assert len(creating.sent("/tasks")) == 1


async def test_a_note_left_on_an_open_deal_is_found(session, creating, doubtful):
    creating.on("GET", CONTACTS, "contacts__one_with_open_deal")
    creating.on("GET", LEADS, None, "leads__open_and_lost")
    creating.on("GET", f"{LEADS}/21000001/notes", "notes__ours")
    creating.on("GET", f"{LEADS}/21000002/notes", "notes__of_another_call")
    creating.on("GET", TASKS, None)
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert not creating.sent("/leads/notes")
    assert not creating.sent("/leads/complex")


async def test_a_note_of_another_call_is_not_ours(session, creating, doubtful):
    creating.on("GET", CONTACTS, "contacts__one_with_open_deal")
    creating.on("GET", LEADS, None, "leads__open_and_lost")
    creating.on("GET", f"{LEADS}/2100000[12]/notes", "notes__of_another_call")
    creating.on("GET", TASKS, None)
    await deliver(session, doubtful)
    assert len(creating.sent("/leads/notes")) == 1


async def test_a_deal_the_search_does_not_show_yet_is_found_on_the_contact(session, creating, doubtful):
    creating.on("GET", CONTACTS, "contacts__one_with_closed_deal")
    creating.on("GET", LEADS, None)
    creating.on("GET", f"{LEADS}/21000002", "lead__ours")
    creating.on("GET", f"{LEADS}/21000003/notes", "notes__ours")
    creating.on("GET", TASKS, "tasks__ours")
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert not creating.sent("/leads/complex")


async def test_what_was_in_doubt_is_created_alone(session, creating):
    creating.on("GET", LEADS, None)
    batch = [
        delivery(enquiry(caller=f"+7916000{i:04}"), id=f"d-{i}", marker=f"hub:{i}", in_doubt=True) for i in range(3)
    ]
    await session.deliver(batch)
    assert [len(sent) for sent in creating.sent("/leads/complex")] == [1, 1, 1]


async def test_a_known_deal_only_gets_what_is_missing(session, creating):
    creating.on("GET", f"{LEADS}/21000003", "lead__ours")
    creating.on("GET", f"{LEADS}/21000003/notes", "notes__ours")
    creating.on("GET", TASKS, None)
    outcome = await deliver(session, delivery(attempt=2, known=(Ref("deal", "21000003"),)))
    assert outcome.status is Status.DELIVERED
    assert not creating.sent("/leads/complex")
    assert not creating.sent("/leads/notes")
    assert len(creating.sent("/tasks")) == 1


async def test_a_known_deal_that_was_deleted_is_left_alone(session, creating):
    creating.on("GET", f"{LEADS}/21000003", None)
    outcome = await deliver(session, delivery(attempt=2, known=(Ref("deal", "21000003"),)))
    assert outcome.status is Status.REJECTED
    assert outcome.refs == (Ref("deal", "21000003"),)
    assert not creating.sent("/leads/complex")


async def test_the_case_of_an_earlier_attempt_goes_on(session, creating, doubtful):
    """The contact is older than our deal: the caller was known then, whatever is true now."""
    cases = {
        CallerState.UNKNOWN: (CreateDeal("x"), AddNote("новый")),
        CallerState.NO_OPEN_DEAL: (CreateDeal("x"), AddNote("повторный")),
    }
    creating.on("GET", LEADS, "leads__ours")
    creating.on("GET", f"{LEADS}/21000003/notes", None)
    creating.on("GET", "api/v4/contacts/61000002", httpx.Response(200, json={"id": 61000002, "created_at": 1700000000}))
    await deliver(session, replace(doubtful, what=replace(doubtful.what, rules=rules(cases))))
    [[_, text]] = creating.sent("/leads/notes")
    assert text["params"]["text"].startswith("повторный")


# -- refusals


async def test_a_field_that_is_gone_is_left_out_and_told(session, creating):
    creating.on("POST", COMPLEX, refused("error__400_field_gone"), "complex__created")
    outcome = await deliver(session)
    _, [deal] = creating.sent("/leads/complex")
    assert outcome.status is Status.DELIVERED
    assert outcome.said == (Said("left_out", {"fields": "UTM_TERM"}),)
    assert [one.get("field_code") for one in deal["custom_fields_values"]] == [None, "UTM_SOURCE"]


async def test_of_another_page_in_place_of_a_refusal_people_read_nothing(session, creating):
    creating.on("POST", COMPLEX, *[httpx.Response(400, html="<html><body>Done.</body></html>")] * 2)
    outcome = (await session.deliver([delivery()]))["d-1"]
    assert outcome.status is Status.REJECTED
    assert [said.code for said in outcome.said] == ["deal_refused", "no_reason"]
    assert "<html>" in outcome.detail


async def test_a_refused_stage_is_told_to_a_person(session, creating):
    creating.on("POST", COMPLEX, "error__400_stage_unknown", status=400)
    outcome = await deliver(session)
    assert outcome.status is Status.REJECTED
    assert outcome.why is Why.INVALID
    assert [said.code for said in outcome.said] == ["deal_refused", "stage_gone"]
    assert "status_id" in outcome.detail


async def test_the_bad_one_is_dropped_and_the_rest_is_sent_again(session, creating):
    plan = plan_of(CreateDeal("x"), of=enquiry(caller="+79035550011"))
    other = delivery(id="d-2", marker="hub:2", what=plan)
    good = [{"id": 21000004, "contact_id": None, "request_id": ["d-2"], "merged": False}]
    creating.on("POST", COMPLEX, refused("error__400_first_by_index"), httpx.Response(200, json=good))
    outcomes = await session.deliver([delivery(), other])
    assert outcomes["d-1"].status is Status.REJECTED
    assert outcomes["d-2"].status is Status.DELIVERED
    assert [len(sent) for sent in creating.sent("/leads/complex")] == [2, 1]


async def test_when_nobody_is_named_each_is_asked_alone(session, creating):
    other = delivery(enquiry(caller="+79035550011"), id="d-2", marker="hub:2")
    bad = refused("error__400_unnamed")
    creating.on("POST", COMPLEX, bad, "complex__created", bad)
    outcomes = await session.deliver([delivery(), other])
    assert outcomes["d-1"].status is Status.DELIVERED
    assert outcomes["d-2"].status is Status.REJECTED


async def test_our_own_field_is_made_again_when_it_was_deleted(session, creating):
    creating.on("POST", COMPLEX, refused("error__400_own_field"), "complex__created")
    creating.on("GET", FIELDS, "fields__own_missing")
    creating.on("POST", FIELDS, "field__created", status=201)
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert outcome.said == ()


async def test_a_note_goes_without_a_person_whom_the_account_does_not_take(session, creating):
    paths = ({"code": "NotSupportedChoice", "path": path} for path in ("created_by", "responsible_user_id"))
    flaws = [{"request_id": "0", "errors": list(paths)}]
    refusal = httpx.Response(400, json={"validation-errors": flaws, "title": "Bad Request", "status": 400})
    creating.on("POST", NOTES, refusal, "notes__created")
    action = CreateDeal("x", responsible="7100001")
    outcome = await deliver(session, delivery(what=plan_of(action, AddNote("y"))))
    assert outcome.status is Status.DELIVERED
    first, second = creating.sent("/leads/notes")
    assert [one["created_by"] for one in first if "created_by" in one] == [7100001]
    assert [one for one in second if "created_by" in one or "responsible_user_id" in one] == []


async def test_endless_refusals_end(session, creating):
    creating.on("POST", COMPLEX, "error__400_own_field", status=400)
    creating.on("GET", FIELDS, "fields__own_present")
    outcome = await deliver(session)
    assert outcome.status is Status.RETRY
    assert len(creating.sent("/leads/complex")) == 4


async def test_without_our_field_no_deal_is_made(http, app, grant, creating):
    creating.on("GET", FIELDS, "fields__own_missing")
    creating.on("POST", FIELDS, "error__403_no_rights", status=403)
    session = connector.open(http, app, grant, {})
    with pytest.raises(InstallationError) as caught:
        await deliver(session)
    assert caught.value.why is Why.FORBIDDEN
    assert not creating.sent("/leads/complex")


async def test_fields_are_read_once_when_settings_have_none(http, app, grant, creating):
    creating.on("GET", FIELDS, "fields__own_present")
    session = connector.open(http, app, grant, {})
    await deliver(session)
    await deliver(session)
    assert len(creating.asked("/custom_fields")) == 1


async def test_a_code_for_missing_rights_holds_the_installation(session, creating):
    creating.on("POST", COMPLEX, "error__400_no_rights", status=400)
    with pytest.raises(InstallationError) as caught:
        await deliver(session)
    assert caught.value.why is Why.FORBIDDEN


async def test_a_block_holds_the_installation_for_a_quarter_of_an_hour(session, creating):
    creating.on("GET", CONTACTS, httpx.Response(403, text="<html>403 Forbidden</html>"))
    with pytest.raises(InstallationError) as caught:
        await deliver(session)
    assert caught.value.why is Why.FORBIDDEN
    assert caught.value.hold.total_seconds() == 900


async def test_throttling_holds_for_as_long_as_asked(session, creating):
    creating.on("GET", CONTACTS, "error__429", status=429)
    with pytest.raises(InstallationError) as caught:
        await deliver(session)
    assert caught.value.why is Why.THROTTLED
    assert caught.value.hold.total_seconds() == 300


async def test_a_deal_made_before_throttling_is_not_forgotten(session, creating):
    creating.on("POST", NOTES, "error__429", status=429)
    with pytest.raises(InstallationError) as caught:
        await deliver(session)
    outcome = caught.value.outcomes["d-1"]
    assert outcome.status is Status.RETRY
    assert ("deal", "21000003") in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_one_lost_answer_is_the_deliverys_doubt(session, creating):
    creating.on("POST", COMPLEX, httpx.ReadError("reset"))
    outcome = await deliver(session)
    assert outcome.status is Status.UNKNOWN
    assert not creating.sent("/leads/notes")


async def test_two_lost_answers_stop_the_batch(session, creating):
    creating.on("POST", COMPLEX, httpx.Response(504, text="gateway"))
    batch = [delivery(enquiry(caller=f"+7916000{i:04}"), id=f"d-{i}", marker=f"hub:{i}") for i in range(25)]
    with pytest.raises(InstallationError) as caught:
        await session.deliver(batch)
    assert caught.value.why is Why.UNAVAILABLE
    assert len(caught.value.outcomes) == 20
    assert {outcome.status for outcome in caught.value.outcomes.values()} == {Status.UNKNOWN}


async def test_a_note_without_an_id_is_in_doubt_and_the_task_is_still_made(session, creating):
    creating.on("POST", NOTES, "notes__second_missing")
    outcome = await deliver(session)
    assert outcome.status is Status.UNKNOWN
    assert ("task", "91000001") in [(ref.kind, ref.id) for ref in outcome.refs]


@pytest.mark.parametrize(
    "action",
    [CreateDeal("x", pipeline="Продажи"), CreateDeal("x", stage="-1"), CreateDeal("x", responsible="²")],
)
async def test_an_id_that_is_no_id_is_told_to_a_person(session, creating, action):
    outcome = await deliver(session, delivery(what=plan_of(action)))
    assert outcome.status is Status.REJECTED
    assert [said.code for said in outcome.said] == ["no_id"]


async def test_a_note_without_a_deal_is_told_to_a_person(session, creating):
    outcome = await deliver(session, delivery(what=plan_of(AddNote("x"))))
    assert outcome.status is Status.REJECTED
    assert outcome.said == (Said("no_deal"),)


async def test_two_notes_and_two_tasks_are_told_apart(session, creating):
    plan = plan_of(CreateDeal("x"), AddNote("a"), AddNote("b"), AddTask("c", 1), AddTask("d", 2))
    await deliver(session, delivery(what=plan))
    [notes], [tasks] = creating.sent("/leads/notes"), creating.sent("/tasks")
    assert [note["request_id"] for note in notes] == ["d-1:call", "d-1:text:0", "d-1:text:1"]
    assert [task["text"].splitlines()[-1] for task in tasks] == [f"{MARKER} v1", f"{MARKER}#2 v1"]


async def test_what_the_lane_raises_goes_through(app, grant, creating):
    class FenceLost(Exception):
        pass

    def lost(_of):
        raise FenceLost

    session = connector.open(Http(allowed=connector.manifest.hosts, turn=lost), app, grant, {})
    with pytest.raises(FenceLost):
        await deliver(session)
