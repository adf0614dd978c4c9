"""Who is logged in to the site is told once in a visit, and only of visitors who have agreed to everything."""

from playwright.async_api import Page, expect

from tests.browser.stage import SWAPPED, TOKEN, Scene

KNOWN = "localStorage._cth_u || ''"


async def view(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)


async def test_who_is_logged_in_is_told_once_in_a_visit(page: Page, scene: Scene) -> None:
    scene.takes_enquiries(user="u-17")
    await view(page, scene)
    (said,) = await scene.hears("user")
    assert said == {"site": scene.key, "visitor": TOKEN, "user": "u-17"}
    await page.wait_for_function(KNOWN)
    await view(page, scene)
    await scene.hears("visit", times=2)
    assert len(scene.said("user")) == 1


async def test_another_user_of_the_same_browser_is_told_too(page: Page, scene: Scene) -> None:
    scene.takes_enquiries(user="u-17")
    await view(page, scene)
    await page.wait_for_function(KNOWN)
    scene.head = scene.head.replace("u-17", "u-18")
    await view(page, scene)
    assert [said["user"] for said in await scene.hears("user", times=2)] == ["u-17", "u-18"]


async def test_without_full_consent_nobody_is_told(page: Page, scene: Scene) -> None:
    scene.settings["consent"] = "anonymous"
    scene.takes_enquiries(user="u-17")
    await page.goto(scene.url())
    await scene.hears("visit")
    await page.evaluate("new Promise((done) => window.dni.push(['getVisit', done]))")
    assert scene.said("user") == []


async def test_a_page_that_nobody_is_logged_in_to_tells_nothing(page: Page, scene: Scene) -> None:
    scene.takes_enquiries()
    await view(page, scene)
    assert scene.said("user") == []


async def test_consent_withdrawn_forgets_who_was_told(page: Page, scene: Scene) -> None:
    scene.takes_enquiries(user="u-17")
    await view(page, scene)
    await page.wait_for_function(KNOWN)
    await page.evaluate("window.dni.push(['consent', 'off'])")
    assert await page.evaluate(KNOWN) == ""
