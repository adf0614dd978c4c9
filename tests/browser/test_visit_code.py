"""The visit's code stands in the site's e-mail address and in links to messengers, and in nothing else."""

import gzip
import re
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.async_api import Page, expect
from starlette.responses import JSONResponse

from hub.web.page_script import _LINKS
from hub.web.words.callback import HELLO
from tests.browser.stage import BLOCKED, CODE, SWAPPED, TOKEN, VISIT_CODE, Scene, frames
from tests.browser.test_script import DANGEROUS

SMALL = 2_688  # bytes, compressed
ADDRESS, REPLY = "sales@okna.example", "sales+{code}@okna.example"
HIS = f"sales+{CODE}@okna.example"
NUMBER = '<p id="phone">+7 (495) 111-22-33</p>'
OTHERS = "presales@okna.example, sales@okna.example.org, sales@okna.example-shop, x.sales@okna.example"
PLACES = f"""{NUMBER}<p id="plain">Пишите: {ADDRESS}.</p><p id="case">Sales@Okna.example</p>
<a id="link" href="mailto:{ADDRESS}?subject=Окна&amp;body=Из {ADDRESS}">{ADDRESS}</a>
<p id="others">{OTHERS}</p>
<a id="page" href="/?to={ADDRESS}">здесь</a><p data-cth-ignore>{ADDRESS}</p><textarea>{ADDRESS}</textarea>
<code>{ADDRESS}</code><p contenteditable>{ADDRESS}</p><script type="application/ld+json">"{ADDRESS}"</script>"""
LEFT_ALONE = ("#others", "[data-cth-ignore]", "textarea", "code", "[contenteditable]")
KEPT = "localStorage._cth_c && JSON.parse(localStorage._cth_c).code"


@pytest.fixture
def mail(scene: Scene) -> Scene:
    """A site whose letters are followed; its page shows the address in many places."""
    scene.coded = {"mail": {"address": ADDRESS, "reply": REPLY}}
    scene.takes_enquiries()
    scene.pages["index"] = PLACES
    return scene


@pytest.fixture
def messengers(scene: Scene) -> Scene:
    """A site whose links to messengers are followed."""
    scene.coded = {"messengers": _LINKS, "hello": HELLO}
    scene.takes_enquiries()
    return scene


async def opened(page: Page, scene: Scene) -> None:
    """Open the site's page and wait until the hub was asked for the code, and its answer is taken."""
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await scene.hears("code")
    await page.wait_for_function(KEPT)


def test_the_script_is_small() -> None:
    assert len(gzip.compress(VISIT_CODE.read_bytes())) <= SMALL


def test_the_script_makes_no_code_or_markup_out_of_text() -> None:
    text = VISIT_CODE.read_text(encoding="utf-8")
    assert [word for word in DANGEROUS if re.search(rf"(?<![\w.]){word}\b|\.{word}\b", text)] == []


# -- the address


async def test_the_address_becomes_the_visitors_own_in_texts_and_links(page: Page, mail: Scene) -> None:
    await opened(page, mail)
    assert await page.inner_text("#plain") == f"Пишите: {HIS}."
    assert (await page.inner_text("#case"), await page.inner_text("#link")) == (HIS, HIS)
    assert unquote(await page.get_attribute("#link", "href") or "") == f"mailto:{HIS}?subject=Окна&body=Из {HIS}"


