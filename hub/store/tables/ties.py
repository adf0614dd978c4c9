"""By what visitors are known: what makes several of them one person."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from hub.store.tables.columns import identifier, moment, reference, tenant, unique_where


class Tie(SQLModel, table=True):
    """One piece of evidence that a visitor is known by a key; it is undone, never deleted.

    ``gone_at`` is when the evidence went, because a match was corrected; ``undone_at`` and ``undone_by`` when and by
    whom it was said that this is not the same person, which holds for all evidence of this visitor and key.
    """

    __table_args__ = (
        UniqueConstraint("enquiry_id", "visitor_id", "kind", "key"),
        unique_where("uq_tie_told", "enquiry_id IS NULL", "visitor_id", "kind", "key"),
        Index("ix_tie_key", "key", "kind", "tenant_id"),  # begins with what few have
        Index("ix_tie_visitor", "visitor_id"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    visitor_id: int = reference("visitor")
    kind: str  # phone | email | contact | user
    key: str  # keyed hash
    enquiry_id: int | None = reference("enquiry", nullable=True)  # the evidence; None when the site itself told
    since: datetime = moment()
    gone_at: datetime | None = moment(nullable=True)
    undone_at: datetime | None = moment(nullable=True)
    undone_by: int | None = reference("person", nullable=True)
