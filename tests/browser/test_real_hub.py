"""The page script in a real browser against the hub itself: what the visitor sees is what the store holds."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from hub.store.tables import Lease, PageEvent, TrackingNumber, Visit, Visitor
from tests.browser.real_stage import CITY, FREE, OVERFLOW, RealHub, Servers, opened, servers
from tests.browser.stage import ASK_VISIT, BLOCKED, PATIENCE_S, settled
from tests.hub import world as worlds

ROUTE_MS, BEAT_MS = 200, 30_000  # after which the script has looked at a new route, and says that it is still there
AD = "?utm_source=yandex&utm_medium=cpc&utm_campaign=spb&utm_term=окна&yclid=777"
FIRST, SECOND, BRAND = "+7 (495) 444-00-01", "+7 (495) 444-00-02", "+7 (495) 444-00-03"


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """An ordinary browser: that of the other tests calls itself headless, which the hub takes for a robot.

    Its time stands still until a test lets it pass, so that no answer is late, however busy the machine.
    """
    made = await browser.new_context(user_agent=worlds.BROWSER)
    made.set_default_timeout(PATIENCE_S * 1000)
    await made.clock.install(time=0)
    await made.clock.pause_at(1_000)
    await made.add_init_script(ASK_VISIT)
    errors: list[str] = []
    made.on("weberror", lambda error: errors.append(str(error.error)))
    yield made
    await made.close()
    assert errors == []


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated file of the test's own."""
    return Path(shutil.copy(sqlite_template, tmp_path / "hub.sqlite3"))


@pytest.fixture(scope="module")
def both() -> Iterator[Servers]:
    """The two servers; starting and stopping them costs more than a test."""
    with servers() as made:
        yield made


@pytest.fixture
async def hub(both: Servers, database: Path) -> AsyncIterator[RealHub]:
    async with opened(both, database) as made:
        yield made


@pytest.fixture
async def intent_hub(both: Servers, database: Path) -> AsyncIterator[RealHub]:
    """A hub whose site gives a number only to who turns to one."""
    async with opened(both, database, mode="intent") as made:
        yield made


@pytest.fixture
async def anonymous_hub(both: Servers, database: Path) -> AsyncIterator[RealHub]:
    """A hub whose site keeps nothing before the visitor has agreed."""
    async with opened(both, database, consent="anonymous") as made:
        yield made


@pytest.fixture
async def silent_hub(both: Servers, database: Path) -> AsyncIterator[RealHub]:
    """A hub whose site asks nothing before the visitor has agreed."""
    async with opened(both, database, consent="off") as made:
        yield made


@pytest.fixture
async def mortal_hub(database: Path) -> AsyncIterator[RealHub]:
    """A hub on servers of its own, which may be stopped."""
    with servers() as its_own:
        async with opened(its_own, database) as made:
            yield made


async def shows(page: Page, number: str) -> None:
    await expect(page.locator("#city")).to_have_text(number)


async def kept(page: Page) -> list[object]:
    """Return all a page has left in the browser."""
    return [await page.evaluate("document.cookie"), await page.evaluate("({...localStorage})")]


def e164(shown: str) -> str:
    return "+" + re.sub(r"\D", "", shown)


# -- the number and the visit


async def test_the_number_on_the_page_is_the_one_the_hub_has_leased(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url())
    await shows(page, FIRST)
    await expect(page.locator("#free")).to_have_text("8 (800) 444-00-04")
    assert await page.get_attribute("#free", "href") == "tel:+78004440004"
    assert await hub.held() == {"+74954440001", "+78004440004"}


async def test_the_visit_is_kept_with_the_ad_that_brought_it(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url(AD), referer="https://yandex.ru/")
    visit_id = await settled(page)
    (visit,) = await hub.rows(Visit)
    assert (visit.id, visit.channel, visit.source, visit.campaign) == (visit_id, "paid_search", "yandex", "spb")
    assert (visit.term, visit.click_ids, visit.referrer_host) == ("окна", '[["yclid", "777"]]', "yandex.ru")