async def test_nothing_else_is_changed(page: Page, mail: Scene) -> None:
    await page.route("**/dni/v1/code", lambda route: route.abort())
    await page.goto(mail.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    before = [await page.text_content(place) for place in (*LEFT_ALONE, "script[type]")]
    assert await page.inner_text("#plain") == f"Пишите: {ADDRESS}."  # the hub did not answer
    await page.unroute("**/dni/v1/code")
    await opened(page, mail)
    assert [await page.text_content(place) for place in (*LEFT_ALONE, "script[type]")] == before
    assert await page.get_attribute("#page", "href") == f"/?to={ADDRESS}"


async def test_the_code_is_asked_for_once_for_a_visit_with_visitor_and_visit(page: Page, mail: Scene) -> None:
    await opened(page, mail)
    await page.goto(mail.url("index?again"))
    await expect(page.locator("#plain")).to_have_text(f"Пишите: {HIS}.")
    assert mail.said("code") == [{"site": mail.key, "visitor": TOKEN, "visit": "v1"}]


async def test_what_the_page_draws_later_is_changed_too(page: Page, mail: Scene) -> None:
    await opened(page, mail)
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b id=later><i>sales@okna.example</i></b>')")
    await expect(page.locator("#later")).to_have_text(HIS)
    await page.evaluate("document.getElementById('plain').firstChild.data = 'sales@okna.example!'")
    await expect(page.locator("#plain")).to_have_text(f"{HIS}!")
    await page.evaluate("document.getElementById('link').href = 'mailto:sales@okna.example'")
    await expect(page.locator("#link")).to_have_attribute("href", f"mailto:{HIS}")


async def test_another_visit_shows_another_code(page: Page, mail: Scene) -> None:
    await opened(page, mail)
    mail.code = "000j513pj34"
    mail.answer = lambda said: JSONResponse({**mail.usual_answer(said), "visit": "v2"})
    await page.evaluate("history.pushState({}, '', 'route')")
    await expect(page.locator("#plain")).to_have_text("Пишите: sales+000j513pj34@okna.example.")
    await expect(page.locator("#others")).to_have_text(OTHERS)


async def test_a_number_in_the_same_text_is_still_the_page_scripts_to_change(page: Page, mail: Scene) -> None:
    mail.pages["index"] = f'{NUMBER}<p id="both">Тел. 8-495-111-22-33, почта {ADDRESS}</p>'
    await opened(page, mail)
    await expect(page.locator("#both")).to_have_text(f"Тел. 8-495-444-55-66, почта {HIS}")
    await page.evaluate("dni.push(['consent', 'off'])")
    await expect(page.locator("#both")).to_have_text(f"Тел. 8-495-111-22-33, почта {ADDRESS}")


async def test_who_takes_his_consent_back_sees_the_sites_address_and_nothing_is_kept(page: Page, mail: Scene) -> None:
    await opened(page, mail)
    await page.evaluate("dni.push(['consent', 'anonymous'])")
    await expect(page.locator("#plain")).to_have_text(f"Пишите: {ADDRESS}.")
    assert await page.get_attribute("#link", "href") == f"mailto:{ADDRESS}?subject=Окна&body=Из {ADDRESS}"
    assert await page.evaluate("'_cth_c' in localStorage") is False


@pytest.mark.parametrize("consent", ["anonymous", "off"])
async def test_without_consent_no_code_is_asked_for(page: Page, mail: Scene, consent: str) -> None:
    mail.settings["consent"] = consent
    await page.goto(mail.url())
    await page.evaluate("new Promise((done) => dni.push(['getVisit', done]))")
    await frames(page)
    assert (mail.said("code"), await page.inner_text("#plain")) == ([], f"Пишите: {ADDRESS}.")


@pytest.mark.parametrize("answer", [None, "<b>"])
async def test_an_answer_that_is_no_code_leaves_the_address_alone(page: Page, mail: Scene, answer: Any) -> None:
    mail.code = answer
    await page.goto(mail.url())
    await mail.hears("code")
    await frames(page)
    assert await page.inner_text("#plain") == f"Пишите: {ADDRESS}."


async def test_a_browser_that_keeps_nothing_shows_the_sites_address(page: Page, mail: Scene) -> None:
    await page.add_init_script(BLOCKED)
    await page.goto(mail.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await frames(page)
    assert (mail.said("code"), await page.inner_text("#plain")) == ([], f"Пишите: {ADDRESS}.")


# -- links to messengers

HI = "Здравствуйте! Пишу с вашего сайта."
NO = f"(№ {CODE})"
LINKS = {
    "https://t.me/okna_bot": f"https://t.me/okna_bot?start={CODE}",
    "https://telegram.me/OknaBot#x": f"https://telegram.me/OknaBot?start={CODE}#x",
    "tg://resolve?domain=okna_bot": f"tg://resolve?domain=okna_bot&start={CODE}",
    "https://wa.me/79161234567": f"https://wa.me/79161234567?text={HI} {NO}",
    "https://wa.me/79161234567?text=Окна": f"https://wa.me/79161234567?text=Окна {NO}",
    "https://api.whatsapp.com/send?phone=79161234567": f"https://api.whatsapp.com/send?phone=79161234567&text={HI} {NO}",
    "whatsapp://send?text=a&phone=7": f"whatsapp://send?text=a {NO}&phone=7",
    "https://vk.me/okna": f"https://vk.me/okna?ref={CODE}",
    "https://vk.com/im?sel=-123": f"https://vk.com/im?sel=-123&ref={CODE}",
    "viber://pa?chatURI=okna": f"viber://pa?chatURI=okna&context={CODE}",
    "https://max.ru/okna_bot": f"https://max.ru/okna_bot?start={CODE}",
    # left as they are
    "https://t.me/okna_bot?start=promo": "https://t.me/okna_bot?start=promo",
    "https://t.me/okna_news": "https://t.me/okna_news",
    "https://t.me/+AbCdEf": "https://t.me/+AbCdEf",
    "https://t.me/s/okna_bot": "https://t.me/s/okna_bot",
    "https://t.me/okna_bot/17": "https://t.me/okna_bot/17",
    "https://wa.me/message/ABC": "https://wa.me/message/ABC",
    "https://vk.com/okna": "https://vk.com/okna",
    "https://max.ru/join/abc": "https://max.ru/join/abc",
    "https://example.org/t.me/okna_bot": "https://example.org/t.me/okna_bot",
    "tel:+79161234567": "tel:+79161234567",
}
# What each link leads to at the moment it is followed, which nobody of the page does; then what stands on the page.
FOLLOWED = """async (kind) => {
    const went = [];
    for (const link of document.querySelectorAll("[data-link]")) {
        link.addEventListener(kind, (event) => event.preventDefault() || went.push(link.getAttribute("href")));
        link.firstChild.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, composed: true }));
    }
    await new Promise((done) => setTimeout(done));
    return [went, [...document.querySelectorAll("[data-link]")].map((link) => link.getAttribute("href"))];
}"""


async def test_a_link_to_a_messenger_carries_the_code_while_it_is_followed(page: Page, messengers: Scene) -> None:
    links = "".join(f'<a data-link href="{href.replace("&", "&amp;")}"><b>чат</b></a>' for href in LINKS)
    ignored = '<p data-cth-ignore><a data-link href="https://t.me/okna_bot"><b>чат</b></a></p>'
    messengers.pages["index"] = NUMBER + links + ignored
    await opened(page, messengers)
    for kind in ("click", "auxclick"):  # the second opens a tab
        went, stands = await page.evaluate(FOLLOWED, kind)
        assert [unquote(href) for href in went] == [*LINKS.values(), "https://t.me/okna_bot"], kind
        assert stands == [*LINKS, "https://t.me/okna_bot"], kind
