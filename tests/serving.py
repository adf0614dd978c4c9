"""Applications on real HTTP of loopback: in a thread of the test's process, or in the test's own loop."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp


def _server(app: ASGIApp, options: dict[str, Any]) -> uvicorn.Server:
    usual: dict[str, Any] = {"log_level": "warning", "access_log": False, "ws": "none", "lifespan": "off"}
    return uvicorn.Server(uvicorn.Config(app, **usual | options))


@contextmanager
def in_thread(app: ASGIApp, listener: socket.socket, **options: Any) -> Iterator[None]:
    """Serve an application on a socket that listens already, so that a client may connect at once; close it after."""
    server = _server(app, options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@asynccontextmanager
async def in_loop(app: ASGIApp, listener: socket.socket, **options: Any) -> AsyncIterator[None]:
    """Serve an application that belongs to the test's own loop on a socket that listens already."""
    server = _server(app, options)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
