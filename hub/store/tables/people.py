"""Our customers and the people who log in."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.store.tables.columns import identifier, moment, reference, tenant


class Tenant(SQLModel, table=True):
    """Our customer."""

    id: int | None = identifier()
    name: str
    created_at: datetime = moment()
    rules: bytes | None = None  # sealed JSON: which enquiries count, and whose never do


class Person(SQLModel, table=True):
    """Somebody who logs in to the console."""

    id: int | None = identifier()
    tenant_id: int = tenant()
    email: str = Field(unique=True)
    password_hash: str
    language: str = "ru"
    created_at: datetime = moment()


class Login(SQLModel, table=True):
    """A console session or an API token; only the hash of its secret is kept."""

    secret_hash: str = Field(primary_key=True)
    tenant_id: int = tenant()
    person_id: int = reference("person")
    kind: str  # console | api
    csrf: str
    created_at: datetime = moment()
    expires_at: datetime = moment()
