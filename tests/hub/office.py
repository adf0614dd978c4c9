"""A customer whose day a test makes step by step: telephony tells of a call, somebody looks, a worker delivers."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from hub import enquiries
from hub.delivery.worker import Worker
from hub.enquiries import Letter
from hub.gaps import Gap
from hub.inbox import look
from hub.reconcile import Told, reconcile
from hub.reconcile_crm import Asker
from hub.store import calls, ledger_chain, scenario_versions
from hub.store.calls import Account
from hub.store.db import Db
from hub.store.tables import Delivery, TelephonyAccount, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.double import Acme, StoppedClock
from tests.hub.seed import NOW, customer
from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction
from tracking_core.enquiry import EnquiryKind

SCENARIO = """
name: Звонки
language: ru
timezone: UTC
ended:
  unknown:
    - deal: {name: "Звонок {caller}"}
"""
DAY = timedelta(days=1)


class Office:
    """A customer with one CRM account, whose rules ask for a deal of each answered call and for nothing else."""

    def __init__(self, db: Db, vault: Vault, account: str = "31") -> None:
        self.db, self.vault, self.clock, self.acme = db, vault, StoppedClock(), Acme()
        self.tenant_id, self.installation_id = db.write_now(customer, vault, "acme", account)
        db.write_now(scenario_versions.save, self.tenant_id, "acme", SCENARIO, "owner", NOW)
        self.exchange = Account(db.write_now(_exchange, self.tenant_id), self.tenant_id, "generic", "UTC", {})
        self.worker: Worker = self.acme.worker(db, self.clock, vault)

    # -- what comes in

    def tell(self, name: str, *, talk_s: int = 60, is_over: bool = True, at: datetime | None = None) -> None:
        """Telephony tells of the call ``c1``, ``c2``... that began at ``at``, now when left out."""
        began = at or self.clock.now()
        event = CallEvent(
            kind=CallEventKind.ENDED if is_over else CallEventKind.ANSWERED,
            provider_call_id=name,
            occurred_at=began,
            dedupe_key=f"{name} {is_over}",
            direction=Direction.INBOUND,
            caller=f"+7916{int(name[1:]):07}",
            started_at=began,
            ended_at=began + timedelta(seconds=talk_s) if is_over else None,
            talk_s=talk_s if is_over else None,
            status=(CallStatus.ANSWERED if talk_s else CallStatus.MISSED) if is_over else CallStatus.IN_PROGRESS,
            final=is_over,
        )
        self.db.write_now(calls.keep_events, self.exchange, [event], b"{}", self.clock.now(), self.vault)

    def write(self, name: str, at: datetime | None = None) -> None:
        """Somebody writes a letter."""
        letter = Letter(EnquiryKind.FORM, name, at or self.clock.now(), phone="+79161234567")
        self.db.write_now(enquiries.take, self.tenant_id, None, letter, self.clock.now(), self.vault)

    # -- what the hub does

    def look(self) -> None:
        """Look at all that is due."""
        while self.db.write_now(look, self.clock.now(), self.vault) is not None:
            pass

    async def deliver(self) -> None:
        """Serve the lane once, to the end."""
        assert await self.worker._serve_next()
        await asyncio.gather(*self.worker._serving)

    async def one_call(self, name: str = "c1", *, talk_s: int = 60) -> None:
        """A call is told, looked at and, where the rules ask for something, delivered."""
        self.tell(name, talk_s=talk_s)
        self.look()
        if talk_s:
            await self.deliver()

    def seal(self) -> None:
        """Seal the ledger."""
        self.db.write_now(ledger_chain.seal, self.tenant_id, self.vault)

    # -- what is found

    async def reconciled(self, since: datetime | None = None) -> Told:
        """Reconcile the last day, the CRM included."""
        now = self.clock.now()
        return await reconcile(
            self.db, self.tenant_id, since or now - DAY, now, self.vault, Asker(self.worker, self.tenant_id)
        )

    async def gaps(self) -> list[tuple[Gap, str]]:
        """Reconcile; return the gaps with their details."""
        return [(one["gap"], one["detail"]) for one in (await self.reconciled())["gaps"]]

    def deal(self) -> str:
        """Return the id of the one deal that was made."""
        ((one,),) = self.db.read_now(lambda tx: tx.execute(select(table_of(Delivery).c.refs)).scalars().all())
        return str(one["id"])

    def lose(self, model: Any, *which: Any) -> None:
        """Take rows out of a table behind the hub's back."""
        self.db.write_now(lambda tx: tx.execute(delete(table_of(model)).where(*which)) and None)


def _exchange(tx: Tx, tenant_id: int) -> int:
    account = table_of(TelephonyAccount)
    told = {"tenant_id": tenant_id, "name": "АТС", "adapter": "generic", "token": f"t{tenant_id}", "zone": "UTC"}
    row = insert(account).values(**told, recordings_from=[], secrets=b"").returning(account.c.id)
    return int(tx.execute(row).scalar_one())
