"""Asks a CRM whether it still has what was delivered: by the account's lane and budget, as deliveries go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum, auto
from typing import Any

from connectors.protocol import CrmSession, Ref
from hub.delivery import lanes
from hub.delivery.worker import Ask, Worker
from hub.store import crm
from hub.store.crm import Installed

_POLITE_S = 30.0  # how long a lane that is served is waited for
_GLANCE_S = 0.2
_BREATH_S = 0.3  # between two turns of ours: deliveries that wait have the lane meanwhile


class Unchecked(StrEnum):
    """Why a CRM was not asked."""

    HELD = auto()  # the account is left alone, or its trouble came while it was asked
    REAUTHORISE = auto()  # a person must connect it again
    BUSY = auto()  # its lane was served all the time
    UNREGISTERED = auto()  # this process has no app registration for it
    BESIDE = auto()  # a hub runs on this SQLite file, and it alone may
    SKIPPED = auto()  # nobody wanted it


class NotAsked(Exception):
    """A CRM could not be asked; that says nothing of what it has."""

    def __init__(self, why: Unchecked, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why.value, detail


@dataclass(slots=True)
class Asker:
    """Asks the accounts of one tenant."""

    worker: Worker
    tenant_id: int
    _asked: set[int] = field(default_factory=set)

    async def gone(self, installation_id: int, refs: Sequence[Ref]) -> frozenset[Ref]:
        """Return which of these objects an account does not have any more; raises ``NotAsked``."""
        of = await self.worker.db.read(crm.installation, self.tenant_id, installation_id)
        if of.status != crm.ACTIVE:
            raise NotAsked(Unchecked.REAUTHORISE, of.reason)
        if of.connector not in self.worker.connectors or of.connector not in self.worker.apps:
            raise NotAsked(Unchecked.UNREGISTERED)
        if installation_id in self._asked:
            await self._wait(_BREATH_S)
        self._asked.add(installation_id)
        found: list[Ref] | None = None

        async def ask(session: CrmSession) -> None:
            nonlocal found
            missing = await session.missing(refs)
            found = [ref for ref in refs if ref in missing]

        await self._turn(of, ask)
        if found is None:
            raise NotAsked(Unchecked.HELD, str((await self._lane(of)).get("hold_why", "")))
        return frozenset(found)

    async def _turn(self, of: Installed, ask: Ask) -> None:
        """Wait for the lane for a while, and ask; an account that is left alone is not waited for."""
        for _ in range(int(_POLITE_S / _GLANCE_S)):
            if await self.worker.errand(of, ask):
                return
            lane = await self._lane(of)
            until = lane.get("hold_until")
            if until is not None and until > self.worker.clock.now():
                raise NotAsked(Unchecked.HELD, str(lane["hold_why"]))
            await self._wait(_GLANCE_S)
        raise NotAsked(Unchecked.BUSY)

    async def _lane(self, of: Installed) -> Mapping[str, Any]:
        return (await self.worker.db.read(lanes.told, of.tenant_id)).get(of.id, {})

    async def _wait(self, seconds: float) -> None:
        clock = self.worker.clock
        await clock.wait_until(clock.now() + timedelta(seconds=seconds), seconds)
