"""Accounts that leave: their access ends at once; what was read from one is deleted where that is asked for.

An account that asks for it as it removes us has a grace: installed again before its end, it goes on as before. A person
of the customer's may ask for it at any time after an account left, and it is done at once.
"""

import asyncio
from datetime import datetime

import structlog

from connectors.telling import Said
from hub import goals
from hub.clock import Clock, rest
from hub.loops import for_ever
from hub.store import crm, erasures, judging, ledger, market
from hub.store.db import Db
from hub.store.ledger import Entry, Kind
from hub.store.market import Account
from hub.store.said import pack
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

_GLANCE_S = 60.0  # how long a deletion that is due, or that another process was asked for, may wait
_SOON_S = 0.5  # while one waits for who still serves its account
_REMOVED = pack(Said("hub.removed_there"))


def remove(tx: Tx, of: Account, erase_at: datetime | None, now: datetime, vault: Vault) -> bool:
    """Stop an account that removed us and throw its tokens away; what is known of it stays, until ``erase_at`` if any.

    False when it is nobody's.
    """
    market.forget_account(tx, of)
    owner = market.owner_of(tx, of.connector, of.account)
    if owner is None:
        return False
    tenant_id, installation_id, _ = owner
    if erase_at is not None:
        erasures.ask(tx, tenant_id, installation_id, erase_at, erasures.THERE, now)
    crm.forget_access(tx, crm.installation(tx, tenant_id, installation_id), _REMOVED, vault)
    ledger.write(tx, tenant_id, Entry(Kind.GRANT_REVOKED, now, installation_id=installation_id))
    return True


class Leaving:
    """Deletes what was read from accounts that left, when it is due, until it is stopped.

    Of several processes one does a portion.
    """

    def __init__(self, db: Db, clock: Clock, vault: Vault) -> None:
        self._db, self._clock, self._vault = db, clock, vault
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Delete until cancelled."""
        await for_ever("leaving", self._turn, self._clock)

    async def _turn(self) -> None:
        self.wake.clear()
        while is_due := await self._db.read(erasures.is_due, self._clock.now()):
            if not await self._db.write(erase_some, self._clock.now(), self._vault):
                break  # another process is at it, or somebody still serves the account
        await rest(self._clock, self.wake, None, _SOON_S if is_due else _GLANCE_S)


def erase_some(tx: Tx, now: datetime, vault: Vault) -> bool:
    """Delete a portion of what is due, and note it when that was the last; False when nothing is due."""
    one = erasures.take(tx, now)
    if one is None:
        return False
    if left := erasures.deals(tx, one):
        erasures.delete_deals(tx, one, left)
        enquiries = {deal.enquiry_id for deal in left if deal.enquiry_id is not None}
        goals.of_worth(tx, one.tenant_id, sorted(enquiries), judging.rules_of(tx, one.tenant_id, vault))
    elif not erasures.delete_rest(tx, one):
        erasures.finish(tx, one, now)
        log.info("leaving.erased", installation=one.installation_id, why=one.why, **one.counts)
    return True
