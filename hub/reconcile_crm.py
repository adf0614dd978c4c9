"""Asks a CRM whether it still has what was delivered: by the account's lane and budget, as deliveries go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum, auto

from connectors.protocol import CrmSession, Ref
from hub.delivery import errands
from hub.delivery.worker import Worker
from hub.store import crm

_PATIENCE = timedelta(seconds=30)  # with a lane that is being served
_BREATH = timedelta(seconds=0.3)  # between two turns of ours: deliveries that wait have the lane meanwhile


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
            clock = self.worker.clock
            await clock.wait_until(clock.now() + _BREATH, _BREATH.total_seconds())
        self._asked.add(installation_id)

        async def ask(session: CrmSession) -> frozenset[Ref]:
            missing = await session.missing(refs)
            return frozenset(ref for ref in refs if ref in missing)

        try:
            return await errands.ask(self.worker, of, ask, _PATIENCE)
        except errands.Held as error:
            raise NotAsked(Unchecked.HELD, str(error)) from None
        except errands.Busy:
            raise NotAsked(Unchecked.BUSY) from None
