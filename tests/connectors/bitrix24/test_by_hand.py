"""An incoming webhook that a person pastes: what is taken, what it can do, and that its secret is told to nobody."""

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from connectors.bitrix24 import connector
from connectors.contract import MARKER, delivery
from connectors.errors import redact
from connectors.http import Http
from connectors.protocol import GrantRevoked, InstallationError, Ref, Status, Why
from connectors.scenario import Telephony
from connectors.telling import NO_END, Given, NotTaken, Ringing, known_by_host
from tests.connectors.bitrix24 import test_facts
from tests.connectors.bitrix24.conftest import HOST, NOW, SETTINGS, Fault, card

SECRET = "s3cr3ts3cr3ts3cr"
ADDRESS = f"https://{HOST}/rest/1/{SECRET}/"
BATCH = f"{ADDRESS}batch"
NOT_OURS = Fault("WRONG_AUTH_TYPE", "Current authorization type is denied for this method Application context required")


@pytest.fixture
def hooked(portal):
    """A portal that answers to a webhook: what asks for an application is refused."""
    portal.router.post(BATCH).mock(side_effect=portal.serve)
    portal.on("profile", {"ID": "1", "ADMIN": True})
    portal.on("crm.item.fields", {"fields": {}})
    for method in ("app.info", "event.get", "event.bind", "placement.get", "telephony.externalCall.register"):
        portal.on(method, NOT_OURS)
    return portal


async def taken(http, app, token=ADDRESS, ends_at=None):
    return await connector.by_hand(http, app, Given("", token, ends_at), NOW)


async def refused(http, app, **given):
    with pytest.raises(NotTaken) as raised:
        await taken(http, app, **given)
    assert SECRET not in str(raised.value)
    return raised.value.said.code


# -- what is taken


@pytest.mark.parametrize(
    "typed", [ADDRESS, ADDRESS.rstrip("/"), f" {ADDRESS}\n", f"{ADDRESS}profile.json", ADDRESS.replace("https", "http")]
)
async def test_an_address_is_taken_as_the_portal_shows_it(http, app, hooked, typed):
    grant = await taken(http, app, typed)
    assert (grant.host, grant.refresh_token, grant.hook_secret) == (HOST, None, "")


async def test_the_account_is_known_by_its_host(http, app, hooked):
    assert (await taken(http, app)).account == known_by_host(HOST) == f"host:{HOST}"


async def test_it_has_no_end_unless_a_person_names_one(http, app, hooked):
    assert (await taken(http, app)).expires_at == NO_END
    end = NOW + timedelta(days=90)
    assert (await taken(http, app, ends_at=end)).expires_at == end


@pytest.mark.parametrize(
    "typed",
    ["", "a1b2", f"https://{HOST}/", f"https://{HOST}/rest/", f"https://{HOST}/rest/x/{SECRET}/", f"ftp://{HOST}/rest/1/{SECRET}/",
     f"https://u:p@{HOST}/rest/1/{SECRET}/", f"{HOST}/rest/1/{SECRET}/", "https://[::1/rest/1/abcdef/", f"https://{HOST}/rest/1/a%2Fb/"],
)  # fmt: skip
async def test_what_is_no_address_of_a_webhook_is_not_taken(http, app, typed):
    assert await refused(http, app, token=typed) == "hook_unlike"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", f"{HOST}.evil.example", f"{HOST}:8443", "localhost:1"])
async def test_an_address_of_no_portal_is_not_taken_and_not_asked(http, app, host):
    assert await refused(http, app, token=f"https://{host}/rest/1/{SECRET}/") == "no_portal"
    assert http.requests == 0


async def test_a_box_that_the_operator_named_is_one(app, respx_mock):
    named = replace(app, hosts=("bitrix.example.com",))
    answer = {"result": {"result": {"profile": {"ID": "1"}, "crm": {"fields": {}}}, "result_error": []}}
    respx_mock.post(f"https://bitrix.example.com/rest/1/{SECRET}/batch").respond(json=answer)
    http = Http(allowed=connector.manifest.hosts, origins=named.origins)
    grant = await taken(http, named, f"https://bitrix.example.com/rest/1/{SECRET}/")
    assert grant.account == "host:bitrix.example.com"


@pytest.fixture
def respx_mock():
    with respx.mock(assert_all_called=False) as router:
        yield router


async def test_one_that_has_ended_is_not_taken(http, app):
    assert await refused(http, app, ends_at=NOW) == "hook_over"


@pytest.mark.parametrize("status", [401, 403])
async def test_one_that_the_portal_does_not_know_is_not_taken(http, app, hooked, status):
    hooked.instead(0, httpx.Response(status, json={"error": "INVALID_CREDENTIALS"}))
    assert await refused(http, app) == "hook_refused"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(302, text="<html>"), httpx.Response(404, text=f"<p>/rest/1/{SECRET}/batch is not here</p>")],
)
async def test_a_host_where_no_portal_answers_is_named(http, app, hooked, answer):
    hooked.instead(0, answer)
    assert await refused(http, app) == "hook_nowhere"


@pytest.mark.parametrize(
    "fault", [Fault("insufficient_scope"), Fault("ACCESS_DENIED"), Fault("ERROR_METHOD_NOT_FOUND")]
)
async def test_one_without_the_crm_is_not_taken(http, app, hooked, fault):
    hooked.on("crm.item.fields", fault)
    assert await refused(http, app) == "hook_no_crm"


