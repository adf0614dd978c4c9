from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from joserfc import jwt

from connectors.bitrix24 import connector
from connectors.bitrix24.frame import _key, vouch
from connectors.protocol import HookRequest, InstallationError, Rejected
from tests.connectors.bitrix24.conftest import ACCOUNT, HOST, NOW, Fault

WHOSE = "https://oauth.bitrix24.tech/rest/app.info"
QUERY = {"DOMAIN": HOST, "PROTOCOL": "1"}
FIELDS = {
    "AUTH_ID": "a1",
    "member_id": ACCOUNT,
    "PLACEMENT": "CRM_DEAL_DETAIL_TAB",
    "PLACEMENT_OPTIONS": '{"ID":"342"}',
}


def info(client="app.1", member=ACCOUNT, domain=HOST):
    return {"result": {"client_id": client, "user_id": 7, "install": {"member_id": member, "domain": domain}}}


@pytest.fixture
def server(portal):
    """An authorisation server that knows the page's token; an administrator opened the page."""
    portal.on("profile", {"ID": "7", "ADMIN": True})
    portal.router.post(WHOSE).respond(json=info())
    return portal


def asked(ticket):
    return HookRequest("GET", "/embed/bitrix24/state", {}, {"X-Auth-Token": ticket}, b"")


async def test_who_opens_a_page_is_told_by_the_vendor(http, app, server):
    found = await vouch(http, app, QUERY, FIELDS, NOW)
    assert (found.opened.account, found.opened.host, found.opened.user, found.opened.is_admin) == (
        ACCOUNT,
        HOST,
        "7",
        True,
    )
    assert (found.placement, found.card) == ("CRM_DEAL_DETAIL_TAB", "342")


async def test_the_pages_own_requests_carry_a_ticket(http, app, server):
    found = await vouch(http, app, QUERY, FIELDS, NOW)
    told = connector.hooks.opened(asked(found.ticket), app, NOW)
    assert (told.account, told.user, told.is_admin, told.token_id) == (ACCOUNT, "7", True, found.opened.token_id)


async def test_a_person_who_is_no_administrator_is_told_so(http, app, server):
    server.on("profile", {"ID": "7", "ADMIN": False})
    assert (await vouch(http, app, QUERY, FIELDS, NOW)).opened.is_admin is False


@pytest.mark.parametrize(
    "told",
    [
        info(client="app.2"),
        info(member="ab" * 16),
        info(domain="lilia.bitrix24.ru"),
        {"result": []},
        {"result": {"client_id": "app.1"}},
    ],
)
async def test_a_token_of_another_application_or_portal_is_rejected(http, app, server, told):
    server.router.post(WHOSE).respond(json=told)
    assert isinstance(await vouch(http, app, QUERY, FIELDS, NOW), Rejected)


@pytest.mark.parametrize(
    "answer", [httpx.Response(401, json={"error": "invalid_token"}), httpx.Response(400, json={"error": "x"})]
)
async def test_a_made_up_token_is_rejected(http, app, server, answer):
    server.router.post(WHOSE).mock(return_value=answer)
    assert isinstance(await vouch(http, app, QUERY, FIELDS, NOW), Rejected)


async def test_a_server_that_cannot_answer_vouches_for_nobody(http, app, server):
    server.router.post(WHOSE).respond(502)
    with pytest.raises(InstallationError):
        await vouch(http, app, QUERY, FIELDS, NOW)


async def test_a_portal_that_does_not_say_who_it_is_vouches_for_nobody(http, app, server):
    server.on("profile", Fault("x"))
    assert isinstance(await vouch(http, app, QUERY, FIELDS, NOW), Rejected)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, FIELDS),
        ({"DOMAIN": "evil.example"}, FIELDS),
        (QUERY, {**FIELDS, "AUTH_ID": ""}),
        (QUERY, {**FIELDS, "member_id": "?"}),
    ],
)
async def test_a_form_that_is_not_bitrix24s_is_asked_about_nowhere(http, app, server, query, fields):
    assert isinstance(await vouch(http, app, query, fields, NOW), Rejected)
    assert not server.router.calls


@pytest.mark.parametrize("options", ["", "[]", "null", "{", '{"ID":"x"}', "[" * 9_999])
async def test_a_page_may_be_opened_on_no_card(http, app, server, options):
    found = await vouch(http, app, QUERY, {**FIELDS, "PLACEMENT_OPTIONS": options}, NOW)
    assert found.card is None


async def test_a_ticket_ends(http, app, server):
    ticket = (await vouch(http, app, QUERY, FIELDS, NOW)).ticket
    assert isinstance(connector.hooks.opened(asked(ticket), app, NOW + timedelta(minutes=32)), Rejected)
    assert isinstance(connector.hooks.opened(asked(ticket), app, NOW - timedelta(minutes=2)), Rejected)


async def test_a_ticket_of_another_application_is_rejected(http, app, server):
    ticket = (await vouch(http, app, QUERY, FIELDS, NOW)).ticket
    assert isinstance(connector.hooks.opened(asked(ticket), replace(app, client_secret="other"), NOW), Rejected)


@pytest.mark.parametrize("ticket", ["x", "a.b.c", "e" * 5_000])
def test_what_is_no_ticket_is_rejected(app, ticket):
    assert isinstance(connector.hooks.opened(asked(ticket), app, NOW), Rejected)


@pytest.mark.parametrize(
    "changed", [{"iss": "https://romashka.amocrm.ru"}, {"nbf": None}, {"exp": "soon"}, {"exp": True}, {"nbf": 1 << 40}]
)
def test_a_ticket_with_other_words_is_rejected(app, changed):
    now = int(NOW.timestamp())
    token = jwt.encode({"alg": "HS256"}, {"iss": "bitrix24", "nbf": now, "exp": now + 60, **changed}, _key(app))
    assert isinstance(connector.hooks.opened(asked(token), app, NOW), Rejected)


async def test_tickets_stay_out_of_texts(http, app, server):
    found = await vouch(http, app, QUERY, FIELDS, NOW)
    assert found.ticket not in repr(found)