@pytest.mark.parametrize(
    ("landing", "number", "leased"),
    [("?utm_campaign=brand_moscow", BRAND, {"+74954440003"}), ("?utm_source=maps", "+7 (495) 222-00-01", set())],
)
async def test_a_rule_of_the_site_decides_which_number(
    page: Page, hub: RealHub, landing: str, number: str, leased: set[str]
) -> None:
    await page.goto(hub.url(landing))
    await shows(page, number)
    assert await hub.held() - {"+78004440004"} == leased


async def test_a_second_page_keeps_number_and_visit(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url(AD))
    await shows(page, FIRST)
    await page.goto(hub.url("contacts"))
    await hub.answers("visit", times=2)
    await shows(page, FIRST)
    assert len(await hub.rows(Visit)) == 1
    assert len(await hub.rows(Lease)) == 2  # one of each group


async def test_two_tabs_show_one_number_and_two_browsers_two(
    browser: Browser, context: BrowserContext, page: Page, hub: RealHub
) -> None:
    await page.goto(hub.url())
    await shows(page, FIRST)
    tab = await context.new_page()
    await tab.goto(hub.url("contacts"))
    await hub.answers("visit", times=2)
    await shows(tab, FIRST)
    other = await browser.new_context(user_agent=worlds.BROWSER)
    stranger = await other.new_page()
    await stranger.goto(hub.url())
    await shows(stranger, SECOND)
    await other.close()


async def test_a_browser_that_keeps_nothing_is_one_visitor_while_the_page_lives(page: Page, hub: RealHub) -> None:
    await page.add_init_script(BLOCKED)
    await page.goto(hub.url(AD))
    await shows(page, FIRST)
    await page.evaluate("history.pushState({}, '', 'contacts')")
    await page.clock.run_for(ROUTE_MS)
    await hub.answers("visit", times=2)
    await shows(page, FIRST)
    assert (len(await hub.rows(Visitor)), len(await hub.rows(Visit))) == (1, 1)


async def test_who_takes_his_consent_back_is_forgotten_by_the_pages_memory_too(page: Page, hub: RealHub) -> None:
    await page.add_init_script(BLOCKED)
    await page.goto(hub.url())
    await shows(page, FIRST)
    await page.evaluate("dni.push(['consent', 'anonymous'])")
    await shows(page, OVERFLOW)
    await page.evaluate("dni.push(['consent', 'full'])")
    await shows(page, SECOND)
    assert [one.said["visitor"] for one in hub.ear.told("visit")] == [None, None, None]


async def test_a_heartbeat_says_that_the_visitor_is_still_there(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url())
    await shows(page, FIRST)
    hub.world.clock.forward(40)
    await page.clock.run_for(BEAT_MS)
    await hub.answers("hb")
    (visit,) = await hub.rows(Visit)
    assert visit.last_seen_at - visit.started_at == timedelta(seconds=40)


async def test_on_intent_a_number_is_leased_when_the_visitor_turns_to_it(page: Page, intent_hub: RealHub) -> None:
    await page.goto(intent_hub.url())
    visit_id = await settled(page)
    assert (await page.inner_text("#city"), await intent_hub.held()) == (CITY, set())
    await page.hover("#city")
    await shows(page, FIRST)
    await intent_hub.answers("event", "reveal")
    (reveal,) = await intent_hub.rows(PageEvent)
    assert (reveal.visit_id, reveal.kind) == (visit_id, "reveal")
    assert await intent_hub.held() == {"+74954440001", "+78004440004"}


# -- who gets no number of his own


async def test_a_robot_sees_the_overflow_number(browser: Browser, hub: RealHub) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(hub.url())
    await shows(page, OVERFLOW)
    assert "Headless" in await page.evaluate("navigator.userAgent")
    assert await hub.held() == set()
    await context.close()


async def test_of_an_anonymous_visitor_the_channel_is_kept_and_nothing_else(page: Page, anonymous_hub: RealHub) -> None:
    await page.goto(anonymous_hub.url(AD))
    await shows(page, OVERFLOW)
    (visit,) = await anonymous_hub.rows(Visit)
    assert (visit.channel, visit.source, visit.click_ids, visit.landing) == ("paid_search", "", "[]", "")
    assert (await kept(page), await anonymous_hub.held()) == (["", {}], set())


