"""A contact that somebody else made while we made ours: the next look shows both, and ours gives its phone away."""

import json
from dataclasses import replace

import httpx
import pytest

from connectors.contract import delivery
from connectors.protocol import InstallationError, Status

CONTACTS, EVENTS = "api/v4/contacts", "api/v4/events"
OURS, THEIRS, DEAL = 61000002, 61000009, 21000003  # ours: complex__created


def listed(load, *ids, **more):
    """Return a list of contacts of the caller."""
    page = load("contacts__two")
    cards = page["_embedded"]["contacts"]
    page["_embedded"]["contacts"] = [{**cards[0], "id": id_, **more} for id_ in ids]
    return httpx.Response(200, json=page)


def changed(vendor):
    """Return what was sent to move a deal and to empty a contact, by the end of its path."""
    calls = [call.request for call in vendor.router.calls if call.request.method in ("POST", "PATCH")]
    told = {request.url.path.rpartition("v4/")[2]: json.loads(request.content) for request in calls}
    return {path: told[path] for path in ("leads/link", "leads/unlink", "contacts") if path in told}


@pytest.fixture
async def made(session, vendor):
    """A session that has made a contact with its deal of a caller whom nobody knew."""
    vendor.on("POST", "api/v4/leads/complex", "complex__created")
    vendor.on("POST", "api/v4/leads/notes", "notes__created")
    vendor.on("POST", "api/v4/tasks", "tasks__created")
    vendor.on("GET", EVENTS, None)
    outcome = (await session.deliver([replace(delivery(), people=())]))["d-1"]
    assert outcome.status is Status.DELIVERED
    return session


@pytest.fixture
def willing(vendor):
    """An account that links and empties what it is asked to."""
    vendor.on("POST", "api/v4/leads/link", httpx.Response(200, json={"_embedded": {"links": []}}))
    vendor.on("POST", "api/v4/leads/unlink", None)
    vendor.on("PATCH", CONTACTS, httpx.Response(200, json={"_embedded": {"contacts": []}}))
    return vendor


async def test_our_deal_moves_to_the_others_contact_and_ours_gives_its_phone_away(made, willing, load):
    willing.on("GET", CONTACTS, listed(load, OURS, THEIRS))
    page = await made.contacts(None)
    of_deal = {"entity_id": DEAL, "to_entity_type": "contacts"}
    assert changed(willing) == {
        "leads/link": [{**of_deal, "to_entity_id": THEIRS, "metadata": {"is_main": True}}],
        "leads/unlink": [{**of_deal, "to_entity_id": OURS}],
        "contacts": [{"id": OURS, "custom_fields_values": [{"field_code": "PHONE", "values": None}]}],
    }
    assert [(one.id, one.keys) for one in page.contacts] == [(str(OURS), ()), (str(THEIRS), ("phone:9161234567",))]


@pytest.mark.parametrize("ids", [(OURS,), (THEIRS, 61000004)], ids=["ours_alone", "ours_gone"])
async def test_where_ours_does_not_stand_beside_another_nothing_is_changed(made, willing, load, ids):
    willing.on("GET", CONTACTS, listed(load, *ids))
    await made.contacts(None)
    assert changed(willing) == {}


async def test_a_contact_to_which_a_person_added_something_keeps_all_it_has(made, willing, load):
    page = listed(load, OURS, THEIRS).json()
    ours = page["_embedded"]["contacts"][0]
    mail = {"field_code": "EMAIL", "values": [{"value": "ivan@okna.example"}]}
    ours["custom_fields_values"] = [*ours["custom_fields_values"], mail]
    willing.on("GET", CONTACTS, httpx.Response(200, json=page))
    await made.contacts(None)
    assert changed(willing) == {}


async def test_a_contact_that_was_there_before_is_not_ours(session, willing, load):
    willing.on("GET", EVENTS, None)
    willing.on("GET", CONTACTS, listed(load, OURS, THEIRS))
    await session.contacts(None)
    assert changed(willing) == {}


async def test_where_the_others_contact_is_gone_by_now_ours_keeps_its_phone(made, willing, load):
    willing.on("POST", "api/v4/leads/link", httpx.Response(400, json={"status": 400, "validation-errors": []}))
    willing.on("GET", CONTACTS, listed(load, OURS, THEIRS))
    page = await made.contacts(None)
    assert set(changed(willing)) == {"leads/link"}
    assert page.contacts[0].keys == ("phone:9161234567",)


async def test_an_account_that_throttles_meanwhile_is_the_accounts_trouble(made, willing, load):
    willing.on("POST", "api/v4/leads/link", "error__429", status=429)
    willing.on("GET", CONTACTS, listed(load, OURS, THEIRS))
    with pytest.raises(InstallationError):
        await made.contacts(None)


@pytest.fixture
def one_page_a_call(monkeypatch):
    monkeypatch.setattr("connectors.amocrm.walk.PAGES_PER_CALL", 1)


def strangers(load):
    """Ten contacts of other people, which two neighbouring pages have in common."""
    card = load("contacts__two")["_embedded"]["contacts"][0]
    phones = ([{"value": f"+791600000{place}0", "enum_code": "MOB"}] for place in range(10))
    fields = ([{"field_code": "PHONE", "values": values}] for values in phones)
    return [{**card, "id": 61000100 + place, "custom_fields_values": told} for place, told in enumerate(fields)]


def paged(load, cards, **links):
    page = load("contacts__two")
    page["_embedded"]["contacts"] = cards
    page["_links"] = {**page.get("_links", {}), **links}
    return httpx.Response(200, json=page)


async def test_two_that_a_long_look_shows_on_different_pages_are_joined_too(made, willing, load, one_page_a_call):
    card, others = load("contacts__two")["_embedded"]["contacts"][0], strangers(load)
    first = paged(
        load, [{**card, "id": OURS}, *others], next={"href": "https://romashka.amocrm.ru/api/v4/contacts?page=2"}
    )
    willing.on("GET", CONTACTS, first, paged(load, [*others, {**card, "id": THEIRS}]))
    page = await made.contacts(None)
    assert page.more
    assert changed(willing) == {}
    page = await made.contacts(page.cursor)
    assert [one["to_entity_id"] for one in changed(willing)["leads/link"]] == [THEIRS]


async def test_what_an_earlier_look_showed_is_not_believed(made, willing, load):
    willing.on("GET", CONTACTS, listed(load, OURS), listed(load, THEIRS))
    page = await made.contacts(None)
    await made.contacts(page.cursor)
    assert changed(willing) == {}


async def test_what_was_joined_is_joined_once(made, willing, load):
    willing.on("GET", CONTACTS, listed(load, OURS, THEIRS))
    page = await made.contacts(None)
    moved = len(willing.router.calls)
    await made.contacts(page.cursor)
    later = [call.request.method for call in list(willing.router.calls)[moved:]]
    assert set(later) == {"GET"}
