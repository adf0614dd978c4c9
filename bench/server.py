"""The measured process: a hub with a site of 2,000 numbers, and beside it an empty Starlette endpoint to compare with.

``python -m bench.server DATABASE_URL DATA_DIR`` prints one JSON line with its port and the site's key.
"""

import asyncio
import gc
import json
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.app import build, web_app
from hub.settings import Settings
from hub.store.tables import Pool, Site, Tenant, TrackingNumber, table_of
from hub.store.tx import Tx

NUMBERS = 2_000
HOLD_S = 2  # short, so that new visitors really take numbers from others instead of overflowing
KEY = "bench"


async def _empty(_request: Request) -> JSONResponse:
    return JSONResponse({"ok": True})


def _beside(hub_app: ASGIApp) -> ASGIApp:
    bare = Starlette(routes=[Route("/empty", _empty, methods=["GET"])])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (bare if scope.get("path") == "/empty" else hub_app)(scope, receive, send)

    return app


def _fill(tx: Tx) -> None:
    now = datetime.now(UTC)
    tx.execute(insert(table_of(Tenant)).values(id=1, name="bench", created_at=now))
    site = {"id": 1, "tenant_id": 1, "key": KEY, "name": "bench", "hosts": ["site.example"], "hold_s": HOLD_S}
    tx.execute(insert(table_of(Site)).values(**site, zone="UTC", currency="RUB", overflow_number="+74950000000"))
    tx.execute(insert(table_of(Pool)).values(id=1, tenant_id=1, site_id=1, name="bench"))
    numbers = [
        {"tenant_id": 1, "e164": f"+7495{n:07}", "site_id": 1, "pool_id": 1, "free_at": 0} for n in range(NUMBERS)
    ]
    tx.execute(insert(table_of(TrackingNumber)), numbers)


def main(database_url: str, data_dir: str) -> None:
    """Serve until killed."""
    settings = Settings(
        database_url=database_url, data_dir=Path(data_dir), visits_per_minute=10**9, log_level="warning"
    )
    hub = build(settings)
    hub.db.write_now(_fill)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(_beside(web_app(hub, works=False)), log_level="warning", access_log=False, lifespan="off")
    listener.listen(512)
    gc.freeze()  # as cthub up does
    print(json.dumps({"port": listener.getsockname()[1], "site": KEY}), flush=True)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main(*sys.argv[1:])
