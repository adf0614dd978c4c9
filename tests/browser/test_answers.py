"""What the visitor sees when the hub answers well, badly, late or not at all: never a blank, never a jump."""

import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.async_api import Page, expect
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tests.browser.stage import ASK_VISIT, MOBILE_TARGET, ORIGINAL, POOL, SWAPPED, Scene, settled, target

KEPT = "JSON.parse(localStorage._cth_n || 'null')"


@pytest.fixture
async def waiting(page: Page) -> Page:
    """A page that asks for the visit, so that a test can tell when the script has settled."""
    await page.add_init_script(ASK_VISIT)
    return page


async def test_the_hub_is_told_what_the_contract_names(page: Page, scene: Scene) -> None:
    await page.goto(scene.url("index?utm_source=yandex&yclid=777"), referer="https://yandex.ru/")
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    (asked,) = scene.said("visit")
    assert asked.pop("device") == {"w": 1280, "h": 720, "touch": False, "webdriver": True}
    assert asked == {
        "site": scene.key,
        "visitor": None,
        "visit": None,
        "url": scene.url("index?utm_source=yandex&yclid=777"),
        "referrer": "https://yandex.ru/",
        "groups": ["city"],
        "lease": True,
        "consent": "full",
        "ids": {},
    }


async def test_the_overflow_number_is_shown_like_any_other(page: Page, scene: Scene) -> None:
    def overflow(said: Mapping[str, Any]) -> Response:
        numbers = {"city": {"number": "+74957770000", "overflow": True}}
        return JSONResponse(scene.usual_answer(said) | {"numbers": numbers, "hold_s": 0})

    scene.answer = overflow
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text("+7 (495) 777-00-00")


async def test_a_group_without_a_number_keeps_the_sites_own(page: Page, scene: Scene) -> None:
    scene.targets = [target(), target("mobile", MOBILE_TARGET)]
    scene.numbers = {"city": POOL}
    scene.pages["index"] = '<p id="phone">+7 (495) 111-22-33</p><p id="mobile">8 916 111-22-33</p>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert await page.inner_text("#mobile") == "8 916 111-22-33"


def told(**changes: Any) -> Callable[[Scene], Callable[[Mapping[str, Any]], Response]]:
    """Return an answer that is the usual one but for some fields; None takes a field away."""

    def of(scene: Scene) -> Callable[[Mapping[str, Any]], Response]:
        def answer(said: Mapping[str, Any]) -> Response:
            whole = scene.usual_answer(said) | changes
            return JSONResponse({name: value for name, value in whole.items() if value is not None})

        return answer

    return of


def raw(text: str, status: int = 200) -> Callable[[Scene], Callable[[Mapping[str, Any]], Response]]:
    """Return an answer with this very text."""
    return lambda _scene: lambda _said: PlainTextResponse(text, status)


BAD = {
    "status_500": raw('{"error": "Something went wrong on our side"}', 500),
    "empty": raw(""),
    "not_json": raw("<html>502 Bad Gateway</html>"),
    "null": raw("null"),
    "no_visit": told(visit=None),
    "visit_is_markup": told(visit="<img src=x>"),
    "no_numbers": told(numbers=None),
    "numbers_is_a_text": told(numbers="city"),
    "number_is_a_text": told(numbers={"city": "+74954445566"}),
    "number_is_markup": told(numbers={"city": {"number": "<b>1</b>"}}),
    "number_too_short": told(numbers={"city": {"number": "+7495"}}),
    "number_not_e164": told(numbers={"city": {"number": "8 (495) 444-55-66"}}),
    "number_of_nobody": told(numbers={"constructor": {"number": POOL}}),
}


async def test_a_bad_answer_leaves_the_original_number(waiting: Page, scene: Scene) -> None:
    shown: dict[str, str] = {}
    for bad, answer in BAD.items():
        scene.answer = answer(scene)
        await waiting.goto(scene.url())
        await settled(waiting)
        shown[bad] = await waiting.inner_text("#phone")
    assert shown == dict.fromkeys(BAD, ORIGINAL)


