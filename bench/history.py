"""Databases with a long and a short past, beside each other: what a benchmark compares the cost of an act in."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from hub.store import migrate
from hub.store.db import Db
from hub.store.tx import Tx
from tests import postgres

SMALL, LARGE = 10_000, 1_000_000


@contextmanager
def databases(engine: str, *, durable: bool = False) -> Iterator[dict[int, str]]:
    """Yield the addresses of two empty databases by the length their history shall have.

    PostgreSQL syncs its commits to the disk where ``durable`` says so; SQLite always does.
    """
    lengths = (SMALL, LARGE)
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield {length: f"sqlite:///{folder}/{length}.sqlite3" for length in lengths}
        return
    with postgres.server(durable=durable) as url:
        _say(url, *(f"CREATE DATABASE {_name(length)}" for length in lengths))
        try:
            yield {
                length: make_url(url).set(database=_name(length)).render_as_string(hide_password=False)
                for length in lengths
            }
        finally:
            _say(url, *(f"DROP DATABASE {_name(length)} WITH (FORCE)" for length in lengths))


def _name(length: int) -> str:
    return f"hub_bench_{length}"


def _say(url: str, *sentences: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for sentence in sentences:
            connection.execute(sentence)


@contextmanager
def opened(url: str) -> Iterator[Db]:
    """Yield a database with its tables made."""
    db = Db(url)
    migrate.upgrade(db.engine)
    db.start()
    try:
        yield db
    finally:
        db.stop()


def fill(db: Db, script: Path, values: Mapping[str, Any]) -> None:
    """Write a history by the statements of a file, and let PostgreSQL do what its autovacuum would do soon."""
    for statement in filter(None, script.read_text().split(";\n")):
        db.write_now(_run, statement, values)
    if not db.is_sqlite:
        _say(db.url.set(drivername="postgresql").render_as_string(hide_password=False), "VACUUM ANALYZE", "CHECKPOINT")


def _run(tx: Tx, statement: str, values: Mapping[str, Any]) -> None:
    tx.execute(text(statement), values)
