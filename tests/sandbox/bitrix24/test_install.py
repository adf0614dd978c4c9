"""The app's life: installer page, the gate until it is finished, updates, uninstalling; placements and their iframe."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.portal import Options
from sandbox.brackets import parse_brackets
from tests.sandbox.bitrix24.conftest import CALLBACK, OPTIONS, Rest
from tests.sandbox.conftest import HandClock

TAB = "https://hub.example/b24/tab/deal"


@pytest.fixture
def options() -> Options:
    """An app with an installer page that nobody has installed yet."""
    return Options(
        **{name: getattr(OPTIONS, name) for name in ("redirect_uri", "app_url", "installer_url", "install_event_url")},
        installed=False,
    )


@pytest.fixture
def sandbox(clock: HandClock, options: Options, receiver: Callable[[int], None]) -> Sandbox:
    return Sandbox(options, clock, {"limiter": False}, httpx.MockTransport(receiver.answer))  # type: ignore[attr-defined]


def forms(outbox: list[httpx.Request], path: str) -> list[dict[str, Any]]:
    """The forms that reached an address, as trees."""
    return [dict(parse_brackets(one.content.decode())) for one in outbox if one.url.path == path]


@pytest.fixture
def app_rest(web: httpx.AsyncClient, outbox: list[httpx.Request]) -> Callable[[], Rest]:
    """The app with the token that the last iframe brought."""

    def made() -> Rest:
        pages = [one for one in outbox if b"AUTH_ID" in one.content]
        return Rest(web, parse_qs(pages[-1].content.decode())["AUTH_ID"][0])

    return made


async def test_before_anybody_installs_there_is_no_token(sandbox: Sandbox, keys: dict[str, object], web) -> None:
    token = {name: str(keys[name]) for name in ("client_id", "client_secret")}
    answer = await web.post("/oauth/token/", data={**token, "grant_type": "refresh_token", "refresh_token": "x"})
    assert (keys["access_token"], keys["application_token"]) == ("", "")
    assert (answer.status_code, answer.json()["error"]) == (401, "NOT_INSTALLED")


async def test_the_browser_posts_the_installer_form(control, outbox: list[httpx.Request], sandbox: Sandbox) -> None:
    told = await control("install", user_id=1)
    sent = outbox[0]
    form = dict(parse_brackets(sent.content.decode()))
    query = {name: one[0] for name, one in parse_qs(urlsplit(str(sent.url)).query).items()}
    assert (sent.method, sent.url.path) == ("POST", "/b24/install")
    assert set(query) == {"DOMAIN", "PROTOCOL", "LANG", "APP_SID"}
    assert set(form) == {
        *("AUTH_ID", "AUTH_EXPIRES", "REFRESH_ID", "SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE"),
        *("member_id", "status", "PLACEMENT", "PLACEMENT_OPTIONS"),
    }
    assert (form["PLACEMENT"], form["PLACEMENT_OPTIONS"], form["status"]) == ("DEFAULT", "[]", "F")
    assert form["APPLICATION_TOKEN"] == told["application_token"]
    assert (told["finished"], told["page"]["status"]) == (False, 200)


async def test_the_server_tells_the_callback_too(control, outbox: list[httpx.Request], sandbox: Sandbox, web) -> None:
    await control("install")
    await control("events/pump")
    event = forms(outbox, "/b24/events")[0]
    assert (event["event"], event["data"]["VERSION"], event["data"]["INSTALLED"]) == ("ONAPPINSTALL", "1", "Y")
    assert set(event["auth"]) == {
        *("access_token", "refresh_token", "expires", "expires_in", "user_id", "scope", "status", "domain"),
        *("server_endpoint", "client_endpoint", "member_id", "application_token"),
    }
    assert event["ts"] == str(int(sandbox.portal.now()))
    assert (await Rest(web, str(event["auth"]["access_token"]))("profile"))["ID"] == "1"


@pytest.mark.parametrize(("how", "count"), [("never", 0), ("twice", 2), ("late", 0)])
async def test_the_callback_may_come_never_twice_or_late(
    sandbox: Sandbox, control, outbox: list[httpx.Request], clock, how: str, count: int
) -> None:
    sandbox.dial.turn({"onappinstall": how})
    await control("install")
    await control("events/pump")
    soon = len(forms(outbox, "/b24/events"))
    clock.forward(60)
    await control("events/pump")
    assert soon == count
    assert len(forms(outbox, "/b24/events")) == (1 if how == "late" else count)


async def test_until_it_is_finished_nothing_is_told_and_nothing_shown(
    control, outbox: list[httpx.Request], app_rest, web
) -> None:
    await control("install")
    rest = app_rest()
    await rest("event.bind", event="ONCRMDEALADD", handler=CALLBACK)
    await rest("placement.bind", PLACEMENT="CRM_DEAL_DETAIL_TAB", HANDLER=TAB, TITLE="Звонки")
    await rest("crm.deal.add", fields={})
    await control("events/pump")
    again = await control("open", placement="CRM_DEAL_DETAIL_TAB", options={"ID": "1"})
    stranger = await web.post("/_sandbox/open", json={"user_id": 6})
    before = [one["event"] for one in forms(outbox, "/b24/events")]
    await control("install-finish")
    await rest("crm.deal.add", fields={})
    await control("events/pump")
    assert before == ["ONAPPINSTALL"]
    assert (await rest("app.info"))["INSTALLED"] is True
    assert again["pages"][0]["url"].startswith("https://hub.example/b24/install?")
    assert (stranger.status_code, stranger.json()["error"]) == (400, "The application is not fully installed.")
    assert outbox[-1].url.path == "/b24/events"
    assert forms(outbox, "/b24/app")[0]["PLACEMENT"] == "DEFAULT"
    assert forms(outbox, "/b24/events")[-1]["event"] == "ONCRMDEALADD"


async def test_only_an_admin_installs_and_only_once(control, web) -> None:
    manager = await web.post("/_sandbox/install", json={"user_id": 6})
    await control("install")
    second = await web.post("/_sandbox/install", json={})
    assert (manager.status_code, second.status_code) == (400, 400)


class TestAnAppWithoutAPage:
    @pytest.fixture
    def options(self) -> Options:
        return Options(install_event_url=CALLBACK, script_only=True, installed=False)

    async def test_is_told_by_the_server_and_finished_at_once(self, control, outbox: list[httpx.Request]) -> None:
        told = await control("install")
        await control("events/pump")
        assert told["finished"] is True
        assert [one.url.path for one in outbox] == ["/b24/events"]


class TestALocalAppWithoutAnInstaller:
    @pytest.fixture
    def options(self) -> Options:
        return Options(app_url="https://hub.example/b24/app", local=True, installed=False)

    async def test_meets_its_own_page_and_is_finished(
        self, control, keys: dict[str, object], outbox: list[httpx.Request]
    ) -> None:
        told = await control("install")
        assert str(keys["client_id"]).startswith("local.")
        assert (told["finished"], forms(outbox, "/b24/app")[0]["status"]) == (True, "L")


async def test_a_placement_is_posted_with_the_viewers_token(
    control, app_rest, outbox: list[httpx.Request], web
) -> None:
    await control("install")
    rest = app_rest()
    lang = {"ru": {"TITLE": "Звонки"}, "en": {"TITLE": "Calls"}}
    await rest("placement.bind", PLACEMENT="CRM_DEAL_DETAIL_TAB", HANDLER=TAB, LANG_ALL=lang)
    await control("install-finish")
    told = await control("open", placement="CRM_DEAL_DETAIL_TAB", options={"ID": "342"}, user_id=6)
    form = forms(outbox, "/b24/tab/deal")[0]
    viewer = Rest(web, str(form["AUTH_ID"]))
    bound = (await rest("placement.get"))[0]
    assert (form["PLACEMENT"], json.loads(str(form["PLACEMENT_OPTIONS"]))) == ("CRM_DEAL_DETAIL_TAB", {"ID": "342"})
    assert (await viewer("profile"))["ID"] == "6"
    assert told["pages"][0]["status"] == 200
    assert (bound["placement"], bound["handler"], bound["userId"], bound["options"]) == (
        "CRM_DEAL_DETAIL_TAB",
        TAB,
        0,
        [],
    )
    assert bound["langAll"]["en"] == {"TITLE": "Calls", "DESCRIPTION": "", "GROUP_NAME": ""}


async def test_the_errors_of_placements(sandbox: Sandbox, control, app_rest, web) -> None:
    await control("install")
    rest = app_rest()
    tab = {"PLACEMENT": "CRM_DEAL_DETAIL_TAB", "HANDLER": TAB}
    await rest("placement.bind", **tab)
    assert await rest.refused("placement.bind", **tab) == (400, "ERROR_CORE")
    assert "already binded" in await rest.text("placement.bind", **tab)
    assert await rest.refused("placement.bind", PLACEMENT="MOON", HANDLER=TAB) == (400, "ERROR_PLACEMENT_NOT_FOUND")
    assert await rest.refused("placement.bind", **{**tab, "HANDLER": "ftp://x"}) == (400, "ERROR_UNSUPPORTED_PROTOCOL")
    assert (await rest.raw("placement.bind", PLACEMENT="LEFT_MENU")).json()["argument"] == "HANDLER"
    worker = {"PLACEMENT": "PAGE_BACKGROUND_WORKER", "HANDLER": TAB}
    sandbox.dial.turn({"placement_error_status": 200})
    assert await rest.refused("placement.bind", **worker) == (200, "EMPTY_ERROR_HANDLER_URL")
    assert await rest("placement.unbind", PLACEMENT="CRM_DEAL_DETAIL_TAB") == {"count": 2}
    assert await rest("placement.get") == []
    assert "CRM_DEAL_DETAIL_TAB" in await rest("placement.list")
    manager = Rest(web, sandbox.portal.tokens.new_pair(6).access)
    assert await manager.refused("placement.bind", **tab) == (403, "ACCESS_DENIED")


async def test_a_type_of_fields_drawn_by_the_app(control, app_rest) -> None:
    await control("install")
    rest = app_rest()
    told = {"USER_TYPE_ID": "callhub_source", "HANDLER": "https://hub.example/b24/field", "TITLE": "Источник"}
    await rest("userfieldtype.add", **told, OPTIONS={"height": 60})
    code = f"rest_{(await rest('app.info'))['ID']}_callhub_source"
    field = {"FIELD_NAME": "SRC", "USER_TYPE_ID": code}
    assert await rest.refused("userfieldtype.add", **told) == (400, "ERROR_CORE")
    assert isinstance(await rest("crm.deal.userfield.add", fields=field), int)
    assert await rest("userfieldtype.update", **{**told, "TITLE": "Откуда"}) is True
    assert (await rest("userfieldtype.list"))[0]["TITLE"] == "Откуда"
    assert await rest("userfieldtype.delete", USER_TYPE_ID="callhub_source") is True
    assert await rest("userfieldtype.list") == []


async def test_uninstalling_kills_tokens_and_bindings_and_is_told_without_tokens(
    control, app_rest, outbox: list[httpx.Request], sandbox: Sandbox
) -> None:
    old = (await control("install"))["application_token"]
    rest = app_rest()
    await rest("event.bind", event="ONAPPUNINSTALL", handler="https://hub.example/b24/gone")
    await control("install-finish")
    await control("uninstall", clean=True)
    await control("events/pump")
    gone = forms(outbox, "/b24/gone")[0]
    refused = await rest.refused("profile")
    new = (await control("install"))["application_token"]
    assert (gone["event"], gone["data"]["CLEAN"]) == ("ONAPPUNINSTALL", "1")
    assert set(gone["auth"]) == {"domain", "client_endpoint", "server_endpoint", "member_id", "application_token"}
    assert gone["auth"]["application_token"] == old
    assert refused == (401, "ERROR_OAUTH")
    assert forms(outbox, "/b24/events")[-1]["event"] == "ONAPPUNINSTALL"
    assert sandbox.portal.sender.handlers == []
    assert new != old


async def test_a_reinstalled_app_may_keep_its_application_token(sandbox: Sandbox, control) -> None:
    sandbox.dial.turn({"reinstall_token": "same"})
    old = (await control("install"))["application_token"]
    await control("uninstall")
    assert (await control("install"))["application_token"] == old


async def test_an_update_takes_the_events_and_leaves_the_placements(
    control, app_rest, outbox: list[httpx.Request], sandbox: Sandbox
) -> None:
    await control("install")
    rest = app_rest()
    await rest("event.bind", event="ONCRMDEALADD", handler=CALLBACK)
    await rest("placement.bind", PLACEMENT="CRM_DEAL_DETAIL_TAB", HANDLER=TAB)
    await control("install-finish")
    await control("update-app", scopes=["crm", "placement"])
    await control("events/pump")
    told = forms(outbox, "/b24/events")[-1]
    before = await rest("scope")
    await control("open", user_id=1)
    assert (told["event"], told["data"]["PREVIOUS_VERSION"], told["data"]["VERSION"]) == ("ONAPPUPDATE", "1", "2")
    assert "refresh_token" in told["auth"]
    assert await rest("event.get") == []
    assert len(await rest("placement.get")) == 1
    assert "telephony" in before
    assert await rest("scope") == ["crm", "placement"]


async def test_the_licence_is_told_without_an_application_token(control, outbox: list[httpx.Request]) -> None:
    await control("install")
    await control("payment-app", status="P", days=30)
    await control("events/pump")
    told = forms(outbox, "/b24/events")[-1]
    assert (told["event"], told["data"]["DAYS"]) == ("ONAPPPAYMENT", "30")
    assert "application_token" not in told["auth"]
