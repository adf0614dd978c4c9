"""Serves one simulator over loopback and prints one JSON line once it really listens."""

import contextlib
import json
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.gate import TRANSPORT

Greeting = Callable[[str], Mapping[str, object]]


class DroppableProtocol(HttpToolsProtocol):
    """Lets the application close its own connection without an answer."""

    def on_message_begin(self) -> None:
        """Adds the transport to the request's scope."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[TRANSPORT] = self.transport


class _AnnouncingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._announce()


def listen(host: str, port: int) -> socket.socket:
    """Returns a bound socket (port 0 takes a free one); raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it each answer may wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def serve(app: ASGIApp, host: str, port: int, greeting: Greeting) -> int:
    """Runs `app` until it is told to stop; returns the exit code. `greeting` gets the base URL."""
    try:
        listener = listen(host, port)
    except OSError as error:
        print(f"Cannot listen on {host}:{port}: {error.strerror or error}.", file=sys.stderr)
        return 1
    taken = listener.getsockname()[1]
    base_url = f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}"

    def announce() -> None:
        print(json.dumps(greeting(base_url), ensure_ascii=False), flush=True)

    config = uvicorn.Config(
        app,
        http=DroppableProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        date_header=False,  # the vendor tells its own time
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    server = _AnnouncingServer(config, announce)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0
