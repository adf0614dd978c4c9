"""OAuth: the browser's way to a code, the token endpoint and its errors, chains that end."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import HOST, Rest


@pytest.fixture
def token(web: httpx.AsyncClient, keys: dict[str, object]):
    """Asks the token endpoint; what is told replaces the right keys."""

    async def ask(grant_type: str, **more: Any) -> httpx.Response:
        sent = {"client_id": keys["client_id"], "client_secret": keys["client_secret"], "grant_type": grant_type}
        return await web.post("/oauth/token/", data={**sent, **more})

    return ask


async def test_the_browser_comes_back_with_a_code_that_becomes_a_pair(
    web: httpx.AsyncClient, keys: dict[str, object], token
) -> None:
    answer = await web.get("/oauth/authorize/", params={"client_id": keys["client_id"], "state": "s 1"})
    where = urlsplit(answer.headers["location"])
    query = {name: one[0] for name, one in parse_qs(where.query).items()}
    pair = (await token("authorization_code", code=query["code"])).json()
    assert answer.status_code == 302
    assert where.netloc + where.path == "hub.example/b24/cb"
    assert "scope=crm%2Cplacement" in where.query
    assert (query["state"], query["domain"], query["member_id"]) == ("s 1", "romashka.test:8802", keys["member_id"])
    assert set(pair) == {
        *("access_token", "refresh_token", "expires", "expires_in", "user_id", "scope", "status"),
        *("member_id", "domain", "client_endpoint", "server_endpoint"),
    }
    assert pair["client_endpoint"] == f"{HOST}/rest/"


@pytest.mark.parametrize("stranger", [{"signed_in_user": 0}, {}])
async def test_an_authorization_that_fails_is_a_page_not_a_redirect(
    sandbox: Sandbox, web: httpx.AsyncClient, keys: dict[str, object], stranger: dict[str, object]
) -> None:
    sandbox.dial.turn(stranger)
    client_id = keys["client_id"] if stranger else "app.unknown"
    answer = await web.get("/oauth/authorize/", params={"client_id": client_id})
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_code_lives_thirty_seconds_and_works_once(sandbox: Sandbox, token, clock) -> None:
    first, late = sandbox.portal.tokens.new_code(1), sandbox.portal.tokens.new_code(1)
    codes = [(await token("authorization_code", code=first)).status_code for _ in range(2)]
    clock.forward(30)
    answer = await token("authorization_code", code=late)
    assert codes == [200, 400]
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"client_id": "app.no"}, 200, "wrong_client"),
        ({"client_secret": "no"}, 400, "invalid_client"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"refresh_token": "no"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "invalid_request"),
    ],
)
async def test_the_errors_of_the_token_endpoint(token, sent: dict[str, str], status: int, error: str) -> None:
    answer = await token(**{"grant_type": "refresh_token", "refresh_token": "x", **sent})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_refresh_ends_the_old_pair(token, rest: Rest, keys: dict[str, object]) -> None:
    fresh = await token("refresh_token", refresh_token=keys["refresh_token"])
    again = await token("refresh_token", refresh_token=keys["refresh_token"])
    assert fresh.json()["refresh_token"] != keys["refresh_token"]
    assert again.json()["error"] == "invalid_grant"
    assert await rest.refused("profile") == (401, "expired_token")


async def test_with_grace_the_old_pair_lives_a_minute(sandbox: Sandbox, token, keys: dict[str, object], clock) -> None:
    sandbox.dial.turn({"refresh_chain": "grace"})
    codes = [(await token("refresh_token", refresh_token=keys["refresh_token"])).status_code for _ in range(2)]
    clock.forward(60)
    late = await token("refresh_token", refresh_token=keys["refresh_token"])
    assert (codes, late.status_code) == ([200, 200], 400)


async def test_chains_are_independent_of_each_other(token, rest: Rest, control) -> None:
    other = await control("token", user_id=1)
    await token("refresh_token", refresh_token=other["refresh_token"])
    assert (await rest("profile"))["ID"] == "1"


async def test_an_access_token_dies_after_an_hour_and_a_refresh_token_after_180_days(
    token, rest: Rest, keys: dict[str, object], clock
) -> None:
    clock.forward(3600)
    stale = await rest.refused("profile")
    clock.forward(180 * 86_400 - 3600)
    answer = await token("refresh_token", refresh_token=keys["refresh_token"])
    assert stale == (401, "expired_token")
    assert answer.json()["error"] == "invalid_grant"


async def test_the_token_endpoint_takes_a_query_too(web: httpx.AsyncClient, keys: dict[str, object]) -> None:
    sent = {name: str(keys[name]) for name in ("client_id", "client_secret", "refresh_token")}
    answer = await web.get("/oauth/token/", params={"grant_type": "refresh_token", **sent})
    assert answer.json()["user_id"] == 1


@pytest.mark.parametrize(("auth", "error"), [("", "NO_AUTH_FOUND"), ("nobody", "invalid_token")])
async def test_a_token_that_is_none(web: httpx.AsyncClient, auth: str, error: str) -> None:
    assert await Rest(web, auth).refused("profile") == (401, error)


async def test_a_dismissed_user_and_one_kept_from_the_app(maria: Rest, control) -> None:
    await control("user", id=6, may_use_app=False)
    kept = await maria.refused("profile")
    await control("user", id=6, is_active=False)
    assert kept == (403, "user_access_error")
    assert await maria.refused("profile") == (401, "authorization_error")


async def test_the_auth_server_tells_whose_a_token_is(rest: Rest, keys: dict[str, object], web) -> None:
    told = await rest("app.info/")
    assert told["client_id"] == keys["client_id"]
    assert told["install"]["member_id"] == keys["member_id"]
    assert told["install"]["domain"] == "romashka.test:8802"
    assert (told["ID"], told["INSTALLED"], told["user_id"]) == (told["ID"], True, 1)


async def test_an_unpaid_portal_is_told_by_both_hosts(sandbox: Sandbox, token, rest: Rest, keys) -> None:
    sandbox.dial.turn({"mode": "unpaid"})
    answer = await token("refresh_token", refresh_token=keys["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "PAYMENT_REQUIRED")
    assert await rest.refused("profile") == (401, "PAYMENT_REQUIRED")
