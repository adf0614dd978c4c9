import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.amocrm import connector
from connectors.amocrm.grant import account_host, claims
from connectors.http import Http
from connectors.protocol import AnswerLost, GrantRevoked, InstallationError, Installed, Why

NOW = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
TOKEN, ACCOUNT = "oauth2/access_token", "api/v4/account"
INSTALLED = Installed(code="c0de", host="romashka.amocrm.ru", state="s")
DOMAIN = "https://api-b.amocrm.ru/oauth2/account/current/subdomain"


def jwt(**told):
    part = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    return f"eyJ0eXAi.{part}.sig"


def test_consent_starts_at_the_vendor(app):
    url = connector.authorize_url(app, "st4te")
    assert url == "https://www.amocrm.ru/oauth?client_id=client-1&state=st4te&mode=post_message"


def test_consent_may_start_at_a_sandbox(app):
    url = connector.authorize_url(replace(app, base_url="http://127.0.0.1:8801/"), "s")
    assert url.startswith("http://127.0.0.1:8801/oauth?client_id=client-1&")


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        ("romashka.amocrm.ru", "romashka.amocrm.ru"),
        ("Romashka.Kommo.com", "romashka.kommo.com"),
        ("old.amocrm.com", "old.kommo.com"),
        ("amocrm.ru", None),
        ("a.b.amocrm.ru", None),
        ("romashka.amocrm.ru.evil.ru", None),
        ("evil.ru/romashka.amocrm.ru", None),
        ("romashka.amocrm.ru:8443", None),
        ("romashka.amocrm.ru\n", "romashka.amocrm.ru"),
        ("127.0.0.1:8801", None),
        ("", None),
    ],
)
def test_our_secret_goes_to_account_hosts_only(app, referer, host):
    assert account_host(app, referer) == host


@pytest.mark.parametrize(
    ("referer", "allowed"), [("127.0.0.1:8801", True), ("127.0.0.1", True), ("evil.ru", False), ("", False)]
)
def test_a_sandbox_adds_its_own_host(app, referer, allowed):
    sandboxed = replace(app, base_url="http://127.0.0.1:8801/amocrm")
    assert (account_host(sandboxed, referer) is not None) is allowed


async def test_a_code_becomes_a_grant(vendor, app, http):
    vendor.on("POST", TOKEN, "token__issued")
    vendor.on("GET", ACCOUNT, "account__filters_on")
    grant = await connector.exchange(http, app, INSTALLED, NOW)
    assert grant.account == "31000001"
    assert grant.host == "romashka.amocrm.ru"
    assert grant.access_token == "access-t0ken-2"
    assert grant.refresh_token == "refresh-t0ken-2"
    assert grant.expires_at == NOW + timedelta(days=1)


async def test_the_token_request_says_who_we_are(vendor, app, http):
    vendor.on("POST", TOKEN, "token__issued")
    vendor.on("GET", ACCOUNT, "account__filters_on")
    await connector.exchange(http, app, INSTALLED, NOW)
    assert vendor.sent("/oauth2/access_token") == [
        {
            "grant_type": "authorization_code",
            "code": "c0de",
            "client_id": "client-1",
            "client_secret": "client-s3cret",
            "redirect_uri": "https://hub.example/cb",
        }
    ]


async def test_every_request_goes_to_the_sandbox(vendor, app):
    asked = []
    vendor.router.route(host="127.0.0.1").mock(
        side_effect=lambda request: asked.append(str(request.url)) or httpx.Response(400, json={"title": "no"})
    )
    sandboxed = replace(app, base_url="http://127.0.0.1:8801/amocrm/")
    http = Http(allowed=connector.manifest.hosts, origins=(sandboxed.base_url,))
    with pytest.raises(GrantRevoked):
        await connector.exchange(http, sandboxed, INSTALLED, NOW)
    assert asked == ["http://127.0.0.1:8801/amocrm/oauth2/access_token"]


async def test_a_foreign_host_gets_no_request(app, http):
    with pytest.raises(GrantRevoked):
        await connector.exchange(http, app, replace(INSTALLED, host="evil.ru"), NOW)
    assert http.requests == 0


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(503), httpx.Response(200, text="-")]
)
async def test_a_spent_code_is_not_lost_with_the_account(vendor, app, http, trouble):
    issued = {"expires_in": 86400, "access_token": jwt(account_id=31000001), "refresh_token": "r"}
    vendor.on("POST", TOKEN, httpx.Response(200, json=issued))
    vendor.on("GET", ACCOUNT, trouble)
    assert (await connector.exchange(http, app, INSTALLED, NOW)).account == "31000001"


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_an_account_that_turns_us_away_is_not_taken_at_its_tokens_word(vendor, app, http, status):
    issued = {"expires_in": 86400, "access_token": jwt(account_id=31000001), "refresh_token": "r"}
    vendor.on("POST", TOKEN, httpx.Response(200, json=issued))
    vendor.on("GET", ACCOUNT, httpx.Response(status, json={"title": "no"}))
    with pytest.raises(InstallationError):
        await connector.exchange(http, app, INSTALLED, NOW)


