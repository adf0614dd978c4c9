"""What arrives from a vendor's marketplace before it is anybody's, and the one-time tokens that were spent.

These rows belong to no customer yet: the keys are the vendor's own, and nothing here is read for a customer's page.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.store.tables.columns import moment, reference


class ArrivedCode(SQLModel, table=True):
    """A code that a marketplace sent, kept sealed until it is exchanged or ends."""

    __tablename__ = "arrived_code"

    code_hash: str = Field(primary_key=True)
    connector: str
    client_id: str
    host: str = Field(index=True)
    code: bytes  # sealed
    due_at: datetime = moment(index=True)
    ends_at: datetime = moment()


class UnlinkedAccount(SQLModel, table=True):
    """An account that installed us, or that a customer's person asked for, until both have happened.

    It has tokens once its code was exchanged, and ``wanted_by`` once somebody of a customer asked for it.
    """

    __tablename__ = "unlinked_account"

    connector: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    client_id: str = Field(primary_key=True)
    host: str
    access_token: bytes | None = None  # sealed
    refresh_token: bytes | None = None  # sealed
    hook_secret: bytes | None = None  # sealed
    ends_at: datetime | None = moment(nullable=True)  # of the access token
    wanted_by: int | None = reference("tenant", nullable=True)
    wanted_person: int | None = reference("person", nullable=True)
    forget_at: datetime = moment(index=True)


class SpentToken(SQLModel, table=True):
    """A one-time token that has had its effect; written in the transaction of that effect."""

    __tablename__ = "spent_token"

    connector: str = Field(primary_key=True)
    token_id: str = Field(primary_key=True)
    ends_at: datetime = moment(index=True)
