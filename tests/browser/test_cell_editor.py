"""A cell of the scenarios' table in a real browser, by keyboard alone: from a ready-made scenario to the next call."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.stage import PATIENCE_S
from tests.hub import world as worlds
from tests.hub.conftest import connected as connected
from tests.hub.conftest import crm as crm
from tests.hub.conftest import crm_kind as crm_kind
from tests.hub.conftest import hand_clock as hand_clock
from tests.hub.conftest import world as world
from tests.hub.world import World

BASE = "http://hub.test"
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one.matches("a, button, input, select, textarea, summary")) return "";
  const named = one.labels && one.labels.length ? one.labels[0].textContent : one.textContent;
  return `${one.getAttribute("aria-label") || named}`.replace(/\\s+/g, " ").trim();
}"""
_MOST_STEPS = 400  # from one end of a page to the other


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated file of the test's own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'hub.sqlite3')}"


@pytest.fixture
def set_up() -> str:
    """A company whose scenario nobody has written yet."""
    return worlds.ruled_by("\n").replace("scenarios:\n", "")


@pytest.fixture
async def desk(browser: Browser, connected: World) -> AsyncIterator[Page]:
    """The console of the connected company, its administrator logged in."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    await context.add_cookies([{"name": "cthub", "value": connected.web.cookies["cthub"], "url": BASE}])

    async def answer(route: Route) -> None:
        asked = route.request
        told = await connected.web.request(
            asked.method,
            asked.url,
            content=asked.post_data_buffer,
            headers={name: text for name, text in (await asked.all_headers()).items() if name[0] != ":"},
            follow_redirects=True,
        )
        headers = {name: text for name, text in told.headers.items() if name not in ("content-length", "set-cookie")}
        await route.fulfill(status=told.status_code, headers=headers, body=told.content)

    await context.route(f"{BASE}/**", answer)
    context.set_default_timeout(PATIENCE_S * 1000)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield await context.new_page()
    await context.close()
    assert errors == []


async def tab_to(page: Page, says: str, key: str = "Tab") -> None:
    """Press a key until what has the focus says something."""
    for _ in range(_MOST_STEPS):
        if says in await page.evaluate(FOCUSED):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"no way leads to {says!r} by {key}")


async def press(page: Page, says: str, key: str = "Tab") -> None:
    """Go to a button or a link, and press it."""
    await tab_to(page, says, key)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def call(world: World, number: int) -> list[str]:
    """Somebody nobody knows calls, and talks; return what the deals are called then."""
    await world.mango_call(f"c{number}", f"+7916000000{number}", "+74952220001", talk_s=60)
    await world.delivered(number)
    return [deal["name"].partition(" +7")[0] for deal in (await world.state())["leads"]]


async def test_an_administrator_changes_a_cell_by_keyboard_and_the_next_call_follows_it(
    desk: Page, connected: World
) -> None:
    await desk.goto(f"{BASE}/scenarios")
    await press(desk, "Звонки в сделки")
    await press(desk, "Пусть действует")
    await expect(desk.get_by_role("status")).to_contain_text("Теперь действует версия 1")
    assert await call(connected, 1) == ["Звонок"]

    await press(desk, "Изменить: Разговор окончен: если человека нет в CRM")
    await expect(desk.get_by_role("heading", level=1)).to_be_focused()
    await tab_to(desk, "Название сделки")
    await desk.keyboard.press("ControlOrMeta+A")
    await desk.keyboard.type("Новый клиент {callr}")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_label("Название сделки")).to_be_focused()
    await expect(desk.get_by_role("alert")).to_contain_text("Хаб не знает {callr}. Возможно, {caller}?")
    await desk.keyboard.press("ControlOrMeta+A")
    await desk.keyboard.type("Новый клиент {caller}")
    await press(desk, "Сохранить клетку")
    await expect(desk.locator("#just")).to_be_focused()
    await expect(desk.locator(".differences")).to_contain_text("Новый клиент")
    await press(desk, "Пусть действует")
    assert await call(connected, 2) == ["Звонок", "Новый клиент"]

    await press(desk, "Вернуться к версии 1")
    await expect(desk.get_by_role("status")).to_contain_text("Прежний текст действует снова")
    assert await call(connected, 3) == ["Звонок", "Новый клиент", "Звонок"]


@pytest.mark.parametrize("width", [390, 1280])
async def test_the_page_of_a_cell_is_not_wider_than_its_window(desk: Page, width: int) -> None:
    await desk.set_viewport_size({"width": width, "height": 900})
    await desk.goto(f"{BASE}/scenarios?start=calls_to_deals")
    await desk.get_by_role("button", name="Изменить: Звонок пропущен: если есть открытая сделка").click()
    for kind in ("Перевести сделку на этап", "Записать в поля сделки"):
        await desk.get_by_role("button", name=f"+ {kind}").click()
        await expect(desk.get_by_role("group", name=kind).last).to_be_visible()
    assert await desk.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_placeholder_is_put_where_the_cursor_stood(desk: Page) -> None:
    await desk.goto(f"{BASE}/scenarios?start=calls_to_deals")
    await desk.get_by_role("button", name="Изменить: Разговор окончен: если человека нет в CRM").click()
    await desk.get_by_label("Название сделки").fill("Из ")
    await desk.get_by_role("button", name="Вставить {source}").click()
    await expect(desk.get_by_label("Название сделки")).to_have_value("Из {source}")
