"""Which cards are gone: asked in as few requests as the account allows, and never guessed from a list of others."""

import httpx
import pytest

from connectors.protocol import InstallationError, Ref, Why

LEADS, CONTACTS = "api/v4/leads", "api/v4/contacts"
SEVEN, EIGHT, ANNA = Ref("deal", "7"), Ref("deal", "8"), Ref("contact", "5")


def cards(plural, *found):
    return httpx.Response(200, json={"_embedded": {plural: list(found)}})


async def test_what_the_account_lists_is_there(session, vendor):
    vendor.on("GET", LEADS, cards("leads", {"id": 7}, {"id": 8}))
    assert await session.missing([SEVEN, EIGHT]) == frozenset()
    assert vendor.asked(LEADS)[0].get_list("filter[id][]") == ["7", "8"]


async def test_what_an_honoured_filter_does_not_list_is_gone(session, vendor):
    vendor.on("GET", LEADS, cards("leads", {"id": 7}))
    assert await session.missing([SEVEN, EIGHT]) == {EIGHT}


async def test_where_the_filter_is_not_paid_each_one_is_asked_for(session, vendor):
    vendor.on("GET", LEADS, cards("leads", {"id": 7}, {"id": 9}))
    vendor.on("GET", f"{LEADS}/8", None)
    assert await session.missing([SEVEN, EIGHT]) == {EIGHT}


async def test_what_lies_in_the_trash_is_gone(session, vendor):
    vendor.on("GET", f"{LEADS}/7", httpx.Response(200, json={"id": 7, "is_deleted": True}))
    assert await session.missing([SEVEN]) == {SEVEN}


async def test_contacts_are_asked_for_apart(session, vendor):
    vendor.on("GET", f"{LEADS}/7", httpx.Response(200, json={"id": 7}))
    vendor.on("GET", f"{CONTACTS}/5", None)
    assert await session.missing([SEVEN, ANNA]) == {ANNA}


async def test_notes_and_tasks_are_not_asked_for(session, vendor):
    assert await session.missing([Ref("note", "1"), Ref("task", "2")]) == frozenset()


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (httpx.Response(429, json={}), Why.THROTTLED),
        (httpx.Response(200, text="<html>"), Why.UNREADABLE),
        (httpx.ReadTimeout("slow"), Why.UNAVAILABLE),
    ],
)
async def test_what_cannot_be_asked_is_not_called_gone(session, vendor, trouble, why):
    vendor.on("GET", f"{LEADS}/7", trouble)
    with pytest.raises(InstallationError) as caught:
        await session.missing([SEVEN])
    assert caught.value.why is why
