"""A customer's site and the hub itself on two loopback servers: what the page script does to the store."""

import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.inbox import look
from hub.store.tables import TrackingNumber, table_of
from hub.web.page_script import snippet
from tests.browser.stage import PATIENCE_S
from tests.hub import world as worlds
from tests.sandbox.loopback import Turntable, served

CITY, FREE = "+7 (495) 111-22-33", "8 (800) 111-22-33"
OVERFLOW = "+7 (495) 100-00-00"
SITE = {
    "name": "okna",
    "hosts": ["okna.localhost"],
    "overflow_number": OVERFLOW,
    "targets": [{"number": CITY, "group": "city"}, {"number": FREE, "group": "free"}],
    "pools": [
        {"name": "everybody", "group": "city", "numbers": ["+7 495 444-00-01", "+7 495 444-00-02"]},
        {"name": "brand", "group": "city", "numbers": ["+7 495 444-00-03"]},
        {"name": "toll-free", "group": "free", "numbers": ["+7 800 444-00-04", "+7 800 444-00-05"]},
    ],
    "placements": [{"name": "map card", "source": "maps", "number": "+7 495 222-00-01"}],
    "rules": [
        {"name": "maps", "when": {"source": ["maps"]}, "show": {"city": {"placement": "map card"}}},
        {"name": "brand", "when": {"campaign": ["brand_*"]}, "show": {"city": {"pool": "brand"}}},
    ],
}
_PAGE = f"""<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>Окна</title>%s</head>
<body><p id="city">{CITY}</p><p><a id="free" href="tel:+78001112233">{FREE}</a></p></body></html>"""


@dataclass(frozen=True)
class Answered:
    """One message of the page script, as the hub answered it: visit, hb or event, what it said, and the status."""

    door: str
    said: Mapping[str, Any]
    status: int


@dataclass
class Ear:
    """Stands before the hub and remembers what the page script asked, once it is answered and so committed."""

    hub: ASGIApp
    answered: list[Answered] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said, status = b"", 0

        async def hear() -> Message:
            nonlocal said
            message = await receive()
            said += message.get("body", b"")
            return message

        async def answer(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self.hub(scope, hear, answer)
        if scope["method"] == "POST" and scope["path"].startswith("/dni/"):
            with self._news:
                self.answered.append(Answered(scope["path"].rpartition("/")[2], json.loads(said), status))
                self._news.notify_all()

    def told(self, door: str, kind: str | None = None) -> list[Answered]:
        """Return what a door has answered so far, of one kind of event."""
        return [one for one in self.answered if one.door == door and kind in (None, one.said.get("kind"))]

    def wait(self, door: str, kind: str | None, times: int) -> bool:
        """Wait until a door has answered so many times; False when it never did."""
        with self._news:
            return self._news.wait_for(lambda: len(self.told(door, kind)) >= times, PATIENCE_S)


@dataclass
class Servers:
    """Two servers, for one hub and site after another; ``stop_hub`` stops the hub's for good."""

    hub: Turntable
    hub_at: str
    pages: Turntable
    pages_at: str
    _running: ExitStack

    def stop_hub(self) -> None:
        self._running.close()


@contextmanager
def servers() -> Iterator[Servers]:
    """Serve whatever is put on two turntables."""
    hub, pages = Turntable(), Turntable()
    with ExitStack() as running, served(pages, lifespan="off") as pages_at:
        yield Servers(hub, running.enter_context(served(hub, lifespan="off")), pages, pages_at, running)


@dataclass
class RealHub:
    """One hub with one site, and the site's pages."""

    world: worlds.World
    ear: Ear
    servers: Servers

    def url(self, page: str = "", host: str = "www.okna.localhost") -> str:
        return f"{self.servers.pages_at.replace('127.0.0.1', host)}/{page}"

    async def answers(self, door: str, kind: str | None = None, times: int = 1) -> list[Answered]:
        """Wait until a door has answered so many times, and return its answers."""
        if not await anyio.to_thread.run_sync(self.ear.wait, door, kind, times):
            raise AssertionError(
                f"{door} answered {self.ear.told(door, kind)}, wanted {times}; all: {self.ear.answered}"
            )
        return self.ear.told(door, kind)

    async def rows(self, model: type[Any]) -> list[Any]:
        """Return all rows of a table, the oldest first."""
        table = table_of(model)
        return await self.world.hub.db.read(lambda tx: list(tx.execute(select(table).order_by(table.c.id))))

    async def held(self) -> set[str]:
        """Return the numbers somebody holds."""
        return {row.e164 for row in await self.rows(TrackingNumber) if row.visitor_id is not None}

    async def call(self, dialled: str, call_id: str = "c1") -> dict[str, Any]:
        """Let somebody dial a number, talk and hang up; return the call as the programming interface tells it."""
        clock, path = self.world.clock, self.world.applied.telephony[0]["path"]
        told = {"call_id": call_id, "dialled": dialled, "caller": "+7 916 123-45-67", "direction": "inbound"}
        end = {"status": "answered", "talk_s": 60, "wait_s": 5}
        for event, seconds, more in (("ringing", 3, {}), ("ended", 65, end)):
            at = clock.forward(seconds)
            headers, body = worlds.signed(
                told | more | {"event": event, "at": at.isoformat()}, f"{call_id}-{event}", at
            )
            answer = await self.world.web.post(path, content=body, headers=headers)
            assert answer.status_code == 200, answer.text
        while await self.world.hub.db.write(look, clock.now(), self.world.hub.vault):
            pass
        calls = (await self.world.api("calls"))["calls"]
        return next(call for call in calls if call["provider_call_id"] == call_id)


def _setup(site: Mapping[str, Any]) -> str:
    account = {"name": "exchange", "adapter": "generic", "secrets": {"secret": worlds.SIGNING}}
    owner = {"email": "owner@okna.example", "password": "correct-horse-battery"}
    whole = {"tenant": "Окна", "owner": owner, "sites": [{**SITE, **site}], "telephony": [account]}
    return json.dumps(whole, ensure_ascii=False)  # which is YAML, too


def _site_of(line: str) -> Starlette:
    """Return a customer's site: every page shows both numbers and carries the line the console gives."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE % line)

    return Starlette(routes=[Route("/{page:path}", page)])


@asynccontextmanager
async def opened(on: Servers, database: Path, **site: Any) -> AsyncIterator[RealHub]:
    """Serve a hub on a migrated SQLite file, and the pages of its site, which may differ from the usual one."""
    public = on.hub_at.replace("127.0.0.1", "hub.localhost")
    with worlds.still(f"sqlite:///{database}", database.parent, _setup(site), public_url=public) as world:
        on.hub.app = ear = Ear(world.app)
        on.pages.app = _site_of(snippet(public, world.applied.sites[0]["key"]))
        await world.web.aclose()
        world.web = httpx.AsyncClient(base_url=on.hub_at, headers={"user-agent": worlds.BROWSER}, verify=False)
        yield RealHub(world, ear, on)
        await world.close()
