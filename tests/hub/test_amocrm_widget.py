"""The built widget in a real browser before the real hub: what one says, the other understands."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from hub.store import recording_links
from tests.browser.amocrm_account import Account
from tests.browser.conftest import browser as browser
from tests.browser.embed_hub import HUB, wav
from tests.hub.test_embed import called, frame_token
from tests.hub.test_flow import AD
from tests.hub.test_recording_links import allowing, ended
from tests.hub.test_recordings import Vendor, serving
from tests.hub.world import World

# What the pages are told is compared on both engines in test_embed.py; a browser shows the same of either.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_NOT_OURS = {"host", "content-length", "accept-encoding", "cookie"}


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A server of telephony's that keeps one recording."""
    with serving() as made:
        made.answers["/talk.wav"] = (200, {"content-type": "audio/wav", "accept-ranges": "bytes"}, wav())
        yield made


@pytest.fixture
def set_up(vendor: Vendor) -> str:
    return allowing(vendor)


@pytest.fixture
async def account(connected: World) -> Account:
    """An account whose deal is open; the hub knows the call it was made of."""
    shown = await connected.visit(AD)
    connected.clock.forward(90)
    deal, _ = await called(connected, shown["number"])
    return Account(card=int(deal), passes=False)


@pytest.fixture
async def page(browser: Browser, connected: World, account: Account) -> AsyncIterator[Page]:
    """A page of the sandbox's account; what it asks of the hub's host this hub answers."""
    origin = connected.crm["base_url"].rstrip("/")
    site = httpx.AsyncClient(transport=httpx.ASGITransport(account.app()), base_url=origin)
    made = await browser.new_page()

    async def to_account(route: Route) -> None:
        path = httpx.URL(route.request.url).raw_path.decode()
        if path == "/token":
            await route.fulfill(body=await frame_token(connected), content_type="text/plain")
        else:
            answer = await site.get(path)
            await route.fulfill(status=answer.status_code, body=answer.content, headers=dict(answer.headers))

    async def to_hub(route: Route) -> None:
        asked = route.request
        headers = {name: value for name, value in (await asked.all_headers()).items() if name not in _NOT_OURS}
        path = httpx.URL(asked.url).raw_path.decode()
        sent = {"headers": headers | {"origin": origin}, "content": asked.post_data_buffer}
        asking = connected.web.request(asked.method, path, **sent)
        answer = await (asking if asked.method == "GET" else connected.while_time_goes_on(asking))
        await route.fulfill(status=answer.status_code, body=answer.content, headers=dict(answer.headers))

    await made.route(f"{origin}/**", to_account)
    for base in (HUB, connected.hub.settings.public_url):  # links it gives out are of its own address
        await made.route(f"{base}/**", to_hub)
    await made.goto(f"{origin}/")
    yield made
    await made.close()
    await site.aclose()


async def test_a_deal_shows_its_source(page: Page) -> None:
    await expect(page.locator(".cthub-headline")).to_have_text("yandex / okna-msk")
    await expect(page.locator(".cthub-confidence")).to_contain_text("Точно")
    await expect(page.get_by_text("пластиковые окна")).to_be_visible()


async def test_a_correction_is_made_and_taken_back(page: Page) -> None:
    await page.get_by_role("button", name="Источник не тот?").click()
    await page.get_by_role("button", name="Никто из них").click()
    await expect(page.locator(".cthub-headline")).to_have_text("Источник неизвестен")
    await page.get_by_role("button", name="Вернуть, как было").click()
    await expect(page.locator(".cthub-headline")).to_have_text("yandex / okna-msk")


_PLAYED = """async one => {
    one.muted = true;
    await one.play();
    one.currentTime = 60;
    await new Promise(done => one.addEventListener("seeked", done, {once: true}));
    return [one.duration, Math.round(one.currentTime), new URL(one.currentSrc).pathname.split("/")[1]];
}"""


@pytest.fixture
async def player(page: Page, connected: World, vendor: Vendor) -> Locator:
    """The player of a call that was recorded."""
    await ended(connected, "c2", recording_url=f"{vendor.address}/talk.wav")
    await connected.delivered(2)
    await page.reload()
    found = page.locator("audio")
    await expect(found).to_have_count(1)
    return found


async def test_the_player_plays_the_recording_and_skips_in_it(player: Locator) -> None:
    assert await player.evaluate(_PLAYED) == [80, 60, "recordings"]


async def test_a_recording_whose_link_was_revoked_says_so(page: Page, connected: World, player: Locator) -> None:
    ids = [one["id"] for one in (await connected.api("calls"))["calls"]]
    await connected.hub.db.write(recording_links.revoke, 1, max(ids), 1, connected.clock.now())
    await player.evaluate("one => one.play().catch(() => 0)")
    await expect(page.get_by_role("alert")).to_contain_text("Запись не открылась.")


async def test_the_settings_try_the_connection(page: Page, account: Account) -> None:
    account.settings()
    await page.reload()
    await page.get_by_role("button", name="Проверить сейчас").click()
    await expect(page.get_by_text("Связь есть")).to_be_visible()
