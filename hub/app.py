"""The composition root: settings -> database, keys, connectors, loops and the web application, put together by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette

from connectors.protocol import App
from connectors.registry import CONNECTORS
from hub import logs
from hub.clock import FileClock, SystemClock
from hub.delivery import lanes
from hub.errors import HubError
from hub.hub import Hub
from hub.places import Places, numbering_plan
from hub.settings import Settings
from hub.store import grants, migrate
from hub.store.db import Db
from hub.store.vault import Vault, read_ring, ring_in
from hub.web import console
from hub.web.routes import middleware, routes


def build(settings: Settings, *, writes: bool = True) -> Hub:
    """Open the database (made and migrated first when this process ``writes``) and return the hub.

    Raises ``HubError`` with one sentence when the database, its lock or the keys cannot be had.
    """
    logs.configure(settings.log_level)
    vault = _vault(settings)
    clock = FileClock(settings.clock_file) if settings.clock_file else SystemClock()
    places, numbering = Places(settings.geo_database), numbering_plan(settings.numbering_plan)
    db = Db(settings.database_url)
    db.check()
    if writes:
        db.lock()
        migrate.upgrade(db.engine)
    elif not migrate.is_made(db.engine):
        raise HubError("This hub is not set up yet: run 'cthub apply FILE' first.")
    db.start()
    return Hub(settings, db, clock, vault, CONNECTORS, _apps(settings), places, numbering)


def _vault(settings: Settings) -> Vault:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        given = settings.keys.get_secret_value()
        return read_ring(given) if given else ring_in(settings.data_dir)
    except OSError as error:
        raise HubError(f"The folder {settings.data_dir} (HUB_DATA_DIR) cannot be used: {error.strerror}.") from error


def _apps(settings: Settings) -> dict[str, App]:
    public = settings.public_url.rstrip("/")
    return {
        name: App(
            client_id=app.client_id,
            client_secret=app.client_secret.get_secret_value(),
            redirect_uri=f"{public}/oauth/{name}/callback",
            base_url=app.base_url,
            hosts=app.hosts,
        )
        for name, app in settings.apps.items()
    }


def web_app(hub: Hub, *, works: bool) -> Starlette:
    """Return the web application; with ``works`` it also serves the inbox and the lanes in this process."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with running(hub) if works else _until_done(hub.round_trips.run):
            yield

    app = Starlette(
        routes=routes(hub),
        middleware=middleware(hub),
        lifespan=lifespan,
        exception_handlers=console.exception_handlers,
    )
    app.state.hub = hub
    return app


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[None]:
    """Run the inbox, the lanes, the sealing of ledgers and what comes by night for as long as the block lasts."""
    await take_over(hub)
    loops = (
        hub.inbox.run,
        hub.worker.run,
        hub.habits.run,
        hub.sealer.run,
        hub.nights.run,
        hub.arrivals.run,
        hub.leaving.run,
        hub.doorbells.run,
        hub.popups.run,
        hub.round_trips.run,
    )
    async with _until_done(*loops):
        yield


@asynccontextmanager
async def _until_done(*loops: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run loops beside the block until it is done."""
    tasks = [asyncio.ensure_future(loop()) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def take_over(hub: Hub) -> None:
    """Free what a process that ended held, where the lock of a SQLite file says that nobody else can hold it."""
    if hub.db.is_sqlite:
        await hub.db.write(lanes.take_over, hub.clock.now())
        await hub.db.write(grants.abandon, hub.clock.now())


async def work_until(hub: Hub, stop: asyncio.Event) -> None:
    """Serve the inbox and the lanes until ``stop`` is set: what ``cthub worker`` does."""
    async with running(hub):
        await stop.wait()
