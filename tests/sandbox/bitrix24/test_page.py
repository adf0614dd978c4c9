"""The portal's pages, and BX24.js in a real browser: the installer finishes, a tab knows its deal."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.portal import Options
from tests.browser.conftest import launched
from tests.sandbox.bitrix24.conftest import Rest
from tests.sandbox.bitrix24.live import Live
from tests.sandbox.conftest import HandClock
from tests.sandbox.loopback import Turntable, served

APP = """<!doctype html><p id="told">…</p><script src="{base}/api/v1/"></script><script>
BX24.init(() => BX24.callMethod("profile", {{}}, (answer) => {{
  const told = BX24.placement.info();
  document.getElementById("told").textContent =
    [location.pathname, told.placement, told.options.ID || "", answer.data().NAME, BX24.isAdmin()].join(" ");
  if (location.pathname === "/install") BX24.installFinish();
}}));
</script>"""


@pytest.fixture
async def deal(rest: Rest) -> int:
    return int(await rest("crm.deal.add", fields={"TITLE": "<b>Call</b>", "OPPORTUNITY": 150}))


async def test_the_deals_and_a_card_are_shown(web: httpx.AsyncClient, deal: int) -> None:
    home, card = (await web.get("/")).text, (await web.get(f"/crm/deal/details/{deal}/")).text
    assert f'href="/crm/deal/details/{deal}/"' in home
    assert "&lt;b&gt;Call&lt;/b&gt;" in home
    assert "150.00" in card
    assert (await web.get("/crm/deal/details/1/")).status_code == 404


async def test_buttons_do_what_the_api_then_tells(web: httpx.AsyncClient, rest: Rest, deal: int) -> None:
    await web.post("/do/user", data={"id": "6"})
    await web.post("/do/move", data={"id": deal, "stage": "WON"})
    await web.post("/do/amount", data={"id": deal, "amount": "99,5"})
    after = await rest("crm.deal.get", id=deal)
    back = await web.post("/do/delete", data={"id": deal, "back": "//evil.example"})
    assert (after["STAGE_ID"], after["OPPORTUNITY"], after["MODIFY_BY_ID"]) == ("WON", "99.50", "6")
    assert back.headers["location"] == "/"
    assert await rest.refused("crm.deal.get", id=deal) == (400, "")
    assert (await web.post("/do/nothing")).status_code == 400


async def test_a_tab_is_a_frame_with_its_form(web: httpx.AsyncClient, rest: Rest, deal: int) -> None:
    tab = {"PLACEMENT": "CRM_DEAL_DETAIL_TAB", "HANDLER": "https://hub.example/tab", "TITLE": "Звонки"}
    await rest("placement.bind", **tab)
    card = (await web.get(f"/crm/deal/details/{deal}/")).text
    assert "<summary>Звонки</summary>" in card
    assert "https://hub.example/tab?DOMAIN=romashka.test" in card
    assert "AUTH_ID" in card


@pytest.fixture(scope="module")
def table() -> Iterator[Turntable]:
    """The app's own server."""
    made = Turntable()
    with served(made, lifespan="off") as made.base_url:
        yield made


@pytest.fixture
def live(clock: HandClock, turntable: Turntable, table: Turntable) -> Live:
    """A portal with an app that nobody has installed; both listen on loopback."""
    options = Options(app_url=f"{table.base_url}/app", installer_url=f"{table.base_url}/install", installed=False)
    sandbox = Sandbox(options, clock, {"limiter": False})
    turntable.app = sandbox.app

    async def show(request: Request) -> Response:
        return HTMLResponse(APP.format(base=turntable.base_url))

    table.app = Starlette(routes=[Route("/{path:path}", show, methods=["GET", "POST"])])
    return Live(sandbox, turntable.base_url, {})


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as made:
        yield made


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    made = await browser.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    assert errors == []


async def frame_says(page: Page, path: str) -> str:
    """The words of the app's page once it has its answer."""
    frame = page.frame_locator("iframe")
    told: Any = frame.locator("#told", has_text=path)
    return str(await told.inner_text(timeout=10_000))


async def test_the_app_is_installed_finished_and_opened_in_a_tab(live: Live, page: Page, table: Turntable) -> None:
    await page.goto(f"{live.base_url}/marketplace/app/")
    await page.click("text=Установить")
    opened = await frame_says(page, "/app ")
    finished = live.sandbox.portal.installed.finished
    rest = live.sandbox.portal.tokens.new_pair(1).access
    tab = {"PLACEMENT": "CRM_DEAL_DETAIL_TAB", "HANDLER": f"{table.base_url}/tab", "TITLE": "Звонки"}
    async with httpx.AsyncClient(base_url=live.base_url, trust_env=False) as web:
        deal = await Rest(web, rest)("crm.deal.add", fields={"TITLE": "Call"})
        await Rest(web, rest)("placement.bind", **tab)
    await page.goto(f"{live.base_url}/crm/deal/details/{deal}/")
    before = len(page.frames)
    await page.click("summary")
    assert opened == "/app DEFAULT Анна true"
    assert finished is True
    assert before == 2
    assert await frame_says(page, "/tab ") == f"/tab CRM_DEAL_DETAIL_TAB {deal} Анна true"
