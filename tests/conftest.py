"""Fixtures shared by every test folder: the two engines, and a hub on each."""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

sys.path.insert(0, str(Path(__file__).parent))

import postgres  # the file beside this one

_names = itertools.count()
_engines: dict[str, int] = {"sqlite": 0, "postgresql": 0}
_origin: list[str] = []


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """A running PostgreSQL; never skipped: without one the tests fail."""
    with postgres.server() as (url, origin):
        _origin.append(origin)
        yield url


@pytest.fixture
def pg_url(pg_server: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"hub_{next(_names)}"
    with psycopg.connect(pg_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_url(pg_server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(pg_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database on each engine in turn."""
    _engines[request.param] += 1
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.sqlite3'}"
    return str(request.getfixturevalue("pg_url"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran on which engine."""
    origin = f" ({_origin[0]})" if _origin else ""
    counted = f"on SQLite: {_engines['sqlite']}, on PostgreSQL{origin}: {_engines['postgresql']}"
    terminalreporter.write_line(f"Tests with a database {counted}; all others need none.")
