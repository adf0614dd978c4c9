"""The log of requests to accounts: heard as they are over, written in batches beside everything else.

Nothing waits for it. What was heard stands in memory for a second, and is lost if the process dies then; a database
that is away is tried again, until too much has come meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import structlog

from connectors.http import Listener
from connectors.round_trips import RoundTrip
from hub.clock import Clock, rest
from hub.errors import DatabaseAway
from hub.loops import for_ever
from hub.store import round_trips
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.round_trips import Account, Heard, Place
from hub.store.vault import Vault

log = structlog.get_logger()

_MOST_WAITING = 2_000  # in memory, the latest
_BATCH = 100  # of one transaction: others wait for the database, too
_GATHER = timedelta(seconds=1)  # from the first that waits; more of them cost little more
_SWEEP = timedelta(hours=1)
_AHEAD = timedelta(days=1)  # of our clock may another process's be
_GLANCE_S = 600.0
_LAST_S = 2.0  # for what waits when the process is asked to stop


@dataclass(slots=True)
class Notes:
    """What an account was asked and answered before it is known whose it is."""

    clock: Clock
    heard: list[tuple[datetime, RoundTrip]] = field(default_factory=list)

    def hear(self, trip: RoundTrip) -> None:
        """Take one down."""
        self.heard.append((self.clock.now(), trip))


class RoundTrips:
    """Keeps what accounts were asked and answered, until it is stopped."""

    def __init__(self, db: Db, clock: Clock, vault: Vault, kept: timedelta) -> None:
        self._db, self._clock, self._vault, self._kept = db, clock, vault, kept
        self._waiting: deque[Heard] = deque(maxlen=_MOST_WAITING)
        self._sweep_at: datetime | None = None
        self._wake = asyncio.Event()

    def listener(self, of: Installed) -> Listener:
        """Return who listens to the requests to an account."""

        def hear(trip: RoundTrip) -> None:
            self._hear([Heard((of.tenant_id, of.id), self._clock.now(), trip)])

        return hear

    def keep(self, connector: str, account: str, notes: Notes) -> None:
        """Keep what was noted of an account, now that it says who it is; of one that is nobody's nothing is kept."""
        self._hear(Heard(Account(connector, account), at, trip) for at, trip in notes.heard)
        notes.heard.clear()

    def _hear(self, heard: Iterable[Heard]) -> None:
        self._waiting.extend(heard)
        self._wake.set()

    async def forget(self, tenant_id: int, installation_id: int) -> int:
        """Delete the log of an account, what waits to be written too; return how many rows that were."""
        place = (tenant_id, installation_id)
        left = [one for one in self._waiting if one.whose != place]
        self._waiting.clear()
        self._waiting.extend(left)
        return await self._delete(place, self._clock.now() + _AHEAD, most=0)

    async def run(self) -> None:
        """Write and sweep until cancelled; what waits then is written, if that is quick."""
        try:
            await for_ever("round_trips", self._turn, self._clock)
        finally:
            with suppress(Exception):
                async with asyncio.timeout(_LAST_S):
                    await self.write_waiting()

    async def _turn(self) -> None:
        now = self._clock.now()
        if self._sweep_at is None or now >= self._sweep_at:
            await self.sweep()
            self._sweep_at = now + _SWEEP
        if not self._waiting:
            self._wake.clear()
            await rest(self._clock, self._wake, self._sweep_at, _GLANCE_S)
        if self._waiting:
            await self._clock.wait_until(self._clock.now() + _GATHER, _GATHER.total_seconds())
            await self.write_waiting()

    async def write_waiting(self) -> None:
        """Write what was heard; what a database that is away cannot take waits on, what none takes is dropped."""
        while self._waiting:
            some = list(islice(self._waiting, _BATCH))
            try:
                await self._write(some)
            except DatabaseAway:
                raise
            except Exception as error:
                log.exception("round_trips.not_written", rows=len(some), error=type(error).__name__)
            written = {id(one) for one in some}  # meanwhile others came, or some were forgotten
            while self._waiting and id(self._waiting[0]) in written:
                self._waiting.popleft()

    async def _write(self, some: Sequence[Heard]) -> None:
        strangers = {one.whose for one in some if isinstance(one.whose, Account)}
        owners = await self._db.read(round_trips.owners, strangers) if strangers else {}
        # In a thread of its own: no writer waits for the sealing.
        rows = await asyncio.to_thread(round_trips.rows_of, some, owners, self._vault)
        await self._db.write(round_trips.save, rows)

    async def sweep(self) -> None:
        """Delete what is old, or too much, account by account."""
        since = self._clock.now() - self._kept
        for place in await self._db.read(round_trips.accounts):
            gone = await self._delete(place, since)
            if gone:
                log.info("round_trips.swept", installation=place[1], rows=gone)

    async def _delete(self, place: Place, since: datetime, most: int = round_trips.MOST) -> int:
        last, gone, some = await self._db.read(round_trips.too_old, *place, since, most), 0, 1
        while last is not None and some:
            some = await self._db.write(round_trips.delete_some, *place, last)
            gone += some
        return gone
