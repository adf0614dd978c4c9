"""Many tasks of one process that want one account's token whenever it is about to end; and a death in a refresh.

Run as ``python -m tests.proofs.refresh_asker FILE TASKS WITHOUT DIES`` in a hub's environment. A line of JSON goes into
FILE when all tasks have a token that is good for a while. WITHOUT takes defences away (``turn``, ``reread``); DIES ends
the process by SIGKILL in its first refresh: ``before`` the request, once it is ``answered``, once the pair is ``saved``,
or a number of milliseconds after it began.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.http import Answer, Http
from connectors.protocol import App, Connector, Grant, GrantRevoked, InstallationError
from hub import credentials
from hub.app import build
from hub.hub import Hub
from hub.settings import read_settings
from hub.store import crm, grants
from hub.store.crm import Installed
from hub.store.grants import Turn
from hub.store.tables import Grant as GrantRow
from hub.store.tables import table_of
from hub.store.tx import Tx
from tests.transactions import OpenTransactions

_EARLY = timedelta(minutes=10)
_LOOK_S = 0.03


class WatchedHttp(Http):
    """Counts exchanges with the vendor, and the transactions that were open where they were sent from."""

    opened: OpenTransactions
    exchanges = held = 0

    async def send(self, *given: Any, **options: Any) -> Answer:
        """Send one request."""
        self.exchanges += 1
        self.held += self.opened.here
        return await super().send(*given, **options)


class Asker:
    """The tasks of one process and what they came to know."""

    def __init__(self, hub: Hub, file: Path, dies: str) -> None:
        self.hub, self.file = hub, file
        self.app: App = hub.apps["amocrm"]
        self.connector = _mortal(hub.connectors["amocrm"], file, dies)
        self.http = WatchedHttp(allowed=(), origins=(str(self.app.base_url),))
        self.http.opened = OpenTransactions(hub.db)
        self.refused = self.turned_away = 0
        self.waiting = asyncio.Lock()

    async def run(self, tasks: int) -> None:
        """Let every task have its token at each expiry, for ever."""
        (of,) = await self.hub.db.read(crm.installations, 1)
        while True:
            got = await asyncio.gather(*(self.live(of) for _ in range(tasks)))
            ends = min(grant.expires_at for grant in got)
            if not await self._work(of, {grant.access_token for grant in got}):
                continue
            if ends - self.hub.clock.now() > _EARLY:
                self._tell(ends)
            await self._until(ends - _EARLY)

    async def live(self, of: Installed) -> Grant:
        """Return a live grant, however long it takes."""
        hub = self.hub
        while True:
            try:
                return await credentials.live_grant(
                    hub.db, hub.clock, hub.vault, self.connector, self.app, of, self.http
                )
            except InstallationError as error:
                await self._until(hub.clock.now() + (error.hold or timedelta(seconds=5)))
            except GrantRevoked:
                self.refused += 1
                async with self.waiting:
                    while (await hub.db.read(crm.installation, 1, of.id)).status != crm.ACTIVE:
                        await asyncio.sleep(_LOOK_S)

    async def _work(self, of: Installed, tokens: set[str]) -> bool:
        """Show each token to the vendor, and say whether each was taken; one that was not is renewed at the next use."""
        before = self.turned_away
        for token in tokens:
            where = f"{self.app.base_url}/api/v4/account"
            answer = await self.http.send("GET", where, headers={"authorization": f"Bearer {token}"}, timeout=20)
            if answer.status == 401 and await self._is_thought_good(of, token):
                self.turned_away += 1
                await self.hub.db.write(grants.expire, of, token, self.hub.clock.now(), self.hub.vault)
        return self.turned_away == before

    async def _is_thought_good(self, of: Installed, token: str) -> bool:
        """Say whether the hub still holds this token for live, once a verdict that is under way has arrived.

        A vendor that sees a refresh token twice ends the whole family at once. It may take long to say so, and what it
        said may be lost as well: the hub knows then that it is in doubt.
        """
        await asyncio.sleep(_LOOK_S)
        kept = await self.hub.db.read(grants.load, of, self.hub.vault)
        while kept.refreshing_until and kept.refreshing_until > self.hub.clock.now():
            await asyncio.sleep(_LOOK_S)
            kept = await self.hub.db.read(grants.load, of, self.hub.vault)
        ended = kept.grant.expires_at <= self.hub.clock.now()
        doubted = await self.hub.db.read(_is_in_doubt)
        return kept.grant.access_token == token and not (kept.refused or ended or doubted)

    def _tell(self, ends: datetime) -> None:
        told = {"ends": ends.timestamp(), "refused": self.refused, "turned_away": self.turned_away}
        _append(self.file, {**told, "held": self.http.held, "exchanges": self.http.exchanges})

    async def _until(self, moment: datetime) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self.hub.clock.now() >= moment:
                return


def _is_in_doubt(tx: Tx) -> bool:
    return bool(tx.execute(select(table_of(GrantRow).c.in_doubt)).scalar_one())


def _append(file: Path, told: dict[str, object]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(told) + "\n")


def _mortal(connector: Connector, file: Path, dies: str) -> Connector:
    """Return the connector with a death in its first refresh."""

    def die() -> None:
        _append(file, {"dies": dies})
        os.kill(os.getpid(), signal.SIGKILL)

    async def refresh(http: Http, app: App, grant: Grant, now: datetime) -> Grant:
        if dies == "before":
            die()
        if dies.isdecimal():
            threading.Timer(int(dies) / 1_000, die).start()
        fresh = await connector.refresh(http, app, grant, now)
        if dies == "answered":
            die()
        return fresh

    async def keep(self: Any, fresh: Grant) -> bool:
        kept = await honest(self, fresh)
        if dies == "saved":
            die()
        return kept

    honest = credentials._Refresh._keep
    credentials._Refresh._keep = keep  # type: ignore[method-assign]
    return replace(connector, refresh=refresh)


def without(defences: str) -> None:
    """Take defences away: of the turns that keep a second one from asking, and of the look before a refusal is judged."""
    if "turn" in defences:
        grants.begin = lambda _tx, _of, version, _now, until: Turn(version, until, False)
    if "reread" in defences:
        grants.refused = lambda tx, of, _version, reason, _now: (
            not crm.set_status(tx, of.tenant_id, of.id, crm.REAUTHORISE, reason)
        )


def main() -> None:
    """Ask until killed."""
    file, tasks, defences, dies = sys.argv[1:5]
    without(defences)
    hub = build(read_settings(), writes=False)
    if hub.db.is_sqlite:
        hub.db.write_now(grants.abandon, hub.clock.now())
    print(json.dumps({"ready": True}), flush=True)
    asyncio.run(Asker(hub, Path(file), dies).run(int(tasks)))


if __name__ == "__main__":
    main()
