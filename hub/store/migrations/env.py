"""Alembic's entry: the connection comes from hub.store.migrate, the target from hub.store.tables."""

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from hub.store.moment import Moment
from hub.store.tables import metadata


def _render(kind: str, thing: Any, _autogen: Any) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a migration does not import the hub."""
    if kind == "type" and isinstance(thing, Moment):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(thing, AutoString):
        return "sa.String()"
    return False


def _lock(connection: Any) -> None:
    if connection.dialect.name == "postgresql":  # several processes may start at once
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4207849484)")


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render,
    compare_type=False,
)
with context.begin_transaction():
    _lock(connection)
    context.run_migrations()
