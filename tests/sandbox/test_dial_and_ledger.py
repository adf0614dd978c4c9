"""The fault dial and the request journal."""

import asyncio

import httpx
import pytest

from sandbox.amocrm.app import Sandbox
from sandbox.gate import ConnectionDropped
from tests.sandbox.conftest import HandClock
from tests.sandbox.loopback import Live

LEADS = "/api/v4/leads"
MARKER = "0f7c2b1e-9a55-4c1d-8e2f-1234567890ab"


async def turn(web: httpx.AsyncClient, **changes: object) -> httpx.Response:
    return await web.post("/_sandbox/dial", json=changes)


def leads(sandbox: Sandbox) -> int:
    return len(sandbox.account.store.shelves["leads"].cards)


async def test_an_unknown_dial_key_is_refused_and_names_what_is_allowed(web: httpx.AsyncClient) -> None:
    answer = await turn(web, no_such_key=1)
    assert answer.status_code == 400
    assert "search_lag" in answer.json()["allowed"]
    assert "no_such_key" in answer.json()["error"]


async def test_a_bad_value_is_refused_and_nothing_of_the_change_is_taken(
    web: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    answer = await turn(web, search_lag=3, limiter="yes")
    assert answer.status_code == 400
    assert sandbox.dial["search_lag"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"rates": {"418": 1}},
        {"rates": {"429": 2}},
        {"only": {"path": "("}},
        {"latency_ms": [5, 1]},
        {"latency_ms": ["a", "b"]},
        {"prescription": {"m": "500"}},
        {"prescription": {"m": ["teapot"]}},
        {"mode": "closed"},
        {"mode": ["open"]},
        {"seed": None},
    ],
)
async def test_a_wrong_value_is_400(web: httpx.AsyncClient, change: dict[str, object]) -> None:
    assert (await turn(web, **change)).status_code == 400


async def test_rates_merge_and_a_zero_removes(web: httpx.AsyncClient) -> None:
    await turn(web, rates={"429": 0.5, "500": 0.1})
    answer = await turn(web, rates={"429": 0})
    assert answer.json()["rates"] == {"500": 0.1}


