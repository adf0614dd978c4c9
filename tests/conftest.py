"""Fixtures shared by every test folder: the two engines, and a hub on each."""

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

from hub.store import db, migrate, people
from hub.store.db import Db
from tests import databases, postgres

_names = itertools.count()
ENGINES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the proofs at their full size")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def passwords() -> Iterator[None]:
    """Passwords of hubs in this process are hashed cheaply: a slow hash would cost more than most tests."""
    with patch.object(people, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Hubs of one test process share the SQL their statements compile to: their databases differ in nothing it needs."""
    shared: LRUCache[Any, Any] = LRUCache(4_000)
    made = db._engine

    def sharing(*given: Any, **named: Any) -> Engine:
        engine = made(*given, **named)
        engine._compiled_cache = shared
        return engine

    with (
        patch.object(db, "_engine", sharing),
        patch.object(DefaultDialect, "__hash__", lambda dialect: hash(type(dialect))),
        patch.object(DefaultDialect, "__eq__", lambda dialect, other: type(dialect) is type(other)),
    ):
        yield


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """A running PostgreSQL; never skipped: without one the tests fail."""
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def pg_template(pg_server: str) -> str:
    """A migrated database that others are copied from."""
    databases.make(pg_server, "hub_template", "template1")
    db = Db(databases.named(pg_server, "hub_template"))
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


@pytest.fixture(scope="session")
def pg_spares(pg_server: str, pg_template: str) -> databases.Spares:
    """Migrated databases that tests leave to one another."""
    return databases.Spares(pg_server, pg_template)


@pytest.fixture
def pg_url(pg_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database as good as new, or one with nothing in it for a test marked ``empty``."""
    if request.node.get_closest_marker("empty"):
        name = f"hub_empty_{next(_names)}"
        databases.make(pg_server, name, "template1")
        yield databases.named(pg_server, name)
        databases.drop(pg_server, name)
        return
    with request.getfixturevalue("pg_spares").one() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database (an empty one for a test marked ``empty``) on each engine in turn."""
    if request.param == "sqlite":
        if not request.node.get_closest_marker("empty"):
            shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.sqlite3")
        return f"sqlite:///{tmp_path / 'hub.sqlite3'}"
    return str(request.getfixturevalue("pg_url"))


@pytest.fixture
def db_on_each(database_url: str) -> Iterator[Db]:
    """That database, open."""
    opened = Db(database_url)
    opened.start()
    yield opened
    opened.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran on which engine; the counts come from the reports, so they hold for parallel runs."""
    ran = [report for status in ("passed", "failed") for report in terminalreporter.stats.get(status, [])]
    on = {engine: sum(is_on(engine, report) for report in ran) for engine in ENGINES}
    others = len(ran) - sum(on.values())
    told = ", ".join(f"{number} on {engine}" for engine, number in on.items())
    terminalreporter.write_line(f"Tests by engine: {told}; {others} need no database.")


def is_on(engine: str, test: pytest.Item | pytest.TestReport) -> bool:
    """Say whether a test runs on an engine."""
    return engine in test.keywords or engine in re.split(r"[-\[\]]", test.nodeid)
