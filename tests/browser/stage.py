"""A customer's site and a hub that plays the page script's contract, on one loopback server in a thread."""

import html
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hub.web.words.callback import CALLBACK
from tests.serving import in_thread

SCRIPT = Path(__file__).resolve().parents[2] / "hub/web/static/dni.js"
ENQUIRIES = SCRIPT.with_name("enquiries.js")
VISIT_CODE = SCRIPT.with_name("visit_code.js")
TARGET, POOL = "+74951112233", "+74954445566"
MOBILE_TARGET, MOBILE_POOL = "+79161112233", "+79164445566"
TOKEN = "0123456789abcdef0123456789abcdef"
DOORS = ("visit", "hb", "event", "enquiry", "code", "user")
CODE = "000hhy05yp"
PATIENCE_S = 10.0  # a condition that has not come true by then never will
_keys = itertools.count(1)
ORIGINAL, SWAPPED = "+7 (495) 111-22-33", "+7 (495) 444-55-66"
_PAGE = """<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>Окна +7 (495) 111-22-33</title>{head}
<script async src="{hub}/dni/v1/1/{key}.js"></script></head><body>{body}</body></html>"""

# Init scripts: what a page does or a browser has from the first moment on.
ASK_VISIT = "window.dni = [['getVisit', (visit) => (window.visit = { is: visit })]];"
BLOCKED = """Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });
Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} });"""
PRIVACY_SIGNAL = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });"


def target(group: str = "city", number: str = TARGET, **more: Any) -> dict[str, Any]:
    """Return one target as the hub's configuration names it."""
    return {"group": group, "number": number, "selectors": [], "mask": None} | more


async def settled(page: Page) -> str | None:
    """Wait until the script knows the visit or has given up, on a page that runs ASK_VISIT; return the visit."""
    return await (await page.wait_for_function("window.visit")).evaluate("visit => visit.is")


async def turn(page: Page, hidden: bool) -> None:
    """Let a page be hidden behind another tab, or seen again."""
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }""",
        hidden,
    )


async def frames(page: Page) -> None:
    """Let everything the page has begun be drawn."""
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@dataclass(frozen=True)
class Heard:
    """One message of a page script: visit, hb, event, enquiry or code, with what it said and the cookies it carried."""

    door: str
    said: Mapping[str, Any]
    cookie: str


@dataclass
class Scene:
    """One site of one test: its pages by name, its configuration, how its hub answers, and what the hub heard."""

    port: int
    key: str = field(default_factory=lambda: f"site{next(_keys)}")
    pages: dict[str, str] = field(default_factory=dict)
    head: str = ""
    targets: list[dict[str, Any]] = field(default_factory=lambda: [target()])
    settings: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=lambda: {"city": POOL, "mobile": MOBILE_POOL})
    coded: dict[str, Any] = field(default_factory=dict)  # settings of what carries the visit's code
    code: str | None = CODE  # what the hub gives out
    hold_s: float = 600
    answer: Callable[[Mapping[str, Any]], Response] | None = None
    statuses: list[int] = field(default_factory=list)  # of the next answers to enquiries; 204 after them
    gate: threading.Event = field(default_factory=threading.Event)
    heard: list[Heard] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def hub(self) -> str:
        return f"http://hub.localhost:{self.port}"

    def url(self, page: str = "index") -> str:
        return f"http://www.okna.localhost:{self.port}/{self.key}/{page}"

    def config(self) -> dict[str, Any]:
        usual = {"mode": "load", "consent": "full", "timeout_ms": 1000, "hb": 30}
        return {"site": self.key, "base": self.hub, "targets": self.targets} | usual | self.settings

    def takes_enquiries(self, **told: str) -> None:
        """Let the pages load the second script as well, with data- attributes of its line."""
        attributes = "".join(f' data-{name}="{html.escape(text)}"' for name, text in told.items())
        self.head += f'<script async src="{self.hub}/dni/v1/1/{self.key}/enquiries.js"{attributes}></script>'

    def enquiries_config(self) -> dict[str, Any]:
        phone = {"number": TARGET, "display": "+7 495 111-22-33"}
        usual = {"forms": True, "callback": None, "phone": phone, "words": CALLBACK}
        return {"site": self.key, "base": self.hub} | usual | self.coded

    def letter(self, kind: str, **written: str) -> dict[str, Any]:
        """Return what the hub is told of an enquiry that a first visit wrote, but for its id."""
        seen = {"site": self.key, "visitor": TOKEN, "visit": "v1", "page": self.url()}
        return {**seen, "kind": kind, **dict.fromkeys(("phone", "email", "name", "text"), ""), **written}

    def usual_answer(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Answer as a hub with free numbers does; a visitor keeps his token and his visit."""
        given = {group: self.numbers[group] for group in said["groups"] if said["lease"] and group in self.numbers}
        return {
            "visitor": (said["visitor"] or TOKEN) if said["consent"] == "full" else None,
            "visit": said["visit"] or f"v{len(self.said('visit'))}",
            "numbers": {group: {"number": number, "overflow": False} for group, number in given.items()},
            "hold_s": self.hold_s,
            "hb": self.config()["hb"],
        }

    def hear(self, message: Heard) -> None:
        with self._news:
            self.heard.append(message)
            self._news.notify_all()

    def said(self, door: str, kind: str | None = None) -> list[Mapping[str, Any]]:
        """Return what came to a door so far, of one kind of event."""
        return [one.said for one in self.heard if one.door == door and kind in (None, one.said.get("kind"))]

    async def hears(self, door: str, kind: str | None = None, times: int = 1) -> list[Mapping[str, Any]]:
        """Wait until a door was told something so many times, and return it."""

        def wait() -> bool:
            with self._news:
                return self._news.wait_for(lambda: len(self.said(door, kind)) >= times, PATIENCE_S)

        if not await anyio.to_thread.run_sync(wait):
            raise AssertionError(f"heard {self.said(door, kind)} at {door}, wanted {times}; all: {self.heard}")
        return self.said(door, kind)


