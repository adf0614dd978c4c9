"""Whether a CRM tells us of changes by itself."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier
from hub.store.tables.columns import json_, moment, tenant


class Doorbell(SQLModel, table=True):
    """The doorbell of an installation as it was at the last look, and when the next look is due."""

    installation_id: int = Field(primary_key=True, sa_type=Identifier, foreign_key="installation.id")
    tenant_id: int = tenant()
    due_at: datetime = moment()
    looked_at: datetime | None = moment(nullable=True)
    rings: bool = False
    said: list[Any] = json_()  # why it does not: codes of the connector's sentences, with their values
    off_at: datetime | None = moment(nullable=True)  # when the vendor was last found to have switched it off
