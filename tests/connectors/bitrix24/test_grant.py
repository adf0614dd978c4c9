from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from connectors.bitrix24 import connector
from connectors.bitrix24.grant import account_host, is_portal
from connectors.http import Http
from connectors.protocol import AnswerLost, GrantRevoked, InstallationError, Installed, Why
from connectors.telling import NotTaken, Said
from tests.connectors.bitrix24.conftest import ACCOUNT, HOST, NOW

WEST, EAST = "https://oauth.bitrix.info/oauth/token/", "https://oauth.bitrix24.tech/oauth/token/"
INSTALLED = Installed(code="c0de", host=HOST, state="s")


def issued(**more):
    return {
        "access_token": "a2",
        "refresh_token": "r2",
        "expires": 1780003600,
        "expires_in": 3600,
        "user_id": 1,
        "scope": "crm,telephony",
        "status": "F",
        "member_id": ACCOUNT,
        "domain": "oauth.bitrix24.tech",
        "client_endpoint": f"https://{HOST}/rest/",
        "server_endpoint": "https://oauth.bitrix24.tech/rest/",
        **more,
    }


def profile(*, is_admin):
    return {"result": {"result": {"profile": {"ID": "1", "ADMIN": is_admin}}, "result_error": []}}


def error(code, status=400):
    return httpx.Response(status, json={"error": code, "error_description": "told"})


@pytest.fixture
def server():
    with respx.mock(assert_all_called=False) as router:
        yield router


def form(call):
    return dict(httpx.QueryParams(call.request.content.decode()))


def test_consent_starts_at_the_portal(app):
    url = connector.authorize_url(app, "st4te", HOST)
    assert url == f"https://{HOST}/oauth/authorize/?client_id=app.1&state=st4te"


@pytest.mark.parametrize("typed", [f" https://{HOST.upper()}/crm/deal/ ", f"http://{HOST}", f"{HOST}/"])
def test_an_account_may_be_typed_as_the_browser_shows_it(app, typed):
    assert connector.authorize_url(app, "s", typed).startswith(f"https://{HOST}/oauth/")


@pytest.mark.parametrize(
    "typed", ["", "romashka", "evil.example", f"{HOST}.evil.example", f"{HOST}@evil.example", "[::1"]
)
def test_consent_is_asked_of_portals_alone(app, typed):
    with pytest.raises(NotTaken) as raised:
        connector.authorize_url(app, "s", typed)
    assert raised.value.said.code == "no_portal"


def test_consent_may_start_at_a_sandbox(app):
    url = connector.authorize_url(replace(app, base_url="http://127.0.0.1:8802/"), "s", "")
    assert url == "http://127.0.0.1:8802/oauth/authorize/?client_id=app.1&state=s"


@pytest.mark.parametrize("host", ["romashka.bitrix24.ru", "acme.bitrix24.com", "b24-x1.bitrix24.com.br"])
def test_portals_of_every_region_are_portals(host):
    assert is_portal(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "bitrix24.ru",
        "evil.example",
        "bitrix24.ru.evil.example",
        "a.b.bitrix24.ru",
        "x@a.bitrix24.ru",
        "ж.bitrix24.ru",
    ],
)
def test_other_hosts_are_not(host):
    assert not is_portal(host)


def test_a_sandbox_is_a_portal_where_requests_go_to_it(app):
    assert account_host(replace(app, base_url="http://127.0.0.1:8802"), "127.0.0.1:8802") == "127.0.0.1:8802"
    assert account_host(app, "127.0.0.1:8802") is None


# -- exchange


async def test_a_code_becomes_a_grant_of_the_portal(http, app, server):
    route = server.post(EAST).respond(json=issued())
    grant = await connector.exchange(http, app, INSTALLED, NOW)
    assert (grant.account, grant.host, grant.access_token, grant.refresh_token) == (ACCOUNT, HOST, "a2", "r2")
    assert grant.expires_at == NOW + timedelta(hours=1)
    asked = {"grant_type": "authorization_code", "code": "c0de", "client_id": "app.1", "client_secret": "client-s3cret"}
    assert form(route.calls[0]) == asked


