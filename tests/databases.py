"""Databases of a PostgreSQL server: made, dropped, and emptied, which is ten times cheaper than making a new one."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

from hub.store.tables import metadata

# What a migrated database holds, so that one a test has changed otherwise is not taken for it.
_SHAPE = "SELECT count(*), sum(relnatts), sum(relchecks) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
_ROWS = "".join(f'DELETE FROM "{table.name}";' for table in reversed(metadata.sorted_tables))
_COUNTERS = """
DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT format('ALTER SEQUENCE %I RESTART', sequencename) FROM pg_sequences WHERE last_value IS NOT NULL
  LOOP EXECUTE one; END LOOP;
END $$
"""


def make(server: str, name: str, template: str) -> None:
    """Make a database as a copy of another."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def drop(server: str, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def named(server: str, name: str) -> str:
    """Return the URL of a database of a server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


class Spares:
    """Migrated databases of one server: a test has one to itself and leaves it to the next, as good as new."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template = server, template
        self._spare: list[str] = []
        self._names = itertools.count()
        with psycopg.connect(named(server, template), autocommit=True) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()

    @contextmanager
    def one(self) -> Iterator[str]:
        """Yield the URL of a database; one that a test leaves with another schema is dropped."""
        name = self._spare.pop() if self._spare else self._made()
        yield named(self._server, name)
        if self._emptied(name):
            self._spare.append(name)
        else:
            drop(self._server, name)

    def _made(self) -> str:
        name = f"hub_{next(self._names)}"
        make(self._server, name, self._template)
        return name

    def _emptied(self, name: str) -> bool:
        with psycopg.connect(named(self._server, name), autocommit=True) as connection:
            connection.execute(f"{_OTHERS} AND pid <> pg_backend_pid()")
            if connection.execute(_SHAPE).fetchone() != self._shape:
                return False
            connection.execute(_ROWS + _COUNTERS)
            return True
