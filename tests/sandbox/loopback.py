"""Servers on real loopback HTTP in a thread of the test's process, for clients that bring their own transport."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.amocrm.app import Sandbox
from sandbox.ledger import LedgerRow
from sandbox.serve import DroppableProtocol, listen
from tests.serving import in_thread

PATIENCE_S = 5


@contextmanager
def served(app: ASGIApp, lifespan: Literal["on", "off"] = "on") -> Iterator[str]:
    """Serves `app` on a free port as `python -m sandbox` does; gives its base URL."""
    listener = listen("127.0.0.1", 0)
    as_it_does: dict[str, Any] = {"http": DroppableProtocol, "proxy_headers": False, "date_header": False}
    with in_thread(app, listener, **as_it_does, lifespan=lifespan, timeout_graceful_shutdown=1):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class Turntable:
    """One server for many sandboxes, one after another: starting and stopping a server costs more than a test."""

    def __init__(self) -> None:
        self.base_url = ""
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Live:
    """A sandbox that listens on loopback, with the keys of its one integration."""

    sandbox: Sandbox
    base_url: str
    keys: dict[str, str]

    @property
    def api(self) -> str:
        return f"{self.base_url}/api/v4"

    def asked(self, method: str = "", path: str = "") -> list[LedgerRow]:
        """What reached the sandbox, narrowed to a method and to an end of the path."""
        rows = self.sandbox.ledger.rows
        return [row for row in rows if method in ("", row.method) and row.path.endswith(path)]


@dataclass(frozen=True)
class Hooked:
    """A receiver of webhooks on loopback; `url` is its address."""

    url: str
    bodies: Queue[bytes]

    def next(self) -> bytes:
        """The next body that arrives; raises queue.Empty when none does."""
        return self.bodies.get(timeout=PATIENCE_S)


def receiver(bodies: Queue[bytes]) -> Starlette:
    """An application that answers every POST to /hook with 200 and keeps its body."""

    async def take(request: Request) -> Response:
        bodies.put(await request.body())
        return Response()

    return Starlette(routes=[Route("/hook", take, methods=["POST"])])
