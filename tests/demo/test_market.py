"""The app comes into an account as the vendor brings it; here its request is lost, and the admin gives access himself."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from hub.app import web_app
from hub.settings import AppSettings
from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from sandbox.demo.door import NoAnswer
from sandbox.demo.market import install
from tests.hub import world as worlds
from tests.sandbox.loopback import Turntable, served

OWNER = {"email": "owner@okna.example", "password": "correct-horse-battery"}


def lose(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("lost", request=request)


@pytest.fixture
def unheard(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of an account without the app and of a hub that its vendor's own server does not reach."""
    with ExitStack() as stack:
        table = Turntable()
        hub_url = stack.enter_context(served(table, lifespan="off"))
        options = Options(redirect_uri=f"{hub_url}/oauth/amocrm/callback", installed=False)
        sandbox = Sandbox(options, worlds.OPENING.timestamp, {"limiter": False}, httpx.MockTransport(lose))
        crm_url = stack.enter_context(served(sandbox.app))
        keys = sandbox.greeting(crm_url)
        app = AppSettings(**{name: keys[name] for name in ("client_id", "client_secret", "base_url")})
        database = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'hub.sqlite3')}"
        asked = {"public_url": hub_url, "apps": {"amocrm": app}}
        hub = stack.enter_context(worlds.still(database, tmp_path, **asked)).hub
        table.app = web_app(hub, works=False)
        yield crm_url, hub_url


def test_an_admin_whose_installation_was_not_heard_of_gives_access_when_he_links(unheard: tuple[str, str]) -> None:
    connection = install(*unheard, OWNER, time.sleep)

    assert (connection.answered, "no key had come" in connection.story[2]) == (None, True)


def test_an_admin_with_a_wrong_password_does_not_get_on(unheard: tuple[str, str]) -> None:
    with pytest.raises(NoAnswer, match="was answered with 401"):
        install(*unheard, {**OWNER, "password": "wrong"}, time.sleep)
