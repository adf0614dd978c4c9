"""Pays for the requests of one hold of a lane: no request leaves unpaid, nor without a note of what it may bring about.

Budget, lease and note are one transaction, committed before the request. Whoever dies then leaves in doubt what a paid
request may have brought about, and nothing else (taking.py).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.protocol import Limits
from hub import failpoints
from hub.clock import Clock
from hub.delivery import budget, lanes, taking
from hub.delivery.answers import Patience
from hub.delivery.lanes import Claim, FenceLost
from hub.delivery.taking import Taken
from hub.store.db import Db
from hub.store.tx import Tx

_MARGIN = timedelta(seconds=5)


@dataclass(slots=True)
class Purse:
    """What one holder of a lane has spent of its budget, and for which deliveries."""

    db: Db
    clock: Clock
    claim: Claim
    limits: Limits
    lease: timedelta
    patience: Patience
    _turns: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _spent: list[int] | None = field(init=False, default=None)  # None: what the holder before left is not read yet
    _under_way: int = field(init=False, default=0)
    _batch: dict[str, int] = field(init=False, default_factory=dict)  # id -> attempt
    _sent: set[str] = field(init=False, default_factory=set)  # of the batch: what a paid request may have brought about
    _good_until: datetime | None = field(init=False, default=None)

    def has_taken(self, batch: Sequence[Taken]) -> None:
        """Note which deliveries the next requests are for."""
        self._batch, self._sent = {one.id: one.attempt for one in batch}, set()

    @asynccontextmanager
    async def turn(self, of: Sequence[str] | None) -> AsyncIterator[None]:
        """Pay for one request, waiting while the budget is empty; it is under way for as long as this lasts.

        ``of`` are the deliveries it may take effect for, None for any of the batch. Raises ``FenceLost``.
        """
        async with self._turns:
            self.patience.renew()
            await self._pay(self._touched(of))
        try:
            failpoints.reach("request.paid")
            yield
        finally:
            self._under_way -= 1
            self._spent = budget.answered(self._spent or [], self.limits, self.clock.now())

    def still_mine(self) -> None:
        """Raise ``FenceLost`` when so much time went by since a request was paid for that the lease may be over."""
        if self._good_until is None or self.clock.now() > self._good_until:
            raise FenceLost

    def _touched(self, of: Sequence[str] | None) -> dict[str, int]:
        """Return what of the batch is touched for the first time; a name that is none of it may mean any of it."""
        named = self._batch if of is None or not self._batch.keys() >= set(of) else of
        return {id_: self._batch[id_] for id_ in named if id_ not in self._sent}

    async def _pay(self, touched: Mapping[str, int]) -> None:
        while True:
            now, known, under_way = self.clock.now(), self._spent, self._under_way
            come_back_at, spent = await self.db.write(self._paid, touched, known, under_way, now)
            self._spent = [*spent, *(self._spent or [])[len(known or []) :]]  # and what was answered meanwhile
            if come_back_at is None:
                break
            await self.clock.wait_until(come_back_at, at_most_s=1.0)
        self._under_way += 1
        self._good_until = now + self.lease - self.limits.timeout - _MARGIN
        self._sent |= touched.keys()

    def _paid(
        self, tx: Tx, touched: Mapping[str, int], known: list[int] | None, under_way: int, now: datetime
    ) -> tuple[datetime | None, list[int]]:
        """Pay by what was known when it was asked: meanwhile answers come, in another thread than this."""
        found = lanes.spend(tx, self.claim, self.limits, known, under_way, now, self.lease)
        if found[0] is None and touched:
            taking.note_sent(tx, self.claim, touched, now)
        return found
