"""What the documented lines make Kamailio tell, whatever the hub's pace: no hub is here but its door."""

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.phone import exchange as exchanges
from tests.phone import ladder
from tests.phone.courses import BUSY
from tests.phone.machine import LOOPBACK, free_port, until
from tests.sandbox.loopback import served

pytestmark = pytest.mark.xdist_group("phone")


class Door:
    """A door of telephony that keeps the first post of each call waiting for something; its calls ring at ``goes``."""

    def __init__(self, waits_for: Callable[[], bool], goes: str) -> None:
        self.heard: list[str] = []
        asked = Route("/telephony/v1/route/token", lambda _: PlainTextResponse(goes))
        self.app = Starlette(routes=[asked, Route("/telephony/token", self._take, methods=["POST"])])
        self._waits_for = waits_for

    async def _take(self, request: Request) -> Response:
        event = (await request.json())["event"]
        self.heard.append(event)
        if event == "start":
            await anyio.to_thread.run_sync(until, self._waits_for, "what the door waits for")
        return JSONResponse({})


def test_a_caller_who_asks_again_while_the_door_is_slow_is_told_of_once(tmp_path: Path) -> None:
    def has_asked_again() -> bool:
        said = [step.words.split()[0] for step in ladder.read(tmp_path / "call-1-caller.messages", exchanges.CALLER)]
        return said.count("INVITE") == 2

    office = free_port()
    door = Door(waits_for=has_asked_again, goes=f"sip:main@{LOOPBACK}:{office}")
    with (
        served(door.app, "off") as url,
        exchanges.opened(tmp_path, f"{url}/telephony/token", "secret", office) as exchange,
    ):
        exchange.call("+79161110006", "+74951110001", BUSY)
        until(lambda: "failed" in door.heard, "the end is told")
    assert sorted(door.heard) == ["failed", "ringing", "start"]
