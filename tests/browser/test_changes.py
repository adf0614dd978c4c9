"""Pages that change after loading: frameworks that draw again, pop-ups, routes, and pages that come back."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import WHOLE, launched
from tests.browser.stage import MOBILE_TARGET, ORIGINAL, SWAPPED, Scene, frames, target

COUNT_WORK = """window.callbacks = 0; window.drawings = 0;
const Observer = MutationObserver;
window.draw = requestAnimationFrame;
window.MutationObserver = class extends Observer {
    constructor(work) { super((...given) => { callbacks++; work(...given); }); }
};
window.requestAnimationFrame = (work) => { drawings++; return draw(work); };"""


@pytest.fixture
async def swapped(page: Page, scene: Scene) -> Page:
    """A page that shows the pool number."""
    scene.pages["index"] = '<p id="phone">+7 (495) 111-22-33</p><div id="app"></div>'
    await page.add_init_script(COUNT_WORK)
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    return page


CHANGES = {  # what a page does to an element that is empty, and what the visitor then sees in it
    "markup": ("at.innerHTML = '<p>+7 (495) 111-22-33</p>'", SWAPPED),
    "text_content": ("at.textContent = '84951112233'", "84954445566"),
    "text_of_a_node": ("at.append('Окна'); setTimeout(() => (at.firstChild.data = '84951112233'))", "84954445566"),
    "text_nodes": ("at.append('тел. ', '8 495 111-22-33')", "тел. 8 495 444-55-66"),
    "pop_up": ("at.innerHTML = '<dialog open><b><i>8 495 111-22-33</i></b></dialog>'", "8 495 444-55-66"),
    "split": ("at.innerHTML = '<p><b>8 (495)</b> <i>111-22-33</i></p>'", "8 (495) 444-55-66"),
}


async def test_what_the_page_draws_later_is_swapped_too(swapped: Page) -> None:
    for name, (script, _) in CHANGES.items():
        await swapped.evaluate(
            f"""() => {{
                const at = app.appendChild(document.createElement("section"));
                at.id = "{name}";
                {script};
            }}"""
        )
    for name, (_, shown) in CHANGES.items():
        await expect(swapped.locator(f"#{name}")).to_have_text(shown)


async def test_a_page_whose_body_is_replaced_is_still_looked_after(swapped: Page) -> None:
    await swapped.evaluate("document.body = document.createElement('body'), document.body.append('84951112233')")
    await expect(swapped.locator("body")).to_have_text("84954445566")


async def test_a_link_whose_address_changes_is_swapped_too(swapped: Page) -> None:
    await swapped.evaluate("app.innerHTML = '<a id=new href=\"/contacts\">позвонить</a>'")
    await swapped.evaluate("document.getElementById('new').href = 'tel:84951112233'")
    await expect(swapped.locator("#new")).to_have_attribute("href", "tel:+74954445566")


async def test_a_part_of_a_split_number_that_is_drawn_again_is_swapped_again(swapped: Page) -> None:
    await swapped.evaluate("app.innerHTML = '<p><b>8 (495)</b> <i>111-22-33</i></p>'")
    await expect(swapped.locator("#app")).to_have_text("8 (495) 444-55-66")
    await swapped.evaluate("document.querySelector('#app i').textContent = '111-22-33'")
    await expect(swapped.locator("#app")).to_have_text("8 (495) 444-55-66")


async def test_a_change_is_swapped_before_it_is_drawn(swapped: Page) -> None:
    shown = await swapped.evaluate(
        """new Promise(done => {
            app.textContent = "+7 (495) 111-22-33";
            requestAnimationFrame(() => setTimeout(() => done(app.textContent)));
        })"""
    )
    assert shown == SWAPPED


async def test_an_idle_page_costs_nothing(swapped: Page) -> None:
    await swapped.evaluate("app.innerHTML = '<p id=new>+7 (495) 111-22-33</p>'")
    await expect(swapped.locator("#new")).to_have_text(SWAPPED)
    await frames(swapped)
    before = await swapped.evaluate("[callbacks, drawings]")
    await swapped.evaluate("new Promise(done => draw(() => draw(() => draw(() => setTimeout(done)))))")
    assert await swapped.evaluate("[callbacks, drawings]") == before


async def test_our_own_writing_costs_one_look_and_then_silence(swapped: Page) -> None:
    await frames(swapped)
    assert await swapped.evaluate("callbacks") <= 2  # the page's own end of parsing may be one
    before = await swapped.evaluate("callbacks")
    await swapped.evaluate("app.innerHTML = '<p>+7 (495) 111-22-33</p><p>84951112233</p>'")
    await frames(swapped)
    assert await swapped.evaluate("callbacks") - before == 2


async def test_a_group_that_appears_later_is_asked_for(swapped: Page, scene: Scene) -> None:
    scene.targets = [target(), target("mobile", MOBILE_TARGET)]
    await swapped.reload()
    await scene.hears("visit", times=2)
    await swapped.evaluate("app.textContent = '8 916 111-22-33'")
    await expect(swapped.locator("#app")).to_have_text("8 916 444-55-66")
    asked = scene.said("visit")[2:]
    assert [(sorted(one["groups"]), one["visit"]) for one in asked] == [(["city", "mobile"], "v1")]


def route(said: Mapping[str, Any]) -> tuple[str, str]:
    """Return the last parts of where a visitor is and where he came from."""
    return said["url"].rpartition("/")[2], said["referrer"].rpartition("/")[2]


async def test_every_change_of_route_is_a_page_view(swapped: Page, scene: Scene) -> None:
    for times, act in enumerate(
        [
            "history.pushState({}, '', 'catalogue')",
            "history.replaceState({}, '', 'doors')",
            "location.hash = 'prices'",
            "history.back()",
        ],
        start=2,
    ):
        await swapped.evaluate(act)
        await scene.hears("visit", times=times)
    _, *views = scene.said("visit")
    assert [route(view) for view in views] == [
        ("catalogue", "index"),
        ("doors", "catalogue"),
        ("doors#prices", "doors"),
        ("doors", "doors#prices"),
    ]
    assert {(view["visit"], view["lease"]) for view in views} == {("v1", True)}


async def test_a_route_written_twice_at_once_or_unchanged_is_one_page_view(swapped: Page, scene: Scene) -> None:
    await swapped.evaluate("history.replaceState({page: 1}, '')")
    await swapped.evaluate("history.pushState({}, '', 'catalogue'), history.replaceState({}, '', 'doors')")
    await scene.hears("visit", times=2)
    await swapped.evaluate("history.pushState({}, '', 'last')")
    views = await scene.hears("visit", times=3)
    assert [route(view)[0] for view in views] == ["index", "doors", "last"]


async def test_a_new_route_shows_the_number_that_came_too_late_for_the_old_one(page: Page, scene: Scene) -> None:
    scene.settings |= {"timeout_ms": 50, "consent": "anonymous"}
    scene.gate.clear()
    await page.goto(scene.url())
    await scene.hears("visit")
    await page.evaluate("new Promise(done => dni.push(['getVisit', done]))")
    scene.gate.set()
    await page.wait_for_function("window.dataLayer")
    assert await page.inner_text("#phone") == ORIGINAL
    await page.evaluate("history.pushState({}, '', 'catalogue')")
    await expect(page.locator("#phone")).to_have_text(SWAPPED)


async def test_the_history_functions_of_the_page_still_work(swapped: Page) -> None:
    assert await swapped.evaluate("(history.pushState({deal: 7}, '', 'x'), history.state.deal)") == 7


@pytest.fixture
async def page_that_is_kept() -> AsyncIterator[Page]:
    """A page of a whole Chromium: its headless shell keeps none to go back to."""
    async with launched(WHOLE) as browser:
        yield await browser.new_page()


async def test_a_page_from_the_back_forward_cache_asks_again(page_that_is_kept: Page, scene: Scene) -> None:
    page = page_that_is_kept
    scene.pages["next"] = "<p>Двери</p>"
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("addEventListener('pageshow', event => (window.cameBack = event.persisted))")
    await page.goto(scene.url("next"))
    await scene.hears("visit", times=2)
    scene.numbers = {"city": "+74957778899"}
    await page.go_back(wait_until="commit")
    await page.wait_for_function("window.cameBack === true")
    await expect(page.locator("#phone")).to_have_text("+7 (495) 777-88-99")
    assert len(scene.said("visit")) == 3


async def test_a_page_drawn_ahead_waits_until_it_is_seen(page: Page, scene: Scene) -> None:
    await page.add_init_script("Object.defineProperty(document, 'prerendering', {value: true, configurable: true})")
    await page.goto(scene.url(), wait_until="load")
    await frames(page)
    assert scene.heard == []
    await page.evaluate(
        "Object.defineProperty(document, 'prerendering', {value: false}),"
        "document.dispatchEvent(new Event('prerenderingchange'))"
    )
    await expect(page.locator("#phone")).to_have_text(SWAPPED)


async def test_the_script_twice_on_a_page_works_once(page: Page, scene: Scene) -> None:
    again = f'<script src="{scene.hub}/dni/v1/1/{scene.key}.js"></script>'
    scene.pages["index"] = '<p id="phone">+7 (495) 111-22-33</p>' + again
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await scene.hears("event", "seen")
    assert len(scene.said("visit")) == 1
