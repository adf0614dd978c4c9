"""Enquiries of every kind, and what each was matched to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from hub.store.tables.columns import identifier, json_, moment, reference, tenant, unique_where


class Enquiry(SQLModel, table=True):
    """A contact with a person: a call, a form, an order to call back, a chat, a letter.

    ``key`` makes it one however often we are told of it: an id of the sender's. ``named_visit_id`` is the visit that
    the sender named, as a form does. ``heard`` is what the person said when asked how he heard of us.
    """

    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "key"),
        Index("ix_enquiry_day", "tenant_id", "at"),
        Index("ix_enquiry_phone", "tenant_id", "phone_key", "at"),
        Index("ix_enquiry_email", "tenant_id", "email_key", "at"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    kind: str  # call | form | callback | chat | mail | manual
    key: str
    site_id: int | None = reference("site", nullable=True)
    at: datetime = moment()
    phone: bytes | None = None  # sealed E.164
    phone_key: str | None = None  # keyed hash: equal phones are found by it
    phone_masked: str = ""
    email: bytes | None = None  # sealed
    email_key: str | None = None
    told: bytes | None = None  # sealed JSON: name and text, as the person gave them
    named_visit_id: int | None = reference("visit", nullable=True)
    heard: str = ""
    corrected_by: int | None = reference("person", nullable=True)  # who said whose it was; his word stands
    corrected_in_crm: str = ""  # his name there, when he said it on a card of the CRM and has no login here
    corrected_visit_id: int | None = reference("visit", nullable=True)  # none: nobody's we know of
    first_time: bool
    qualified: bool
    qualified_why: str


class Match(SQLModel, table=True):
    """Enquiry -> visit or placement, with confidence and reason; a correction supersedes, nothing is overwritten."""

    __table_args__ = (unique_where("uq_match_current", "superseded_at IS NULL", "enquiry_id"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    enquiry_id: int = reference("enquiry", index=True)
    visit_id: int | None = reference("visit", nullable=True, index=True)
    placement_id: int | None = reference("placement", nullable=True)
    confidence: float
    reason: str
    words: str
    candidates: list[Any] = json_()
    made_at: datetime = moment()
    superseded_at: datetime | None = moment(nullable=True)
