"""A CRM that asks for consent at each account's own address: a person types it, and nothing else is led to."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.settings import AppSettings
from tests.hub import world as worlds
from tests.hub.world import World


@pytest.fixture
async def registered(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose application is registered at Bitrix24 itself."""
    apps = {"bitrix24": AppSettings(client_id="app.1", client_secret="secret")}
    with worlds.still(database_url, tmp_path, apps=apps) as world:
        yield world
        await world.close()


async def connect(world: World, account: str) -> httpx.Response:
    csrf = await world.log_in()
    told = {"csrf": csrf, "account": account}
    return await world.web.post("/connect/bitrix24", data=told, headers={"sec-fetch-site": "same-origin"})


async def test_the_page_asks_for_the_address_and_says_the_easier_way(registered: World) -> None:
    await registered.log_in()
    page = (await registered.web.get("/connections")).text
    assert 'name="account" required' in page
    assert "откройте приложение хаба в Bitrix24 под администратором" in page


async def test_a_typed_portal_is_asked_for_consent(registered: World) -> None:
    answer = await connect(registered, "https://romashka.bitrix24.ru/crm/")
    where = httpx.URL(answer.headers["location"])
    assert (where.host, where.path) == ("romashka.bitrix24.ru", "/oauth/authorize/")


async def test_the_browser_may_be_led_to_any_portal(registered: World) -> None:
    await registered.log_in()
    policy = (await registered.web.get("/connections")).headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "https://*.bitrix24.ru" in policy


@pytest.mark.parametrize("typed", ["", "evil.example", "romashka"])
async def test_nobody_is_led_elsewhere(registered: World, typed: str) -> None:
    answer = await connect(registered, typed)
    assert answer.status_code == 400
    assert "Впишите адрес вида romashka.bitrix24.ru" in answer.text
