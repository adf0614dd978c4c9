"""What was read from an account and is to be deleted, or was."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import json_, moment, tenant


class Erasure(SQLModel, table=True):
    """The deletion of what was read from an account that left us: when it is due, why, and how far it is."""

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    tenant_id: int = tenant()
    due_at: datetime = moment(index=True)
    why: str  # there | here: where it was asked for
    counts: dict[str, Any] = json_()  # what is deleted so far; empty before it begins
    done_at: datetime | None = moment(nullable=True)
