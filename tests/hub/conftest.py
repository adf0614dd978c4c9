"""A hub on each engine, beside a real CRM sandbox or with its loops standing still; and a bare database."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.__main__ import cli
from hub.app import build, running, web_app
from hub.settings import AppSettings, Settings
from hub.setup import apply
from hub.store.db import Db
from hub.store.vault import Vault
from tests.hub import world as worlds

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture
def hand_clock(tmp_path: Path) -> worlds.HandClock:
    return worlds.HandClock(tmp_path / "clock")


@pytest.fixture
def crm_kind() -> str:
    """The connector of the customer's CRM; a module may have another."""
    return "amocrm"


@pytest.fixture
def crm(hand_clock: worlds.HandClock, crm_kind: str) -> Iterator[dict[str, Any]]:
    with worlds.sandbox(hand_clock.path, f"http://hub.test/oauth/{crm_kind}/callback", crm_kind) as printed:
        yield printed


@pytest.fixture
def set_up(crm_kind: str) -> str:
    """The set-up file of the customer; a module may have another."""
    return worlds.SETUP.replace("  amocrm:", f"  {crm_kind}:")


@pytest.fixture
async def world(
    database_url: str, tmp_path: Path, hand_clock: worlds.HandClock, crm: dict[str, Any], crm_kind: str, set_up: str
) -> AsyncIterator[worlds.World]:
    """A customer set up but not yet connected to his CRM."""
    registration = AppSettings(client_id=crm["client_id"], client_secret=crm["client_secret"], base_url=crm["base_url"])
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        public_url="http://hub.test",
        apps={crm_kind: registration},
        clock_file=hand_clock.path,
    )
    hub = build(settings)
    applied = hub.db.write_now(apply, *worlds.read(set_up), hub.clock.now(), hub.vault)
    async with running(hub):
        made = worlds.World(hub, web_app(hub, works=False), hand_clock, crm, applied, crm_kind)
        yield made
        await made.close()
    hub.db.stop()


@pytest.fixture
async def connected(world: worlds.World) -> worlds.World:
    """The customer with his CRM connected."""
    answer = await world.connect()
    assert answer.status_code == 303, answer.text
    return world


# -- without a CRM


@pytest.fixture
def still(database_url: str, tmp_path: Path) -> Iterator[worlds.World]:
    """A customer of a test's own, set up on a hub whose loops stand still."""
    with worlds.still(database_url, tmp_path) as made:
        yield made


@pytest.fixture(scope="module", params=BOTH)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.World]:
    """The same for all tests of a module; one address may ask as often as it likes."""
    with worlds.of_module(request, tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture(scope="module", params=BOTH)
def _store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Db]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            file = shutil.copy(
                request.getfixturevalue("sqlite_template"), tmp_path_factory.mktemp("store") / "hub.sqlite3"
            )
            url = f"sqlite:///{file}"
        else:
            url = stack.enter_context(request.getfixturevalue("pg_spares").one())
        db = Db(url)
        db.start()
        yield db
        db.stop()


@pytest.fixture
def store(_store: Db) -> Iterator[Db]:
    """A migrated database on each engine, emptied after each test: cheaper than a new one."""
    yield _store
    _store.write_now(worlds.emptied)


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault({"k1": b"1" * 32})


# -- the command line


@pytest.fixture
def bare_db(sqlite_template: Path, tmp_path: Path) -> Iterator[Db]:
    """A migrated database of which nobody knows yet."""
    opened = Db(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'hub.sqlite3')}")
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def cthub_next_day(tmp_path: Path) -> worlds.Cthub:
    """Runs a verb in this process on the database beside it, on the day after the visitors came."""
    clock = worlds.HandClock(tmp_path / "clock")
    clock.forward(86_400)
    environment = {"HUB_DATA_DIR": str(tmp_path), "HUB_CLOCK_FILE": str(clock.path)}
    return lambda *arguments: CliRunner().invoke(cli, arguments, env=environment)