async def test_routes_of_an_anonymous_visitor_are_one_visit(page: Page, anonymous_hub: RealHub) -> None:
    await page.goto(anonymous_hub.url(AD))
    await shows(page, OVERFLOW)
    await page.evaluate("history.pushState({}, '', 'contacts')")
    await page.clock.run_for(ROUTE_MS)
    await anonymous_hub.answers("visit", times=2)
    assert len(await anonymous_hub.rows(Visit)) == 1
    assert await kept(page) == ["", {}]


async def test_two_pages_of_an_anonymous_visitor_have_nothing_in_common(page: Page, anonymous_hub: RealHub) -> None:
    for landing in (AD, "contacts"):
        await page.goto(anonymous_hub.url(landing))
        await shows(page, OVERFLOW)
    assert (len(await anonymous_hub.rows(Visitor)), len(await anonymous_hub.rows(Visit))) == (2, 2)


async def test_with_consent_off_the_hub_hears_nothing(page: Page, silent_hub: RealHub) -> None:
    await page.goto(silent_hub.url(AD))
    assert await settled(page) is None
    assert (await page.inner_text("#city"), await kept(page)) == (CITY, ["", {}])
    assert silent_hub.ear.answered == []


async def test_who_opted_out_is_not_heard_of_again(page: Page, hub: RealHub) -> None:
    for landing in ("?dni=off", AD):
        await page.goto(hub.url(landing))
        assert await settled(page) is None
    assert (await page.inner_text("#city"), hub.ear.answered) == (CITY, [])


async def test_a_page_of_somebody_elses_is_refused_and_keeps_its_number(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url(host="evil.localhost"))
    assert await settled(page) is None
    assert await page.inner_text("#city") == CITY
    assert [one.status for one in await hub.answers("visit")] == [400]
    assert await hub.world.hub.db.read(worlds.refused) == 1


async def test_without_the_hub_the_original_number_stays(page: Page, mortal_hub: RealHub) -> None:
    await page.add_init_script(BLOCKED)  # or the number of the first page would still be shown
    await page.goto(mortal_hub.url())
    await shows(page, FIRST)
    mortal_hub.servers.stop_hub()
    await page.goto(mortal_hub.url("contacts"))  # the script itself comes from the browser's cache
    assert await settled(page) is None
    assert (await page.inner_text("#city"), await page.inner_text("#free")) == (CITY, FREE)


# -- what is known of the visitor when he calls


async def test_a_copy_and_a_tap_are_kept_with_visit_and_number(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url())
    await shows(page, FIRST)
    visit_id = await settled(page)
    await page.evaluate("getSelection().selectAllChildren(document.getElementById('city'))")
    await page.keyboard.press("ControlOrMeta+C")
    await hub.answers("event", "copy")
    await page.click("#free")  # the last, for Chromium may lose what comes right after
    await hub.answers("event", "tel_tap")
    numbers = {row.id: row.e164 for row in await hub.rows(TrackingNumber)}
    done = [(event.kind, event.visit_id, numbers[event.number_id]) for event in await hub.rows(PageEvent)]
    assert done == [("copy", visit_id, "+74954440001"), ("tel_tap", visit_id, "+78004440004")]


async def test_a_call_to_the_number_on_the_page_is_matched_to_that_visit(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url(AD))
    await shows(page, FIRST)
    match = (await hub.call(e164(await page.inner_text("#city"))))["match"]
    assert (match["visit"], match["reason"], match["campaign"]) == (await settled(page), "exclusive_lease", "spb")
    assert match["confidence"] > 0.9


async def test_a_call_to_a_number_no_page_has_shown_is_nobodys(page: Page, hub: RealHub) -> None:
    await page.goto(hub.url(AD))
    await shows(page, FIRST)
    match = (await hub.call(e164(SECOND)))["match"]
    assert (match["visit"], match["reason"]) == (None, "nobody")


# -- the test of the installation


async def test_every_page_and_route_that_was_opened_stands_on_the_page_of_sites(page: Page, hub: RealHub) -> None:
    await page.clock.resume()
    await page.goto(hub.url("prices"))
    await hub.answers("event", "seen")
    await page.evaluate("history.pushState({}, '', 'doors?size=7')")
    await hub.answers("event", "seen", times=2)
    await hub.world.log_in()
    told = (await hub.world.web.get("/sites")).text
    named = [name for name in ("prices", "doors", "never") if f"www.okna.localhost/{name}" in told]
    assert named == ["prices", "doors"]
