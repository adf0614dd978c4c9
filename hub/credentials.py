"""Tokens: exchange a code, refresh once for everybody.

``live_grant`` is the only door to a token. Whoever finds it about to end takes the grant's turn (hub/store/grants.py),
asks the vendor, and saves the new pair before anybody uses it; everybody else waits for that, or uses what is still
good. No transaction is open while the vendor answers.

One window cannot be closed from our side: when the process ends between the vendor's answer and our commit, or the
answer is lost on its way, the vendor has rotated a token that we do not have. The next turn knows it is in doubt. It
asks with the old token: a vendor with a grace gives a new pair; one without refuses, and a person reads why.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from connectors.http import Http
from connectors.protocol import AnswerLost, App, Connector, Grant, GrantRevoked, InstallationError, Why
from connectors.telling import Said
from hub import failpoints
from hub.clock import Clock
from hub.delivery import answers, lanes
from hub.store import crm, grants
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.grants import Kept, Turn
from hub.store.said import pack, unpack
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

_EARLY = timedelta(minutes=10)
_STILL_GOOD = timedelta(minutes=1)  # a token that lives longer is used while it cannot be renewed
_LEASE = timedelta(seconds=90)  # of one turn; longer than the longest refresh, so that two never ask at once
_LONGEST_S = 75.0
_REST = timedelta(seconds=10)  # after a refresh that brought nothing, whoever asks
_SAVING_PAUSES_S = (1, 5, 15, 30)  # a database that cannot take the pair gives nobody else a turn either
_GLANCE_S = 0.1  # how often who waits looks whether another process has the new pair

_LOST = Said("hub.renewal_lost")
_ENDED = Said("hub.access_ended")
_RESTING = Said("hub.renewal_rests")
_TOO_LONG = Said("hub.renewal_slow")


async def live_grant(
    db: Db, clock: Clock, vault: Vault, connector: Connector, app: App, of: Installed, http: Http
) -> Grant:
    """Return a grant whose access token is good for a while; refresh and save it first when it is not.

    Raises ``GrantRevoked`` when a person must connect the account again, ``InstallationError`` when the vendor cannot
    renew the access now.
    """
    while True:
        kept = await db.read(grants.load, of, vault)
        if kept.refused:
            raise GrantRevoked(unpack(kept.refused)[0])
        now, grant = clock.now(), kept.grant
        if grant.expires_at - now > _EARLY:
            return grant
        if grant.refresh_token is None:
            if grant.expires_at > now:
                return grant
            await db.write(grants.refused, of, kept.version, pack(_ENDED), now)
            continue
        good = grant.expires_at - now > _STILL_GOOD
        if kept.rests_until and kept.rests_until > now:
            if good:
                return grant
            raise InstallationError(Why.UNAVAILABLE, _RESTING, hold=kept.rests_until - now)
        free_at = kept.refreshing_until or now
        turn = await db.write(grants.begin, of, kept.version, now, now + _LEASE) if free_at <= now else None
        if turn is not None:
            return await _Refresh(db, clock, vault, connector, app, of, http, kept, turn).result(good=good)
        if good:
            return grant
        await clock.wait_until(free_at, at_most_s=_GLANCE_S)


@dataclass(frozen=True, slots=True)
class _Refresh:
    """One turn at the vendor's token endpoint."""

    db: Db
    clock: Clock
    vault: Vault
    connector: Connector
    app: App
    of: Installed
    http: Http
    kept: Kept
    turn: Turn

    async def result(self, *, good: bool) -> Grant:
        """Return the new grant; the old one while it is still ``good`` and the vendor cannot answer."""
        asking = asyncio.ensure_future(self._ask())
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:  # we are asked to stop: what the vendor gives all the same must be saved first
            await asyncio.wait([asking])
            asking.cancelled() or asking.exception()  # nobody is left to be told
            raise
        except InstallationError as error:
            log.warning("credentials.not_renewed", installation=self.of.id, why=error.why, said=str(error.said))
            if not good:
                raise
            return self.kept.grant

    async def _ask(self) -> Grant:
        try:
            async with asyncio.timeout(_LONGEST_S):
                fresh = await self.connector.refresh(self.http, self.app, self.kept.grant, self.clock.now())
        except GrantRevoked as error:
            return await self._refused(_LOST if self.turn.in_doubt else answers.first(error.said))
        except InstallationError as error:
            await self._failed(error.hold, perhaps=isinstance(error, AnswerLost))
            raise
        except TimeoutError:
            await self._failed(None, perhaps=True)
            raise AnswerLost(Why.UNAVAILABLE, _TOO_LONG) from None
        except BaseException:
            await self._failed(None, perhaps=True)
            raise
        failpoints.reach("grant.refreshed")
        kept = await self._kept(fresh)
        failpoints.reach("grant.saved")
        return replace(fresh, account=self.of.account) if kept else await self._newer()

    async def _kept(self, fresh: Grant) -> bool:
        """Save the new pair; a database that is away for a moment must not cost the only copy there is."""
        for pause_s in _SAVING_PAUSES_S:
            try:
                return await self._keep(fresh)
            except Exception as error:
                log.warning("credentials.not_saved", installation=self.of.id, error=type(error).__name__)
                await self.clock.wait_until(self.clock.now() + timedelta(seconds=pause_s), at_most_s=pause_s)
        return await self._keep(fresh)

    async def _keep(self, fresh: Grant) -> bool:
        return await self.db.write(_keep, self.of, self.turn, fresh, self.vault, self.clock.now())

    async def _refused(self, reason: Said) -> Grant:
        """Judge a refusal only after a look whether the token was spent by somebody who renewed it meanwhile."""
        if await self.db.write(grants.refused, self.of, self.turn.version, pack(reason), self.clock.now()):
            log.error("credentials.refused", installation=self.of.id, answer_lost=self.turn.in_doubt)
            raise GrantRevoked(reason)
        return await self._newer()

    async def _failed(self, hold: timedelta | None, *, perhaps: bool) -> None:
        rests_until = self.clock.now() + max(hold or _REST, _REST)
        await self.db.write(grants.failed, self.of, self.turn, rests_until, perhaps=perhaps)

    async def _newer(self) -> Grant:
        return (await self.db.read(grants.load, self.of, self.vault)).grant


def _keep(tx: Tx, of: Installed, turn: Turn, fresh: Grant, vault: Vault, now: datetime) -> bool:
    """Save the new pair; who was thought to need a person, because our own answer came late, needs none any more."""
    if not grants.keep(tx, of, turn, fresh, vault, now):
        return False
    if crm.installation(tx, of.tenant_id, of.id).status == crm.REAUTHORISE:
        crm.set_status(tx, of.tenant_id, of.id, crm.ACTIVE, "")
        lanes.lift(tx, of.tenant_id, of.id, now)
    return True
