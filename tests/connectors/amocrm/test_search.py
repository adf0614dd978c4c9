"""How few searches find a caller: one where the account has shown that ten digits find a number stored longer."""

import httpx
import pytest

from connectors.amocrm import connector
from connectors.amocrm.search import INSIDE
from connectors.contract import delivery, enquiry
from tests.connectors.amocrm.conftest import FIELDS

CONTACTS = "api/v4/contacts"


def contact(id_, phone, name="Иван"):
    field = {"field_code": "PHONE", "values": [{"value": phone}]}
    return {"id": id_, "name": name, "custom_fields_values": [field], "_embedded": {"leads": []}}


class Book:
    """The contacts of an account, and how its search compares."""

    def __init__(self, *contacts, in_words=False):
        self.contacts, self.in_words, self.asked = contacts, in_words, []

    def __call__(self, request):
        text = request.url.params.get("query")
        self.asked.append(text)
        found = [one for one in self.contacts if text is None or self._matches(one, text)]
        return httpx.Response(200, json={"_embedded": {"contacts": found}}) if found else httpx.Response(204)

    def _matches(self, one, text):
        values = [one["name"], one["custom_fields_values"][0]["values"][0]["value"]]
        return text in values if self.in_words else any(text in value for value in values)


@pytest.fixture
def answered_by(vendor):
    """Let contacts be answered by a book."""
    for path, name in (("leads/complex", "complex"), ("leads/notes", "notes"), ("tasks", "tasks")):
        vendor.on("POST", f"api/v4/{path}", f"{name}__created")

    def put(book):
        vendor.router.route(method="GET", path="/api/v4/contacts").mock(side_effect=book)
        return book

    return put


@pytest.fixture
def known(vendor):
    """Let the account tell what it offers."""
    for path, name in (("account", "account__filters_on"), ("leads/pipelines", "pipelines__one")):
        vendor.on("GET", f"api/v4/{path}", name)
    vendor.on("GET", "api/v4/users", "users__one_inactive")
    vendor.on("GET", "api/v4/leads/custom_fields", "fields__own_present")


def callers(number):
    return [delivery(enquiry(caller=f"+7916000000{i}"), id=f"d-{i}", marker=f"hub:{i}") for i in range(number)]


async def test_an_old_contact_stored_with_plus_seven_proves_that_ten_digits_are_enough(session, answered_by):
    book = answered_by(Book(contact(1, "+79169999999")))
    await session.deliver(callers(3))
    assert book.asked == [None, "9169999999", "9160000000", "9160000001", "9160000002"]


async def test_an_account_that_searches_for_whole_words_is_searched_by_each_spelling(session, answered_by):
    known = contact(2, "89160000002")
    book = answered_by(Book(contact(1, "+79169999999"), known, in_words=True))
    await session.deliver(callers(3))
    assert book.asked[-3:] == ["9160000002", "+79160000002", "89160000002"]
    assert len(book.asked) == 2 + 3 * 3


@pytest.mark.parametrize(
    "useless",
    [contact(1, "9169999999"), contact(1, "+7 916 999-99-99"), contact(1, "+79169999999", name="9169999999")],
)
async def test_a_contact_that_whole_words_would_find_too_proves_nothing(session, answered_by, useless):
    book = answered_by(Book(useless))
    await session.deliver(callers(3))
    assert len(book.asked) == 1 + 3 * 3


async def test_two_callers_are_not_worth_a_proof(session, answered_by):
    book = answered_by(Book(contact(1, "+79169999999")))
    await session.deliver(callers(2))
    assert len(book.asked) == 2 * 3


async def test_what_was_proved_once_is_known_to_the_next_batch(session, answered_by):
    book = answered_by(Book(contact(1, "+79169999999")))
    await session.deliver(callers(3))
    await session.deliver(callers(1))
    assert book.asked[5:] == ["9160000000"]


async def test_what_the_facts_proved_is_known_to_every_session(session, known, answered_by, http, app, grant):
    book = answered_by(Book(contact(1, "+79169999999")))
    facts = await session.facts()
    later = connector.open(http, app, grant, {"fields": FIELDS, "traits": list(facts.traits)})
    await later.deliver(callers(1))
    assert book.asked[2:] == ["9160000000"]


async def test_a_person_who_connects_his_account_does_not_wait_for_the_proof(known, answered_by, http, app, grant):
    book = answered_by(Book(contact(1, "+79169999999")))
    facts = await connector.open(http, app, grant, {}).facts()
    assert (book.asked, INSIDE in facts.traits) == ([], False)


async def test_deals_go_in_ever_larger_requests_while_all_goes_well(session, vendor):
    sent = []

    def created(request):
        sent.append(len(bodies := httpx.Response(200, content=request.content).json()))
        made = [{"id": 100 * len(sent) + i, "request_id": [one["request_id"]]} for i, one in enumerate(bodies)]
        return httpx.Response(504) if len(sent) == 3 else httpx.Response(200, json=made)

    vendor.on("GET", CONTACTS, None)
    vendor.on("POST", "api/v4/leads/notes", httpx.Response(200, json={"_embedded": {"notes": []}}))
    vendor.on("POST", "api/v4/tasks", httpx.Response(200, json={"_embedded": {"tasks": []}}))
    vendor.router.route(method="POST", path="/api/v4/leads/complex").mock(side_effect=created)
    batch = [delivery(enquiry(caller=f"+7916000{i:04}"), id=f"d-{i}", marker=f"hub:{i}") for i in range(90)]
    await session.deliver(batch)
    assert sent == [10, 20, 40, 10, 10]
