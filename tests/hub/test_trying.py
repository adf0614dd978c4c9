"""A person mends what an account rests for and wants to know now whether it works: the hub asks, and what waited goes."""

import html
from datetime import timedelta

import pytest

from tests.hub.test_bad_input import is_held, is_there_once, rings
from tests.hub.test_embed import changed
from tests.hub.test_start_check import dial
from tests.hub.world import World

SOON = timedelta(minutes=1)  # sooner than any pause of an account without rights ends
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def resting(connected: World) -> World:
    """An account that the vendor blocked when a call was to be sent: it is left alone for a quarter of an hour."""
    await dial(connected, mode="blocked")
    await rings(connected)
    await is_held(connected)
    return connected


async def tried(world: World) -> str:
    """Press "Check the connection" in the console; return the page it leads to."""
    told = {"csrf": await world.log_in()}
    answer = await world.while_time_goes_on(world.web.post("/connections/1/try", data=told, headers=OURS))
    return html.unescape(answer.text)


async def asked(world: World) -> int:
    """Return how many requests the CRM has had."""
    return int((await world.crm_web.get("/_sandbox/ledger")).json()["rows"][-1]["number"])


async def test_what_waited_goes_as_soon_as_the_account_answers(resting: World) -> None:
    await dial(resting, mode="open")
    before = resting.clock.now()
    assert "Связь есть: хаб прочитал аккаунт" in await tried(resting)
    await resting.delivered(1)
    assert resting.clock.now() - before < SOON
    await is_there_once(resting)


async def test_the_widget_of_the_crm_tries_it_too(resting: World) -> None:
    await dial(resting, mode="open")
    before = resting.clock.now()
    assert (await changed(resting, "POST", "test")).json()["ok"] is True
    await resting.delivered(1)
    assert resting.clock.now() - before < SOON


async def test_an_account_that_is_still_shut_says_why_and_rests_on(resting: World) -> None:
    assert "Хаб не смог прочитать аккаунт: amoCRM заблокировала запросы этого аккаунта" in await tried(resting)
    await is_held(resting)


async def test_a_vendor_that_asks_for_time_is_given_it(connected: World) -> None:
    await dial(connected, rates={"429": 1.0}, retry_after=600)
    await rings(connected)
    await is_held(connected)
    before = await asked(connected)
    assert "Хаб не смог прочитать аккаунт" in await tried(connected)
    assert await asked(connected) == before


async def test_a_request_that_is_not_of_the_persons_own_page_is_refused(resting: World) -> None:
    await resting.log_in()
    answer = await resting.web.post("/connections/1/try", data={"csrf": "x"}, headers=OURS)
    assert answer.status_code == 403


async def test_an_account_that_is_not_there_cannot_be_tried(connected: World) -> None:
    told = {"csrf": await connected.log_in()}
    assert (await connected.web.post("/connections/9/try", data=told, headers=OURS)).status_code == 404
