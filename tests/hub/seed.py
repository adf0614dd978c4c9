"""The least a test of the store or of delivery needs: a customer, his CRM account with its lane, and a plan."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from connectors.contract_inputs import rules
from connectors.protocol import Grant, Limits
from connectors.scenario import AddNote, CallerState, CreateDeal, Enquiry, Plan, Trigger
from hub.delivery import budget, lanes, queue, taking
from hub.delivery.queue import Planned
from hub.store import crm
from hub.store.db import Db
from hub.store.tables import Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIMITS = Limits(batch=10, per_second=5, burst=3, timeout=timedelta(seconds=10), search_lag=timedelta(seconds=45))
LEASE = timedelta(seconds=40)


def grant(account: str = "31", access: str = "access-1", refresh: str | None = "refresh-1", **more: Any) -> Grant:
    """Tokens that are good for a day."""
    told = {"host": "acme.example", "expires_at": NOW + timedelta(days=1), **more}
    return Grant(account=account, access_token=access, refresh_token=refresh, **told)


def customer(tx: Tx, vault: Vault, connector: str = "acme", account: str = "31") -> tuple[int, int]:
    """Write a tenant with one CRM account whose lane is free; return tenant and installation."""
    tenant = table_of(Tenant)
    tenant_id = tx.execute(insert(tenant).values(name="Окна", created_at=NOW).returning(tenant.c.id)).scalar_one()
    installation_id = crm.install(tx, tenant_id, connector, grant(account), NOW, vault)
    lanes.open_lane(tx, tenant_id, installation_id, NOW, [])
    return tenant_id, installation_id


def plan(enquiry: str = "call:1", caller: str | None = "+79161234567", version: int = 1) -> Plan:
    """What a scenario asks for a call."""
    asked = Enquiry(
        id=enquiry, caller=caller, dialled="+74951110001", started_at=NOW, talk_s=60, wait_s=5, answered=True,
        recording_url=None, operator=None, source={}, confidence=None, reason="",
    )  # fmt: skip
    cases = {CallerState.UNKNOWN: (CreateDeal("Звонок"), AddNote("Звонок"))}
    return Plan(asked, version, Trigger.ENDED, rules(cases))


def planned(installation_id: int, enquiry: str, caller: str = "k1", at: datetime = NOW, version: int = 1) -> Planned:
    """A delivery to be written; ``caller`` is the key its order is kept by."""
    return Planned(installation_id, enquiry, None, caller, at, plan(enquiry, version=version))


class Lane:
    """One account's lane in a database, and what a worker does with it."""

    def __init__(self, db: Db, vault: Vault, account: str = "31") -> None:
        self.db, self.vault = db, vault
        self.tenant_id, self.installation_id = db.write_now(customer, vault, "acme", account)

    def enqueue(self, enquiry: str, caller: str = "k1", at: datetime = NOW, version: int = 1) -> bool:
        asked = planned(self.installation_id, enquiry, caller, at, version)
        return self.db.write_now(queue.enqueue, self.tenant_id, asked, at, self.vault)

    def claim(self, now: datetime = NOW, lease: timedelta = LEASE) -> lanes.Claim | None:
        return self.db.write_now(lanes.claim, now, lease)

    def claimed(self, now: datetime = NOW, lease: timedelta = LEASE) -> lanes.Claim:
        claim = self.claim(now, lease)
        assert claim is not None
        return claim

    def take(self, claim: lanes.Claim, now: datetime = NOW, limits: Limits = LIMITS) -> list[queue.Taken]:
        return self.db.write_now(queue.take_batch, claim, limits, now, self.vault)

    def send(self, claim: lanes.Claim, now: datetime = NOW) -> list[queue.Taken]:
        """Take a batch and note that a request may take effect for all of it."""
        taken = self.take(claim, now)
        self.db.write_now(taking.note_sent, claim, {one.id: one.attempt for one in taken}, now)
        return taken

    def settle(self, claim: lanes.Claim, taken: Any, outcomes: Any, now: datetime = NOW) -> None:
        self.db.write_now(queue.settle, claim, taken, outcomes, LIMITS, now)


class Payer:
    """A holder of a lane that pays for requests, each answered before the next."""

    def __init__(self, lane: Lane, limits: Limits = LIMITS) -> None:
        self.lane, self.limits = lane, limits
        self.spent: list[int] | None = None

    def pay(self, claim: lanes.Claim, now: datetime = NOW) -> datetime | None:
        """Pay for one request; return when to come back where that is not possible yet."""
        told = self.lane.db.write_now(lanes.spend, claim, self.limits, self.spent, 0, now, LEASE)
        self.spent = told[1] if told[0] else budget.answered(told[1], self.limits, now)
        return told[0]
