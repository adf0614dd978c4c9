"""Call events, and the calls and matches made of them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import identifier, json_, moment, reference, tenant, unique_where


class TelephonyAccount(SQLModel, table=True):
    """A telephony account that posts call events to a path of its own; its secrets are sealed."""

    __tablename__ = "telephony_account"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    name: str
    adapter: str
    token: str = Field(unique=True)  # the unguessable part of its path
    zone: str
    secrets: bytes


class CallEvent(SQLModel, table=True):
    """One fact about a call as telephony told it; never changed."""

    __tablename__ = "call_event"
    __table_args__ = (
        UniqueConstraint("account_id", "dedupe_key"),
        Index("ix_call_event_call", "account_id", "provider_call_id"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    account_id: int = reference("telephony_account")
    provider_call_id: str
    dedupe_key: str
    kind: str
    occurred_at: datetime = moment()
    received_at: datetime = moment()
    facts: bytes  # sealed JSON of the normalised event
    raw: bytes  # sealed body as received


class Inbox(SQLModel, table=True):
    """A call that needs a look: events came, or its fallback moment comes. Done means the row is gone."""

    account_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="telephony_account.id")
    provider_call_id: str = Field(primary_key=True)
    tenant_id: int = tenant()
    due_at: datetime = moment(index=True)
    tries: int = 0
    trouble: str = ""


class Call(SQLModel, table=True):
    """One conversation or attempt, folded from its events."""

    __table_args__ = (
        UniqueConstraint("account_id", "provider_call_id"),
        Index("ix_call_day", "tenant_id", "started_at"),
        Index("ix_call_caller", "tenant_id", "caller_key", "started_at"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    account_id: int = reference("telephony_account")
    provider_call_id: str
    site_id: int | None = reference("site", nullable=True)
    direction: str
    dialled: str | None = None
    caller: bytes | None = None  # sealed E.164
    caller_key: str | None = None  # keyed hash: equal callers are found by it
    caller_masked: str = ""
    started_at: datetime = moment()
    answered_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    talk_s: int
    wait_s: int
    status: str
    operator: str | None = None
    recording: bytes | None = None  # sealed address
    first_time: bool
    qualified: bool
    qualified_why: str


class Match(SQLModel, table=True):
    """Enquiry -> visit or placement, with confidence and reason; a correction supersedes, nothing is overwritten."""

    __table_args__ = (unique_where("uq_match_current", "superseded_at IS NULL", "call_id"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    call_id: int = reference("call", index=True)
    visit_id: int | None = reference("visit", nullable=True, index=True)
    placement_id: int | None = reference("placement", nullable=True)
    confidence: float
    reason: str
    words: str
    candidates: list[Any] = json_()
    made_at: datetime = moment()
    superseded_at: datetime | None = moment(nullable=True)


class Refusal(SQLModel, table=True):
    """Refused requests, counted by day, door and reason: nothing else of them is kept."""

    day: date = Field(primary_key=True)
    door: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    times: int
