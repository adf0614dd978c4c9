"""The app comes into a portal as its administrator brings it; what he would not get on with is named."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.app import web_app
from hub.settings import AppSettings
from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.portal import Options
from sandbox.demo.door import NoAnswer
from sandbox.demo.portal import install
from tests.hub import world as worlds
from tests.sandbox.loopback import Turntable, served

OWNER = {"email": "owner@okna.example", "password": "correct-horse-battery"}
Meeting = Callable[[str], tuple[str, str]]


@pytest.fixture
def meet(sqlite_template: Path, tmp_path: Path) -> Iterator[Meeting]:
    """Makes a portal without the app and a hub that has the keys of this connector; gives their addresses."""
    with ExitStack() as stack:

        def made(connector: str) -> tuple[str, str]:
            table = Turntable()
            hub_url = stack.enter_context(served(table, lifespan="off"))
            page = f"{hub_url}/frame/bitrix24"
            options = Options(
                redirect_uri=f"{hub_url}/oauth/bitrix24/callback", app_url=page, installer_url=page, installed=False
            )
            sandbox = Sandbox(options, worlds.OPENING.timestamp)
            portal_url = stack.enter_context(served(sandbox.app))
            keys = sandbox.greeting(portal_url)
            app = AppSettings(**{name: keys[name] for name in ("client_id", "client_secret", "base_url")})
            database = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'hub.sqlite3')}"
            asked = {"public_url": hub_url, "apps": {connector: app}}
            table.app = web_app(stack.enter_context(worlds.still(database, tmp_path, **asked)).hub, works=False)
            return portal_url, hub_url

        yield made


def test_an_admin_with_a_wrong_password_does_not_get_on(meet: Meeting) -> None:
    with pytest.raises(NoAnswer, match="was answered with 401"):
        install(*meet("bitrix24"), {**OWNER, "password": "wrong"}, time.sleep)


def test_a_hub_without_the_applications_keys_is_named_with_its_page(meet: Meeting) -> None:
    with pytest.raises(NoAnswer, match="The hub's page in the portal was answered with 404"):
        install(*meet("amocrm"), OWNER, time.sleep)


def test_a_portal_that_the_hub_never_reads_is_not_connected(meet: Meeting) -> None:
    with pytest.raises(NoAnswer, match="did not read the portal it was linked to: The hub is connected"):
        install(*meet("bitrix24"), OWNER, lambda seconds: None)
