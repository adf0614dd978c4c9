"""Our pages inside a Bitrix24 portal: installing opens one, linking connects the account, a card's tab shows its source."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from hub.store import crm as crm_store
from hub.store import grants, round_trips
from tests.hub import world as worlds
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World

PAGE = "http://hub.test/frame/bitrix24"
TOLD = "http://hub.test/oauth/bitrix24/callback"
MANAGER = 6


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


@pytest.fixture
def crm(hand_clock: worlds.HandClock) -> Iterator[dict[str, Any]]:
    """A portal on which nobody has installed the app yet, which has a page and an installer."""
    where = ("--app-url", PAGE, "--installer-url", PAGE, "--install-event-url", TOLD, "--not-installed")
    with worlds.sandbox(hand_clock.path, TOLD, "bitrix24", *where) as printed:
        yield printed


async def there(world: World, what: str, **told: Any) -> dict[str, Any]:
    """Do in the portal what a person does there."""
    answer = await world.crm_web.post(f"/_sandbox/{what}", json=told)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def browsed(world: World, page: dict[str, Any]) -> httpx.Response:
    """Post the form of a frame as the browser does that has the portal open."""
    return await world.while_time_goes_on(world.web.post(page["url"], data=page["form"]))


async def opened(world: World, placement: str = "DEFAULT", user_id: int = 1, **options: Any) -> httpx.Response:
    told = await there(world, "open", placement=placement, user_id=user_id, options=options)
    return await browsed(world, told["pages"][0])


def given(page: httpx.Response) -> dict[str, Any]:
    """What the script of a page starts from."""
    assert page.status_code == 200, page.text
    found = re.search(r'<script type="application/json" id="given">(.*?)</script>', page.text, re.DOTALL)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


async def asked(world: World, page: httpx.Response, method: str, path: str, **more: Any) -> httpx.Response:
    """Ask the hub as the script of a page does."""
    headers = {"X-Auth-Token": given(page)["ticket"], "X-Once": more.pop("once", "1")}
    return await world.while_time_goes_on(world.web.request(method, f"/embed/bitrix24/{path}", headers=headers, **more))


async def state(world: World, page: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = (await asked(world, page, "GET", "state?lang=en")).json()
    return told


async def installed(world: World) -> httpx.Response:
    """Press Install, let our installer page finish it, and return the page of the app that the portal loads then."""
    first = await browsed(world, (await there(world, "install"))["page"])
    assert given(first)["is_new"]
    return await browsed(world, (await there(world, "install-finish"))["page"])


async def linked(world: World, page: httpx.Response) -> httpx.Response:
    """Press Connect on the page, log in to the hub and agree."""
    await world.log_in()
    link = await world.web.get((await state(world, page))["connect_url"])
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(csrf|of)" value="([^"]*)"', link.text)}
    return await world.web.post("/link/bitrix24", data=fields, headers={"sec-fetch-site": "same-origin"})


@pytest.fixture
async def connected(world: World) -> World:
    """The customer whose administrator installed the app in his portal and linked it."""
    answer = await linked(world, await installed(world))
    assert answer.status_code == 303, answer.text
    return world


async def called(world: World) -> str:
    """Let a visitor from an ad call; return the deal."""
    shown = await world.visit(AD)
    await world.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await world.delivered(1)
    return str((await world.state())["deal"][0]["id"])


async def rung(world: World) -> World:
    """Let the portal get our tabs."""
    await world.comes_to(world.state, lambda state: state["placements"], 0.1)
    return world


async def access(world: World) -> tuple[int, str]:
    """The access that the customer's account is asked with, and how often it was replaced."""
    (of,) = await world.hub.db.read(crm_store.installations, 1)
    kept = await world.hub.db.read(grants.load, of, world.hub.vault)
    return kept.version, kept.grant.access_token


# -- installing


async def test_an_installer_opens_the_settings_and_is_told_to_finish(world: World) -> None:
    page = await browsed(world, (await there(world, "install"))["page"])
    assert given(page)["is_new"] is True
    assert given(page)["kind"] == ""


async def test_an_installed_account_waits_to_be_linked(world: World) -> None:
    told = await state(world, await installed(world))
    assert told["standing"] == "waiting"
    assert told["connect_url"].startswith("http://hub.test/link/bitrix24?of=")


async def test_a_linked_account_is_connected_without_another_consent(connected: World) -> None:
    told = await state(connected, await opened(connected))
    assert told["standing"] == "connected"
    assert told["connect_url"] is None


