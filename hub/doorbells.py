"""Doorbells: each connected account is asked once, and looked after every day, to tell us of its changes by itself.

A doorbell only makes read-back run sooner. Whether it rings or not, changes are asked for; so a vendor that does not
offer it, or switches it off, costs nothing but time.
"""

import asyncio
from datetime import timedelta

import structlog

from connectors.protocol import Can, CrmSession
from connectors.telling import Ringing
from hub.clock import rest
from hub.delivery import errands
from hub.delivery.worker import Worker
from hub.loops import for_ever
from hub.store import crm, doorbells
from hub.store.crm import Installed

log = structlog.get_logger()

_DAY = timedelta(days=1)
_LEASE = timedelta(minutes=5)  # longer than a look takes
_AGAIN = timedelta(seconds=10)  # after a look for which the account had no time
_GLANCE_S = 5.0
_PATIENCE = timedelta(seconds=5)  # with a lane that is served, before a disconnection goes on without it


class Doorbells:
    """Looks after the doorbells of every account, until it is stopped."""

    def __init__(self, worker: Worker, public_url: str) -> None:
        self._worker, self._public = worker, public_url.rstrip("/")
        self._db, self._clock = worker.db, worker.clock
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Look after them until cancelled."""
        await for_ever("doorbells", self._turn, self._clock)

    async def _turn(self) -> None:
        self.wake.clear()
        while await self.look_next():
            pass
        await rest(self._clock, self.wake, await self._db.read(doorbells.next_due), _GLANCE_S)

    async def look_next(self) -> bool:
        """Look at one doorbell whose turn it is; False when there is none."""
        due = await self._db.write(doorbells.take, self._able(), self._clock.now(), _LEASE)
        if due is None:
            return False
        of = await self._db.read(crm.installation, due.tenant_id, due.installation_id)
        found = await self._look(of)
        now = self._clock.now()
        if found is None:
            await self._db.write(doorbells.again, due, now + _AGAIN)
        else:
            await self._db.write(doorbells.keep, due, found, now, now + _DAY)
            log.info("doorbells.looked", installation=of.id, rings=found.rings, was_off=found.was_off)
        return True

    def _able(self) -> tuple[str, ...]:
        known = self._worker.connectors.items()
        return tuple(name for name, one in known if Can.DOORBELL in one.manifest.can and name in self._worker.apps)

    async def _look(self, of: Installed) -> Ringing | None:
        """Return how a doorbell is; None when the account could not be asked now."""

        async def ask(session: CrmSession) -> Ringing:
            return await session.listen(self.address(of), self.page(of))

        try:
            return await errands.ask(self._worker, of, ask)
        except (errands.Held, errands.Busy):
            return None

    def address(self, of: Installed) -> str:
        """Return where an account is to ring: the path is its secret."""
        return f"{self._public}/hooks/{of.connector}/{of.hook_token}"

    def page(self, of: Installed) -> str:
        """Return where our page in an account is; empty where the connector has none."""
        connector = self._worker.connectors[of.connector]
        return f"{self._public}/frame/{of.connector}" if connector.frames else ""

    async def leave(self, of: Installed) -> bool:
        """Take the doorbell away from an account that is being disconnected; False when it could not be asked."""

        async def ask(session: CrmSession) -> None:
            await session.leave(self.address(of))

        try:
            await errands.ask(self._worker, of, ask, _PATIENCE)
        except (errands.Held, errands.Busy):
            return False
        return True
