"""What was asked of accounts and what they answered, for some days."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from hub.store.tables.columns import identifier, moment, reference, tenant


class RoundTrip(SQLModel, table=True):
    """One request to an account and its answer, masked; the log of an account is bounded in days and in rows."""

    __tablename__ = "round_trip"
    __table_args__ = (Index("ix_round_trip_latest", "installation_id", "at", "id"),)

    id: int | None = identifier()
    tenant_id: int = tenant()
    installation_id: int = reference("installation")
    at: datetime = moment()  # it was over
    failed: bool
    method: str
    address: str
    status: int | None = None
    lost: str = ""  # without an answer, what is known of it: connectors.errors.Sent
    detail: str = ""
    took_ms: int
    asked_size: int  # bytes
    answered_size: int
    bodies: bytes  # both, cut, sealed: what a person wrote may stand in them
