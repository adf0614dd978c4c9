"""Intent mode: a number is leased when the visitor turns to it, not before."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.stage import ORIGINAL, SWAPPED, Scene, frames


@pytest.fixture
async def intent(page: Page, scene: Scene) -> Page:
    """A page in intent mode whose visit is counted; one number in sight and one far below."""
    scene.settings["mode"] = "intent"
    scene.pages["index"] = (
        '<h1>Окна</h1><p><a id="phone" href="tel:+74951112233">+7 (495) 111-22-33</a></p>'
        '<div style="height: 3000px"></div><p id="below">8 495 111-22-33</p>'
    )
    await page.goto(scene.url())
    await scene.hears("event", "seen")
    return page


async def test_before_any_intent_the_visit_is_counted_without_a_lease(intent: Page, scene: Scene) -> None:
    (asked,) = scene.said("visit")
    assert (asked["groups"], asked["lease"]) == (["city"], False)
    assert await intent.inner_text("#phone") == ORIGINAL


async def reveals(page: Page, scene: Scene, by: str) -> None:
    """Assert that the number was leased once and shown everywhere, and that the hub knows by what."""
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await expect(page.locator("#below")).to_have_text("8 495 444-55-66")
    (event,) = await scene.hears("event", "reveal")
    assert (event["group"], event["number"], event["detail"]) == ("city", "+74954445566", {"by": by})
    assert [(said["lease"], said["visit"]) for said in scene.said("visit")] == [(False, None), (True, "v1")]


async def test_hovering_over_a_number_reveals_it(intent: Page, scene: Scene) -> None:
    await intent.hover("#phone")
    await reveals(intent, scene, "mouseover")


async def test_focusing_a_number_reveals_it(intent: Page, scene: Scene) -> None:
    await intent.focus("#phone")
    await reveals(intent, scene, "focusin")


async def test_scrolling_to_a_number_reveals_it(intent: Page, scene: Scene) -> None:
    await intent.evaluate("document.getElementById('below').scrollIntoView()")
    await reveals(intent, scene, "scroll")


async def test_tapping_a_number_reveals_it(browser: Browser, scene: Scene) -> None:
    scene.settings["mode"] = "intent"
    scene.pages["index"] = '<p id="phone">+7 (495) 111-22-33</p><p id="below">8 495 111-22-33</p>'
    context = await browser.new_context(has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(scene.url())
    await scene.hears("event", "seen")
    await page.locator("#phone").dispatch_event("touchstart")
    await reveals(page, scene, "touchstart")
    assert scene.said("visit")[0]["device"]["touch"]
    await context.close()


async def test_a_number_seen_from_the_start_is_not_revealed_by_scrolling_back_to_it(intent: Page, scene: Scene) -> None:
    await intent.evaluate("document.getElementById('below').remove()")
    await intent.evaluate("scrollTo(0, 3000)")
    await frames(intent)
    await intent.evaluate("scrollTo(0, 0)")
    await frames(intent)
    assert len(scene.said("visit")) == 1


async def test_turning_to_something_else_reveals_nothing(intent: Page, scene: Scene) -> None:
    await intent.hover("h1")
    await intent.click("h1")
    await frames(intent)
    assert len(scene.said("visit")) == 1


async def test_a_pop_up_opened_later_reveals_its_number(intent: Page, scene: Scene) -> None:
    await intent.evaluate("document.body.innerHTML += '<dialog id=box>8 495 111-22-33</dialog>'")
    await frames(intent)
    await frames(intent)
    await intent.evaluate("document.getElementById('box').showModal()")
    await expect(intent.locator("#box")).to_have_text("8 495 444-55-66")


async def test_who_has_his_number_already_sees_it_on_the_next_page_at_once(intent: Page, scene: Scene) -> None:
    await intent.hover("#phone")
    await expect(intent.locator("#phone")).to_have_text(SWAPPED)
    scene.gate.clear()
    await intent.reload()
    await expect(intent.locator("#phone")).to_have_text(SWAPPED)
    assert (await scene.hears("visit", times=3))[2]["lease"] is True
