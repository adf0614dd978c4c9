"""The callback order: a button, a small dialog, one request, and an honest word about what became of it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, expect

from hub.web.words.callback import CALLBACK
from tests.browser.stage import ASK_VISIT, POOL, SWAPPED, Scene, frames, settled

RU, EN = CALLBACK["ru"], CALLBACK["en"]
ENGLISH = "<script>document.documentElement.lang = 'en'</script>"


@pytest.fixture
def site(scene: Scene) -> Scene:
    """A site that offers to call back, with the usual words."""
    scene.takes_enquiries(callback="{}")
    return scene


async def opened(page: Page, site: Scene) -> None:
    """Open the dialog, once the visit is known."""
    await page.goto(site.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.get_by_role("button", name=RU["button"]).click()
    await expect(page.get_by_role("dialog", name=RU["title"])).to_be_visible()


async def order(page: Page, site: Scene, phone: str = "89161234567") -> None:
    """Open the dialog and order a call."""
    await opened(page, site)
    await page.keyboard.type(phone)
    await page.keyboard.press("Enter")


# -- the order


async def test_an_order_is_told_with_the_visit(page: Page, site: Scene) -> None:
    await opened(page, site)
    await page.get_by_label(RU["phone"]).fill("89161234567")
    await page.get_by_label(RU["name"]).fill("Анна")
    await page.get_by_role("button", name=RU["order"]).click()
    (said,) = await site.hears("enquiry")
    assert len(said.pop("id")) >= 16
    assert said == site.letter("callback", phone="+7 916 123-45-67", name="Анна")


async def test_everything_can_be_done_by_keyboard(page: Page, site: Scene) -> None:
    await page.goto(site.url())
    await expect(page.get_by_role("button", name=RU["button"])).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label(RU["phone"])).to_be_focused()
    await page.keyboard.type("4951112233")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Анна")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    (said,) = await site.hears("enquiry")
    assert (said["phone"], said["name"]) == ("4951112233", "Анна")
    await expect(page.get_by_role("button", name=RU["close"])).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name=RU["button"])).to_be_focused()


async def test_the_order_is_no_form_of_the_page(page: Page, site: Scene) -> None:
    await order(page, site)
    await expect(page.get_by_role("status")).to_have_text(RU["thanks"])
    assert [said["kind"] for said in site.said("enquiry")] == ["callback"]


async def test_no_address_but_the_hubs_is_asked(page: Page, site: Scene) -> None:
    asked: list[str] = []
    await opened(page, site)
    page.on("request", lambda request: asked.append(request.url))
    await page.keyboard.type("89161234567")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text(RU["thanks"])
    told_by_the_page_script = f"{site.hub}/dni/v1/event"
    assert [address for address in asked if address != told_by_the_page_script] == [f"{site.hub}/dni/v1/enquiry"]


# -- the dialog


async def test_escape_closes_it_and_what_was_typed_stays(page: Page, site: Scene) -> None:
    await opened(page, site)
    await page.keyboard.type("8916")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name=RU["button"])).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label(RU["phone"])).to_have_value("+7 916")


async def test_the_focus_stays_in_the_dialog(page: Page, site: Scene) -> None:
    site.pages["index"] += '<a href="#" id="outside">наружу</a>'
    await opened(page, site)
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.id") != "outside"
    await page.keyboard.press("Escape")
    await page.focus("#outside")
    assert await page.evaluate("document.activeElement.id") == "outside"


TYPED = {
    "89161234567": "+7 916 123-45-67",
    "9161234567": "+7 916 123-45-67",
    "+79161234567": "+7 916 123-45-67",
    "8(916)123-45-67": "+7 916 123-45-67",
    "8916": "+7 916",
    "89161": "+7 916 1",
    "8916123456": "+7 916 123-45-6",
    "4951112233": "4951112233",
    "+442079460000": "+442079460000",
    "891612345678": "+7 916 123-45-678",
}


async def test_a_number_is_spelt_as_it_grows(page: Page, site: Scene) -> None:
    await opened(page, site)
    spelt = {}
    for typed in TYPED:
        await page.get_by_label(RU["phone"]).fill("")
        await page.keyboard.type(typed)
        spelt[typed] = await page.get_by_label(RU["phone"]).input_value()
    assert spelt == TYPED


async def test_deleting_and_editing_inside_are_left_alone(page: Page, site: Scene) -> None:
    await opened(page, site)
    await page.keyboard.type("89161234567")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Backspace")
    assert await page.get_by_label(RU["phone"]).input_value() == "+7 916 123-45"
    await page.keyboard.press("Home")
    await page.keyboard.press("Delete")
    await page.keyboard.type("8")
    assert await page.get_by_label(RU["phone"]).input_value() == "87 916 123-45"


# -- what became of it


@pytest.mark.parametrize("phone", ["", "112", "111-22-33", "+7 916 12", "89161234567891011", "позвоните"])
async def test_a_number_that_cannot_be_one_is_not_sent(page: Page, site: Scene, phone: str) -> None:
    await order(page, site, phone)
    await expect(page.get_by_role("status")).to_have_text(RU["wrong"])
    await expect(page.get_by_label(RU["phone"])).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label(RU["phone"])).to_be_focused()
    assert site.said("enquiry") == []
    await page.get_by_label(RU["phone"]).fill("89161234567")
    await page.keyboard.press("Enter")
    assert len(await site.hears("enquiry")) == 1


@pytest.fixture
async def slow(page: Page) -> AsyncIterator[asyncio.Event]:
    """A hub that answers orders when this is set."""
    answers = asyncio.Event()

    async def hold(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await page.route("**/dni/v1/enquiry", hold)
    yield answers
    answers.set()


async def test_it_says_that_it_is_sending_and_sends_once(page: Page, site: Scene, slow: asyncio.Event) -> None:
    await order(page, site)
    await expect(page.get_by_role("status")).to_have_text(RU["sending"])
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name=RU["order"]).dblclick()
    slow.set()
    await expect(page.get_by_role("status")).to_have_text(RU["thanks"])
    assert len(site.said("enquiry")) == 1


async def test_thanks_promise_a_time_only_when_the_site_does(page: Page, scene: Scene) -> None:
    promised = "Позвоним в течение пяти минут."
    scene.takes_enquiries(callback=json.dumps({"thanks": promised}))
    await order(page, scene)
    await expect(page.get_by_role("status")).to_have_text(promised)
    assert "мин" not in RU["thanks"]


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_what_could_not_be_sent_names_the_number_to_dial(page: Page, site: Scene, status: int) -> None:
    site.statuses = [status]
    await order(page, site)
    await expect(page.get_by_role("status")).to_have_text(f"{RU['failed']}+7 495 444-55-66")  # the visitor's own
    assert await page.get_by_role("status").locator("a").get_attribute("href") == f"tel:{POOL}"


async def test_a_hub_that_is_not_reached_is_told_as_such(page: Page, site: Scene) -> None:
    await page.route("**/dni/v1/enquiry", lambda route: route.abort())
    await order(page, site)
    await expect(page.get_by_role("status")).to_have_text(f"{RU['failed']}+7 495 444-55-66")
    assert await page.evaluate("localStorage._cth_e") is None  # he was told to dial: nothing is sent behind his back


async def test_a_second_try_is_the_same_order(page: Page, site: Scene) -> None:
    site.statuses = [500]
    await order(page, site)
    await site.hears("enquiry")
    await expect(page.get_by_role("status").locator("a")).to_be_visible()
    await page.keyboard.press("Enter")
    first, second = await site.hears("enquiry", times=2)
    assert first == second
    await expect(page.get_by_role("status")).to_have_text(RU["thanks"])


async def test_another_number_is_another_order(page: Page, site: Scene) -> None:
    site.statuses = [500]
    await order(page, site)
    await expect(page.get_by_role("status").locator("a")).to_be_visible()
    await page.get_by_label(RU["phone"]).fill("89160000000")
    await page.keyboard.press("Enter")
    first, second = await site.hears("enquiry", times=2)
    assert first["id"] != second["id"]


# -- words and looks


async def test_an_english_page_speaks_english(page: Page, scene: Scene) -> None:
    scene.head = ENGLISH
    scene.takes_enquiries(callback="{}")
    await page.goto(scene.url())
    await page.get_by_role("button", name=EN["button"]).click()
    dialog = page.get_by_role("dialog", name=EN["title"])
    told = await dialog.inner_text()
    assert [
        text for name, text in EN.items() if name in ("text", "phone", "name", "order", "agree") if text not in told
    ] == []


async def test_a_site_says_it_in_its_own_words(page: Page, scene: Scene) -> None:
    own = {"button": "Звонок", "title": "Ждите", "text": "За 5 минут", "hours": "с 9 до 18", "privacy_url": "/privacy"}
    scene.takes_enquiries(callback=json.dumps(own | {"color": "#112233"}))
    await page.goto(scene.url())
    await page.get_by_role("button", name="Звонок").click()
    dialog = page.get_by_role("dialog", name="Ждите")
    await expect(dialog.get_by_text("За 5 минут")).to_be_visible()
    await expect(dialog.get_by_text("с 9 до 18")).to_be_visible()
    await expect(dialog.get_by_role("link", name=RU["agree"])).to_have_attribute("href", "/privacy")
    await expect(dialog.get_by_role("button", name=RU["order"])).to_have_css("background-color", "rgb(17, 34, 51)")


async def test_a_site_that_does_not_offer_it_shows_no_button(page: Page, scene: Scene) -> None:
    scene.takes_enquiries()
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert await page.evaluate("window.__dni_enquiries.on")
    assert await page.locator("cth-callback").count() == 0


UNKIND = """<style>* { all: revert; font-size: 40px; color: red } button, dialog { display: none !important }
cth-callback { display: none } body { display: flex; gap: 50px } input { width: 900px !important }</style>"""


async def test_the_pages_style_does_not_reach_in(page: Page, scene: Scene) -> None:
    scene.head = UNKIND
    scene.takes_enquiries(callback="{}")
    await opened(page, scene)
    field = page.get_by_label(RU["phone"])
    await expect(field).to_have_css("font-size", "16px")
    box = await field.bounding_box()
    assert box is not None
    assert box["width"] < 360


async def test_the_page_does_not_move(page: Page, scene: Scene) -> None:
    scene.head = "<style>body { display: grid; gap: 50px; justify-content: space-between; min-height: 100vh }</style>"
    scene.pages["index"] += "<p>Окна</p>" * 5
    places = "[...document.body.querySelectorAll('p')].map((one) => JSON.stringify(one.getBoundingClientRect()))"
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    before = await page.evaluate(places)
    scene.takes_enquiries(callback="{}")
    await page.reload()
    await expect(page.get_by_role("button", name=RU["button"])).to_be_visible()
    assert await page.evaluate(places) == before


async def test_it_fits_a_phone_and_nothing_moves(page: Page, site: Scene) -> None:
    await page.set_viewport_size({"width": 360, "height": 640})
    await opened(page, site)
    box = await page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert box["y"] >= 0
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_a_strict_content_security_policy_is_enough(page: Page, scene: Scene) -> None:
    policy = f"default-src 'none'; script-src {scene.hub}; connect-src {scene.hub}; require-trusted-types-for 'script'"
    scene.head = f'<meta http-equiv="content-security-policy" content="{policy}">'
    scene.takes_enquiries(callback='{"color": "#112233"}')
    await order(page, scene)
    await expect(page.get_by_role("status")).to_have_text(RU["thanks"])
    await expect(page.locator("cth-callback .open")).to_have_css("background-color", "rgb(17, 34, 51)")


async def test_a_framework_that_draws_the_page_anew_keeps_it(page: Page, site: Scene) -> None:
    await page.goto(site.url())
    await expect(page.get_by_role("button", name=RU["button"])).to_be_visible()
    await page.evaluate("document.body.replaceChildren(), history.pushState({}, '', 'next')")
    await expect(page.get_by_role("button", name=RU["button"])).to_be_visible()
    assert await page.locator("cth-callback").count() == 1


# -- consent


async def test_an_anonymous_visitors_order_names_neither_him_nor_his_visit(page: Page, site: Scene) -> None:
    site.settings["consent"] = "anonymous"
    await order(page, site)
    (said,) = await site.hears("enquiry")
    assert (said["visitor"], said["visit"], said["phone"]) == (None, None, "+7 916 123-45-67")


async def test_the_button_comes_and_goes_with_consent(page: Page, site: Scene) -> None:
    site.settings["consent"] = "off"
    await page.add_init_script(ASK_VISIT)
    await page.goto(site.url())
    assert await settled(page) is None
    await page.wait_for_function("window.__dni_enquiries && __dni_enquiries.on")
    await frames(page)
    assert await page.locator("cth-callback").count() == 0
    await page.evaluate("dni.push(['consent', 'full'])")
    await expect(page.get_by_role("button", name=RU["button"])).to_be_visible()
    await page.evaluate("dni.push(['consent', 'off'])")
    assert await page.locator("cth-callback").count() == 0


async def test_who_opted_out_sees_no_button(page: Page, site: Scene) -> None:
    await page.add_init_script(ASK_VISIT)
    await page.goto(site.url("index?dni=off"))
    assert await settled(page) is None
    await page.wait_for_function("window.__dni_enquiries && __dni_enquiries.on")
    await frames(page)
    assert await page.locator("cth-callback").count() == 0


def test_both_languages_have_the_same_texts() -> None:
    assert RU.keys() == EN.keys()
