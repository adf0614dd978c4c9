"""One visitor: his cookie, what his browser keeps, his tabs, and that he is still there."""

import json
from collections.abc import Mapping
from typing import Any

from playwright.async_api import BrowserContext, Page, expect
from starlette.responses import JSONResponse, Response

from tests.browser.stage import ASK_VISIT, BLOCKED, ORIGINAL, POOL, SWAPPED, TOKEN, Scene, frames, settled, turn

OTHER = "+74957778899"


async def kept(page: Page) -> dict[str, Any]:
    return json.loads(await page.evaluate("localStorage._cth_n"))


async def test_the_visitor_is_kept_in_a_cookie_of_the_whole_site_and_in_its_twin(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    (cookie,) = await page.context.cookies()
    assert {name: cookie[name] for name in ("name", "value", "domain", "path", "sameSite")} == {
        "name": "_cth",
        "value": TOKEN,
        "domain": ".okna.localhost",
        "path": "/",
        "sameSite": "Lax",
    }
    assert await page.evaluate("localStorage._cth") == TOKEN
    assert await page.evaluate("localStorage.length") == 2


async def test_the_number_is_kept_with_its_visit_and_its_end(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    told = await kept(page)
    assert (told["visit"], told["numbers"]["city"]["number"]) == ("v1", POOL)
    assert 590_000 < told["until"] - await page.evaluate("Date.now()") <= 600_000


async def test_either_twin_is_enough_to_know_the_visitor_again(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.context.clear_cookies()
    await page.reload()
    await scene.hears("visit", times=2)
    await page.wait_for_function("document.cookie.includes('_cth')")
    await page.evaluate("localStorage.clear()")
    await page.reload()
    await scene.hears("visit", times=3)
    assert [said["visitor"] for said in scene.said("visit")] == [None, TOKEN, TOKEN]


async def test_two_tabs_share_one_lease(context: BrowserContext, page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    scene.gate.clear()
    second = await context.new_page()
    await second.goto(scene.url())
    await expect(second.locator("#phone")).to_have_text(SWAPPED)
    asked = (await scene.hears("visit", times=2))[1]
    assert (asked["visitor"], asked["visit"]) == (TOKEN, "v1")


async def test_a_hidden_tab_follows_the_number_of_another_tab(
    context: BrowserContext, page: Page, scene: Scene
) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await turn(page, hidden=True)
    scene.numbers = {"city": OTHER}
    second = await context.new_page()
    await second.goto(scene.url())
    await expect(second.locator("#phone")).to_have_text("+7 (495) 777-88-99")
    await expect(page.locator("#phone")).to_have_text("+7 (495) 777-88-99")


async def test_a_tab_in_sight_keeps_its_number_until_its_next_page_view(
    context: BrowserContext, page: Page, scene: Scene
) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    scene.numbers = {"city": OTHER}
    await page.evaluate("addEventListener('storage', () => (window.told = true))")
    second = await context.new_page()
    await second.goto(scene.url())
    await page.wait_for_function("window.told")
    assert await page.inner_text("#phone") == SWAPPED
    await page.evaluate("history.pushState({}, '', 'next')")
    await expect(page.locator("#phone")).to_have_text("+7 (495) 777-88-99")


async def test_a_browser_that_keeps_nothing_still_shows_the_number(page: Page, scene: Scene) -> None:
    await page.add_init_script(BLOCKED)
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("history.pushState({}, '', 'next')")
    second = (await scene.hears("visit", times=2))[1]
    assert second["visit"] == "v1"
    assert await page.inner_text("#phone") == SWAPPED


async def test_a_heartbeat_goes_out_every_so_often_while_the_page_is_seen(page: Page, scene: Scene) -> None:
    await page.clock.install()
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.clock.run_for(61_000)
    beats = await scene.hears("hb", times=2)
    assert beats == [{"site": scene.key, "visitor": TOKEN, "visit": "v1"}] * 2


async def test_a_heartbeat_prolongs_the_lease(page: Page, scene: Scene) -> None:
    await page.clock.install()
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    until = (await kept(page))["until"]
    await page.clock.run_for(31_000)
    await page.wait_for_function(f"JSON.parse(localStorage._cth_n).until > {until} + 29000")


async def test_a_hidden_page_says_good_bye_once_and_is_silent(page: Page, scene: Scene) -> None:
    await page.clock.install()
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await turn(page, hidden=True)
    await scene.hears("hb")
    await page.clock.run_for(300_000)
    await turn(page, hidden=False)
    await scene.hears("hb", times=2)
    assert len(scene.said("hb")) == 2


async def test_a_page_seen_again_after_its_lease_is_over_asks_anew(page: Page, scene: Scene) -> None:
    await page.clock.install()
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await turn(page, hidden=True)
    await page.clock.fast_forward(3_600_000)
    scene.numbers = {"city": OTHER}
    await turn(page, hidden=False)
    await expect(page.locator("#phone")).to_have_text("+7 (495) 777-88-99")


async def test_a_number_whose_lease_ran_out_unnoticed_is_taken_back(page: Page, scene: Scene) -> None:
    await page.clock.install()
    await page.add_init_script(ASK_VISIT)
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)

    def refuse(said: Mapping[str, Any]) -> Response:
        return JSONResponse({"error": "no"}, 500)

    scene.answer = refuse
    await turn(page, hidden=True)
    await page.clock.fast_forward(3_600_000)
    await turn(page, hidden=False)
    await expect(page.locator("#phone")).to_have_text(ORIGINAL)


async def test_clearing_the_browsers_store_ends_the_lease_in_the_other_tabs(
    context: BrowserContext, page: Page, scene: Scene
) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    second = await context.new_page()
    await second.add_init_script(ASK_VISIT)
    await second.goto(scene.url())
    await settled(second)
    await turn(page, hidden=True)
    await second.evaluate("dni.push(['consent', 'off'])")
    await expect(page.locator("#phone")).to_have_text(ORIGINAL)
    await frames(page)
    assert await page.evaluate("localStorage.length") == 0