class Stage:
    """The server: every scene's pages and its hub's doors."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.scenes: dict[str, Scene] = {}
        doors = [Route(f"/dni/v1/{door}", self.door, methods=["POST"]) for door in DOORS]
        scripts = [
            Route("/dni/v1/{version}/{key}.js", self.script),
            Route("/dni/v1/{version}/{key}/enquiries.js", self.enquiries),
        ]
        self.app = Starlette(routes=[*doors, *scripts, Route("/{key}/{page:path}", self.page)])

    def scene(self) -> Scene:
        made = Scene(self.port)
        self.scenes[made.key] = made
        return made

    async def page(self, request: Request) -> Response:
        scene = self.scenes.get(request.path_params["key"])
        body = scene.pages.get(request.path_params["page"]) if scene else None
        if scene is None or body is None:
            return Response(status_code=404)
        return HTMLResponse(_PAGE.format(head=scene.head, hub=scene.hub, key=scene.key, body=body))

    async def script(self, request: Request) -> Response:
        scene = self.scenes[request.path_params["key"]]
        text = f"window.__dni={json.dumps(scene.config())};\n{SCRIPT.read_text(encoding='utf-8')}"
        return Response(text, media_type="text/javascript")

    async def enquiries(self, request: Request) -> Response:
        scene = self.scenes[request.path_params["key"]]
        config = json.dumps(scene.enquiries_config())
        scripts = [ENQUIRIES, VISIT_CODE] if scene.coded else [ENQUIRIES]
        texts = [f"window.__dni_enquiries??={config};", *(script.read_text(encoding="utf-8") for script in scripts)]
        return Response("\n".join(texts), media_type="text/javascript")

    async def door(self, request: Request) -> Response:
        said = json.loads(await request.body())
        scene = self.scenes[said["site"]]
        door = request.url.path.rsplit("/", 1)[1]
        scene.hear(Heard(door, said, request.headers.get("cookie", "")))
        if door == "visit":
            await anyio.to_thread.run_sync(scene.gate.wait, PATIENCE_S)
            response = scene.answer(said) if scene.answer else JSONResponse(scene.usual_answer(said))
        elif door == "code":
            response = JSONResponse({"code": scene.code})
        else:
            refusing = door == "enquiry" and scene.statuses
            response = Response(status_code=scene.statuses.pop(0) if refusing else 204)
        response.headers["access-control-allow-origin"] = request.headers.get("origin", "*")
        response.headers["access-control-allow-credentials"] = "true"
        return response


@contextmanager
def opened() -> Iterator[Stage]:
    """Serve a stage on a free port of loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    stage = Stage(listening.getsockname()[1])
    with in_thread(stage.app, listening):
        try:
            yield stage
        finally:
            for scene in stage.scenes.values():
                scene.gate.set()
