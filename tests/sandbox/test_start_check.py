"""What an admin does to an account behind our back: fields removed or required, a webhook switched off, a move."""

import base64
import json

import httpx

from sandbox.amocrm.app import Sandbox

FIELDS, HOOKS = "/api/v4/leads/custom_fields", "/api/v4/webhooks"
URL = "https://hub.example/amo/hook/9f2c"


async def field(api: httpx.AsyncClient) -> int:
    """Make a field of deals; return its id."""
    made = await api.post(FIELDS, json=[{"type": "text", "name": "Проект", "code": "PROJECT"}])
    number: int = made.json()["_embedded"]["custom_fields"][0]["id"]
    return number


async def require(api: httpx.AsyncClient, web: httpx.AsyncClient, sandbox: Sandbox) -> int:
    number, pipeline = await field(api), sandbox.account.main_pipeline
    where = [{"pipeline_id": pipeline.id, "status_id": pipeline.first.id}]
    await web.post("/_sandbox/field", json={"id": number, "required_statuses": where})
    return number


async def test_a_field_says_where_it_must_be_filled(
    api: httpx.AsyncClient, web: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    number = await require(api, web, sandbox)
    told = (await api.get(f"{FIELDS}/{number}")).json()
    assert told["required_statuses"][0]["status_id"] == sandbox.account.main_pipeline.first.id


async def test_required_fields_stop_no_api_call_by_default(
    api: httpx.AsyncClient, web: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await require(api, web, sandbox)
    assert (await api.post("/api/v4/leads", json=[{"name": "x"}])).status_code == 200


async def test_where_they_are_enforced_a_deal_without_them_is_refused_and_one_with_them_is_not(
    api: httpx.AsyncClient, web: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    number = await require(api, web, sandbox)
    sandbox.dial.turn({"required_fields_enforced": True})
    for path in ("/api/v4/leads", "/api/v4/leads/complex"):
        assert (await api.post(path, json=[{"name": "x"}])).status_code == 400
        filled = {"name": "x", "custom_fields_values": [{"field_id": number, "values": [{"value": "Дом"}]}]}
        assert (await api.post(path, json=[filled])).status_code == 200


async def test_a_deleted_field_is_gone(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    number = await field(api)
    await web.post("/_sandbox/field", json={"code": "PROJECT", "delete": True})
    assert (await api.get(f"{FIELDS}/{number}")).status_code == 404


async def test_a_webhook_that_the_vendor_switched_off_says_so_and_gets_nothing(
    api: httpx.AsyncClient, web: httpx.AsyncClient, outbox: list[httpx.Request]
) -> None:
    await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})
    await web.post("/_sandbox/webhook", json={"destination": URL, "disabled": True})
    await api.post("/api/v4/leads", json=[{"name": "x"}])
    await web.post("/_sandbox/webhooks/pump")
    assert (await api.get(HOOKS)).json()["_embedded"]["webhooks"][0]["disabled"] is True
    assert outbox == []


async def test_a_domain_for_programs_tells_where_a_moved_account_is(
    web: httpx.AsyncClient, keys: dict[str, object], sandbox: Sandbox
) -> None:
    sandbox.dial.turn({"api_domain": "api-b.test:8801"})
    await web.post("/_sandbox/subdomain", json={"subdomain": "vasilek"})
    badge = {"X-Refresh-Token": str(keys["refresh_token"]), "host": "api-b.test:8801"}
    told = (await web.get("/oauth2/account/current/subdomain", headers=badge)).json()
    token = sandbox.account.tokens.new_pair(sandbox.account.admin.id, "http://romashka.test:8801").access
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert told["domain"] == "vasilek.test:8801"
    assert claims["api_domain"] == "api-b.test:8801"
