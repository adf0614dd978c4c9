"""Brings the schema of a database to this version of the hub, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

_FOLDER = Path(__file__).parent / "migrations"


def config() -> Config:
    """Return Alembic's configuration; there is no alembic.ini."""
    found = Config()
    found.set_main_option("script_location", str(_FOLDER))
    return found


def upgrade(engine: Engine) -> None:
    """Run the migrations that this database has not seen, in one transaction."""
    with engine.connect() as connection:
        options = config()
        options.attributes["connection"] = connection
        command.upgrade(options, "head")
        connection.commit()
