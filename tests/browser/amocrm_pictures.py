"""The pictures of docs/amocrm-widget.md: ``python -m tests.browser.amocrm_pictures`` takes them anew."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from tests.browser.amocrm_account import Account
from tests.browser.conftest import FLAGS, chromium
from tests.browser.embed_hub import ACCOUNT, EmbedHub, enquiry, state
from tests.browser.two_hosts import Host, Hosts, certificate, serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"


async def take() -> None:
    """Write the deal card and the settings, in Russian, at twice the density."""
    files = certificate(Path(tempfile.mkdtemp()))
    with serving(Host(), *files) as account, serving(Host(), *files) as hub:
        shown = Account()
        account.app = shown.app()
        hub.app = EmbedHub(state=state(), cards={"deal/21000001": [enquiry()]}).app()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium(playwright.chromium.executable_path),
                args=[*FLAGS, f"--host-resolver-rules={Hosts(account, hub).rules()}"],
            )
            context = await browser.new_context(ignore_https_errors=True, device_scale_factor=2)
            page = await context.new_page()
            await page.set_viewport_size({"width": 860, "height": 580})
            await page.goto(ACCOUNT)
            await page.locator("audio").evaluate("one => { one.preload = 'auto'; one.load(); }")
            await page.get_by_text("Путь посетителя").click()
            await page.wait_for_load_state("networkidle")
            await page.screenshot(path=IMAGES / "amocrm-deal.png", full_page=True)
            await page.get_by_role("button", name="Источник не тот?").click()
            await page.locator("#widgets").screenshot(path=IMAGES / "amocrm-wrong-source.png")
            shown.settings()
            await page.set_viewport_size({"width": 640, "height": 400})
            await page.goto(ACCOUNT)
            await page.get_by_role("button", name="Проверить сейчас").click()
            await page.get_by_text("Аккаунт отвечает.").wait_for()
            await page.screenshot(path=IMAGES / "amocrm-settings.png", full_page=True)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(take())
