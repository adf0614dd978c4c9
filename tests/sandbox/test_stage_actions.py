"""Hooks of the digital pipeline: what a stage's actions send, and how often."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

URL = "https://hub.example/amo/dp/secret"


@pytest.fixture
async def goal(sandbox: Sandbox, web: httpx.AsyncClient) -> int:
    """A stage whose widget action sends the goal "qualified"; returns its status id."""
    stage = sandbox.account.main_pipeline.stages[2].id
    await web.post("/_sandbox/stage-action", json={"status_id": stage, "url": URL, "settings": {"goal": "qualified"}})
    return stage


async def came(api: httpx.AsyncClient, sandbox: Sandbox, stage: int) -> int:
    """A deal is made and moved to the stage; what is due is sent."""
    lead = (await api.post("/api/v4/leads", json=[{"name": "Звонок"}])).json()["_embedded"]["leads"][0]["id"]
    await api.patch(f"/api/v4/leads/{lead}", json={"status_id": stage})
    await sandbox.account.sender.pump()
    return int(lead)


async def test_a_widgets_action_is_a_form_of_strings(
    sandbox: Sandbox, api: httpx.AsyncClient, goal: int, outbox: list[httpx.Request]
) -> None:
    lead = await came(api, sandbox, goal)
    told = parse_qs(outbox[0].content.decode())
    assert outbox[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert told["event[type]"] == ["14"]
    assert told["event[type_code]"] == ["lead_status_changed"]
    assert told["event[data][id]"] == [str(lead)]
    assert told["event[data][direction_of_movement]"] == ["went_to_trigger"]
    assert told["action[settings][widget][settings][goal]"] == ["qualified"]
    assert told["account_id"] == [str(sandbox.account.id)]


async def test_the_switch_makes_it_the_documented_json(
    sandbox: Sandbox, api: httpx.AsyncClient, goal: int, outbox: list[httpx.Request]
) -> None:
    sandbox.dial.turn({"pipeline_hook_body": "json"})
    lead = await came(api, sandbox, goal)
    told = json.loads(outbox[0].content)
    assert outbox[0].headers["content-type"] == "application/json"
    assert (told["event"]["data"]["id"], told["account_id"]) == (lead, sandbox.account.id)


async def test_a_bare_action_tells_both_stages(
    sandbox: Sandbox, web: httpx.AsyncClient, api: httpx.AsyncClient, outbox: list[httpx.Request]
) -> None:
    await web.post("/_sandbox/stage-action", json={"status_id": 142, "url": URL})
    lead = await came(api, sandbox, 142)
    told = parse_qs(outbox[0].content.decode())
    assert told["leads[status][0][id]"] == [str(lead)]
    assert told["leads[status][0][old_status_id]"] == [str(sandbox.account.main_pipeline.first.id)]


async def test_a_deal_made_in_the_stage_is_an_added_one(
    sandbox: Sandbox, api: httpx.AsyncClient, goal: int, outbox: list[httpx.Request]
) -> None:
    await api.post("/api/v4/leads", json=[{"status_id": goal}])
    await sandbox.account.sender.pump()
    assert parse_qs(outbox[0].content.decode())["event[type]"] == ["1"]


async def test_another_stage_sends_nothing(
    sandbox: Sandbox, api: httpx.AsyncClient, goal: int, outbox: list[httpx.Request]
) -> None:
    await came(api, sandbox, 143)
    assert outbox == []


@pytest.mark.parametrize(("kommo", "attempts"), [(False, 1), (True, 2)])
async def test_amocrm_tries_once_and_kommo_again(
    sandbox: Sandbox,
    api: httpx.AsyncClient,
    goal: int,
    outbox: list[httpx.Request],
    receiver: Callable[[int], None],
    clock: object,
    kommo: bool,
    attempts: int,
) -> None:
    sandbox.dial.turn({"pipeline_hook_retries": kommo})
    receiver(500)
    await came(api, sandbox, goal)
    clock.forward(301)  # type: ignore[attr-defined]
    await sandbox.account.sender.pump()
    assert len(outbox) == attempts


async def test_an_action_is_taken_away(
    sandbox: Sandbox, web: httpx.AsyncClient, api: httpx.AsyncClient, goal: int, outbox: list[httpx.Request]
) -> None:
    await web.post("/_sandbox/stage-action", json={"id": next(iter(sandbox.account.stage_actions))})
    await came(api, sandbox, goal)
    assert outbox == []