async def test_the_secret_goes_into_no_address(http, app, server):
    route = server.post(EAST).respond(json=issued())
    await connector.exchange(http, app, INSTALLED, NOW)
    assert "s3cret" not in str(route.calls[0].request.url)


async def test_a_portal_of_the_west_is_asked_about_there(http, app, server):
    server.post(WEST).respond(json=issued(client_endpoint="https://acme.bitrix24.com/rest/"))
    grant = await connector.exchange(http, app, replace(INSTALLED, host="acme.bitrix24.com"), NOW)
    assert grant.host == "acme.bitrix24.com"


async def test_an_application_that_one_server_does_not_know_the_other_may(http, app, server):
    server.post(EAST).mock(return_value=error("wrong_client", 200))
    server.post(WEST).respond(json=issued())
    assert (await connector.exchange(http, app, INSTALLED, NOW)).account == ACCOUNT


async def test_tokens_of_an_installation_are_renewed_before_they_are_believed(http, app, server):
    route = server.post(EAST).respond(json=issued())
    server.post(f"https://{HOST}/rest/batch").respond(json=profile(is_admin=True))
    grant = await connector.exchange(http, app, replace(INSTALLED, code="refresh_token:r1", state=None), NOW)
    assert grant.refresh_token == "r2"
    assert (form(route.calls[0])["grant_type"], form(route.calls[0])["refresh_token"]) == ("refresh_token", "r1")


async def test_tokens_of_who_is_no_administrator_are_not_taken(http, app, server):
    server.post(EAST).respond(json=issued())
    server.post(f"https://{HOST}/rest/batch").respond(json=profile(is_admin=False))
    with pytest.raises(GrantRevoked) as raised:
        await connector.exchange(http, app, replace(INSTALLED, code="refresh_token:r1", state=None), NOW)
    assert raised.value.said == Said("frame_no_admin")


async def test_a_consent_of_a_foreign_host_gets_no_secret(http, app, server):
    with pytest.raises(GrantRevoked) as raised:
        await connector.exchange(http, app, replace(INSTALLED, host="evil.example"), NOW)
    assert raised.value.said == Said("consent_elsewhere")
    assert not server.calls


async def test_tokens_of_a_portal_elsewhere_are_not_taken(http, app, server):
    server.post(EAST).respond(json=issued(client_endpoint="https://evil.example/rest/"))
    with pytest.raises(GrantRevoked):
        await connector.exchange(http, app, INSTALLED, NOW)


@pytest.mark.parametrize("code", ["invalid_grant", "bad_verification_code"])
async def test_a_refused_code_needs_a_person(http, app, server, code):
    server.post(EAST).mock(return_value=error(code))
    with pytest.raises(GrantRevoked):
        await connector.exchange(http, app, INSTALLED, NOW)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=issued(member_id="<script>")),
        httpx.Response(200, json=issued(access_token=7)),
    ],
)
async def test_an_answer_without_tokens_is_no_grant(http, app, server, answer):
    server.post(EAST).mock(return_value=answer)
    with pytest.raises(InstallationError) as raised:
        await connector.exchange(http, app, INSTALLED, NOW)
    assert raised.value.why is Why.UNREADABLE


# -- refresh


async def test_a_pair_is_renewed(http, app, grant, server):
    server.post(EAST).respond(json=issued())
    fresh = await connector.refresh(http, app, grant, NOW)
    assert (fresh.access_token, fresh.refresh_token, fresh.account) == ("a2", "r2", ACCOUNT)


async def test_a_renamed_portal_is_known_by_its_new_host(http, app, grant, server):
    server.post(EAST).respond(json=issued(client_endpoint="https://lilia.bitrix24.ru/rest/"))
    assert (await connector.refresh(http, app, grant, NOW)).host == "lilia.bitrix24.ru"


@pytest.mark.parametrize("endpoint", ["", "https://evil.example/rest/", "https://[", None])
async def test_an_address_that_is_no_portals_changes_nothing(http, app, grant, server, endpoint):
    server.post(EAST).respond(json=issued(client_endpoint=endpoint))
    assert (await connector.refresh(http, app, grant, NOW)).host == HOST