async def test_calls_reach_an_account_that_was_installed_from_inside(connected: World) -> None:
    assert await called(connected)


async def test_opening_the_app_again_does_not_replace_an_access_that_works(connected: World) -> None:
    before = await access(connected)
    await opened(connected)
    assert await access(connected) == before


async def test_opening_the_app_gives_back_an_access_that_was_taken_away(connected: World) -> None:
    before = await access(connected)
    await there(connected, "uninstall")
    await connected.crm_web.post("/_sandbox/events/pump")
    await told_by_server(connected, "ONAPPUNINSTALL")
    await installed(connected)
    assert await access(connected) != before


async def test_a_manager_is_told_whom_to_ask(world: World) -> None:
    await installed(world)
    told = await state(world, await opened(world, user_id=MANAGER))
    assert (told["standing"], told["connect_url"]) == ("waiting", None)


# -- tabs


async def test_cards_get_our_tabs(connected: World) -> None:
    await rung(connected)
    bound = {(one["placement"], one["handler"]) for one in (await connected.state())["placements"]}
    assert bound == {(f"CRM_{kind}_DETAIL_TAB", PAGE) for kind in ("DEAL", "LEAD", "CONTACT")}


async def test_a_version_that_lost_its_tabs_has_them_again_once_its_administrator_opens_it(connected: World) -> None:
    await rung(connected)
    await connected.crm_web.post("/_sandbox/dial", json={"update_keeps": "nothing"})
    await there(connected, "update-app")
    assert not (await connected.state())["placements"]
    await opened(connected)
    await rung(connected)


async def test_the_tab_of_a_deal_shows_its_source(connected: World) -> None:
    deal = await called(await rung(connected))
    page = await opened(connected, "CRM_DEAL_DETAIL_TAB", MANAGER, ID=deal)
    assert (given(page)["kind"], given(page)["card"]) == ("deal", deal)
    (one,) = (await asked(connected, page, "GET", f"cards/deal/{deal}?lang=ru")).json()["enquiries"]
    assert one["headline"] == "yandex / okna-msk"


async def test_a_ticket_of_one_card_shows_no_other(connected: World) -> None:
    deal = await called(await rung(connected))
    contact = (await connected.state())["contact"][0]["id"]
    page = await opened(connected, "CRM_DEAL_DETAIL_TAB", ID=deal)
    assert (await asked(connected, page, "GET", f"cards/contact/{contact}")).status_code == 404


async def test_a_managers_settings_show_no_card(connected: World) -> None:
    deal = await called(connected)
    page = await opened(connected, user_id=MANAGER)
    assert (await asked(connected, page, "GET", f"cards/deal/{deal}")).status_code == 404


async def test_a_manager_corrects_a_source_from_the_tab_and_takes_it_back(connected: World) -> None:
    deal = await called(await rung(connected))
    page = await opened(connected, "CRM_DEAL_DETAIL_TAB", MANAGER, ID=deal)
    (one,) = (await asked(connected, page, "GET", f"cards/deal/{deal}")).json()["enquiries"]
    path = f"enquiries/{one['id']}/visit"
    corrected = await asked(connected, page, "POST", path, once="2", json={"visit": None})
    assert corrected.json()["corrected"] is True
    assert (await asked(connected, page, "DELETE", path, once="3")).json()["corrected"] is False


async def test_the_same_request_of_a_page_has_its_effect_once(connected: World) -> None:
    deal = await called(await rung(connected))
    page = await opened(connected, "CRM_DEAL_DETAIL_TAB", MANAGER, ID=deal)
    (one,) = (await asked(connected, page, "GET", f"cards/deal/{deal}")).json()["enquiries"]
    path = f"enquiries/{one['id']}/visit"
    await asked(connected, page, "POST", path, once="2", json={"visit": None})
    again = await asked(connected, page, "POST", path, once="2", json={"visit": None})
    assert again.status_code == 401


# -- who is shown nothing


async def test_outside_the_crm_the_page_says_where_it_belongs(world: World) -> None:
    answer = await world.web.get("/frame/bitrix24", headers={"accept-language": "en"})
    assert answer.status_code == 200
    assert "Bitrix24 shows this page inside your account." in answer.text


async def test_a_marketplace_finds_the_page_by_its_head(world: World) -> None:
    assert (await world.web.head("/frame/bitrix24")).status_code == 200


