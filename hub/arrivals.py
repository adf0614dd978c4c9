"""Accounts that arrive from a vendor's marketplace: their codes are exchanged, and they wait to be linked.

A marketplace tells of an installation once, waits three seconds and never again, and nobody's browser is there: the
code is kept sealed and exchanged afterwards, by whichever process is alive then. The account is linked to the customer
whose person asked for it in the console; either may come first.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from connectors.errors import ConnectorError
from connectors.protocol import App, Connector, Grant, GrantRevoked, InstallationError, Installed
from hub.beside import Beside
from hub.clock import Clock, rest
from hub.delivery import lanes
from hub.loops import for_ever
from hub.round_trips import RoundTrips
from hub.store import crm, market
from hub.store.db import Db
from hub.store.market import Account, Arrived
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

_LEASE = timedelta(seconds=90)  # longer than an exchange takes
_AGAIN = timedelta(seconds=15)  # after the vendor could not answer
_GLANCE_S = 5.0  # how long a code that another process took may stay unseen
_TIDY = timedelta(hours=1)


class Arrivals:
    """Exchanges the codes that marketplaces sent, until it is stopped; processes do so side by side."""

    def __init__(
        self,
        db: Db,
        clock: Clock,
        vault: Vault,
        connectors: Mapping[str, Connector],
        apps: Mapping[str, App],
        round_trips: RoundTrips,
    ) -> None:
        self._db, self._clock, self._vault, self._round_trips = db, clock, vault, round_trips
        self._connectors, self._apps = connectors, apps
        self._tidy_at: datetime | None = None
        self.wake = asyncio.Event()
        self.on_linked: tuple[asyncio.Event, ...] = ()

    async def run(self) -> None:
        """Exchange until cancelled."""
        await for_ever("arrivals", self._turn, self._clock)

    async def _turn(self) -> None:
        self.wake.clear()
        now = self._clock.now()
        if self._tidy_at is None or now >= self._tidy_at:
            await self._db.write(market.forget_old, now)
            self._tidy_at = now + _TIDY
        while await self.exchange_next():
            pass
        await rest(self._clock, self.wake, None, _GLANCE_S)

    async def exchange_next(self) -> bool:
        """Exchange one code whose turn it is; False when there is none."""
        arrived = await self._db.write(market.next_code, self._clock.now(), _LEASE, self._vault)
        if arrived is None:
            return False
        connector, app = self._connectors.get(arrived.connector), self._apps.get(arrived.connector)
        if connector is None or app is None or arrived.code is None or arrived.client_id != app.client_id:
            await self._db.write(market.drop_code, arrived.code_hash)
            return True
        await self._exchange(connector, app, arrived, arrived.code)
        return True

    async def _exchange(self, connector: Connector, app: App, arrived: Arrived, code: str) -> None:
        told = {"connector": arrived.connector, "host": arrived.host}
        try:
            async with Beside(connector, app, self._clock) as beside:
                installed = Installed(code, arrived.host, None)
                grant = await connector.exchange(beside.http, app, installed, self._clock.now())
        except GrantRevoked as error:  # ended, used before, or made up: whoever waits for it connects in the console
            log.warning("arrivals.refused", **told, sentence=str(error))
            await self._db.write(market.drop_code, arrived.code_hash)
        except (InstallationError, ConnectorError) as error:
            log.warning("arrivals.not_exchanged", **told, error=type(error).__name__)
            await self._db.write(market.postpone_code, arrived.code_hash, self._clock.now() + _AGAIN)
        else:
            of = Account(arrived.connector, grant.account, arrived.client_id)
            is_linked = await self._db.write(
                settle, of, arrived.code_hash, grant, beside.spent, self._clock.now(), self._vault
            )
            log.info("arrivals.exchanged", **told, account=grant.account, is_linked=is_linked)
            self._round_trips.keep(arrived.connector, grant.account, beside.notes)
            for event in self.on_linked:
                event.set()


def settle(tx: Tx, of: Account, code_hash: str, grant: Grant, spent: list[int], now: datetime, vault: Vault) -> bool:
    """Do the same with the tokens that a code was exchanged for."""
    market.drop_code(tx, code_hash)
    return came(tx, of, grant, spent, now, vault)


def came(tx: Tx, of: Account, grant: Grant, spent: list[int], now: datetime, vault: Vault) -> bool:
    """Give the tokens of an account that came by itself; False when it is nobody's yet: they are kept for a while.

    So they are where another customer has this account by its host alone: who opens its link is told.
    """
    owner = market.owner_of(tx, of.connector, of.account)
    known = market.unlinked(tx, of, now, vault)
    tenant_id = owner[0] if owner else known.wanted_by if known else None
    try:
        if tenant_id is not None:
            person_id = known.wanted_person if known and not owner else None
            _give(tx, of, tenant_id, person_id, grant, spent, now, vault)
            return True
    except crm.AccountTaken:
        log.warning("arrivals.taken", connector=of.connector, account=of.account)
    market.keep_grant(tx, of, grant, now, vault)
    return False


def link(
    tx: Tx, of: Account, host: str, token_id: str, ends_at: datetime, who: tuple[int, int], now: datetime, vault: Vault
) -> bool:
    """Link an account to the customer whose person (tenant, person) asks for it; False while its tokens are to come.

    ``token_id`` is the link's own, good once. Raises ``AccountTaken`` when it is another customer's, ``TokenSpent``.
    """
    tenant_id, person_id = who
    market.spend_token(tx, of.connector, token_id, ends_at)
    owner = market.owner_of(tx, of.connector, of.account)
    if owner and owner[0] != tenant_id:
        raise crm.AccountTaken(f"The account {of.account} is connected to another customer of this hub.")
    known = market.unlinked(tx, of, now, vault)
    if known is None or known.grant is None:
        market.want(tx, of, host, tenant_id, person_id, now)
        return False
    _give(tx, of, tenant_id, person_id, known.grant, [], now, vault)
    return True


def _give(
    tx: Tx,
    of: Account,
    tenant_id: int,
    person_id: int | None,
    grant: Grant,
    spent: list[int],
    now: datetime,
    vault: Vault,
) -> None:
    installation_id = crm.install(tx, tenant_id, of.connector, grant, now, vault, person_id)
    lanes.open_lane(tx, tenant_id, installation_id, now, spent)  # its worker reads what the account has
    market.forget_account(tx, of)
