"""The loop that seals the ledgers, and which refusals are noted in them."""

import asyncio

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from hub.clock import Clock
from hub.loops import for_ever
from hub.store import ledger_chain
from hub.store.db import Db
from hub.store.vault import Vault

_EVERY_S = 1.0  # of the machine's time: what is not sealed yet is guarded by nothing


class Sealer:
    """Seals what was written to the ledgers, until it is stopped; any number of processes do so side by side."""

    def __init__(self, db: Db, clock: Clock, vault: Vault) -> None:
        self._db, self._clock, self._vault = db, clock, vault

    async def run(self) -> None:
        """Seal until cancelled."""
        await for_ever("ledger", self._turn, self._clock)

    async def _turn(self) -> None:
        await self.seal()
        await asyncio.sleep(_EVERY_S)

    async def seal(self) -> None:
        """Seal everything that is written by now."""
        for tenant_id in await self._db.read(ledger_chain.unsealed):
            while await self._db.write(ledger_chain.seal, tenant_id, self._vault) == ledger_chain.AT_ONCE:
                pass


_NOTED = RateLimitItemPerHour(1)


class Refusals:
    """Chooses which refused requests become entries: the first of each kind in an hour.

    Strangers decide how many there are, and a ledger forgets nothing. All of them are counted by day.
    """

    def __init__(self) -> None:
        self._seen = FixedWindowRateLimiter(MemoryStorage())

    def is_noted(self, *of: str) -> bool:
        """Say whether this refusal is the first of its kind within the hour, in this process."""
        return self._seen.hit(_NOTED, *of)
