from dataclasses import replace

import httpx
import pytest

from connectors.amocrm import connector
from connectors.amocrm.incoming import OFF
from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import Ref, Status
from connectors.scenario import AddNote, CallerState, CreateDeal
from tracking_core.enquiry import EnquiryKind

COMPLEX, NOTES, LEADS, WAITING = "api/v4/leads/complex", "api/v4/leads/notes", "api/v4/leads", "api/v4/leads/unsorted"
FIELDS = {"HUB_CALL_ID": "700001"}
ON = ("unsorted", "unsorted:5100001")
NEW = (CreateDeal("Звонок", incoming=True), AddNote("новый"))


@pytest.fixture
def account(vendor):
    vendor.on("POST", COMPLEX, "complex__created")
    vendor.on("POST", NOTES, "notes__created")
    return vendor


@pytest.fixture
def session(http, app, grant):
    return connector.open(http, app, grant, {"fields": FIELDS, "traits": ON})


def asked(of=None, actions=NEW, **changed):
    plan = replace(delivery(of).what, rules=rules({CallerState.UNKNOWN: actions}))
    return delivery(what=plan, **{"people": (), **changed})


async def deliver(session, of=None):
    return (await session.deliver([of or asked()]))["d-1"]


def sent(vendor):
    return [request[0].get("_embedded", {}).get("metadata") for request in vendor.sent("/leads/complex")]


async def test_a_call_waits_with_what_unsorted_wants_of_a_call(session, account):
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, ())
    assert sent(account) == [
        {
            "category": "sip",
            "phone": "+79161234567",
            "from": "+74951112233",
            "call_responsible": "",
            "called_at": 1767258000,
            "duration": 61,
            "link": "https://hub.example/rec/1.mp3",
            "service_code": "CallTracking Hub",
            "uniq": MARKER,
            "is_call_event_needed": False,
        }
    ]


async def test_it_waits_with_its_contact_its_source_and_its_notes_in_as_many_requests_as_a_deal(session, account):
    await deliver(session)
    [[deal]] = account.sent("/leads/complex")
    assert deal["custom_fields_values"][0]["values"] == [{"value": MARKER}]
    assert "first_name" in deal["_embedded"]["contacts"][0]
    assert [call.request.url.path for call in account.router.calls] == ["/api/v4/leads/complex", "/api/v4/leads/notes"]


async def test_a_form_waits_with_what_unsorted_wants_of_a_form(session, account):
    of = enquiry(kind=EnquiryKind.FORM, source={"landing": "https://okna.example/", "referrer": "https://ya.ru/"})
    await deliver(session, asked(of, NEW[:1]))
    assert sent(account) == [
        {
            "category": "forms",
            "form_id": MARKER,
            "form_name": "Звонок",
            "form_page": "https://okna.example/",
            "ip": "",
            "form_sent_at": 1767258000,
            "referer": "https://ya.ru/",
        }
    ]


@pytest.mark.parametrize(
    ("traits", "pipeline", "waits"),
    [
        ((), None, False),
        (ON, None, True),
        (ON, "5100001", True),
        (ON, "5100002", False),
        (("unsorted:5",), None, False),
    ],
)
async def test_where_unsorted_is_off_it_is_a_deal_and_says_so(http, app, grant, account, traits, pipeline, waits):
    session = connector.open(http, app, grant, {"fields": FIELDS, "traits": traits})
    outcome = await deliver(session, asked(actions=(CreateDeal("x", pipeline=pipeline, incoming=True),)))
    assert outcome.status is Status.DELIVERED
    assert outcome.said == (() if waits else (OFF,))
    assert (sent(account)[0] is not None) is waits


async def test_unsorted_that_was_just_switched_off_makes_it_a_deal_in_the_same_turn(session, account, load):
    refusal = load("error__400_stage_unknown")
    refusal["validation-errors"][0]["errors"][0]["path"] = "_embedded.metadata.category"
    account.on("POST", COMPLEX, httpx.Response(400, json=refusal), "complex__created")
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (OFF,))
    assert [told is None for told in sent(account)] == [False, True]


