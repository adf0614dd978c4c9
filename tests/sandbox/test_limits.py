"""Limits and blocks: 7 and 50 a second, 429, the 403 that follows, 402, and the dial's 429."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

ACCOUNT = "/api/v4/account"


@pytest.fixture
def limited(sandbox: Sandbox) -> Sandbox:
    sandbox.dial.turn({"limiter": True})
    return sandbox


async def codes(api: httpx.AsyncClient, count: int) -> list[int]:
    return [(await api.get(ACCOUNT)).status_code for _ in range(count)]


async def test_the_eighth_request_of_a_second_is_429_with_retry_after_in_the_body(
    limited: Sandbox, api: httpx.AsyncClient
) -> None:
    assert await codes(api, 7) == [200] * 7
    answer = await api.get(ACCOUNT)
    assert answer.status_code == 429
    assert answer.json()["retry_after"] == 300
    assert "retry-after" not in answer.headers


async def test_the_window_slides(limited: Sandbox, api: httpx.AsyncClient, clock) -> None:
    await codes(api, 4)
    clock.forward(0.6)
    await codes(api, 3)
    clock.forward(0.5)
    assert await codes(api, 5) == [200, 200, 200, 200, 429]


async def test_a_person_at_the_screen_does_not_count(
    limited: Sandbox, api: httpx.AsyncClient, maria: httpx.AsyncClient
) -> None:
    assert await codes(maria, 20) == [200] * 20
    assert await codes(api, 7) == [200] * 7


async def test_all_integrations_together_have_fifty(limited: Sandbox, api: httpx.AsyncClient) -> None:
    limited.dial.turn({"client_rps": 1000})
    assert (await codes(api, 51))[-2:] == [200, 429]


async def test_thirty_429s_in_a_minute_block_everything_with_html_403(
    limited: Sandbox, api: httpx.AsyncClient, web: httpx.AsyncClient, clock
) -> None:
    assert (await codes(api, 37))[-1] == 429
    clock.forward(3600)
    blocked = await api.get(ACCOUNT)
    token = await web.post("/oauth2/access_token", json={})
    assert (blocked.status_code, blocked.headers["content-type"]) == (403, "text/html")
    assert b"403 Forbidden" in blocked.content
    assert token.status_code == 403
    await web.post("/_sandbox/unblock")
    assert await codes(api, 1) == [200]


async def test_an_unpaid_account_answers_402(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"mode": "unpaid"})
    answer = await api.get(ACCOUNT)
    assert answer.status_code == 402
    assert answer.json()["detail"] == "Payment required"


async def test_a_freshly_unpaid_account_still_reads(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"mode": "unpaid_writes"})
    assert await codes(api, 1) == [200]
    assert (await api.post("/api/v4/leads", json=[{}])).status_code == 402


async def test_a_429_may_be_html_with_a_header(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"rates": {"429": 1}, "body_429": "html", "retry_after_header": True, "retry_after": 2})
    answer = await api.get(ACCOUNT)
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["retry-after"] == "2"
