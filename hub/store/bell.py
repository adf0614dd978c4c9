"""What one process tells all others at once, by PostgreSQL's LISTEN and NOTIFY: the times of a lane have changed.

SQLite needs no bell: the process that holds its file is the only one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
import structlog
from sqlalchemy import text

from hub.store.db import NOTICES, Db
from hub.store.tx import Prepared, Tx

log = structlog.get_logger()

_CHANNEL = "hub_lane"
_AGAIN_S = 1.0  # between two tries to listen

_RING = Prepared(text(f"SELECT pg_notify('{_CHANNEL}', '')"))


def ring(tx: Tx) -> None:
    """Tell every process, once this transaction is committed, that a lane's times have changed."""
    if not tx.is_sqlite:
        tx.run(_RING, {})


class Bell:
    """Hears the bell for one process, on a connection of its own that is opened anew when it breaks."""

    def __init__(self, db: Db, heard: Callable[[], None]) -> None:
        self._db, self._heard = db, heard
        self.is_heard = False  # believed once a ring of our own has come back: some poolers take LISTEN and never tell

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Bell"]:
        """Listen for as long as the block lasts."""
        task = asyncio.create_task(self._listen())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while not self._db.is_sqlite:
            try:
                await self._hear()
            except psycopg.Error as error:
                log.warning("bell.lost", error=str(error).strip().partition("\n")[0])
            finally:
                self.is_heard = False
            self._heard()  # what was said while nobody listened was not heard
            await asyncio.sleep(_AGAIN_S)

    async def _hear(self) -> None:
        address = self._db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        opened = await psycopg.AsyncConnection.connect(address, autocommit=True, **NOTICES)
        async with opened as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            await connection.execute(f"NOTIFY {_CHANNEL}")
            async for _ in connection.notifies():
                self.is_heard = True
                self._heard()