@pytest.mark.parametrize(("name", "status"), [("token__bad_code", 400), ("token__revoked", 401)])
async def test_only_the_vendors_refusal_is_a_revoked_grant(vendor, app, http, grant, name, status):
    vendor.on("POST", TOKEN, name, status=status)
    with pytest.raises(GrantRevoked):
        await connector.exchange(http, app, INSTALLED, NOW)
    with pytest.raises(GrantRevoked):
        await connector.refresh(http, app, grant, NOW)


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (httpx.ConnectError("refused"), Why.UNAVAILABLE),
        (httpx.ReadTimeout("slow"), Why.UNAVAILABLE),
        (httpx.Response(500, text="oops"), Why.UNAVAILABLE),
        (httpx.Response(504, text="gateway"), Why.UNAVAILABLE),
        (httpx.Response(408), Why.UNAVAILABLE),
        (httpx.Response(404, text="not here"), Why.UNAVAILABLE),
        (httpx.Response(302), Why.UNAVAILABLE),
        (httpx.Response(400, text="<html>a proxy's page</html>"), Why.UNAVAILABLE),
        (httpx.Response(401, text="<html>a proxy's page</html>"), Why.UNAUTHORIZED),
        (httpx.Response(403, text="<html>403 Forbidden</html>"), Why.FORBIDDEN),
        (httpx.Response(429, json={"retry_after": 5}), Why.THROTTLED),
        (httpx.Response(200, text="<html>"), Why.UNREADABLE),
        (httpx.Response(200, json={}), Why.UNREADABLE),
        (httpx.Response(200, json={"access_token": None}), Why.UNREADABLE),
    ],
)
async def test_trouble_on_the_way_is_never_connect_again(vendor, app, http, grant, trouble, why):
    vendor.on("POST", TOKEN, trouble)
    for ask in (connector.exchange(http, app, INSTALLED, NOW), connector.refresh(http, app, grant, NOW)):
        with pytest.raises(InstallationError) as caught:
            await ask
        assert caught.value.why is why


async def test_a_refresh_brings_a_new_pair(vendor, app, http, grant):
    vendor.on("POST", TOKEN, "token__issued")
    fresh = await connector.refresh(http, app, grant, NOW)
    assert (fresh.access_token, fresh.refresh_token) == ("access-t0ken-2", "refresh-t0ken-2")
    assert (fresh.account, fresh.host) == (grant.account, grant.host)


async def test_a_refresh_is_sent_once(vendor, app, http, grant):
    vendor.on("POST", TOKEN, httpx.ReadError("reset"))
    with pytest.raises(InstallationError):
        await connector.refresh(http, app, grant, NOW)
    assert http.requests == 1


@pytest.mark.parametrize(
    ("trouble", "perhaps"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.Response(429, json={}), False),
        (httpx.ReadError("reset"), True),
        (httpx.Response(502), True),
        (httpx.Response(200, text='{"access_to'), True),
        (httpx.Response(200, json={"token_type": "Bearer"}), True),
    ],
)
async def test_a_refresh_that_may_have_spent_the_token_says_so(vendor, app, http, grant, trouble, perhaps):
    vendor.on("POST", TOKEN, trouble)
    with pytest.raises(InstallationError) as caught:
        await connector.refresh(http, app, grant, NOW)
    assert isinstance(caught.value, AnswerLost) is perhaps


async def test_a_renamed_account_is_followed(vendor, app, http, grant):
    vendor.on("POST", TOKEN, httpx.Response(404))
    vendor.router.get(DOMAIN).respond(
        json={"id": 31000001, "subdomain": "romashka-new", "domain": "romashka-new.amocrm.ru"}
    )
    issued = {"expires_in": 86400, "access_token": "a", "refresh_token": "r"}
    vendor.router.post("https://romashka-new.amocrm.ru/oauth2/access_token").respond(json=issued)
    grant = replace(grant, access_token=jwt(api_domain="api-b.amocrm.ru"))
    fresh = await connector.refresh(http, app, grant, NOW)
    assert fresh.host == "romashka-new.amocrm.ru"


@pytest.mark.parametrize("domain", ["evil.ru", "", "romashka.amocrm.ru"])
async def test_a_strange_new_address_is_not_followed(vendor, app, http, grant, domain):
    vendor.on("POST", TOKEN, "token__revoked", status=401)
    vendor.router.get(DOMAIN).respond(json={"id": 31000001, "domain": domain})
    grant = replace(grant, access_token=jwt(api_domain="api-b.amocrm.ru"))
    with pytest.raises(GrantRevoked):
        await connector.refresh(http, app, grant, NOW)


async def test_the_refresh_token_goes_to_no_host_a_token_names(vendor, app, http, grant):
    vendor.on("POST", TOKEN, "token__revoked", status=401)
    with pytest.raises(GrantRevoked):
        await connector.refresh(http, app, replace(grant, access_token=jwt(api_domain="evil.ru")), NOW)


async def test_a_long_lived_token_cannot_be_refreshed(app, http, grant):
    with pytest.raises(GrantRevoked):
        await connector.refresh(http, app, replace(grant, refresh_token=None), NOW)


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.bnVsbA.c", "a." + "W" * 9_999 + ".c", "..", "a.яя.c"])
def test_a_token_that_is_not_a_jwt_claims_nothing(token):
    assert claims(token) == {}


async def test_secrets_stay_out_of_errors(vendor, app, http, grant):
    echo = {"title": "no", "detail": f"refresh_token: {grant.refresh_token} client_secret={app.client_secret}"}
    vendor.on("POST", TOKEN, httpx.Response(500, json=echo))
    with pytest.raises(InstallationError) as caught:
        await connector.refresh(http, app, grant, NOW)
    assert grant.refresh_token not in str(caught.value)
    assert app.client_secret not in str(caught.value)
