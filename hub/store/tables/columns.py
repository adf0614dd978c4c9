"""What columns are made of, the same in every table."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, Table, text
from sqlmodel import Field, SQLModel

from hub.store.moment import Identifier, Moment

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def identifier() -> Any:
    """Return a primary key of 64 bits."""
    return Field(default=None, primary_key=True, sa_type=Identifier)


def tenant() -> Any:
    """Return the column that says whose row this is."""
    return Field(sa_type=Identifier, foreign_key="tenant.id")


def reference(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    """Return a reference to a row of another table."""
    default: Any = None if nullable else ...
    return Field(default, sa_type=Identifier, foreign_key=f"{target}.id", nullable=nullable, index=index)


def moment(*, nullable: bool = False, index: bool = False, primary_key: bool = False) -> Any:
    """Return a moment: an aware UTC datetime."""
    default: Any = None if nullable else ...
    return Field(default, sa_type=Moment, nullable=nullable, index=index, primary_key=primary_key)


def json_(empty: Callable[[], Any] | None = None) -> Any:
    """Return a JSON column, ``empty()`` unless given; what is in it is replaced whole, never changed in place."""
    default: Any = {"default_factory": empty} if empty else {}
    return Field(sa_column=Column(JSON, nullable=False, default=empty), **default)


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table of a model: statements are built on it."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def unique_where(name: str, condition: str, *columns: str) -> Index:
    """Return a unique index over the rows that satisfy a condition, the same on both engines."""
    return Index(name, *columns, unique=True, postgresql_where=text(condition), sqlite_where=text(condition))


def index_where(name: str, condition: str, *columns: str) -> Index:
    """Return an index over the rows that satisfy a condition, the same on both engines."""
    return Index(name, *columns, postgresql_where=text(condition), sqlite_where=text(condition))
