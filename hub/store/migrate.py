"""Brings the schema of a database to this version of the hub, by Alembic."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, inspect

from hub.errors import DatabaseUnreachable

_FOLDER = Path(__file__).parent / "migrations"


def config() -> Config:
    """Return Alembic's configuration; there is no alembic.ini."""
    found = Config()
    found.set_main_option("script_location", str(_FOLDER))
    return found


@cache
def head() -> str | None:
    """Return the revision of this version of the hub."""
    return ScriptDirectory.from_config(config()).get_current_head()


def upgrade(engine: Engine) -> None:
    """Run the migrations that this database has not seen, in one transaction."""
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head():
            return
        options = config()
        options.attributes["connection"] = connection
        try:
            command.upgrade(options, "head")
        except CommandError as error:
            raise DatabaseUnreachable(f"The database was made by another version of the hub: {error}.") from error
        connection.commit()


def is_made(engine: Engine) -> bool:
    """Say whether the migrations have ever run on this database."""
    with engine.connect() as connection:
        return inspect(connection).has_table("alembic_version")
