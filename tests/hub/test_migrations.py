"""The migrations on each engine make what the tables say, and running them again is nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Integer, inspect, text

from hub.errors import DatabaseUnreachable
from hub.store import migrate
from hub.store.db import Db
from hub.store.tables import metadata

pytestmark = pytest.mark.empty


@pytest.fixture
def db(database_url: str) -> Iterator[Db]:
    made = Db(database_url)
    yield made
    made.stop()


def is_other_type(_context: Any, _inspected: Any, column: Any, found: Any, told: Any) -> bool | None:
    """Compare types by the family the engine keeps them in: our own are made of plain ones."""
    if type(column.type).__name__ == "Moment":
        return not isinstance(found, Integer)
    return None if column.type.__module__.startswith("sqlalchemy") else False


def differences(db: Db) -> list[Any]:
    with db.engine.connect() as connection:
        options = {"compare_type": is_other_type, "compare_server_default": False}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return [one for one in found if one[0] != "remove_table" or one[1].name != "alembic_version"]


def test_an_empty_database_becomes_what_the_tables_say(db: Db) -> None:
    assert not migrate.is_made(db.engine)
    migrate.upgrade(db.engine)
    assert migrate.is_made(db.engine)
    assert differences(db) == []


def test_the_comparison_catches_a_missing_column_and_a_missing_index(db: Db) -> None:
    migrate.upgrade(db.engine)
    with db.engine.begin() as connection:
        connection.execute(text("DROP INDEX uq_lease_live"))
        connection.execute(text("ALTER TABLE lane DROP COLUMN hold_why"))
    kinds = {one[0] for one in differences(db)}
    assert kinds == {"add_index", "add_column"}


@pytest.mark.parametrize("name", ["uq_lease_live", "uq_match_current", "uq_tracking_number_holder"])
def test_what_must_be_unique_among_the_living_is(db: Db, name: str) -> None:
    migrate.upgrade(db.engine)
    table = {"uq_lease_live": "lease", "uq_match_current": "match"}.get(name, "tracking_number")
    (index,) = [one for one in inspect(db.engine).get_indexes(table) if one["name"] == name]
    assert index["unique"]


def test_upgrading_again_changes_nothing(db: Db) -> None:
    migrate.upgrade(db.engine)
    migrate.upgrade(db.engine)
    assert differences(db) == []


def test_a_database_of_a_newer_hub_is_refused_in_one_sentence(db: Db) -> None:
    migrate.upgrade(db.engine)
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnreachable, match="another version of the hub") as caught:
        migrate.upgrade(db.engine)
    assert len(str(caught.value).splitlines()) == 1