async def test_a_hub_that_is_not_there_leaves_the_original_number(waiting: Page, scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    scene.settings["base"] = f"http://127.0.0.1:{port}"
    await waiting.goto(scene.url())
    assert await settled(waiting) is None
    assert await waiting.inner_text("#phone") == ORIGINAL


async def test_strange_times_in_an_answer_do_no_harm(waiting: Page, scene: Scene) -> None:
    scene.answer = told(hold_s="soon", hb=0)(scene)
    await waiting.goto(scene.url())
    await expect(waiting.locator("#phone")).to_have_text(SWAPPED)
    assert scene.said("hb") == []


async def test_a_late_answer_is_shown_on_the_next_page_view_only(waiting: Page, scene: Scene) -> None:
    scene.settings["timeout_ms"] = 50
    scene.gate.clear()
    await waiting.goto(scene.url())
    assert await settled(waiting) is None
    scene.gate.set()
    await waiting.wait_for_function(KEPT)
    assert await waiting.inner_text("#phone") == ORIGINAL
    await waiting.reload()
    await expect(waiting.locator("#phone")).to_have_text(SWAPPED)


async def test_what_appears_after_a_late_answer_shows_the_original_too(waiting: Page, scene: Scene) -> None:
    scene.settings["timeout_ms"] = 50
    scene.gate.clear()
    await waiting.goto(scene.url())
    await settled(waiting)
    scene.gate.set()
    await waiting.wait_for_function(KEPT)
    await waiting.evaluate("document.body.append(document.getElementById('phone').cloneNode(true))")
    await waiting.evaluate("dni.push(['refresh'])")
    assert await waiting.locator("p").all_inner_texts() == [ORIGINAL, ORIGINAL]


async def test_a_kept_number_is_shown_at_once_on_the_next_page(page: Page, scene: Scene) -> None:
    scene.pages["next"] = '<p id="phone">8 495 111-22-33</p>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    scene.gate.clear()
    await page.goto(scene.url("next"))
    await expect(page.locator("#phone")).to_have_text("8 495 444-55-66")
    first, second = await scene.hears("visit", times=2)
    assert (second["visitor"], second["visit"]) == ("0123456789abcdef0123456789abcdef", "v1")
    assert (first["lease"], second["lease"]) == (True, True)


async def test_a_kept_number_whose_lease_is_over_is_not_shown(waiting: Page, scene: Scene) -> None:
    scene.hold_s = 30  # a lease is used until half a minute before its end
    await waiting.goto(scene.url())
    await expect(waiting.locator("#phone")).to_have_text(SWAPPED)
    scene.answer = raw("", 500)(scene)
    await waiting.reload()
    await settled(waiting)
    assert await waiting.inner_text("#phone") == ORIGINAL


async def test_a_number_that_is_gone_gives_way_to_the_original(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    scene.numbers = {}
    await page.reload()
    await expect(page.locator("#phone")).to_have_text(ORIGINAL)


async def test_what_somebody_else_has_kept_under_our_name_does_no_harm(page: Page, scene: Scene) -> None:
    for kept in ["5", "{", '{"numbers": 7}', '{"numbers": {"city": {"number": "<b>"}}, "until": 9e15}']:
        await page.add_init_script(f"localStorage._cth_n = '{kept}'")
        await page.goto(scene.url())
        await expect(page.locator("#phone")).to_have_text(SWAPPED)


async def test_the_page_does_not_shift(page: Page, scene: Scene) -> None:
    await page.add_init_script(
        """window.shifts = [];
        new PerformanceObserver(list => shifts.push(...list.getEntries().map(entry => entry.value)))
            .observe({ type: "layout-shift", buffered: true });"""
    )
    scene.pages["index"] = '<p>Звоните <b id="phone">+7 (495) 111-22-33</b> с 9 до 18</p><p>Окна и двери</p>' * 2
    await page.goto(scene.url())
    await expect(page.locator("#phone").first).to_have_text(SWAPPED)
    assert sum(await page.evaluate("shifts")) == 0
