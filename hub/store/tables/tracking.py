"""Sites, numbers, visitors, visits and leases."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import identifier, index_where, json_, moment, reference, tenant, unique_where


class Site(SQLModel, table=True):
    """A web site with the tracking script."""

    id: int | None = identifier()
    tenant_id: int = tenant()
    key: str = Field(unique=True)
    name: str
    hosts: list[str] = json_()
    zone: str = "Europe/Moscow"
    currency: str = "RUB"
    overflow_number: str
    destination: str | None = None  # where its numbers ring that say nothing else: E.164, a SIP address, an extension
    hold_s: int = 600
    repeat_calls: str = "each"  # or first: who calls again keeps the source of his first call
    mode: str = "load"  # or intent: a number is asked for only when the visitor reaches for it
    consent: str = "full"  # what the script may keep before the page says otherwise: full, anonymous, off
    forms: bool = True  # the second script tells of the forms of its pages
    callback: dict[str, str] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # its button's words
    mail: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))  # address, reply, own
    mail_token: str | None = Field(default=None, unique=True)  # the unguessable part of the path letters are posted to
    messengers: dict[str, str] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # their links carry the visit's code; text of a first message
    office: list[str] = json_(list)  # networks (CIDR) whose visitors see the site's own numbers


class Target(SQLModel, table=True):
    """A number of the site's own that its pages show: what the script replaces, by the group it belongs to."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "e164"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    e164: str
    group_name: str
    selectors: list[str] = json_()  # CSS; for numbers that stand incomplete on the page
    mask: str = ""  # how a number of another length is written: +# (###) ###-##-##


class NumberRule(SQLModel, table=True):
    """One rule of selective replacement, in the order of ``place``: which visits see what."""

    __tablename__ = "number_rule"
    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "place"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    place: int
    name: str
    conditions: dict[str, list[str]] = json_()
    shows: dict[str, Any] = json_()  # group -> {"pool": name} | {"placement": name} | "own"


class Pool(SQLModel, table=True):
    """Tracking numbers shared between the visits of a site, shown in place of the numbers of one group."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "name"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    name: str
    group_name: str = "main"
    overflow_number: str = ""  # the site's when empty
    destination: str | None = None  # where its numbers ring; the site's when none


class Placement(SQLModel, table=True):
    """One offline or static medium with its dates and cost."""

    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "name"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    name: str
    source: str
    campaign: str
    starts_on: date | None = None
    ends_on: date | None = None
    cost_minor: int | None = Field(default=None, sa_type=Identifier)  # of all its days, in the site's currency
    destination: str | None = None  # where its number rings; the site's when none


class TrackingNumber(SQLModel, table=True):
    """A phone number we show: of a pool, of a placement, or a site's overflow number.

    ``visitor_id`` holds it now, ``free_at`` is when somebody else may take it, and ``idle_since`` is the moment that
    orders the free ones (``tracking_core.pool.HeldNumber``); both 0 when it was never given. ``is_called`` says that
    its holder has called: his phone tells him from now on, so his staying on the site does not warm the number. One
    that rests, because calls of strangers come to it, has no holder and ``free_at`` is when its rest is over.
    ``region`` is its holder's, None once he has called; ``regions`` has the moment, as ``idle_since``, for the holders
    of each region before him. Both tell only where regions of visits are known.
    """

    __tablename__ = "tracking_number"
    __table_args__ = (
        Index("ix_tracking_number_longest_idle", "pool_id", "idle_since", "id", "free_at"),
        unique_where("uq_tracking_number_holder", "visitor_id IS NOT NULL", "visitor_id", "pool_id"),
        # One holder per visitor and pool; free_at and visitor_id change at every lease: leave room on the page.
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    e164: str = Field(unique=True)
    site_id: int = reference("site")
    pool_id: int | None = reference("pool", nullable=True)
    placement_id: int | None = reference("placement", nullable=True)
    destination: str | None = None  # where this one rings; that of its placement, pool or site when none
    visitor_id: int | None = Field(default=None, sa_type=Identifier)
    free_at: int = Field(default=0, sa_type=Identifier)
    idle_since: int = Field(default=0, sa_type=Identifier)
    is_called: bool = False
    rests: bool = False
    region: str | None = None
    regions: str = "{}"


class Visitor(SQLModel, table=True):
    """A browser we recognise; ``person_id`` is the first visitor of the same person, once he has several (``Tie``)."""

    __table_args__ = (
        UniqueConstraint("site_id", "token"),
        index_where("ix_visitor_person", "person_id IS NOT NULL", "person_id"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    token: str
    first_seen_at: datetime = moment()
    person_id: int | None = reference("visitor", nullable=True)


class Visit(SQLModel, table=True):
    """One session of a visitor, with its source."""

    __table_args__ = (
        Index("ix_visit_latest", "visitor_id", "id"),
        Index("ix_visit_day", "tenant_id", "started_at"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    visitor_id: int = reference("visitor")
    number_id: int | None = reference("tracking_number", nullable=True)
    started_at: datetime = moment()
    last_seen_at: datetime = moment()
    channel: str
    source: str
    medium: str
    campaign: str
    content: str
    term: str
    click_ids: str  # JSON text: [["yclid", "123"]]
    referrer_host: str
    landing: str
    region: str | None = None  # tracking_core.regions; none where no geographic database says it


class PageEvent(SQLModel, table=True):
    """Something a visitor did with a number on a page: tapped it, copied it, revealed it, sent a form."""

    __tablename__ = "page_event"
    __table_args__ = (Index("ix_page_event_number", "number_id", "at"), Index("ix_page_event_visit", "visit_id"))

    id: int | None = identifier()
    tenant_id: int = tenant()
    visit_id: int = reference("visit")
    number_id: int | None = reference("tracking_number", nullable=True)
    kind: str
    at: datetime = moment()


class PageSeen(SQLModel, table=True):
    """What the script found on a page of the site when it was there last: the self-test of the installation."""

    __tablename__ = "page_seen"
    __table_args__ = (UniqueConstraint("tenant_id", "site_id", "page"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    page: str  # host and path
    found: dict[str, int] = json_()  # group -> numbers replaced there
    images: int = 0  # pictures that seem to show a number
    at: datetime = moment()


class Lease(SQLModel, table=True):
    """The right of one visitor to one pool number, kept as history: who held what, from when until when.

    When its holder was last seen stands on his visit; it is not kept twice.
    """

    __table_args__ = (
        Index("ix_lease_history", "number_id", "started_at"),
        unique_where("uq_lease_live", "ended_at IS NULL", "number_id"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    number_id: int = reference("tracking_number")
    visitor_id: int = reference("visitor")
    started_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class SiteHabits(SQLModel, table=True):
    """How the visitors of a site call, as last learned from its calls; no ``habits`` while the general ones hold."""

    __tablename__ = "site_habits"
    __table_args__ = (UniqueConstraint("tenant_id", "site_id"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    site_id: int = reference("site")
    learned_at: datetime = moment()
    from_calls: int = 0
    habits: str | None = None  # JSON text of tracking_core.habits.Habits