async def test_a_made_up_form_is_shown_nothing(world: World) -> None:
    await installed(world)
    page = (await there(world, "open"))["pages"][0]
    forged = {**page, "form": {**page["form"], "AUTH_ID": "made-up"}}
    answer = await browsed(world, forged)
    assert answer.status_code == 403
    assert "ticket" not in answer.text


async def test_a_crm_that_does_not_answer_is_named(world: World) -> None:
    await installed(world)
    page = (await there(world, "open"))["pages"][0]
    await world.crm_web.post("/_sandbox/dial", json={"rates": {"500": 1.0}})
    assert (await browsed(world, page)).status_code == 502


@pytest.mark.parametrize("path", ["frame/nobody", "frame/amocrm", "frame/bitrix24/secrets.js"])
async def test_there_is_no_other_page(world: World, path: str) -> None:
    assert (await world.web.get(f"/{path}")).status_code == 404


async def test_only_the_portal_shows_the_page(connected: World) -> None:
    policy = (await opened(connected)).headers["content-security-policy"]
    parent = connected.crm["base_url"]
    assert f"frame-ancestors 'self' {parent}" in policy
    assert f"script-src 'self' {parent}" in policy


async def test_the_page_sets_no_cookie_and_tells_no_address(connected: World) -> None:
    page = await opened(connected)
    assert "set-cookie" not in page.headers
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.fixture
def every_address_had_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.frame._MOST_VIEWS", 0)


async def test_an_address_that_asks_too_often_waits_a_minute(every_address_had_its_share: None, world: World) -> None:
    answer = await browsed(world, (await there(world, "install"))["page"])
    assert answer.status_code == 429
    assert "ticket" not in answer.text


# -- what the portal's server tells


async def hooked(world: World) -> list[dict[str, str]]:
    """The forms that the portal's server tried to send us, which is not reached from here."""
    sent = (await world.crm_web.get("/_sandbox/events")).json()["attempts"]
    return [dict(parse_qsl(one["body"])) for one in sent if one["destination"] == TOLD]


async def told_by_server(world: World, name: str) -> httpx.Response:
    (form,) = [one for one in await hooked(world) if one["event"] == name]
    return await world.web.post("/oauth/bitrix24/callback", data=form)


async def test_a_removal_with_the_applications_token_stops_the_account(connected: World) -> None:
    await there(connected, "uninstall")
    await connected.crm_web.post("/_sandbox/events/pump")
    answer = await told_by_server(connected, "ONAPPUNINSTALL")
    assert answer.status_code == 200
    page = await connected.web.get("/connections?language=ru")
    assert "Аккаунт отключён — здесь или в самой CRM" in page.text


async def test_a_forged_removal_removes_nothing(connected: World) -> None:
    await there(connected, "uninstall")
    await connected.crm_web.post("/_sandbox/events/pump")
    (form,) = [one for one in await hooked(connected) if one["event"] == "ONAPPUNINSTALL"]
    answer = await connected.web.post("/oauth/bitrix24/callback", data={**form, "auth[application_token]": "0" * 32})
    assert answer.status_code == 400


async def test_installing_again_after_a_removal_connects_at_once(connected: World) -> None:
    await there(connected, "uninstall")
    await connected.crm_web.post("/_sandbox/events/pump")
    await told_by_server(connected, "ONAPPUNINSTALL")
    assert (await state(connected, await installed(connected)))["standing"] == "connected"
    assert await called(connected)


async def test_an_account_that_was_removed_leaves_no_token_behind(connected: World) -> None:
    await there(connected, "uninstall")
    await connected.crm_web.post("/_sandbox/events/pump")
    await told_by_server(connected, "ONAPPUNINSTALL")
    (of,) = await connected.hub.db.read(crm_store.installations, 1)
    kept = (await connected.hub.db.read(grants.load, of, connected.hub.vault)).grant
    assert (kept.access_token, kept.refresh_token, kept.hook_secret) == ("", None, "")


async def test_what_a_page_asked_of_the_portal_stands_in_the_log_of_requests(connected: World) -> None:
    async def asked_whose() -> int:
        await connected.hub.round_trips.write_waiting()
        (of,) = await connected.hub.db.read(crm_store.installations, 1)
        log = await connected.hub.db.read(round_trips.latest, (1, of.id), connected.hub.vault, 999)
        return sum(one.address.endswith("/rest/app.info") for one in log)

    before = await asked_whose()
    given(await opened(connected))
    assert await asked_whose() > before
