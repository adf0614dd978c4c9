"""Who opens our page in a portal, on what, and what his ticket is good for."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from connectors.bitrix24 import connector
from connectors.bitrix24.ticket import secret
from connectors.frames import Hidden
from connectors.protocol import HookRequest, InstallationError, Rejected
from tests.connectors.bitrix24.conftest import ACCOUNT, HOST, NOW, Fault

WHOSE = "https://oauth.bitrix24.tech/rest/app.info"
QUERY = {"DOMAIN": HOST, "PROTOCOL": "1", "LANG": "ru", "APP_SID": "s"}
SETTINGS = {
    "AUTH_ID": "a1",
    "AUTH_EXPIRES": "3600",
    "REFRESH_ID": "r1",
    "APPLICATION_TOKEN": "51" * 16,
    "member_id": ACCOUNT,
    "PLACEMENT": "DEFAULT",
    "PLACEMENT_OPTIONS": "[]",
}
ON_DEAL = {**SETTINGS, "PLACEMENT": "CRM_DEAL_DETAIL_TAB", "PLACEMENT_OPTIONS": '{"ID":"342"}'}


def info(client="app.1", member=ACCOUNT, domain=HOST):
    return {"result": {"client_id": client, "user_id": 7, "install": {"member_id": member, "domain": domain}}}


@pytest.fixture
def server(portal):
    """An authorisation server that knows the page's token; an administrator opened the page."""
    portal.on("profile", {"ID": "7", "ADMIN": True})
    portal.on("app.info", {"INSTALLED": True})
    portal.on("crm.item.get", lambda asked: {"item": {"id": int(asked.params["id"])}})
    portal.router.post(WHOSE).respond(json=info())
    return portal


@pytest.fixture
def by_manager(server):
    server.on("profile", {"ID": "7", "ADMIN": False})
    return server


@pytest.fixture
def vouch(http, app):
    async def ask(fields, query=QUERY):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = HookRequest("POST", "/frame/bitrix24", query, headers, urlencode(fields).encode())
        return await connector.frames.vouch(http, app, request, NOW)

    return ask


def asked(ticket, **headers):
    return HookRequest("GET", "/embed/bitrix24/state", {}, {"X-Auth-Token": ticket, **headers}, b"")


# -- who it is


async def test_who_opens_a_page_is_told_by_the_vendor(vouch, server):
    opened = (await vouch(SETTINGS)).opened
    assert (opened.account, opened.host, opened.user, opened.is_admin) == (ACCOUNT, HOST, "7", True)


async def test_a_person_who_is_no_administrator_is_told_so(vouch, by_manager):
    assert (await vouch(ON_DEAL)).opened.is_admin is False


async def test_the_page_speaks_the_language_of_who_looks(vouch, server):
    assert (await vouch(SETTINGS)).language == "ru"


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
async def test_a_token_of_another_application_or_portal_is_believed_nothing(vouch, server, told):
    server.router.post(WHOSE).respond(json=told)
    with pytest.raises(Hidden) as raised:
        await vouch(SETTINGS)
    assert raised.value.said.code == "frame_elsewhere"
    assert not server.batches


@pytest.mark.parametrize(
    "answer", [httpx.Response(401, json={"error": "invalid_token"}), httpx.Response(400, json={"error": "x"})]
)
async def test_a_made_up_token_is_believed_nothing(vouch, server, answer):
    server.router.post(WHOSE).mock(return_value=answer)
    with pytest.raises(Hidden) as raised:
        await vouch(SETTINGS)
    assert raised.value.said.code == "frame_old"


async def test_a_server_that_cannot_answer_vouches_for_nobody(vouch, server):
    server.router.post(WHOSE).respond(502)
    with pytest.raises(InstallationError):
        await vouch(SETTINGS)


@pytest.mark.parametrize("told", [Fault("x"), {"ID": "8", "ADMIN": True}, {}])
async def test_a_portal_that_knows_the_token_as_somebody_elses_vouches_for_nobody(vouch, server, told):
    server.on("profile", told)
    with pytest.raises(Hidden):
        await vouch(SETTINGS)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, SETTINGS),
        ({"DOMAIN": "evil.example"}, SETTINGS),
        (QUERY, {**SETTINGS, "AUTH_ID": ""}),
        (QUERY, {**SETTINGS, "AUTH_ID": "a" * 5_000}),
        (QUERY, {**SETTINGS, "member_id": "?"}),
    ],
)
async def test_a_form_that_is_not_bitrix24s_is_asked_about_nowhere(vouch, server, query, fields):
    with pytest.raises(Hidden):
        await vouch(fields, query)
    assert not server.router.calls


# -- on what


@pytest.mark.parametrize(
    ("placement", "card"),
    [
        ("CRM_DEAL_DETAIL_TAB", ("deal", "342")),
        ("CRM_LEAD_DETAIL_TAB", ("deal", "L342")),
        ("CRM_CONTACT_DETAIL_TAB", ("contact", "342")),
    ],
)
async def test_a_tab_is_of_its_card(vouch, server, placement, card):
    assert (await vouch({**ON_DEAL, "PLACEMENT": placement})).card == card


async def test_the_main_page_is_of_no_card(vouch, server):
    assert (await vouch(SETTINGS)).card is None