async def test_reset_puts_everything_back(web: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await turn(web, search_lag=9, rates={"500": 1})
    await web.post("/_sandbox/dial/reset")
    assert (sandbox.dial["search_lag"], sandbox.dial["rates"]) == (0, {})


async def test_the_same_seed_deals_the_same_faults(web: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    async def run() -> list[int]:
        await turn(web, seed=7, rates={"500": 0.3})
        return [(await api.get(LEADS)).status_code for _ in range(20)]

    first, second = await run(), await run()
    assert first == second
    assert {204, 500} == set(first)


@pytest.mark.parametrize(
    ("fault", "status", "stored"),
    [
        ("429", 429, 0),
        ("500", 500, 0),
        ("503", 503, 0),
        ("html_error", 502, 0),
        ("token_expired", 401, 0),
        ("500_after_commit", 500, 1),
        ("502_after_commit", 502, 1),
        ("504_after_commit", 504, 1),
        ("wrong_content_type", 200, 1),
        ("half_json", 200, 1),
        ("page_after_commit", 200, 1),
        ("missing_id", 200, 1),
        ("foreign_id", 200, 1),
        ("hang", 200, 1),
        ("slow_body", 200, 1),
    ],
)
async def test_a_fault_answers_and_commits_as_its_name_says(
    api: httpx.AsyncClient, sandbox: Sandbox, fault: str, status: int, stored: int
) -> None:
    sandbox.dial.turn({"rates": {fault: 1}, "hang_seconds": 0, "slow_body_seconds": 0})
    answer = await api.post(LEADS, json=[{"name": "Звонок"}])
    row = sandbox.ledger.rows[-1]
    assert answer.status_code == status
    assert leads(sandbox) == stored
    assert (row.status, row.committed, row.fault) == (status, bool(stored), fault)


@pytest.mark.parametrize(("fault", "stored"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_drop_closes_the_connection_without_an_answer(
    api: httpx.AsyncClient, sandbox: Sandbox, fault: str, stored: int
) -> None:
    sandbox.dial.turn({"rates": {fault: 1}})
    with pytest.raises(ConnectionDropped):
        await api.post(LEADS, json=[{}])
    assert leads(sandbox) == stored
    assert sandbox.ledger.rows[-1].status == 0
    assert sandbox.ledger.rows[-1].committed is bool(stored)


async def test_half_json_is_not_json(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"rates": {"half_json": 1}})
    answer = await api.post(LEADS, json=[{}])
    with pytest.raises(ValueError):
        answer.json()


@pytest.mark.parametrize(("fault", "names"), [("missing_id", [None, "b"]), ("foreign_id", ["0" * 32 + ":deal", "b"])])
async def test_the_first_object_of_an_answer_loses_its_name_or_gets_anothers(
    api: httpx.AsyncClient, sandbox: Sandbox, fault: str, names: list[str | None]
) -> None:
    sandbox.dial.turn({"rates": {fault: 1}})
    answer = await api.post(LEADS, json=[{"request_id": "a:deal"}, {"request_id": "b"}])
    assert [row.get("request_id") for row in answer.json()["_embedded"]["leads"]] == names


async def test_a_hang_may_be_counted_on_the_sandboxs_clock(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: HandClock
) -> None:
    sandbox.dial.turn({"rates": {"hang": 1}, "hang_seconds": 30, "hang_by": "clock"})
    asking = asyncio.create_task(api.get(LEADS))
    while not asking.done():
        clock.forward(10)
        await asyncio.sleep(0)
    row = sandbox.ledger.rows[-1]
    assert row.answered is not None
    assert row.answered - row.arrived >= 30


async def test_rates_keep_to_method_and_path(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"rates": {"500": 1}, "only": {"method": "POST", "path": "/leads$"}})
    assert (await api.get(LEADS)).status_code == 204
    assert (await api.post("/api/v4/contacts", json=[{}])).status_code == 200
    assert (await api.post(LEADS, json=[{}])).status_code == 500


async def test_rates_leave_the_token_endpoint_alone_unless_asked(web: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"rates": {"500": 1}})
    assert (await web.post("/oauth2/access_token", json={})).status_code == 401
    sandbox.dial.turn({"only": {"path": ""}})
    assert (await web.post("/oauth2/access_token", json={})).status_code == 500


async def test_a_prescription_is_used_in_turn_by_requests_with_the_marker(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.dial.turn({"prescription": {MARKER: ["500", "ok", {"fault": "429", "method": "POST"}]}})
    other = await api.post(LEADS, json=[{"name": "другая"}])
    codes = [(await api.get(LEADS, params={"query": MARKER})).status_code for _ in range(3)]
    last = await api.post(LEADS, json=[{"name": MARKER}])
    after = await api.post(LEADS, json=[{"name": MARKER}])
    assert other.status_code == 200
    assert codes == [500, 204, 204]
    assert (last.status_code, after.status_code) == (429, 200)


async def test_the_ledger_tells_marker_commit_status_and_totals(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await api.post(LEADS, json=[{"name": f"hub:{MARKER}"}])
    await api.get(LEADS, params={"query": MARKER})
    told = (await web.get("/_sandbox/ledger")).json()
    write, look_up = told["rows"]
    assert (write["method"], write["path"], write["status"]) == ("POST", LEADS, 200)
    assert (write["marker"], write["committed"]) == (MARKER, True)
    assert (look_up["marker"], look_up["committed"]) == (MARKER, False)
    assert write["arrived"] == write["answered"] == 1_767_225_600.0
    assert write["bytes"] > 0
    assert told["totals"] == {"200": 2}


async def test_the_ledger_shows_rows_since_a_number_and_can_be_cleared(
    api: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await api.get(LEADS)
    first = (await web.get("/_sandbox/ledger")).json()["rows"][0]["number"]
    await api.get(LEADS)
    newer = (await web.get("/_sandbox/ledger", params={"since": first})).json()["rows"]
    await web.post("/_sandbox/ledger/clear")
    empty = (await web.get("/_sandbox/ledger")).json()
    assert [row["number"] for row in newer] == [first + 1]
    assert empty == {"rows": [], "totals": {}}


async def test_bodies_are_kept_only_when_asked(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await api.post(LEADS, json=[{"name": "тайна"}])
    sandbox.dial.turn({"keep_bodies": True})
    await api.post(LEADS, json=[{"name": "тайна"}])
    assert [row.body is None for row in sandbox.ledger.rows] == [True, False]


async def test_a_skewed_clock_shows_in_the_vendors_times(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"clock_skew": 300})
    await api.post(LEADS, json=[{}])
    answer = await api.get(LEADS)
    assert answer.json()["_embedded"]["leads"][0]["created_at"] == 1_767_225_900


async def test_totals_count_won_sums_in_minor_units(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await api.post(LEADS, json=[{"price": 15000, "status_id": 142}, {"price": 999}])
    told = (await web.get("/_sandbox/totals")).json()
    assert (told["leads"], told["won"], told["won_minor_units"]) == (2, 1, 1_500_000)


async def test_state_shows_everything_stored(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await api.post(LEADS, json=[{"name": "Сделка", "tags_to_add": [{"name": "calltracking"}]}])
    told = (await web.get("/_sandbox/state")).json()
    assert told["leads"][0]["name"] == "Сделка"
    assert told["leads"][0]["tags"] == ["calltracking"]
    assert {"contacts", "companies", "notes", "tasks", "unsorted", "users", "pipelines"} <= set(told)


async def test_a_bad_control_request_is_400_with_a_sentence(web: httpx.AsyncClient) -> None:
    unknown = await web.post("/_sandbox/token", json={"user_id": 1})
    broken = await web.post("/_sandbox/trash", content=b"[")
    assert unknown.status_code == 400
    assert broken.status_code == 400


def test_an_answer_is_dated_once_by_the_vendor_s_own_clock(live: Live) -> None:
    live.sandbox.dial.turn({"clock_skew": 300})
    answer = httpx.get(f"{live.api}/account", headers={"authorization": f"Bearer {live.keys['access_token']}"})
    assert answer.headers.get_list("date") == ["Thu, 01 Jan 2026 00:05:00 GMT"]
