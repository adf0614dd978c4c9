"""A hub on each engine, beside a real CRM sandbox."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.app import build, running, web_app
from hub.settings import AppSettings, Settings
from hub.setup import apply, read_setup
from tests.hub import world as worlds

SCENARIO = Path(__file__).parents[2] / "connectors" / "scenarios" / "calls_to_deals.yaml"


@pytest.fixture
def hand_clock(tmp_path: Path) -> worlds.HandClock:
    return worlds.HandClock(tmp_path / "clock")


@pytest.fixture
def crm(hand_clock: worlds.HandClock) -> Iterator[dict[str, Any]]:
    with worlds.sandbox(hand_clock.path, "http://hub.test/oauth/amocrm/callback") as printed:
        yield printed


@pytest.fixture
async def world(
    database_url: str, tmp_path: Path, hand_clock: worlds.HandClock, crm: dict[str, Any]
) -> AsyncIterator[worlds.World]:
    """A customer set up but not yet connected to his CRM."""
    registration = AppSettings(client_id=crm["client_id"], client_secret=crm["client_secret"], base_url=crm["base_url"])
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        public_url="http://hub.test",
        apps={"amocrm": registration},
        clock_file=hand_clock.path,
    )
    hub = build(settings)
    (tmp_path / "setup.yaml").write_text(worlds.SETUP, encoding="utf-8")
    (tmp_path / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    asked, texts = read_setup(tmp_path / "setup.yaml")
    applied = hub.db.write_now(apply, asked, texts, hub.clock.now(), hub.vault)
    async with running(hub):
        made = worlds.World(hub, web_app(hub, works=False), hand_clock, crm, applied)
        yield made
        await made.close()
    hub.db.stop()


@pytest.fixture
async def connected(world: worlds.World) -> worlds.World:
    """The customer with his CRM connected."""
    answer = await world.connect()
    assert answer.status_code == 303, answer.text
    return world
