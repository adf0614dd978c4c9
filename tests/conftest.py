"""Fixtures shared by every test folder: the two engines, and a hub on each."""

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.store import migrate
from hub.store.db import Db
from tests import postgres

_names = itertools.count()
ENGINES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the proofs at their full size")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """A running PostgreSQL; never skipped: without one the tests fail."""
    with postgres.server() as url:
        yield url


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def pg_template(pg_server: str) -> str:
    """A migrated database that others are copied from."""
    with psycopg.connect(pg_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE hub_template")
    db = Db(_named(pg_server, "hub_template"))
    migrate.upgrade(db.engine)
    db.stop()
    return "hub_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "hub.sqlite3"
    db = Db(f"sqlite:///{path}")
    migrate.upgrade(db.engine)
    db.stop()
    return path


@pytest.fixture
def pg_url(pg_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own: empty, or migrated for a test marked so."""
    name = f"hub_{next(_names)}"
    template = "template1" if request.node.get_closest_marker("empty") else request.getfixturevalue("pg_template")
    with psycopg.connect(pg_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(pg_server, name)
    with psycopg.connect(pg_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database (an empty one for a test marked ``empty``) on each engine in turn."""
    if request.param == "sqlite":
        if not request.node.get_closest_marker("empty"):
            shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.sqlite3")
        return f"sqlite:///{tmp_path / 'hub.sqlite3'}"
    return str(request.getfixturevalue("pg_url"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran on which engine; the counts come from the reports, so they hold for parallel runs."""
    ran = [report for status in ("passed", "failed") for report in terminalreporter.stats.get(status, [])]
    on = {engine: sum(_is_on(engine, report) for report in ran) for engine in ENGINES}
    others = len(ran) - sum(on.values())
    told = ", ".join(f"{number} on {engine}" for engine, number in on.items())
    terminalreporter.write_line(f"Tests by engine: {told}; {others} need no database.")


def _is_on(engine: str, report: pytest.TestReport) -> bool:
    return engine in report.keywords or engine in re.split(r"[-\[\]]", report.nodeid)