async def test_a_deal_is_no_incoming_one(session, account):
    await deliver(session, asked(actions=(CreateDeal("x"),)))
    assert sent(account) == [None]


# -- what is there


async def test_what_waits_is_in_no_list_and_yet_not_gone(session, vendor):
    vendor.on("GET", LEADS, httpx.Response(200, json={"_embedded": {"leads": [{"id": 7}]}}))
    vendor.on("GET", "api/v4/contacts/61000002", None)
    vendor.on("GET", WAITING, waiting(uniq=MARKER))
    asked = [Ref("deal", "7"), Ref("deal", "21000003"), Ref("deal", "9"), Ref("contact", "61000002")]
    assert await session.missing(asked) == {Ref("deal", "9")}


async def test_where_nothing_is_missing_or_unsorted_is_off_it_is_not_looked_into(http, app, grant, session, vendor):
    vendor.on("GET", f"{LEADS}/7", httpx.Response(200, json={"id": 7}))
    vendor.on("GET", f"{LEADS}/9", None)
    without = connector.open(http, app, grant, {"fields": FIELDS})
    assert await session.missing([Ref("deal", "7")]) == frozenset()
    assert await without.missing([Ref("deal", "9")]) == {Ref("deal", "9")}
    assert not vendor.asked("/unsorted")


# -- doubt


def waiting(created_at=1767258060, **metadata):
    cards = {"leads": [{"id": 21000003}], "contacts": [{"id": 61000002}]}
    one = {"uid": "aa40", "created_at": created_at, "metadata": metadata, "_embedded": cards}
    return httpx.Response(200, json={"_links": {}, "_embedded": {"unsorted": [one]}})


@pytest.fixture
def doubtful():
    return asked(attempt=2, in_doubt=True, people=None)


@pytest.fixture
def in_no_list(account):
    """What waits shows in no list of deals."""
    account.on("GET", LEADS, None)
    account.on("GET", "api/v4/contacts", None)
    account.on("GET", f"{LEADS}/21000003/notes", None)
    return account


@pytest.mark.parametrize("name", ["uniq", "form_id"])
@pytest.mark.parametrize("deal", ["lead__ours", None], ids=["told", "hidden"])
async def test_what_waits_is_not_created_again_and_gets_what_is_missing(session, in_no_list, doubtful, name, deal):
    in_no_list.on("GET", WAITING, waiting(**{name: MARKER}))
    in_no_list.on("GET", f"{LEADS}/21000003", deal)
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert not in_no_list.sent("/leads/complex")
    [[_, text]] = in_no_list.sent("/leads/notes")
    assert text["params"]["text"].startswith("новый")


async def test_what_waits_of_another_is_not_ours(session, in_no_list, doubtful):
    in_no_list.on("GET", WAITING, waiting(uniq="hub:another"))
    await deliver(session, doubtful)
    assert len(in_no_list.sent("/leads/complex")) == 1


async def test_what_was_declined_is_not_created_again(session, in_no_list, doubtful):
    gone = {"id": 21000003, "updated_at": 1767258100, "is_deleted": True}
    in_no_list.on("GET", WAITING, None)
    in_no_list.on("GET", LEADS, None, httpx.Response(200, json={"_embedded": {"leads": [gone]}}))
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.REJECTED
    assert not in_no_list.sent("/leads/complex")
    assert in_no_list.asked("/leads")[1]["with"] == "only_deleted"


async def test_a_plan_of_deals_alone_does_not_look_into_unsorted(session, in_no_list):
    await deliver(session, asked(actions=(CreateDeal("x"),), attempt=2, in_doubt=True, people=None))
    assert not in_no_list.asked("/unsorted")
