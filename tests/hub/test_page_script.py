"""The page scripts as they are served: the site's settings before the text, kept by the browser while both are the same."""

import json
from typing import Any

import httpx
import pytest

from hub.web import page_script
from hub.web.words.callback import CALLBACK
from tests.hub.world import World

SCRIPTS = {".js": "dni.js", "/enquiries.js": "enquiries.js"}


@pytest.fixture(params=SCRIPTS)
def ending(request: pytest.FixtureRequest) -> str:
    """How the address of each script ends."""
    return str(request.param)


async def served(world: World, ending: str, version: str | None = None, **headers: str) -> httpx.Response:
    key = world.applied.sites[0]["key"]
    return await world.web.get(f"/dni/v1/{version or page_script.version()}/{key}{ending}", headers=headers)


def settings(answer: httpx.Response) -> dict[str, Any]:
    """Return the settings before the script's text."""
    told: dict[str, Any] = json.loads(answer.text.split("\n", 1)[0].partition("=")[2].rstrip(";"))
    return told


async def test_a_script_is_its_settings_and_its_text(shared: World, ending: str) -> None:
    answer = await served(shared, ending)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.content.split(b"\n", 1)[1] == page_script.script(SCRIPTS[ending])
    assert settings(answer)["site"] == shared.applied.sites[0]["key"]


async def test_a_browser_that_has_it_is_told_so(shared: World, ending: str) -> None:
    tag = (await served(shared, ending)).headers["etag"]
    again = await served(shared, ending, **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    changed = await served(shared, ending, **{"if-none-match": '"another"'})
    assert changed.status_code == 200


async def test_the_scripts_are_two(shared: World) -> None:
    number, enquiries = [await served(shared, ending) for ending in SCRIPTS]
    assert number.headers["etag"] != enquiries.headers["etag"]


async def test_another_version_is_kept_for_a_minute_only(shared: World, ending: str) -> None:
    assert (await served(shared, ending)).headers["cache-control"] == "public, max-age=3600"
    assert (await served(shared, ending, "older")).headers["cache-control"] == "public, max-age=60"


async def test_a_site_of_nobody_has_no_script(shared: World, ending: str) -> None:
    answer = await shared.web.get(f"/dni/v1/{page_script.version()}/nobody{ending}")
    assert (answer.status_code, answer.json()["error"]) == (404, "No site has this key.")


async def test_enquiries_are_told_the_number_to_dial_and_both_languages(shared: World) -> None:
    told = settings(await served(shared, "/enquiries.js"))
    assert told["phone"] == {"number": "+74951000000", "display": "+7 495 100-00-00"}  # it has none but the overflow's
    assert told["words"] == CALLBACK
    assert (told["forms"], told["callback"]) == (True, None)
