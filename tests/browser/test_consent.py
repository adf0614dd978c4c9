"""What the visitor agreed to: full, anonymous, off; the browser's privacy signal; opting out."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.stage import ASK_VISIT, ORIGINAL, PRIVACY_SIGNAL, SWAPPED, TOKEN, Scene, settled

LANDING = "index?utm_source=yandex&yclid=777&email=a@b.example#top=1"


async def kept(page: Page) -> list[object]:
    """Return all a page has left in the browser."""
    return [await page.evaluate("document.cookie"), await page.evaluate("({...localStorage})")]


async def test_with_full_consent_ids_of_other_counters_are_told(page: Page, scene: Scene) -> None:
    await page.add_init_script(
        "for (const one of ['_ym_uid=1719', '_ga=GA1.1.5.6', '_ga_AB12=GS1', 'roistat_visit=77', 'cart=3'])"
        " document.cookie = one"
    )
    await page.goto(scene.url())
    (asked,) = await scene.hears("visit")
    assert asked["ids"] == {"_ym_uid": "1719", "_ga": "GA1.1.5.6", "_ga_AB12": "GS1", "roistat_visit": "77"}


@pytest.fixture
async def anonymous(context: BrowserContext, page: Page, scene: Scene) -> Page:
    """A page with anonymous consent, in a browser that has cookies of the site's counter and of the hub."""
    scene.settings["consent"] = "anonymous"
    await page.add_init_script("document.cookie = '_ga=GA1.1.5.6'")
    hub_cookie = {"name": "_cth", "value": TOKEN, "url": scene.hub.replace("http:", "https:"), "sameSite": "None"}
    await context.add_cookies([hub_cookie | {"secure": True}])
    await page.goto(scene.url(LANDING))
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    return page


async def test_without_full_consent_nobody_is_recognised(anonymous: Page, scene: Scene) -> None:
    (asked,) = scene.said("visit")
    assert (asked["consent"], asked["visitor"], asked["ids"]) == ("anonymous", None, {})


async def test_without_full_consent_only_campaign_tags_keep_their_values(anonymous: Page, scene: Scene) -> None:
    (asked,) = scene.said("visit")
    assert asked["url"] == scene.url("index?utm_source=yandex&yclid=-&email=-#top=-")


async def test_without_full_consent_nothing_is_kept_and_no_cookie_is_sent(anonymous: Page, scene: Scene) -> None:
    await anonymous.evaluate("history.pushState({}, '', 'next')")
    await scene.hears("visit", times=2)
    await scene.hears("event", "seen")
    assert await kept(anonymous) == ["_ga=GA1.1.5.6", {}]
    assert {(heard.cookie, heard.said["visitor"]) for heard in scene.heard} == {("", None)}
    assert scene.said("visit")[1]["visit"] == "v1"


async def test_without_full_consent_good_bye_carries_no_cookie_either(anonymous: Page, scene: Scene) -> None:
    await anonymous.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true}),"
        "document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    )
    await scene.hears("hb")
    assert {heard.cookie for heard in scene.heard} == {""}


async def test_consent_given_later_continues_the_visit_with_a_visitor(anonymous: Page, scene: Scene) -> None:
    await anonymous.evaluate("dni.push(['consent', 'full'])")
    second = (await scene.hears("visit", times=2))[1]
    assert (second["consent"], second["visit"], second["ids"]) == ("full", "v1", {"_ga": "GA1.1.5.6"})
    await anonymous.wait_for_function("localStorage._cth")


async def test_the_privacy_signal_makes_full_consent_anonymous(page: Page, scene: Scene) -> None:
    await page.add_init_script(PRIVACY_SIGNAL)
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("dni.push(['consent', 'full'])")
    assert [said["consent"] for said in scene.said("visit")] == ["anonymous"]
    assert await kept(page) == ["", {}]


@pytest.fixture
async def off(page: Page, scene: Scene) -> Page:
    """A page of a site that does nothing until the visitor has agreed."""
    scene.settings["consent"] = "off"
    await page.add_init_script(ASK_VISIT)
    await page.goto(scene.url())
    assert await settled(page) is None
    return page


async def test_with_consent_off_nothing_is_sent_kept_or_swapped(off: Page, scene: Scene) -> None:
    await off.evaluate("history.pushState({}, '', 'next'), dni.push(['refresh'])")
    await off.evaluate("document.getElementById('phone').textContent = '+7 (495) 111-22-33'")
    await off.evaluate("new Promise(done => setTimeout(done, 120))")  # longer than a change of route is gathered
    assert await off.inner_text("#phone") == ORIGINAL
    assert await kept(off) == ["", {}]
    assert scene.heard == []


async def test_consent_given_after_off_shows_the_number(off: Page, scene: Scene) -> None:
    await off.evaluate("dni.push(['consent', 'full'])")
    await expect(off.locator("#phone")).to_have_text(SWAPPED)


async def test_an_unknown_consent_counts_as_off(off: Page, scene: Scene) -> None:
    await off.evaluate("dni.push(['consent', 'yes'], ['consent'], ['refresh'])")
    assert scene.heard == []


async def test_consent_queued_before_the_script_has_loaded_counts_from_the_start(page: Page, scene: Scene) -> None:
    scene.settings["consent"] = "off"
    scene.head = "<script>(window.dni = window.dni || []).push(['consent', 'anonymous'])</script>"
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert [said["consent"] for said in scene.said("visit")] == ["anonymous"]


async def test_consent_withdrawn_brings_the_original_back_and_forgets_everything(page: Page, scene: Scene) -> None:
    scene.pages["index"] = (
        '<p id="phone"><b>+7 (495)</b> 111-22-33</p><a href="tel:84951112233">!</a>'
        '<form><input type="hidden" name="dni_visit"></form>'
    )
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("dni.push(['consent', 'off'])")
    assert await page.inner_html("#phone") == "<b>+7 (495)</b> 111-22-33"
    assert await page.get_attribute("a", "href") == "tel:84951112233"
    assert await page.input_value("[name=dni_visit]") == ""
    assert await kept(page) == ["", {}]


async def test_consent_lowered_to_anonymous_begins_a_visit_of_nobody(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("dni.push(['consent', 'anonymous'])")
    second = (await scene.hears("visit", times=2))[1]
    assert (second["visitor"], second["visit"]) == (None, None)
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert await kept(page) == ["", {}]


async def test_opting_out_lasts_until_opting_in_again(page: Page, scene: Scene) -> None:
    await page.add_init_script(ASK_VISIT)
    await page.goto(scene.url("index?dni=off"))
    assert await settled(page) is None
    await page.goto(scene.url())
    assert await settled(page) is None
    assert await kept(page) == ["dni_optout=1", {}]
    assert scene.heard == []
    await page.goto(scene.url("index?dni=on"))
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert "dni_optout" not in await page.evaluate("document.cookie")


async def test_who_opted_out_is_not_asked_in_by_the_page(page: Page, scene: Scene) -> None:
    await page.add_init_script(ASK_VISIT)
    await page.goto(scene.url("index?dni=off"))
    await settled(page)
    await page.evaluate("dni.push(['consent', 'anonymous'], ['consent', 'full'], ['refresh'])")
    assert await page.inner_text("#phone") == ORIGINAL
    assert scene.heard == []


async def test_opting_out_forgets_what_was_kept(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.goto(scene.url("index?dni=off"))
    await page.wait_for_function("window.dni && dni.ready")
    assert await kept(page) == ["dni_optout=1", {}]
