"""The tables: everything the hub remembers. Every table of a customer carries ``tenant_id``; money is in minor units."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier, Moment

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def _id() -> Any:
    return Field(default=None, primary_key=True, sa_type=Identifier)


def _tenant() -> Any:
    return Field(sa_type=Identifier, foreign_key="tenant.id")


def _ref(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    default = {"default": None} if nullable else {}
    return Field(sa_type=Identifier, foreign_key=f"{target}.id", nullable=nullable, index=index, **default)


def _moment(*, nullable: bool = False, index: bool = False) -> Any:
    default = {"default": None} if nullable else {}
    return Field(sa_type=Moment, nullable=nullable, index=index, **default)


def _json() -> Any:
    return Field(sa_column=Column(JSON, nullable=False))


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table of a model: statements are built on it."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


# ---------------------------------------------------------------- people


class Tenant(SQLModel, table=True):
    """Our customer."""

    id: int | None = _id()
    name: str
    created_at: datetime = _moment()


class Person(SQLModel, table=True):
    """Somebody who logs in to the console."""

    id: int | None = _id()
    tenant_id: int = _tenant()
    email: str = Field(unique=True)
    password_hash: str
    language: str = "ru"
    created_at: datetime = _moment()


class Login(SQLModel, table=True):
    """A console session or an API token; only the hash of its secret is kept."""

    secret_hash: str = Field(primary_key=True)
    tenant_id: int = _tenant()
    person_id: int = _ref("person")
    kind: str  # console | api
    csrf: str
    created_at: datetime = _moment()
    expires_at: datetime = _moment()


# ---------------------------------------------------------------- numbers and visits


class Site(SQLModel, table=True):
    """A web site with the tracking script."""

    id: int | None = _id()
    tenant_id: int = _tenant()
    key: str = Field(unique=True)
    name: str
    hosts: list[str] = _json()
    zone: str = "Europe/Moscow"
    currency: str = "RUB"
    overflow_number: str
    hold_s: int = 600


class Pool(SQLModel, table=True):
    """Tracking numbers shared between the visits of a site."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "name"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    site_id: int = _ref("site")
    name: str


