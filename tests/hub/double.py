"""A connector of a vendor that does not exist: a test says what its session answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from connectors.http import Turn
from connectors.protocol import (
    App,
    Connector,
    Delivery,
    Facts,
    Grant,
    HookRequest,
    Idempotency,
    InstallationError,
    Limits,
    Manifest,
    OAuth,
    Outcome,
    Page,
    Ref,
    Rejected,
    Status,
)
from hub.delivery.worker import Worker
from hub.store.db import Db
from hub.store.vault import Vault
from tests.hub.seed import NOW

Answer = Callable[[Sequence[Delivery]], Awaitable[Mapping[str, Outcome]]]
APP = App("id", "secret", "http://hub.test/oauth/acme/callback")


class StoppedClock:
    """A clock that a test moves; waiting for a moment brings it, unless the clock stands."""

    def __init__(self) -> None:
        self.at, self.stands = NOW, False

    def now(self) -> datetime:
        return self.at

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        self.at = self.at if self.stands else max(self.at, moment)
        await asyncio.sleep(0)

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


class _NoSettings(BaseModel):
    pass


class _NoHooks:
    def parse(self, request: HookRequest, app: App, secrets: Mapping[str, str]) -> Rejected:
        return Rejected("Nothing is taken here.")


async def delivered(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
    """Everything worked."""
    return {one.id: Outcome(Status.DELIVERED, refs=(Ref("deal", f"deal of {one.id}"),)) for one in batch}


class Session:
    """One opening of an account: each lane pays for its own requests."""

    def __init__(self, acme: "Acme", turn: Turn) -> None:
        self._acme, self.turn = acme, turn

    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        self._acme.asked.append(batch)
        async with self.turn([one.id for one in batch]):
            return await self._acme.answer(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._acme, name)


class Acme:
    """The vendor: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.answer: Answer = delivered
        self.refreshed: Callable[[Grant], Awaitable[Grant]] | None = None
        self.asked: list[Sequence[Delivery]] = []
        self.refreshes: list[str | None] = []
        self.tokens: list[str] = []
        self.pages = 0
        self.gone: set[str] = set()  # ids of cards it has no more
        self.fact_trouble: InstallationError | None = None
        self.session: Session | None = None  # the last that was opened

    # -- what its sessions answer

    async def facts(self) -> Facts:
        if self.fact_trouble:
            raise self.fact_trouble
        return Facts("31", "Окна", "RUB", (), {}, {})

    async def changes(self, cursor: str | None) -> Page:
        self.pages += 1
        return Page((), (), "c1", more=False)

    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        return frozenset(ref for ref in refs if ref.id in self.gone)

    # -- a connector

    def open(self, http: Any, app: App, grant: Grant, settings: Mapping[str, object]) -> Any:
        self.tokens.append(grant.access_token)
        self.session = Session(self, http._turn)
        return self.session

    async def refresh(self, http: Any, app: App, grant: Grant, now: datetime) -> Grant:
        self.refreshes.append(grant.refresh_token)
        assert self.refreshed is not None, "nobody expected a refresh"
        return await self.refreshed(grant)

    def connector(self) -> Connector:
        manifest = Manifest(
            name="acme", title="Acme CRM", kind="crm", can={}, idempotency=Idempotency.MARKER,
            limits=Limits(10, 100, 100, timedelta(seconds=10), timedelta(seconds=45)), hosts=("acme.example",),
            oauth=OAuth("https://acme.example", (), False, timedelta(days=1), timedelta(days=90), True),
            settings=_NoSettings, standing="sandbox-tested",
        )  # fmt: skip
        return Connector(manifest, _NoHooks(), lambda app, state: "", self.refresh, self.refresh, self.open)  # type: ignore[arg-type]

    def worker(self, db: Db, clock: StoppedClock, vault: Vault) -> Worker:
        """A worker that serves this vendor."""
        every = timedelta(minutes=1)
        return Worker(db, clock, vault, {"acme": self.connector()}, {"acme": APP}, readback_every=every)
