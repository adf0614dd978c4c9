"""The ledger: what happened to enquiries, deliveries and access, in one chain for each tenant."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import identifier, index_where, moment, tenant, unique_where


class LedgerEntry(SQLModel, table=True):
    """One fact, written in the transaction that made it true; ``seq``, ``previous`` and ``hash`` come with its seal.

    What it names is named by plain numbers, not by references: an entry outlives what it tells of.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        index_where("ix_ledger_entry_enquiry", "enquiry_id IS NOT NULL", "tenant_id", "enquiry_id", "id"),
        index_where("ix_ledger_entry_unsealed", "seq IS NULL", "tenant_id", "id"),
        unique_where("uq_ledger_entry_chain", "seq IS NOT NULL", "tenant_id", "seq"),
    )

    id: int | None = identifier()
    tenant_id: int = tenant()
    at: datetime = moment()
    kind: str
    enquiry_id: int | None = Field(default=None, sa_type=Identifier)
    delivery_id: str | None = None
    installation_id: int | None = Field(default=None, sa_type=Identifier)
    who: str = ""  # person:ID; empty: the hub itself, or whoever sits at its command line
    facts: str  # JSON text without personal data
    seq: int | None = Field(default=None, sa_type=Identifier)
    previous: str | None = None
    hash: str | None = None


class LedgerHead(SQLModel, table=True):
    """The end of a tenant's chain: who seals locks it. ``mark`` is a keyed hash that only the hub can make."""

    __tablename__ = "ledger_head"

    tenant_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="tenant.id")
    seq: int = Field(sa_type=Identifier)
    hash: str
    mark: str
