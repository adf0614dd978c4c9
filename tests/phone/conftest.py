"""One stage for all phone tests of a process, a browser of his own for each visitor, and the story of a failure."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, BrowserContext

from sandbox.demo.door import BROWSER
from tests.browser.conftest import browser as browser
from tests.browser.stage import ASK_VISIT, PATIENCE_S, settled
from tests.phone import stage as stages
from tests.phone.stage import OWN_NUMBER, Stage

_MOST_VIEWS = 3


@dataclass(frozen=True)
class Visitor:
    """Somebody with the site's page before him: the number it shows him, as E.164, and his visit."""

    number: str
    visit: int


Arrive = Callable[[Mapping[str, str]], Awaitable[Visitor]]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stages.opened(tmp_path_factory.mktemp("phone")) as made:
        yield made


@pytest.fixture
async def arrive(stage: Stage, browser: Browser) -> AsyncIterator[Arrive]:
    """Let somebody come to the site in a browser nobody has used yet, and stay until the test is over."""
    contexts: list[BrowserContext] = []

    async def come(tags: Mapping[str, str]) -> Visitor:
        context = await browser.new_context(user_agent=BROWSER)  # a headless one says that it is a robot
        contexts.append(context)
        context.set_default_timeout(PATIENCE_S * 1000)
        await context.add_init_script(ASK_VISIT)
        return await _seen(context, stage.landing(tags))

    yield come
    for context in contexts:
        await context.close()


async def _seen(context: BrowserContext, address: str) -> Visitor:
    page = await context.new_page()
    for _ in range(_MOST_VIEWS):  # what the hub answers later than in a second is shown at the next view
        await page.goto(address)
        visit = await settled(page)
        number = "+" + "".join(filter(str.isdecimal, await page.locator("#phone").inner_text()))
        if visit and number != OWN_NUMBER:
            return Visitor(number, int(visit))
    raise AssertionError(f"the page showed its own number {_MOST_VIEWS} times")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the ladders and logs of the calls into the report of a test that failed."""
    report = yield
    stage = item.funcargs.get("stage")
    if report.failed and isinstance(stage, Stage):
        report.sections.append(("the calls so far", stage.story()))
    return report