async def test_tokens_of_another_portal_are_not_taken(http, app, grant, server):
    server.post(EAST).respond(json=issued(member_id="ab" * 16))
    with pytest.raises(GrantRevoked) as raised:
        await connector.refresh(http, app, grant, NOW)
    assert raised.value.said.code == "other_account"


@pytest.mark.parametrize(
    ("seconds", "kept"), [(1800, 1800), ("1800", 1800), (None, 3600), (-1, 3600), (10**9, 3600), (True, 1)]
)
async def test_a_lifetime_that_cannot_be_is_an_hour(http, app, grant, server, seconds, kept):
    server.post(EAST).respond(json=issued(expires_in=seconds))
    fresh = await connector.refresh(http, app, grant, NOW)
    assert fresh.expires_at == NOW + timedelta(seconds=kept)


@pytest.mark.parametrize(
    ("code", "said"),
    [("invalid_grant", "grant_refused"), ("NOT_INSTALLED", "app_gone"), ("invalid_request", "grant_refused")],
)
async def test_a_refused_token_needs_a_person(http, app, grant, server, code, said):
    server.post(EAST).mock(return_value=error(code))
    with pytest.raises(GrantRevoked) as raised:
        await connector.refresh(http, app, grant, NOW)
    assert raised.value.said == Said(said)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (error("invalid_client"), Why.FORBIDDEN),
        (error("PAYMENT_REQUIRED", 401), Why.FORBIDDEN),
        (error("PAYMENT_REQUIRED", 403), Why.FORBIDDEN),
        (error("insufficient_scope", 403), Why.FORBIDDEN),
        (error("QUERY_LIMIT_EXCEEDED", 503), Why.THROTTLED),
        (httpx.Response(404, text="<html>"), Why.UNAVAILABLE),
        (httpx.ConnectError("no"), Why.UNAVAILABLE),
    ],
    ids=["secret", "unpaid", "unpaid as some say", "scope", "slow down", "nobody", "network"],
)
async def test_what_is_not_the_tokens_fault_needs_nobody(http, app, grant, server, answer, why):
    server.post(EAST).mock(side_effect=[answer])
    with pytest.raises(InstallationError) as raised:
        await connector.refresh(http, app, grant, NOW)
    assert raised.value.why in (why, Why.UNAVAILABLE)
    assert raised.value.why is why


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="<html>"),
        httpx.Response(500, json={"error": "INTERNAL_SERVER_ERROR"}),
    ],
)
async def test_a_lost_answer_may_have_spent_the_token(http, app, grant, server, answer):
    server.post(EAST).mock(side_effect=[answer])
    with pytest.raises(AnswerLost):
        await connector.refresh(http, app, grant, NOW)


async def test_an_application_that_no_server_knows_is_a_matter_of_settings(http, app, grant, server):
    server.post(EAST).mock(return_value=error("wrong_client", 200))
    server.post(WEST).mock(return_value=error("wrong_client", 200))
    with pytest.raises(InstallationError) as raised:
        await connector.refresh(http, app, grant, NOW)
    assert raised.value.said == Said("app_unknown")


async def test_without_a_refresh_token_nothing_is_asked(http, app, grant, server):
    with pytest.raises(GrantRevoked):
        await connector.refresh(http, app, replace(grant, refresh_token=None), NOW)
    assert not server.calls


async def test_in_a_sandbox_one_address_is_both(app, grant, server):
    base = "http://127.0.0.1:8802"
    server.post(f"{base}/oauth/token/").respond(json=issued(client_endpoint=f"{base}/rest/"))
    http = Http(allowed=(), origins=(base,))
    fresh = await connector.refresh(http, replace(app, base_url=base), replace(grant, host="127.0.0.1:8802"), NOW)
    assert fresh.host == "127.0.0.1:8802"


async def test_in_a_sandbox_a_portal_may_be_called_anything(app, server):
    base = "http://127.0.0.1:8802"
    server.post(f"{base}/oauth/token/").respond(json=issued(client_endpoint="http://romashka.portal.sandbox/rest/"))
    http = Http(allowed=(), origins=(base,))
    installed = replace(INSTALLED, host="127.0.0.1:8802")
    grant = await connector.exchange(http, replace(app, base_url=base), installed, NOW)
    assert grant.host == "romashka.portal.sandbox"
