"""A letter from beginning to end: the address on the page in a real browser, the mail door, and the deal in the CRM."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, async_playwright, expect

from hub.web.page_script import snippet
from tests.browser.conftest import chromium
from tests.hub.test_flow import AD, field
from tests.hub.test_mail_door import SETUP, letter, post
from tests.hub.world import BROWSER, World

PAGE = '<!doctype html><meta charset="utf-8">{}{}<p id="mail">Пишите: <a href="mailto:sales@okna.example">нам</a></p>'


@pytest.fixture
def set_up() -> str:
    """A customer whose letters are followed."""
    return SETUP


@pytest.fixture
async def page(connected: World) -> AsyncIterator[Page]:
    """A browser on the customer's site; what it asks of the hub comes to the hub itself."""

    async def hub(route: Route) -> None:
        asked = route.request
        headers = {
            name: told for name, told in asked.headers.items() if name in ("origin", "user-agent", "content-type")
        }
        answer = await connected.web.request(asked.method, asked.url, content=asked.post_data_buffer, headers=headers)
        await route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    key = connected.applied.sites[0]["key"]
    lines = [snippet("http://hub.test", key, more) for more in ("", "/enquiries")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(playwright.chromium.executable_path), args=["--no-sandbox"]
        )
        made = await (await browser.new_context(user_agent=BROWSER)).new_page()
        await made.route("http://hub.test/**", hub)
        await made.route(
            "**okna.example/**", lambda route: route.fulfill(body=PAGE.format(*lines), content_type="text/html")
        )
        yield made
        await browser.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_letter_to_the_address_on_the_page_is_a_deal_with_the_visits_source(
    connected: World, page: Page
) -> None:
    await page.goto(AD.replace("https:", "http:"))
    await expect(page.locator("#mail a")).to_have_attribute("href", re.compile(r"mailto:sales\+\w{10}@okna\.example"))
    address = (await page.get_attribute("#mail a", "href") or "").removeprefix("mailto:")
    await post(connected, letter(to=address))
    await connected.delivered(1)
    state = await connected.state()
    (deal,), (contact,) = state["leads"], state["contacts"]
    assert (field(deal, "UTM_SOURCE"), field(deal, "UTM_CAMPAIGN"), field(deal, "YCLID")) == (
        "yandex",
        "okna-msk",
        "777",
    )
    assert contact["first_name"] == "Анна Петрова"
    notes = str(state["notes"])
    assert [told for told in ("Окно", "Сколько стоит окно 2 x 1,5?", "anna@mail.example") if told not in notes] == []
