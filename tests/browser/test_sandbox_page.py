"""The sandbox CRM's own pages in a real browser: a person sells, the API tells it."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Page, expect

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from tests.sandbox.loopback import served

START = 1_767_225_600.0


@pytest.fixture
def crm() -> Iterator[httpx.Client]:
    """A running account with one deal, and a client with the integration's token."""
    sandbox = Sandbox(Options(), lambda: START, {"limiter": False})
    with served(sandbox.app) as base:
        badge = {"Authorization": f"Bearer {sandbox.greeting(base)['access_token']}"}
        with httpx.Client(base_url=base, headers=badge, trust_env=False) as client:
            client.post("/api/v4/leads", json=[{"name": "Звонок с сайта", "price": 15_000}])
            yield client


async def test_a_person_wins_a_deal_and_the_api_shows_it_with_its_events(page: Page, crm: httpx.Client) -> None:
    await page.goto(str(crm.base_url))
    await page.get_by_role("link", name="Звонок с сайта").click()
    await page.get_by_role("textbox", name="Бюджет").fill("17000")
    await page.get_by_role("button", name="Изменить бюджет").click()
    await expect(page.locator("#price")).to_have_text("17\u202f000\u00a0₽")
    await page.get_by_role("button", name="Успешно").click()
    await expect(page.locator("#stage")).to_have_text("Успешно реализовано")
    lead = crm.get("/api/v4/leads").json()["_embedded"]["leads"][0]
    events = crm.get("/api/v4/events").json()["_embedded"]["events"]
    assert (lead["status_id"], lead["price"], lead["closed_at"]) == (142, 17_000, START)
    assert [one["type"] for one in events] == ["lead_status_changed", "sale_field_changed", "lead_added"]


async def test_a_deal_is_made_by_hand_in_english(page: Page, crm: httpx.Client) -> None:
    await page.goto(str(crm.base_url))
    await page.get_by_role("link", name="English").click()
    await page.get_by_text("New deal").click()
    await page.get_by_label("Name", exact=True).first.fill("Exhibition")
    await page.get_by_label("Phone").fill("+79161234567")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", name="Exhibition")).to_be_visible()
    found = crm.get("/api/v4/contacts?query=9161234567").json()["_embedded"]["contacts"]
    assert len(found) == 1


@pytest.mark.parametrize("width", [400, 1280])
async def test_no_page_is_wider_than_its_window(page: Page, crm: httpx.Client, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    lead = crm.get("/api/v4/leads").json()["_embedded"]["leads"][0]["id"]
    for path in ("/", f"/leads/detail/{lead}", "/contacts/list", "/trash", "/settings/widgets/"):
        await page.goto(f"{crm.base_url}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