class Placement(SQLModel, table=True):
    """One offline or static medium with its dates and cost."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "name"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    site_id: int = _ref("site")
    name: str
    source: str
    campaign: str
    starts_on: date | None = None
    ends_on: date | None = None


class TrackingNumber(SQLModel, table=True):
    """A phone number we show: of a pool, of a placement, or a site's overflow number.

    ``visitor_id`` holds it now and ``free_at`` is when somebody else may take it; 0 when it was never given.
    """

    __tablename__ = "tracking_number"
    __table_args__ = (
        Index("ix_tracking_number_longest_idle", "pool_id", "free_at"),
        Index(
            "uq_tracking_number_holder",
            "pool_id",
            "visitor_id",
            unique=True,
            postgresql_where=text("visitor_id IS NOT NULL"),
            sqlite_where=text("visitor_id IS NOT NULL"),
        ),
        # One holder per visitor and pool; free_at and visitor_id change at every lease: leave room on the page.
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: int | None = _id()
    tenant_id: int = _tenant()
    e164: str = Field(unique=True)
    site_id: int = _ref("site")
    pool_id: int | None = _ref("pool", nullable=True)
    placement_id: int | None = _ref("placement", nullable=True)
    visitor_id: int | None = Field(default=None, sa_type=Identifier)
    free_at: int = Field(default=0, sa_type=Identifier)


class Visitor(SQLModel, table=True):
    """A browser we recognise."""

    id: int | None = _id()
    tenant_id: int = _tenant()
    site_id: int = _ref("site")
    token: str
    first_seen_at: datetime = _moment()

    __table_args__ = (UniqueConstraint("site_id", "token"),)


class Visit(SQLModel, table=True):
    """One session of a visitor, with its source."""

    __table_args__ = (
        Index("ix_visit_latest", "visitor_id", "id"),
        Index("ix_visit_day", "tenant_id", "started_at"),
    )

    id: int | None = _id()
    tenant_id: int = _tenant()
    site_id: int = _ref("site")
    visitor_id: int = _ref("visitor")
    number_id: int | None = _ref("tracking_number", nullable=True)
    started_at: datetime = _moment()
    last_seen_at: datetime = _moment()
    channel: str
    source: str
    medium: str
    campaign: str
    content: str
    term: str
    click_ids: str  # JSON text: [["yclid", "123"]]
    referrer_host: str
    landing: str


class Lease(SQLModel, table=True):
    """The right of one visitor to one pool number, kept as history: who held what, from when until when.

    When its holder was last seen stands on his visit; it is not kept twice.
    """

    __table_args__ = (
        Index("ix_lease_history", "number_id", "started_at"),
        Index(
            "uq_lease_live",
            "number_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = _id()
    tenant_id: int = _tenant()
    number_id: int = _ref("tracking_number")
    visitor_id: int = _ref("visitor")
    started_at: datetime = _moment()
    ended_at: datetime | None = _moment(nullable=True)


# ---------------------------------------------------------------- calls


class TelephonyAccount(SQLModel, table=True):
    """A telephony account that posts call events to a path of its own; its secrets are sealed."""

    __tablename__ = "telephony_account"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
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

    id: int | None = _id()
    tenant_id: int = _tenant()
    account_id: int = _ref("telephony_account")
    provider_call_id: str
    dedupe_key: str
    kind: str
    occurred_at: datetime = _moment()
    received_at: datetime = _moment()
    facts: bytes  # sealed JSON of the normalised event
    raw: bytes  # sealed body as received


class Inbox(SQLModel, table=True):
    """A call that needs a look: events came, or its fallback moment comes. Done means the row is gone."""

    account_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="telephony_account.id")
    provider_call_id: str = Field(primary_key=True)
    tenant_id: int = _tenant()
    due_at: datetime = _moment(index=True)
    tries: int = 0
    trouble: str = ""


class Call(SQLModel, table=True):
    """One conversation or attempt, folded from its events."""

    __table_args__ = (
        UniqueConstraint("account_id", "provider_call_id"),
        Index("ix_call_day", "tenant_id", "started_at"),
        Index("ix_call_caller", "tenant_id", "caller_key", "started_at"),
    )

    id: int | None = _id()
    tenant_id: int = _tenant()
    account_id: int = _ref("telephony_account")
    provider_call_id: str
    site_id: int | None = _ref("site", nullable=True)
    direction: str
    dialled: str | None = None
    caller: bytes | None = None  # sealed E.164
    caller_key: str | None = None  # keyed hash: equal callers are found by it
    caller_masked: str = ""
    started_at: datetime = _moment()
    answered_at: datetime | None = _moment(nullable=True)
    ended_at: datetime | None = _moment(nullable=True)
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

    __table_args__ = (
        Index(
            "uq_match_current",
            "call_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
            sqlite_where=text("superseded_at IS NULL"),
        ),
    )

    id: int | None = _id()
    tenant_id: int = _tenant()
    call_id: int = _ref("call", index=True)
    visit_id: int | None = _ref("visit", nullable=True, index=True)
    placement_id: int | None = _ref("placement", nullable=True)
    confidence: float
    reason: str
    words: str
    candidates: list[Any] = _json()
    made_at: datetime = _moment()
    superseded_at: datetime | None = _moment(nullable=True)


class Refusal(SQLModel, table=True):
    """Refused requests, counted by day, door and reason: nothing else of them is kept."""

    day: date = Field(primary_key=True)
    door: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    times: int


# ---------------------------------------------------------------- CRM


class ScenarioVersion(SQLModel, table=True):
    """One saved version of the customer's rules for a connector; the newest live one runs."""

    __tablename__ = "scenario_version"
    __table_args__ = (UniqueConstraint("tenant_id", "connector", "version"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    connector: str
    version: int
    author: str
    text: str
    created_at: datetime = _moment()


class Installation(SQLModel, table=True):
    """One connector connected to one account of one tenant."""

    __table_args__ = (UniqueConstraint("connector", "account"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    connector: str
    account: str
    host: str
    status: str  # active | reauthorise | removed
    reason: str = ""
    facts: dict[str, Any] = _json()
    cursor: str | None = None
    hook_token: str = Field(unique=True)
    connected_at: datetime = _moment()


class Grant(SQLModel, table=True):
    """Credentials of one installation, sealed; ``version`` grows with each exchange."""

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    tenant_id: int = _tenant()
    access_token: bytes
    refresh_token: bytes | None = None
    expires_at: datetime = _moment()
    version: int = 1


class OAuthState(SQLModel, table=True):
    """A started authorisation: good once, for ten minutes, for the browser that started it."""

    __tablename__ = "oauth_state"

    state_hash: str = Field(primary_key=True)
    tenant_id: int = _tenant()
    login_hash: str
    connector: str
    expires_at: datetime = _moment()


class Lane(SQLModel, table=True):
    """The one way to an installation: who holds it, its rate budget and its hold; see delivery/queue.py."""

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    tenant_id: int = _tenant()
    fence: int = 0  # grows with each claim; every later write must still see it
    leased_until: datetime = _moment()
    wake_at: datetime = _moment(index=True)  # nothing to do before
    readback_at: datetime = _moment()
    budget_at: datetime = _moment()  # of the token bucket: the moment it would be full again
    hold_until: datetime = _moment()
    hold_count: int = 0
    hold_why: str = ""


class Delivery(SQLModel, table=True):
    """An intended effect at an installation; its states and their transitions are in delivery/queue.py."""

    __table_args__ = (
        UniqueConstraint("enquiry", "installation_id", "scenario_version"),
        Index("ix_delivery_waiting", "installation_id", "state", "due_at"),
        Index("ix_delivery_order", "installation_id", "order_key", "position"),
        Index("ix_delivery_tenant", "tenant_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    tenant_id: int = _tenant()
    installation_id: int = _ref("installation")
    position: datetime = _moment()  # of the enquiry in time: deliveries of one caller go oldest first
    order_key: str  # the caller's keyed hash, or the enquiry itself when he is anonymous
    enquiry: str
    call_id: int | None = _ref("call", nullable=True, index=True)
    scenario_version: int
    marker: str
    plan: bytes  # sealed
    state: str
    due_at: datetime = _moment()
    attempt: int = 0  # claims so far: the fence of settling
    spent: int = 0  # attempts that count against the schedule
    in_doubt: bool = False
    refs: list[Any] = _json()
    why: str = ""
    sentence: str = ""
    created_at: datetime = _moment()
    settled_at: datetime | None = _moment(nullable=True)


class Attempt(SQLModel, table=True):
    """One try of a delivery, written before the request and finished by its outcome."""

    delivery_id: str = Field(primary_key=True, foreign_key="delivery.id")
    number: int = Field(primary_key=True)
    tenant_id: int = _tenant()
    started_at: datetime = _moment()
    ended_at: datetime | None = _moment(nullable=True)
    status: str | None = None
    why: str = ""
    detail: str = ""


class Deal(SQLModel, table=True):
    """A deal as the CRM had it when we last read it."""

    __table_args__ = (
        UniqueConstraint("installation_id", "external_id"),
        Index("ix_deal_day", "tenant_id", "created_at"),
    )

    id: int | None = _id()
    tenant_id: int = _tenant()
    installation_id: int = _ref("installation")
    external_id: str
    url: str | None = None
    pipeline: str
    stage: str
    outcome: str
    amount_minor: int = Field(sa_type=Identifier)
    currency: str
    created_at: datetime = _moment()
    updated_at: datetime = _moment()
    closed_at: datetime | None = _moment(nullable=True)
    marker: str | None = Field(default=None, index=True)
    call_id: int | None = _ref("call", nullable=True, index=True)
    deleted: bool = False


class Payment(SQLModel, table=True):
    """A payment of a deal as the CRM has it."""

    __table_args__ = (UniqueConstraint("installation_id", "external_id"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    installation_id: int = _ref("installation")
    external_id: str
    deal_external_id: str = Field(index=True)
    amount_minor: int = Field(sa_type=Identifier)
    currency: str
    paid_at: datetime = _moment()


class Spend(SQLModel, table=True):
    """What advertising cost, by day, source and campaign; importing a day again replaces it."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "day", "source", "campaign"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    site_id: int = _ref("site")
    day: date
    source: str
    campaign: str
    cost_minor: int = Field(sa_type=Identifier)
    clicks: int
    currency: str


class Goal(SQLModel, table=True):
    """A conversion worth telling an ad platform: a qualified call or a won deal, once each."""

    __table_args__ = (UniqueConstraint("tenant_id", "name", "subject"),)

    id: int | None = _id()
    tenant_id: int = _tenant()
    name: str  # call_qualified | deal_won
    subject: str  # call:12 | deal:7
    call_id: int | None = _ref("call", nullable=True)
    visit_id: int | None = _ref("visit", nullable=True)
    value_minor: int = Field(sa_type=Identifier)
    currency: str
    occurred_at: datetime = _moment()
    withdrawn_at: datetime | None = _moment(nullable=True)
