"""A portal on a server of its own: one that the operator named is served like any other, and nobody else opens a host."""

from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest
import respx

from connectors.bitrix24 import connector
from connectors.bitrix24.grant import account_host
from connectors.errors import HostRefused
from connectors.frames import Hidden
from connectors.http import Http
from connectors.protocol import GrantRevoked, HookRequest, Installed
from connectors.telling import NotTaken
from tests.connectors.bitrix24.conftest import ACCOUNT, NOW
from tests.connectors.bitrix24.test_frame import SETTINGS, info
from tests.connectors.bitrix24.test_grant import EAST, WEST, error, issued

BOX = "bitrix.example.com"
CODE = Installed(code="c0de", host=BOX, state="s")
ENDPOINT = {"client_endpoint": f"https://{BOX}/rest/"}


@pytest.fixture
def named(app):
    """A registration whose operator named the box."""
    return replace(app, hosts=(BOX, "crm.example.com:8443"))


@pytest.fixture
def http_of():
    return lambda app: Http(allowed=connector.manifest.hosts, origins=app.origins)


@pytest.fixture
def server():
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.mark.parametrize("told", [BOX, BOX.upper(), f" {BOX} ", "crm.example.com:8443"])
def test_a_host_the_operator_named_is_a_portal(named, told):
    assert account_host(named, told) == told.strip().lower()


@pytest.mark.parametrize(
    "told", [f"x.{BOX}", f"{BOX}.evil.example", f"{BOX}:8443", "crm.example.com", "127.0.0.1", "", f"a@{BOX}"]
)
def test_no_other_host_is(named, told):
    assert account_host(named, told) is None


def test_a_host_that_nobody_named_is_none(app):
    assert account_host(app, BOX) is None


async def test_egress_opens_exactly_what_was_named_and_by_https(named, http_of, server):
    server.get(f"https://{BOX}/").respond(200, json={})
    async with http_of(named) as http:
        assert (await http.send("GET", f"https://{BOX}/", timeout=5)).ok
        for closed in (f"http://{BOX}/", f"https://x.{BOX}/", f"https://{BOX}:8443/", "https://169.254.169.254/"):
            with pytest.raises(HostRefused):
                await http.send("GET", closed, timeout=5)


async def test_without_a_name_egress_stays_shut(app, http_of):
    with pytest.raises(HostRefused):
        await http_of(app).send("GET", f"https://{BOX}/", timeout=5)


def test_consent_starts_at_the_box(named):
    assert connector.authorize_url(named, "s", f"https://{BOX}/crm/").startswith(f"https://{BOX}/oauth/authorize/")


def test_who_types_a_box_that_nobody_named_is_told_where_it_is_named(app):
    with pytest.raises(NotTaken) as raised:
        connector.authorize_url(app, "s", BOX)
    assert "HUB_APPS" in connector.words["en"][raised.value.said.code].to_do


async def test_its_tokens_come_from_the_vendors_own_server(named, http_of, server):
    asked = server.post(WEST).respond(json=issued(**ENDPOINT))
    grant = await connector.exchange(http_of(named), named, CODE, NOW)
    assert (grant.host, grant.account) == (BOX, ACCOUNT)
    assert asked.called


async def test_the_other_server_is_asked_where_the_first_does_not_know_us(named, http_of, server):
    server.post(WEST).mock(return_value=error("wrong_client", 200))
    server.post(EAST).respond(json=issued(**ENDPOINT))
    assert (await connector.exchange(http_of(named), named, CODE, NOW)).host == BOX


async def test_the_secret_is_never_sent_to_the_box(named, http_of, server):
    server.post(WEST).respond(json=issued(**ENDPOINT))
    await connector.exchange(http_of(named), named, CODE, NOW)
    assert {call.request.url.host for call in server.calls} == {"oauth.bitrix.info"}


async def test_tokens_of_a_box_that_nobody_named_are_not_taken(app, http_of, server):
    server.post(WEST).respond(json=issued(**ENDPOINT))
    with pytest.raises(GrantRevoked):
        await connector.exchange(http_of(app), app, replace(CODE, host="acme.bitrix24.com"), NOW)


async def test_a_portal_that_says_it_moved_to_a_host_of_its_choice_stays_where_it_was(app, http_of, server, grant):
    server.post(EAST).respond(json=issued(client_endpoint="https://169.254.169.254/rest/"))
    assert (await connector.refresh(http_of(app), app, grant, NOW)).host == grant.host


# -- its page


def page(**more):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    query = {"DOMAIN": BOX, "PROTOCOL": "1", "LANG": "en"}
    return HookRequest("POST", "/frame/bitrix24", query, headers, urlencode({**SETTINGS, **more}).encode())


def answering(server, whose):
    """Let an authorisation server and the box answer to the page's token."""
    server.post(f"https://{whose}/rest/app.info").respond(json=info(domain=BOX))
    results = {"profile": {"ID": "7", "ADMIN": True}, "app": {"INSTALLED": True}}
    inner = {"result": results, "result_error": []}
    server.post(f"https://{BOX}/rest/batch").mock(return_value=httpx.Response(200, json={"result": inner}))


@pytest.mark.parametrize(
    ("endpoint", "whose"),
    [
        ("https://oauth.bitrix24.tech/rest/", "oauth.bitrix24.tech"),
        ("https://oauth.bitrix.info/rest/", "oauth.bitrix.info"),
        ("https://evil.example/rest/", "oauth.bitrix.info"),
        ("https://oauth.bitrix24.tech.evil.example/", "oauth.bitrix.info"),
        ("", "oauth.bitrix.info"),
    ],
)
async def test_its_page_is_vouched_for_by_one_of_the_vendors_servers(named, http_of, server, endpoint, whose):
    answering(server, whose)
    framed = await connector.frames.vouch(http_of(named), named, page(SERVER_ENDPOINT=endpoint), NOW)
    assert (framed.opened.host, framed.grant.host) == (BOX, BOX)
    assert connector.frames.parent(named, framed.opened.host) == f"https://{BOX}"


async def test_the_page_of_a_box_that_nobody_named_says_who_must_name_it(app, http_of):
    with pytest.raises(Hidden) as raised:
        await connector.frames.vouch(http_of(app), app, page(), NOW)
    assert (raised.value.said.code, raised.value.said.values) == ("frame_own_server", {"host": BOX})