async def test_a_portal_that_cannot_answer_now_is_no_fault_of_the_address(http, app, hooked):
    for number in (0, 1):
        hooked.instead(number, httpx.Response(502, text=f"Bad gateway at /rest/1/{SECRET}/batch"))
    with pytest.raises(InstallationError) as raised:
        await taken(http, app)
    assert raised.value.why is Why.UNAVAILABLE
    assert SECRET not in repr(raised.value) + str(raised.value.said)


# -- the secret


async def test_a_grant_shows_no_secret(http, app, hooked):
    assert SECRET not in repr(await taken(http, app))
    assert SECRET not in repr(Given("", ADDRESS))


@pytest.mark.parametrize(
    "text",
    [
        f"POST {ADDRESS}batch failed",
        f"<p>The URL /rest/1/{SECRET} was not found</p>",
        json.dumps({"at": ADDRESS}).replace("/", "\\/"),
    ],
)
def test_no_detail_shows_it(text):
    assert SECRET not in redact(text)
    assert "***" in redact(text)


async def test_requests_carry_no_token_beside_it(http, app, hooked):
    await taken(http, app)
    assert "auth" not in hooked.bodies[0]
    assert json.dumps(hooked.bodies[0]).count(SECRET) == 0


# -- what it can do


@pytest.fixture
def grant_of(http, app):
    return lambda: taken(http, app)


@pytest.fixture
async def session(hooked, grant_of, http, app):
    grant = await grant_of()
    hooked.batches.clear()
    return connector.open(http, app, grant, SETTINGS)


async def test_it_says_that_it_answers_without_asking_what_an_application_may(session, hooked):
    assert await session.check() == Ref("account", f"host:{HOST}", f"https://{HOST}")
    assert hooked.of("app.info") == []


async def test_a_call_becomes_a_deal(session, hooked):
    outcome = (await session.deliver([delivery()]))["d-1"]
    assert outcome.status is Status.DELIVERED
    assert [ref.kind for ref in outcome.refs if ref.kind == "deal"] == ["deal"]
    assert MARKER in str(hooked.of("crm.item.add"))


async def test_no_event_tab_or_card_on_the_screen_is_asked_for(session, hooked):
    assert await session.listen("https://hub.example/hooks/bitrix24/t", "https://hub.example/f") == Ringing(rings=False)
    assert await session.popup(("6",), "+79161234567") is False
    await session.leave("https://hub.example/hooks/bitrix24/t")
    assert hooked.batches == []


async def test_changes_are_read_although_deletions_are_not_told(session, hooked):
    hooked.on("event.offline.list", NOT_OURS)
    hooked.on(
        "crm.item.list",
        {"items": [card(340, opportunity=100, currencyId="RUB")]},
        where=lambda asked: asked["entityTypeId"] == "2",
    )
    page = await session.changes(None)
    assert [one.id for one in page.deals] == ["340"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "INVALID_CREDENTIALS", "error_description": "Invalid request credentials"}),
        httpx.Response(302, text="<html>"),
    ],
    ids=["withdrawn", "renamed"],
)
async def test_one_that_is_good_no_more_asks_for_a_person(session, hooked, answer):
    hooked.instead(0, answer)
    with pytest.raises(InstallationError) as raised:
        await session.check()
    assert raised.value.why is Why.UNAUTHORIZED


async def test_one_that_was_withdrawn_stops_deliveries_which_surely_were_not_made(session, hooked):
    hooked.on("crm.duplicate.findbycomm", [])
    hooked.instead(1, httpx.Response(401, json={"error": "INVALID_CREDENTIALS"}))
    with pytest.raises(InstallationError) as raised:
        await session.deliver([delivery()])
    assert raised.value.why is Why.UNAUTHORIZED


async def test_nothing_renews_it(http, app, hooked, grant_of):
    grant = await grant_of()
    with pytest.raises(GrantRevoked):
        await connector.refresh(http, app, grant, NOW)


# -- what is said of it


@pytest.fixture
def whole(hooked):
    """The same portal with all that facts ask for."""
    hooked.on("crm.settings.mode.get", 2)
    hooked.on("crm.category.list", {"categories": [{"id": 0, "name": "Общая", "sort": 300, "isDefault": "Y"}]})
    hooked.on("crm.status.list", test_facts.STATUSES)
    hooked.on("crm.currency.list", [{"CURRENCY": "RUB", "BASE": "Y"}])
    hooked.on("user.get", [{"ID": "1", "ACTIVE": True, "NAME": "Иван"}])
    hooked.on("crm.deal.userfield.add", 1)
    hooked.on("method.get", {"isExisting": True, "isAvailable": True})
    return hooked


async def test_facts_say_what_there_is_not(session, whole):
    facts = await session.facts()
    assert facts.warnings[0].code == "by_hook"
    assert facts.users == {"1": "Иван"}
    assert (facts.account, facts.name) == (f"host:{HOST}", HOST)


async def test_a_call_stands_beside_the_telephony_only_as_a_note_where_registering_is_refused(session, whole):
    assert Telephony.REGISTER not in (await session.facts()).telephony


async def test_what_only_an_application_has_is_not_said_to_be_missing(session, whole):
    whole.on("method.get", {"isExisting": False})
    said = [one.code for one in (await session.facts()).warnings if one.code.startswith("lacks")]
    assert said == ["lacks_payments", "lacks_history", "lacks_todos"]
