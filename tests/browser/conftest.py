"""One real headless Chromium for all, a context of its own for each test, and a site with one number on its page."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser import stage as stages

WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUICK = ("chromium-headless-shell", *WHOLE)  # opens a page in a quarter of the time: it draws no windows around it
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=stages.PATIENCE_S * 1000)


def chromium(bundled: str, names: Sequence[str] = QUICK) -> str:
    """Return the path of a Chromium: the system's, or the one Playwright has installed; never skipped."""
    found = [path for path in map(shutil.which, names) if path]
    if not found and not os.path.exists(bundled):
        pytest.fail(
            "The browser tests need Chromium: install it, on Debian by apt-get install chromium.", pytrace=False
        )
    return (found or [bundled])[0]


@pytest.fixture(scope="session")
def stage() -> Iterator[stages.Stage]:
    with stages.opened() as stage:
        yield stage


@asynccontextmanager
async def launched(names: Sequence[str] = QUICK) -> AsyncIterator[Browser]:
    """Run the first Chromium there is of some names."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(
            executable_path=chromium(playwright.chromium.executable_path, names),
            args=FLAGS,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield made
        await made.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as made:
        yield made


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser nobody has used yet; whatever the script does, no page of it may have an uncaught error."""
    made = await browser.new_context()
    made.set_default_timeout(stages.PATIENCE_S * 1000)
    errors: list[str] = []
    made.on("weberror", lambda error: errors.append(str(error.error)))
    yield made
    await made.close()
    assert errors == []


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest.fixture
def scene(stage: stages.Stage) -> Iterator[stages.Scene]:
    """A site whose page shows its one number once."""
    made = stage.scene()
    made.pages["index"] = '<p id="phone">+7 (495) 111-22-33</p>'
    yield made
    made.gate.set()
