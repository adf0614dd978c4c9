"""What the daily reconciliations told."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import moment


class Reconciliation(SQLModel, table=True):
    """One night's reconciliation of a tenant; ``told`` is None while somebody is at it, or died at it."""

    tenant_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="tenant.id")
    until: datetime = moment(primary_key=True)  # the night it is of
    begun_at: datetime = moment()
    told: str | None = None  # JSON text of hub.reconcile.told
