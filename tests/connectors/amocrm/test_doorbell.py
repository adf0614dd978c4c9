"""Webhooks: what each refusal means, and that only the account's own trouble stops anything else."""

import httpx
import pytest

from connectors.amocrm import connector
from connectors.protocol import App, InstallationError, Why
from connectors.telling import Ringing, Said

HOOKS = "api/v4/webhooks"
OURS = "https://hub.example.com/hooks/amocrm/s3cret"


def hook(**changed):
    events = ["add_lead", "update_lead", "status_lead", "delete_lead", "restore_lead"]
    return {"id": 1, "destination": OURS, "disabled": False, "settings": events, **changed}


def listed(*hooks):
    return httpx.Response(200, json={"_embedded": {"webhooks": list(hooks)}})


def refused(status):
    return httpx.Response(status, json={"title": "No", "status": status})


async def test_a_subscription_that_is_as_it_should_be_costs_one_read(session, vendor):
    vendor.on("GET", HOOKS, listed(hook()))
    assert await session.listen(OURS) == Ringing(rings=True)
    assert vendor.sent("/webhooks") == []


async def test_one_is_made_where_there_is_none(session, vendor):
    vendor.on("GET", HOOKS, None)
    vendor.on("POST", HOOKS, httpx.Response(201, json=hook()))
    assert await session.listen(OURS) == Ringing(rings=True)
    [sent] = vendor.sent("/webhooks")
    assert sent["destination"] == OURS


async def test_one_that_stays_off_whatever_is_done_is_told(session, vendor):
    vendor.on("GET", HOOKS, listed(hook(disabled=True)))
    vendor.on("POST", HOOKS, httpx.Response(201, json=hook(disabled=True)))
    vendor.on("DELETE", HOOKS, None)
    found = await session.listen(OURS)
    assert found == Ringing(rings=False, was_off=True, said=(Said("hooks_still_off", {"host": "hub.example.com"}),))


@pytest.mark.parametrize(
    ("method", "answer", "code"),
    [
        ("POST", refused(402), "hooks_plan"),
        ("POST", refused(403), "hooks_plan"),
        ("POST", refused(422), "hooks_full"),
        ("POST", refused(400), "hooks_refused"),
        ("POST", httpx.Response(500), "hooks_refused"),
        ("POST", httpx.ReadTimeout("slow"), "hooks_refused"),
        ("GET", refused(403), "hooks_no_admin"),
        ("GET", refused(404), "hooks_refused"),
        ("GET", httpx.Response(200, text="<html>"), "hooks_refused"),
    ],
)
async def test_what_stops_only_webhooks_is_a_sentence(session, vendor, method, answer, code):
    vendor.on("GET", HOOKS, None)
    vendor.on(method, HOOKS, answer)
    found = await session.listen(OURS)
    assert (found.rings, [one.code for one in found.said]) == (False, [code])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refused(401), Why.UNAUTHORIZED),
        (refused(429), Why.THROTTLED),
        (httpx.Response(403, text="403 Forbidden"), Why.FORBIDDEN),
        (httpx.ConnectError("refused"), Why.UNAVAILABLE),
    ],
)
async def test_the_accounts_own_trouble_is_the_accounts(session, vendor, method, answer, why):
    vendor.on("GET", HOOKS, None)
    vendor.on(method, HOOKS, answer)
    with pytest.raises(InstallationError) as caught:
        await session.listen(OURS)
    assert caught.value.why is why


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "hub.local", "10.0.0.5", "hub"])
async def test_an_address_that_amocrm_cannot_reach_is_not_subscribed(session, vendor, host):
    found = await session.listen(f"http://{host}/hooks/amocrm/s3cret")
    assert found.said == (Said("hooks_no_way", {"host": host}),)
    assert vendor.router.calls.call_count == 0


@pytest.mark.parametrize(("host", "rings"), [("127.0.0.1", True), ("hub.local", False)])
async def test_a_sandbox_on_this_machine_reaches_a_hub_on_it(http, grant, vendor, host, rings):
    vendor.router.route(method="GET").respond(204)
    vendor.router.route(method="POST").respond(201, json=hook())
    app = App("client-1", "client-s3cret", "https://hub.example/cb", "http://127.0.0.1:8801")
    here = type(http)(allowed=(), origins=("http://127.0.0.1:8801",))
    found = await connector.open(here, app, grant, {}).listen(f"http://{host}:8000/hooks/amocrm/s3cret")
    assert found.rings is rings


async def test_leaving_takes_away_what_is_ours_and_nothing_else(session, vendor):
    old, strange = "https://old.example.com/hooks/amocrm/s3cret", "https://other.example.com/hooks/amocrm/another"
    vendor.on("GET", HOOKS, listed(hook(), hook(destination=old), hook(destination=strange)))
    gone = vendor.on("DELETE", HOOKS, None)
    await session.leave(OURS)
    assert [OURS.encode() in call.request.content for call in gone.calls] == [True, False]
    assert gone.call_count == 2


async def test_who_may_not_see_webhooks_has_none_to_take_away(session, vendor):
    vendor.on("GET", HOOKS, refused(403))
    await session.leave(OURS)
    assert vendor.router.calls.call_count == 1
