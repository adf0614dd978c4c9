"""OAuth: consent, install, token exchange, rotation, expiry, revocation."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

ACCOUNT = "/api/v4/account"
TOKEN = "/oauth2/access_token"


@pytest.fixture
def exchange(web: httpx.AsyncClient, keys: dict[str, object]):
    """Asks the token endpoint with a code or a refresh token."""

    async def ask(grant_type: str, **more: str) -> httpx.Response:
        sent = {name: keys[name] for name in ("client_id", "client_secret", "redirect_uri")}
        return await web.post(TOKEN, json={**sent, "grant_type": grant_type, **more})

    return ask


async def authorised(web: httpx.AsyncClient, token: str) -> int:
    answer = await web.get(ACCOUNT, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


async def test_a_code_becomes_a_pair_once(sandbox: Sandbox, exchange) -> None:
    code = sandbox.account.tokens.new_code(sandbox.account.admin.id)
    first = await exchange("authorization_code", code=code)
    second = await exchange("authorization_code", code=code)
    assert first.status_code == 200
    assert set(first.json()) == {
        "token_type",
        "expires_in",
        "server_time",
        "access_token",
        "refresh_token",
    }
    assert first.json()["expires_in"] == 86400
    assert (second.status_code, second.json()["hint"]) == (400, "Authorization code has been revoked")


async def test_a_code_dies_after_20_minutes(sandbox: Sandbox, exchange, clock) -> None:
    code = sandbox.account.tokens.new_code(sandbox.account.admin.id)
    clock.forward(1200)
    answer = await exchange("authorization_code", code=code)
    assert (answer.status_code, answer.json()["hint"]) == (400, "Authorization code has expired")


async def test_a_wrong_redirect_uri_is_400_with_the_oauth_shape(exchange, keys: dict[str, object]) -> None:
    answer = await exchange("refresh_token", refresh_token=str(keys["refresh_token"]), redirect_uri="x")
    assert answer.status_code == 400
    assert set(answer.json()) == {"hint", "title", "type", "status", "detail"}


async def test_a_refresh_token_is_spent_by_its_exchange(exchange, keys: dict[str, object]) -> None:
    old = str(keys["refresh_token"])
    first = await exchange("refresh_token", refresh_token=old)
    again = await exchange("refresh_token", refresh_token=old)
    assert first.json()["refresh_token"] != old
    assert (again.status_code, again.json()["hint"]) == (401, "Token has been revoked")


async def test_with_grace_the_old_refresh_token_works_until_the_new_one_is_used(
    sandbox: Sandbox, exchange, keys: dict[str, object], web: httpx.AsyncClient
) -> None:
    sandbox.dial.turn({"refresh_grace": True})
    old = str(keys["refresh_token"])
    await exchange("refresh_token", refresh_token=old)
    again = await exchange("refresh_token", refresh_token=old)
    assert again.status_code == 200
    await authorised(web, again.json()["access_token"])
    late = await exchange("refresh_token", refresh_token=old)
    assert late.status_code == 401


async def test_a_reused_refresh_token_ends_its_authorization_where_that_is_switched_on(
    sandbox: Sandbox, web: httpx.AsyncClient, exchange, keys: dict[str, object]
) -> None:
    sandbox.dial.turn({"refresh_reuse": "revoke"})
    old = str(keys["refresh_token"])
    fresh = (await exchange("refresh_token", refresh_token=old)).json()
    assert (await exchange("refresh_token", refresh_token=old)).status_code == 401
    assert (await exchange("refresh_token", refresh_token=fresh["refresh_token"])).status_code == 401
    headers = {"authorization": f"Bearer {fresh['access_token']}"}
    assert (await web.get("/api/v4/account", headers=headers)).status_code == 401


async def test_a_refresh_token_dies_after_three_months(exchange, keys: dict[str, object], clock) -> None:
    clock.forward(90 * 86400)
    answer = await exchange("refresh_token", refresh_token=str(keys["refresh_token"]))
    assert answer.status_code == 401


async def test_an_access_token_dies_after_24_hours(api: httpx.AsyncClient, clock) -> None:
    fresh = await api.get(ACCOUNT)
    clock.forward(86400)
    stale = await api.get(ACCOUNT)
    assert fresh.status_code == 200
    assert (stale.status_code, stale.json()["title"]) == (401, "Unauthorized")
    assert stale.headers["content-type"] == "application/problem+json"


async def test_the_access_token_is_a_long_hs256_jwt_with_its_claims(sandbox: Sandbox, keys: dict[str, object]) -> None:
    head, claims, signature = str(keys["access_token"]).split(".")
    key = sandbox.account.tokens.client_secret.encode()
    expected = hmac.new(key, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert base64.urlsafe_b64decode(signature + "==") == expected
    assert len(str(keys["access_token"])) > 1024
    assert told["api_domain"] == "romashka.test:8801"
    assert {"aud", "account_id", "sub", "exp", "scopes", "base_domain"} <= set(told)


async def test_the_subdomain_look_up_does_not_spend_the_refresh_token(
    web: httpx.AsyncClient, keys: dict[str, object], exchange
) -> None:
    path = "/oauth2/account/current/subdomain"
    refresh = str(keys["refresh_token"])
    found = await web.get(path, headers={"X-Refresh-Token": refresh})
    unknown = await web.get(path, headers={"X-Refresh-Token": "no"})
    assert found.json()["id"] == keys["account_id"]
    assert found.json()["subdomain"] == "romashka"
    assert unknown.status_code == 401
    assert (await exchange("refresh_token", refresh_token=refresh)).status_code == 200


async def test_x_context_user_id_acts_with_that_user(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    manager = list(sandbox.account.users.values())[1]
    answer = await api.get(ACCOUNT, headers={"X-Context-User-ID": str(manager.id)})
    unknown = await api.get(ACCOUNT, headers={"X-Context-User-ID": "1"})
    assert answer.json()["current_user_id"] == manager.id
    assert unknown.status_code == 401


async def test_x_context_user_id_is_for_admin_tokens_only(maria: httpx.AsyncClient, sandbox: Sandbox) -> None:
    other = list(sandbox.account.users.values())[2]
    answer = await maria.get(ACCOUNT, headers={"X-Context-User-ID": str(other.id)})
    assert answer.status_code == 401


async def test_allowing_on_the_consent_page_redirects_with_code_state_and_referer(
    web: httpx.AsyncClient, keys: dict[str, object], exchange
) -> None:
    client_id = str(keys["client_id"])
    page = await web.get("/oauth", params={"client_id": client_id, "state": "s<1>", "mode": "popup"})
    form = {"client_id": client_id, "state": "s<1>", "decision": "allow"}
    answer = await web.post("/oauth", data=form)
    query = {name: one[0] for name, one in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    code = query.pop("code")
    assert "s&lt;1&gt;" in page.text
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://hub.example/amo/cb?")
    assert query == {
        "referer": "romashka.test:8801",
        "client_id": client_id,
        "platform": "1",
        "state": "s<1>",
    }
    assert (await exchange("authorization_code", code=code)).status_code == 200


async def test_refusing_on_the_consent_page_redirects_with_access_denied(
    web: httpx.AsyncClient, keys: dict[str, object]
) -> None:
    form = {"client_id": str(keys["client_id"]), "decision": "refuse"}
    answer = await web.post("/oauth", data=form)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query == {"error": ["access_denied"], "client_id": [keys["client_id"]]}


async def test_the_install_button_visits_the_redirect_uri_from_the_server(
    web: httpx.AsyncClient, keys: dict[str, object], outbox: list[httpx.Request]
) -> None:
    await web.post("/_sandbox/install")
    visit = outbox[0]
    query = dict(visit.url.params)
    assert visit.method == "GET"
    assert visit.headers["user-agent"] == "amoService-oAuth-Code-Sender/1.0"
    assert query.pop("code")
    assert query == {
        "referer": "romashka.test:8801",
        "client_id": keys["client_id"],
        "from_widget": "1",
        "platform": "1",
    }


async def test_uninstalling_signs_the_disable_hook_and_kills_the_tokens(
    web: httpx.AsyncClient, keys: dict[str, object], outbox: list[httpx.Request], api: httpx.AsyncClient
) -> None:
    await web.post("/_sandbox/uninstall")
    query = dict(outbox[0].url.params)
    message = f"{keys['client_id']}|{keys['account_id']}".encode()
    expected = hmac.new(str(keys["client_secret"]).encode(), message, hashlib.sha256).hexdigest()
    assert query == {
        "client_uuid": keys["client_id"],
        "account_id": str(keys["account_id"]),
        "signature": expected,
    }
    assert (await api.get(ACCOUNT)).status_code == 401


async def test_a_long_lived_token_outlives_a_day(web: httpx.AsyncClient, clock) -> None:
    token = (await web.post("/_sandbox/token", json={"long_lived": True})).json()["access_token"]
    clock.forward(100 * 86400)
    assert await authorised(web, token) == 200


async def test_revoking_kills_the_tokens_of_one_user_only(
    web: httpx.AsyncClient, sandbox: Sandbox, keys: dict[str, object]
) -> None:
    manager = list(sandbox.account.users.values())[1]
    hers = sandbox.account.tokens.new_pair(manager.id, "http://romashka.test").access
    await web.post("/_sandbox/revoke", json={"user_id": manager.id})
    assert await authorised(web, hers) == 401
    assert await authorised(web, str(keys["access_token"])) == 200


async def test_the_frame_token_carries_the_claims_of_the_widget(
    web: httpx.AsyncClient, keys: dict[str, object]
) -> None:
    told = (await web.post("/_sandbox/frame-token", json={})).json()["claims"]
    assert told["aud"] == "https://hub.example"
    assert told["exp"] - told["iat"] == 1800
    assert told["client_uuid"] == keys["client_id"]
