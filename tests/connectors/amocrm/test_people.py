"""The index of contacts: its keys are what a search would have found, and what no list shows comes from events."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amocrm.find import has_phone
from connectors.amocrm.people import keys_in, keys_of
from connectors.contract import MARKER, delivery, enquiry
from connectors.protocol import ContactChange, Known, KnownDeal, Ref, Status, Why
from connectors.telling import Said

CONTACTS, EVENTS = "api/v4/contacts", "api/v4/events"
COMPLEX, NOTES, TASKS = "api/v4/leads/complex", "api/v4/leads/notes", "api/v4/tasks"
IVAN = "+79161234567"


def contact(*phones, emails=()):
    values = {"PHONE": phones, "EMAIL": emails}
    return {
        "id": 61,
        "custom_fields_values": [
            {"field_code": code, "values": [{"value": value} for value in told]}
            for code, told in values.items()
            if told
        ],
    }


def events(*told):
    named = [
        {"type": type_, "entity_id": id_, "entity_type": "contact", "created_at": at, "value_before": before}
        for type_, id_, at, before in told
    ]
    return httpx.Response(200, json={"_links": {}, "_embedded": {"events": named}})


# -- keys

national = st.text("0123456789", min_size=10, max_size=10).map(lambda text: "9" + text[1:])
prefixes = st.sampled_from(["", "+7", "7", "8", "+8", "+49", "+", "00", "8 8", "+3"])
spelt = st.tuples(prefixes, national, st.sampled_from(["", " доб. 12", ",,5", " ext 7"]))


@given(spelt, national, st.booleans())
def test_a_contact_has_the_key_of_a_caller_just_where_a_search_would_accept_it(stored, other, is_same):
    prefix, number, extension = stored
    caller = f"+7{number if is_same else other}"
    card = contact(f"{prefix} ({number[:3]}) {number[3:6]}-{number[6:]}{extension}")
    (key,) = keys_of(enquiry(caller=caller))
    assert (key in set(keys_in(card))) == has_phone(card, caller)


def test_an_email_is_a_key_whatever_its_case():
    assert list(keys_in(contact(emails=["Ivan@Example.com "]))) == ["email:ivan@example.com"]


def test_a_person_is_looked_for_by_phone_and_then_by_email():
    asked = replace(enquiry(caller=IVAN), email="ivan@example.com")
    assert keys_of(asked) == ("phone:9161234567", "email:ivan@example.com")


@pytest.mark.parametrize("caller", ["+4930123456", "+3801234567", "+12025550123"])
def test_a_foreign_phone_is_not_vouched_for(caller):
    assert keys_of(enquiry(caller=caller)) is None


def test_a_hidden_caller_is_nobody():
    assert keys_of(enquiry(caller=None)) == ()


# -- reading


@pytest.fixture
def quiet(vendor):
    vendor.on("GET", CONTACTS, "contacts__two")
    return vendor


async def test_contacts_are_told_with_their_keys(session, quiet):
    quiet.on("GET", EVENTS, None)
    page = await session.contacts(None)
    assert [one.id for one in page.contacts] == ["61000009", "61000004"]
    assert page.contacts[0].keys == ("phone:9161234567",)
    assert (page.more, page.is_whole) == (False, True)


async def test_who_made_a_contact_is_told_and_when(session, quiet, load):
    quiet.on("GET", EVENTS, None)
    told = load("contacts__two")
    told["_embedded"]["contacts"][0] |= {"created_by": 7100001, "created_at": 1767225600}
    told["_embedded"]["contacts"][1] |= {"created_by": 0, "created_at": None}
    quiet.on("GET", CONTACTS, httpx.Response(200, json=told))
    first, second = (await session.contacts(None)).contacts
    assert (first.author, first.made_at) == ("7100001", datetime(2026, 1, 1, tzinfo=UTC))
    assert (second.author, second.made_at) == ("robot", None)


async def test_one_in_the_trash_is_gone_and_one_that_came_back_is_read(session, quiet):
    quiet.on(
        "GET", EVENTS, events(("contact_deleted", 71, 1_800_000_000, []), ("contact_restored", 61, 1_800_000_001, []))
    )
    back = httpx.Response(200, json=contact(IVAN))
    quiet.on("GET", f"{CONTACTS}/61", back)
    told = (await session.contacts(None)).contacts[2:]
    assert told == (ContactChange("61", ("phone:9161234567",)), ContactChange("71", (), deleted=True))


async def test_whoever_a_merge_names_is_not_sure(session, quiet):
    quiet.on("GET", EVENTS, events(("entity_merged", 71, 1_800_000_000, [{"merged": {"id": 72}}])))
    told = (await session.contacts(None)).contacts[2:]
    assert told == (ContactChange("71", (), is_sure=False), ContactChange("72", (), is_sure=False))


async def test_one_that_was_merged_and_deleted_is_doubted_before_it_is_gone(session, quiet):
    quiet.on(
        "GET",
        EVENTS,
        events(("contact_deleted", 71, 1_800_000_000, []), ("entity_merged", 72, 1_800_000_000, [{"id": 71}])),
    )
    told = (await session.contacts(None)).contacts[2:]
    assert [(one.id, one.is_sure, one.deleted) for one in told] == [
        ("72", False, False), ("71", False, False), ("71", True, True),
    ]  # fmt: skip


async def test_one_that_went_while_contacts_were_merged_is_doubted_though_no_merge_names_him(session, quiet):
    quiet.on(
        "GET",
        EVENTS,
        events(("contact_deleted", 71, 1_800_000_000, []), ("entity_merged", 72, 1_800_000_000, [])),
    )
    told = (await session.contacts(None)).contacts[2:]
    assert [(one.id, one.is_sure) for one in told] == [("72", False), ("71", False), ("71", True)]


# -- delivering


@pytest.fixture
def creating(vendor):
    """A vendor that creates what is asked, and would say so if it were searched."""
    vendor.on("POST", COMPLEX, "complex__created")
    vendor.on("POST", NOTES, "notes__created")
    vendor.on("POST", TASKS, "tasks__created")
    return vendor


async def deliver(session, one):
    return (await session.deliver([one]))["d-1"]


async def test_whom_the_index_knows_to_be_new_nobody_searches_for(session, creating):
    outcome = await deliver(session, replace(delivery(), people=()))
    assert outcome.status is Status.DELIVERED
    assert creating.asked("/contacts") == []
    [[deal]] = creating.sent("/leads/complex")
    assert deal["custom_fields_values"][0]["values"] == [{"value": MARKER}]
    assert "first_name" in deal["_embedded"]["contacts"][0]


async def test_a_deal_is_made_for_the_contact_the_index_names(session, creating):
    closed = KnownDeal("21000001", outcome="won", responsible="7100001")
    await deliver(session, replace(delivery(), people=(Known("61000009", (closed,)),)))
    [[deal]] = creating.sent("/leads/complex")
    assert deal["_embedded"]["contacts"] == [{"id": 61000009}]
    assert creating.asked("/leads/21000001") == []


async def test_the_newest_open_deal_of_the_index_gets_the_notes(session, creating):
    deals = tuple(KnownDeal(id_, outcome="open", responsible="7100001") for id_ in ("21000007", "21000001"))
    outcome = await deliver(session, replace(delivery(), people=(Known("61000009", deals),)))
    assert ("deal", "21000007") in {(ref.kind, ref.id) for ref in outcome.refs}
    assert creating.sent("/leads/complex") == []


@pytest.mark.parametrize(
    "unsure",
    [
        {"people": None},
        {"people": (), "in_doubt": True},
        {"people": (), "nearby": (Ref("contact", "61000009"),)},
        {"people": (Known("61000009", ()),), "nearby": (Ref("deal", "21000001"),)},
    ],
    ids=["not_known", "in_doubt", "contact_just_made", "deal_just_made"],
)
async def test_whom_the_index_cannot_vouch_for_is_searched(session, creating, unsure):
    creating.on("GET", CONTACTS, None)
    creating.on("GET", f"{CONTACTS}/61000009", None)
    creating.on("GET", "api/v4/leads", None)
    creating.on("GET", "api/v4/leads/21000001", None)
    await deliver(session, replace(delivery(), **unsure))
    assert creating.asked("/contacts") != []


async def test_a_contact_that_is_gone_by_now_is_searched_for_at_the_next_attempt(session, vendor):
    refused = {
        "validation-errors": [
            {"request_id": "d-1", "errors": [{"code": "NotSupportedChoice", "path": "_embedded.contacts.0.id"}]}
        ],
        "status": 400,
    }
    vendor.on("POST", COMPLEX, httpx.Response(400, json=refused))
    outcome = await deliver(session, replace(delivery(), people=(Known("61000009", ()),)))
    assert (outcome.status, outcome.why) == (Status.RETRY, Why.TOO_EARLY)
    assert outcome.said == (Said("contact_gone"),)
