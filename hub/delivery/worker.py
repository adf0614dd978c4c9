"""Serves lanes: claims one, sends what is due through its connector, settles, reads back, gives it back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from connectors.errors import ConnectorError, installation_error
from connectors.http import Listener
from connectors.protocol import (
    App,
    Connector,
    GrantRevoked,
    InstallationError,
    Why,
)
from connectors.telling import Said
from hub import failpoints
from hub.clock import Clock, rest
from hub.delivery import answers, lanes
from hub.delivery.answers import Hung
from hub.delivery.lanes import Claim, FenceLost
from hub.delivery.serving import Ask, Serving, lease_of
from hub.errors import DatabaseAway
from hub.loops import for_ever
from hub.store import crm
from hub.store.bell import Bell
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

Turn = Callable[[Serving], Awaitable[None]]

_GLANCE_S = 0.15  # how long what another process wrote may stay unseen while its bell is not heard
_UNBELIEVING_S = 5.0  # between two looks all the same while it is
_LANES = 32  # served side by side by one process
_AWAY_S = 1.0  # between two tries to give a lane back to a database that is away


@dataclass(slots=True)
class Worker:
    """One process's worker; any number of them share a PostgreSQL."""

    db: Db
    clock: Clock
    vault: Vault
    connectors: Mapping[str, Connector]
    apps: Mapping[str, App]
    readback_every: timedelta
    heard: Callable[[Installed], Listener] | None = None  # who listens to the requests to an account
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Serve lanes until cancelled; what is being served is finished or given up by then."""
        try:
            async with Bell(self.db, self.wake.set).listening() as bell:
                await for_ever("worker", partial(self._turn, bell), self.clock)
        finally:
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _turn(self, bell: Bell) -> None:
        self.wake.clear()
        while len(self._serving) < _LANES and await self._serve_next():
            pass
        due = await self.db.read(lanes.next_wake) if len(self._serving) < _LANES else None
        await rest(self.clock, self.wake, due, _UNBELIEVING_S if bell.is_heard else _GLANCE_S)

    async def _serve_next(self) -> bool:
        claim = await self.db.write(lanes.claim, self.clock.now(), lease_of(None))
        if claim is None:
            return False
        failpoints.reach("lane.claimed")
        task = asyncio.create_task(self._serve(claim))
        self._serving.add(task)
        task.add_done_callback(self._served)
        return True

    def _served(self, task: "asyncio.Task[None]") -> None:
        self._serving.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("worker.lane_failed", error=repr(error))

    async def errand(self, of: Installed, ask: Ask) -> None:
        """Let ``ask`` ask an account by its lane, which trouble holds as ever, if the lane is free."""
        now = self.clock.now()
        claim = await self.db.write(lanes.claim_of, of.tenant_id, of.id, now, lease_of(None))
        if claim is not None:
            await self._serve(claim, lambda lane: lane.run(ask))

    async def _serve(self, claim: Claim, turn: Turn = lambda lane: lane.serve()) -> None:
        """Serve one lane; when the database goes away meanwhile, give it back once there is one again."""
        try:
            await self._serve_lane(claim, turn)
        except DatabaseAway as error:
            log.error("worker.database_away", installation=claim.installation_id, error=str(error))
            await self._give_back(claim)

    async def _give_back(self, claim: Claim) -> None:
        until = self.clock.now() + lease_of(None)
        while self.clock.now() < until:  # then the lane is anybody's
            try:
                await self.db.write(lanes.give_up, claim, self.clock.now())
                log.info("worker.database_back", installation=claim.installation_id)
                return
            except DatabaseAway:
                await self.clock.wait_until(self.clock.now() + timedelta(seconds=_AWAY_S), _AWAY_S)

    async def _serve_lane(self, claim: Claim, turn: Turn) -> None:
        """Serve one lane until nothing is due; an installation's trouble holds it, a lost fence leaves it alone."""
        of = await self.db.read(crm.installation, claim.tenant_id, claim.installation_id)
        connector, app = self.connectors[of.connector], self.apps.get(of.connector)
        if app is None:
            said = Said("hub.no_app", {"connector": of.connector})
            await self.db.write(lanes.hold, claim, self.clock.now(), Why.FORBIDDEN, said, None)
            return
        lane = Serving(self, claim, of, connector, app)
        try:
            await turn(lane)
        except FenceLost:
            log.warning("worker.fence_lost", installation=of.id)
        except GrantRevoked as error:
            with suppress(FenceLost):  # then another holder knows better by now
                await self.db.write(_wait_for_access, claim, self.clock.now(), answers.first(error.said))
        except InstallationError as error:
            await lane.hold(error)
        except ConnectorError as error:
            await lane.hold(installation_error(error))
        except Hung as error:
            log.error("worker.hung", installation=of.id, error=str(error))
            await lane.hold(InstallationError(Why.UNREADABLE, Said("hub.hung")))
        except DatabaseAway:
            raise
        except Exception as error:  # ours: say so on the connections page instead of coming back in silence for ever
            log.exception("worker.lane_failed", installation=of.id, error=type(error).__name__)
            await lane.hold(InstallationError(Why.UNREADABLE, Said("hub.failed", {"error": type(error).__name__})))
        finally:
            await lane.http.aclose()


def _wait_for_access(tx: Tx, claim: Claim, now: datetime, said: Said) -> None:
    """Hold the lane until a person gives access again, unless there is access again by now."""
    lanes.kept(tx, claim)
    refused = crm.installation(tx, claim.tenant_id, claim.installation_id).status != crm.ACTIVE
    lanes.hold(tx, claim, now, Why.UNAUTHORIZED, said, timedelta(days=365) if refused else None)