@pytest.mark.parametrize("options", ["", "[]", "null", "{", '{"ID":"x"}', '{"ID":"0"}', "[" * 9_999])
async def test_a_card_that_is_not_saved_has_nothing_to_show(vouch, server, options):
    with pytest.raises(Hidden) as raised:
        await vouch({**ON_DEAL, "PLACEMENT_OPTIONS": options})
    assert raised.value.said.code == "frame_unsaved"


async def test_who_may_not_read_the_card_is_not_told_of_it(vouch, by_manager):
    by_manager.on("crm.item.get", Fault("ACCESS_DENIED"))
    with pytest.raises(Hidden) as raised:
        await vouch(ON_DEAL)
    assert raised.value.said.code == "frame_no_card"


# -- what it brings


async def test_an_administrators_page_brings_the_access_of_the_account(vouch, server):
    grant = (await vouch(SETTINGS)).grant
    assert (grant.account, grant.host, grant.access_token, grant.refresh_token) == (ACCOUNT, HOST, "a1", "r1")
    assert (grant.expires_at, grant.hook_secret) == (NOW + timedelta(hours=1), "51" * 16)


async def test_an_older_portal_tells_no_token_of_the_application(vouch, server):
    fields = {name: told for name, told in SETTINGS.items() if name != "APPLICATION_TOKEN"}
    assert (await vouch(fields)).grant.hook_secret == ""


async def test_the_access_of_who_is_no_administrator_is_not_taken(vouch, by_manager):
    assert (await vouch(SETTINGS)).grant is None


async def test_a_tab_brings_no_access(vouch, server):
    assert (await vouch(ON_DEAL)).grant is None


@pytest.mark.parametrize("refresh", ["", "r" * 5_000])
async def test_a_page_without_a_token_to_renew_brings_no_access(vouch, server, refresh):
    assert (await vouch({**SETTINGS, "REFRESH_ID": refresh})).grant is None


async def test_an_installation_waits_for_its_administrator(vouch, server):
    server.on("app.info", {"INSTALLED": False})
    assert (await vouch(SETTINGS)).is_new


async def test_nobody_else_finishes_an_installation(vouch, by_manager):
    by_manager.on("app.info", {"INSTALLED": False})
    assert not (await vouch(SETTINGS)).is_new


async def test_what_is_secret_stays_out_of_texts(vouch, server):
    framed = await vouch(SETTINGS)
    assert framed.ticket not in repr(framed)
    assert "r1" not in repr(framed)


# -- its ticket


async def test_the_pages_own_requests_carry_a_ticket(vouch, app, server):
    framed = await vouch(ON_DEAL)
    told = connector.hooks.opened(asked(framed.ticket), app, NOW)
    assert (told.account, told.user, told.is_admin, told.card) == (ACCOUNT, "7", True, ("deal", "342"))


async def test_an_administrators_settings_are_of_every_card(vouch, app, server):
    assert connector.hooks.opened(asked((await vouch(SETTINGS)).ticket), app, NOW).card is None


async def test_a_managers_settings_are_of_no_card(vouch, app, by_manager):
    assert connector.hooks.opened(asked((await vouch(SETTINGS)).ticket), app, NOW).card == ("", "")


async def test_each_request_of_a_page_is_one_of_its_own(vouch, app, server):
    ticket = (await vouch(ON_DEAL)).ticket
    one, other = (connector.hooks.opened(asked(ticket, **{"X-Once": word}), app, NOW).token_id for word in "ab")
    assert one != other


async def test_a_ticket_ends(vouch, app, server):
    ticket = (await vouch(SETTINGS)).ticket
    assert isinstance(connector.hooks.opened(asked(ticket), app, NOW + timedelta(minutes=32)), Rejected)
    assert isinstance(connector.hooks.opened(asked(ticket), app, NOW - timedelta(minutes=2)), Rejected)


async def test_a_ticket_of_another_application_is_rejected(vouch, app, server):
    ticket = (await vouch(SETTINGS)).ticket
    assert isinstance(connector.hooks.opened(asked(ticket), replace(app, client_secret="other"), NOW), Rejected)


@pytest.mark.parametrize("ticket", ["x", "a.b.c", "e" * 5_000])
def test_what_is_no_ticket_is_rejected(app, ticket):
    assert isinstance(connector.hooks.opened(asked(ticket), app, NOW), Rejected)


@pytest.mark.parametrize(
    "changed", [{"iss": "https://romashka.amocrm.ru"}, {"nbf": None}, {"exp": "soon"}, {"exp": True}, {"nbf": 1 << 40}]
)
def test_a_ticket_with_other_words_is_rejected(app, changed):
    now = int(NOW.timestamp())
    token = jwt.encode(
        {"alg": "HS256"}, {"iss": "bitrix24", "nbf": now, "exp": now + 60, **changed}, OctKey.import_key(secret(app))
    )
    assert isinstance(connector.hooks.opened(asked(token), app, NOW), Rejected)


# -- where it is shown


def test_a_portal_shows_our_page_and_speaks_to_it(app):
    assert connector.frames.parent(app, HOST) == f"https://{HOST}"
    assert connector.frames.library(app) == "https://api.bitrix24.com/api/v1/"


def test_a_sandbox_shows_it_where_requests_go_to_it(app):
    sandbox = replace(app, base_url="http://127.0.0.1:8802/x")
    assert connector.frames.parent(sandbox, HOST) == "http://127.0.0.1:8802"
    assert connector.frames.library(sandbox) == "http://127.0.0.1:8802/x/api/v1/"
