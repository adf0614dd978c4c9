"""Our page in a real browser inside the sandbox's portal, before the real hub: install, link, read a deal's source."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, FrameLocator, Page, Route, expect

from sandbox.bitrix24.page.views import USER_COOKIE
from tests.browser.conftest import browser as browser
from tests.hub.test_frame import MANAGER, called, rung, there
from tests.hub.test_frame import connected as connected
from tests.hub.test_frame import crm as crm
from tests.hub.test_frame import crm_kind as crm_kind
from tests.hub.world import World

# What the pages are told is compared on both engines in test_frame.py; a browser shows the same of either.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNFINISHED = "Приложение установлено не до конца."
_NOT_OURS = {"host", "content-length", "accept-encoding", "cookie"}


@pytest.fixture
async def portal(browser: Browser, world: World) -> AsyncIterator[Page]:
    """A browser in the portal; what it asks of the hub's host this hub answers. No script may fail in it."""
    made = await browser.new_page(base_url=world.crm["base_url"], viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda message: wrong.append(message.text) if _is_wrong(message) else None)

    async def to_hub(route: Route) -> None:
        asked = route.request
        headers = {name: value for name, value in (await asked.all_headers()).items() if name not in _NOT_OURS}
        path = httpx.URL(asked.url).raw_path.decode()
        asking = world.web.request(asked.method, path, headers=headers, content=asked.post_data_buffer)
        answer = await (asking if asked.method == "GET" else world.while_time_goes_on(asking))
        await route.fulfill(status=answer.status_code, body=answer.content, headers=dict(answer.headers))

    async def to_library(route: Route) -> None:
        found = await world.crm_web.get("/api/v1/")  # a browser lets no page of a name ask an address of this machine
        await route.fulfill(status=found.status_code, body=found.content, headers={"content-type": "text/javascript"})

    await made.route("http://hub.test/**", to_hub)
    await made.route("**/api/v1/", to_library)
    yield made
    await made.close()
    assert wrong == []


def _is_wrong(message: ConsoleMessage) -> bool:
    """Say whether a browser complains; that the hub of a test has no https is not our page's fault."""
    return message.type == "error" and "Cross-Origin-Opener-Policy" not in message.text


def frame(page: Page) -> FrameLocator:
    """Our page in the portal's."""
    return page.frame_locator("iframe")


async def as_employee(world: World) -> str:
    """What the portal shows on the app's page to who may not install it."""
    cookie = {"cookie": f"{USER_COOKIE}={MANAGER}"}
    return (await world.crm_web.get("/marketplace/app/", headers=cookie)).text


async def on_deal(page: Page, world: World, kind: str = "deal") -> FrameLocator:
    """Open the tab of the card that a call was made into."""
    deal = await called(await rung(world))
    card = deal if kind == "deal" else str((await world.state())["contact"][0]["id"])
    await page.goto(f"/crm/{kind}/details/{card}/")
    await page.locator("summary", has_text="Источник обращения").click()
    return frame(page)


async def test_the_installer_finishes_by_itself_and_asks_to_connect(portal: Page, world: World) -> None:
    await portal.goto("/marketplace/app/")
    async with portal.expect_response("**/do/finish"):  # after it the portal loads the page anew
        await portal.get_by_role("button", name="Установить").click()
    await expect(frame(portal).get_by_text("Приложение установлено, но ещё не привязано")).to_be_visible()
    await expect(frame(portal).get_by_role("link", name="Подключить")).to_have_attribute(
        "href", re.compile("http://hub.test/link/bitrix24")
    )
    assert UNFINISHED not in await as_employee(world)


async def test_until_it_has_finished_an_employee_is_told_so(world: World) -> None:
    await there(world, "install", user_id=1)
    assert UNFINISHED in await as_employee(world)


async def test_a_deal_shows_its_source(portal: Page, connected: World) -> None:
    shown = await on_deal(portal, connected)
    await expect(shown.locator(".cthub-headline")).to_have_text("yandex / okna-msk")
    await expect(shown.locator(".cthub-confidence")).to_contain_text("Точно")


async def test_a_contact_shows_it_too(portal: Page, connected: World) -> None:
    shown = await on_deal(portal, connected, "contact")
    await expect(shown.locator(".cthub-headline")).to_have_text("yandex / okna-msk")


async def test_the_frame_is_as_high_as_what_it_shows(portal: Page, connected: World) -> None:
    shown = await on_deal(portal, connected)
    await shown.get_by_text("Путь посетителя").click()
    await shown.get_by_role("button", name="Источник не тот?").click()
    await shown.locator("main").evaluate("one => { one.style.minHeight = '1000px'; }")
    await expect(portal.locator("iframe")).to_have_css("height", re.compile(r"10\d\dpx"))


async def test_a_correction_is_made_and_taken_back(portal: Page, connected: World) -> None:
    shown = await on_deal(portal, connected)
    await shown.get_by_role("button", name="Источник не тот?").click()
    await shown.get_by_role("button", name="Никто из них").click()
    await expect(shown.locator(".cthub-headline")).to_have_text("Источник неизвестен")
    await shown.get_by_role("button", name="Вернуть, как было").click()
    await expect(shown.locator(".cthub-headline")).to_have_text("yandex / okna-msk")


async def test_the_settings_say_what_is_so_and_try_the_connection(portal: Page, connected: World) -> None:
    await rung(connected)
    await portal.goto("/marketplace/app/")
    await expect(frame(portal).get_by_text("Хаб подключён к этому аккаунту.")).to_be_visible()
    await frame(portal).get_by_role("button", name="Проверить сейчас").click()
    await expect(frame(portal).get_by_text("Связь есть")).to_be_visible()
