"""Call events, and the calls made of them."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import identifier, index_where, json_, moment, reference, tenant

RECORDED = "recording IS NOT NULL OR recording_id IS NOT NULL"


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
    recordings_from: list[str] = json_(list)  # origins of the customer's own that recordings may come from
    secrets: bytes


class CallEvent(SQLModel, table=True):
    """One fact about a call as telephony told it; never changed."""

    __tablename__ = "call_event"
    __table_args__ = (
        UniqueConstraint("account_id", "dedupe_key"),
        Index("ix_call_event_call", "account_id", "provider_call_id"),
        Index("ix_call_event_day", "tenant_id", "received_at"),
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
    """An enquiry that needs a look: it is new, facts came, or its fallback moment comes. Done means the row is gone."""

    tenant_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="tenant.id")
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    due_at: datetime = moment(index=True)
    tries: int = 0
    trouble: str = ""


class Call(SQLModel, table=True):
    """What telephony told of an enquiry that is a call, folded from its events."""

    __table_args__ = (
        UniqueConstraint("account_id", "provider_call_id"),
        Index("ix_call_dialled", "tenant_id", "dialled"),
        index_where("ix_call_recorded", RECORDED, "account_id"),
    )

    enquiry_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="enquiry.id")
    tenant_id: int = tenant()
    account_id: int = reference("telephony_account")
    provider_call_id: str
    direction: str
    dialled: str | None = None
    answered_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    talk_s: int
    wait_s: int
    durations_differ: bool  # telephony told its events and its total differently
    status: str
    operator: str | None = None
    recording: bytes | None = None  # sealed address
    recording_id: str | None = None  # by which the vendor gives it out


class RecordingLink(SQLModel, table=True):
    """An address at which the recording of one call is heard without a login; its secret is sealed, found by its hash.

    ``purpose`` is card, for who looks at a card of the CRM, or note, for what is written there.
    """

    __tablename__ = "recording_link"

    id: int | None = identifier()
    tenant_id: int = tenant()
    enquiry_id: int = reference("enquiry", index=True)
    secret_hash: str = Field(unique=True)
    secret: bytes
    purpose: str
    given_to: str  # crm:ID of the CRM's user; empty: whoever reads the note
    made_at: datetime = moment()
    ends_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
    heard_at: datetime | None = moment(nullable=True)  # last
    heard: int = 0  # times, each sitting once


class Refusal(SQLModel, table=True):
    """Refused requests, counted by day, door and reason: nothing else of them is kept."""

    day: date = Field(primary_key=True)
    door: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    times: int
