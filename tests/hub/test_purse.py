"""The purse of a lane counts each request once, whatever another thread does while the next one is paid for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from connectors.protocol import Limits
from hub.delivery import budget
from hub.delivery.purse import Purse
from hub.delivery.serving import Serving
from hub.store.db import Db
from hub.store.vault import Vault
from tests.hub import double
from tests.hub.double import Acme, StoppedClock
from tests.hub.seed import Lane
from tests.hub.test_worker import installed


class Late:
    """A database whose next unit of work runs when a test says so."""

    def __init__(self, db: Db) -> None:
        self._db, self.is_asked, self.is_done = db, asyncio.Event(), asyncio.Event()
        self.unit: Callable[[], Any] = lambda: None
        self.found: Any = None

    async def write(self, work: Callable[..., Any], *told: Any) -> Any:
        self.unit = lambda: self._db.write_now(work, *told)
        self.is_asked.set()
        await self.is_done.wait()
        return self.found

    def run(self) -> None:
        self.found = self.unit()
        self.is_done.set()


@pytest.fixture
def purse(store: Db, vault: Vault) -> Purse:
    """Of an account that allows one request a second."""
    acme, clock, lane = Acme(), StoppedClock(), Lane(store, vault)
    clock.stands = True
    made = acme.connector()
    once = replace(made, manifest=replace(made.manifest, limits=replace(made.manifest.limits, window=1)))
    return Serving(acme.worker(store, clock, vault), lane.claimed(), installed(lane), once, double.APP).purse


async def test_an_answer_that_comes_between_two_looks_of_a_payment_is_still_counted(
    purse: Purse, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, honest = Late(purse.db), budget.answered

    def answered(spent: Sequence[int], limits: Limits, now: datetime) -> list[int]:
        late.run()  # just then the other thread looks at what is under way, and at what was answered
        return honest(spent, limits, now)

    async with purse.turn(None):
        purse.db = late  # type: ignore[assignment]
        paying = asyncio.ensure_future(purse.turn(None).__aenter__())
        await late.is_asked.wait()
        monkeypatch.setattr(budget, "answered", answered)
    paying.cancel()
    come_back_at, _ = late.found
    assert come_back_at is not None
