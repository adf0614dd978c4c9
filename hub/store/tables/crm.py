"""CRM accounts, what is sent to them and what comes back; money in minor units."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import identifier, index_where, json_, moment, reference, tenant

UNSETTLED = "state = 'ready' OR state = 'sending'"  # said so that SQLite, too, sees it in ``state = 'ready'``
SENT = "sent_by = 'crm'"  # by the CRM's own automation


class ScenarioVersion(SQLModel, table=True):
    """One saved version of the customer's rules for a connector; the newest live one runs."""

    __tablename__ = "scenario_version"
    __table_args__ = (UniqueConstraint("tenant_id", "connector", "version"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    connector: str
    version: int
    author: str
    text: str
    created_at: datetime = moment()


class Installation(SQLModel, table=True):
    """One connector connected to one account of one tenant."""

    __table_args__ = (UniqueConstraint("connector", "account"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    connector: str
    account: str
    host: str
    status: str  # active | reauthorise | removed
    reason: str = ""  # why there is no access, as store/said.py keeps it
    facts: dict[str, Any] = json_()
    facts_at: datetime | None = moment(nullable=True)
    # The version of the scenario that fits those facts no longer, and the facts that it last fitted; empty: none.
    fitted: dict[str, Any] = json_(dict)
    cursor: str | None = None
    contacts_cursor: str | None = None
    contacts_known: bool = False  # every contact there is has been read once
    looked_to: int | None = Field(default=None, sa_type=Identifier)  # the last deal looked for; None: from the first on
    hook_token: str = Field(unique=True)
    connected_at: datetime = moment()


class Grant(SQLModel, table=True):
    """Credentials of one installation, sealed; ``version`` grows with each exchange."""

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    tenant_id: int = tenant()
    access_token: bytes
    refresh_token: bytes | None = None
    hook_secret: bytes | None = None  # what the account's own hooks prove themselves by
    expires_at: datetime = moment()
    version: int = 1
    refreshing_until: datetime | None = moment(nullable=True)  # somebody asks the vendor for a new pair; others wait
    rests_until: datetime | None = moment(nullable=True)  # nobody asks before: it gave none, or refused
    in_doubt: bool = False  # the answer to an earlier renewal was lost: the refresh token may be spent


class OAuthState(SQLModel, table=True):
    """A started authorisation: good once, for ten minutes, for the browser that started it."""

    __tablename__ = "oauth_state"

    state_hash: str = Field(primary_key=True)
    tenant_id: int = tenant()
    login_hash: str
    connector: str
    expires_at: datetime = moment()


class Lane(SQLModel, table=True):
    """The one way to an installation: who holds it, its rate budget and its hold; see delivery/lanes.py."""

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    tenant_id: int = tenant()
    fence: int = 0  # grows with each claim; every later write must still see it
    leased_until: datetime = moment()
    wake_at: datetime = moment(index=True)  # nothing to do before
    readback_at: datetime = moment()
    spent: list[int] = json_()  # of its rate budget; see delivery/budget.py
    hold_until: datetime = moment()
    hold_count: int = 0  # troubles in a row
    held_since: datetime = moment()  # the first of them
    share: int = 1  # the batch is the manifest's divided by it: doubled by trouble, halved by success
    hold_why: str = ""  # the kind of trouble, and what was said of it as store/said.py keeps it
    turns: dict[str, str] = json_(dict)  # who of a list had the last enquiry; see delivery/turns.py


class Delivery(SQLModel, table=True):
    """An intended effect at an installation; its states and their transitions are delivery/retry.py's."""

    __table_args__ = (
        UniqueConstraint("enquiry", "installation_id", "scenario_version"),
        index_where("ix_delivery_queue", UNSETTLED, "installation_id", "state", "position", "id"),
        index_where("ix_delivery_caller", UNSETTLED, "installation_id", "order_key", "position"),
        index_where("ix_delivery_recent", "settled_at IS NOT NULL", "installation_id", "order_key", "settled_at"),
        Index("ix_delivery_tenant", "tenant_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    tenant_id: int = tenant()
    installation_id: int = reference("installation")
    position: datetime = moment()  # of the enquiry in time: deliveries of one caller go oldest first
    order_key: str  # the caller's keyed hash, or the enquiry itself when he is anonymous
    enquiry: str
    enquiry_id: int | None = reference("enquiry", nullable=True, index=True)
    scenario_version: int
    marker: str
    plan: bytes  # sealed
    state: str
    due_at: datetime = moment()
    attempt: int = 0  # claims so far: the fence of settling
    spent: int = 0  # attempts that count against the schedule
    in_doubt: bool = False
    refs: list[Any] = json_()
    why: str = ""
    sentence: str = ""  # what was said of it, as store/said.py keeps it
    decision: str | None = None  # which rule was followed and what was seen, as connectors/deciding.py writes it
    created_at: datetime = moment()
    settled_at: datetime | None = moment(nullable=True)


class Attempt(SQLModel, table=True):
    """One try of a delivery, written before the request and finished by its outcome."""

    delivery_id: str = Field(primary_key=True, foreign_key="delivery.id")
    number: int = Field(primary_key=True)
    tenant_id: int = tenant()
    started_at: datetime = moment()
    sent_at: datetime | None = moment(nullable=True)  # the first request was paid that may take effect for it
    ended_at: datetime | None = moment(nullable=True)
    status: str | None = None
    why: str = ""
    detail: str = ""


class CardOf(SQLModel, table=True):
    """A card of the CRM that a delivery of an enquiry made or was written on."""

    __tablename__ = "card_of"
    __table_args__ = (Index("ix_card_of_enquiry", "enquiry_id"),)

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    kind: str = Field(primary_key=True)  # deal | contact
    external_id: str = Field(primary_key=True)
    enquiry_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="enquiry.id")
    tenant_id: int = tenant()


class Deal(SQLModel, table=True):
    """A deal as the CRM had it when we last read it."""

    __table_args__ = (
        UniqueConstraint("installation_id", "external_id"),
        Index("ix_deal_day", "tenant_id", "created_at"),
        Index("ix_deal_place", "installation_id", "id"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    installation_id: int = reference("installation")
    external_id: str
    url: str | None = None
    pipeline: str
    stage: str
    outcome: str
    amount_minor: int = Field(sa_type=Identifier)
    currency: str
    created_at: datetime = moment()
    updated_at: datetime = moment()
    closed_at: datetime | None = moment(nullable=True)
    marker: str | None = Field(default=None, index=True)
    enquiry_id: int | None = reference("enquiry", nullable=True, index=True)
    deleted: bool = False
    responsible: str | None = None
    author: str | None = None  # the user who made it, or connectors.changes.ROBOT
    told: str = ""  # the digest of all that was read: nothing new is written twice


class ContactKey(SQLModel, table=True):
    """A contact of an account, by the keyed hash of a phone or e-mail it has; none where only a search can say."""

    __tablename__ = "contact_key"
    __table_args__ = (Index("ix_contact_key_contact", "installation_id", "contact"),)

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    key: str = Field(primary_key=True)
    contact: str = Field(primary_key=True)  # the CRM's id
    tenant_id: int = tenant()
    made_at: datetime | None = moment(nullable=True)
    author: str | None = None


class DealContact(SQLModel, table=True):
    """A contact that stands on a deal; ids are the CRM's."""

    __tablename__ = "deal_contact"
    __table_args__ = (Index("ix_deal_contact_deal", "installation_id", "deal"),)

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    contact: str = Field(primary_key=True)
    deal: str = Field(primary_key=True)
    tenant_id: int = tenant()


class DealStage(SQLModel, table=True):
    """A stage that a deal of an enquiry was seen in, and since when; ids are the CRM's."""

    __tablename__ = "deal_stage"

    deal_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="deal.id")
    pipeline: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    tenant_id: int = tenant()
    at: datetime = moment()


class DealPayment(SQLModel, table=True):
    """A payment that stands on a deal, whether or not it was read yet; ids are the CRM's."""

    __tablename__ = "deal_payment"
    __table_args__ = (Index("ix_deal_payment_payment", "installation_id", "payment"),)

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    deal: str = Field(primary_key=True)
    payment: str = Field(primary_key=True)
    tenant_id: int = tenant()


class Payment(SQLModel, table=True):
    """A payment as the CRM has it; one of nothing was withdrawn, or is awaited."""

    __table_args__ = (UniqueConstraint("installation_id", "external_id"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    installation_id: int = reference("installation")
    external_id: str
    amount_minor: int = Field(sa_type=Identifier)
    currency: str
    paid_at: datetime = moment()


class Spend(SQLModel, table=True):
    """What advertising cost, by day, source and campaign; importing a day again replaces it."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "day", "source", "campaign"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    day: date
    source: str
    campaign: str
    cost_minor: int = Field(sa_type=Identifier)
    clicks: int
    currency: str


class Goal(SQLModel, table=True):
    """A conversion worth telling an ad platform, once for each enquiry or deal that reached it."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "name", "subject"),
        Index("ix_goal_day", "tenant_id", "occurred_at"),
        index_where("ix_goal_sent", SENT, "tenant_id", "subject"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    name: str  # call_qualified | deal_won, or as the set-up file names it
    subject: str  # call:12 | deal:7
    enquiry_id: int | None = reference("enquiry", nullable=True, index=True)
    visit_id: int | None = reference("visit", nullable=True)
    value_minor: int = Field(sa_type=Identifier)
    currency: str
    occurred_at: datetime = moment()
    withdrawn_at: datetime | None = moment(nullable=True)
    sent_by: str = ""  # crm: its own automation asked for it; empty: our rules did


class AskedGoal(SQLModel, table=True):
    """A deal, by the CRM's id, that its own automation asked to count as a goal, and what came of it."""

    __tablename__ = "asked_goal"
    __table_args__ = (index_where("ix_asked_goal_waiting", "settled_at IS NULL", "installation_id", "due_at"),)

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    deal: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    tenant_id: int = tenant()
    asked_at: datetime = moment()
    due_at: datetime = moment()
    tries: int = 0
    settled_at: datetime | None = moment(nullable=True)
    came_to: str = ""  # goal | gone | not_ours
