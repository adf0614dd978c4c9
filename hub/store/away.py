"""Which errors are the database's own trouble: it is not there, or cannot write. The unit of work may be done again."""

import sqlite3
from typing import Any

import psycopg
from sqlalchemy import text

from hub.errors import DatabaseAway
from hub.store.tx import Tx

_ABSENT = "The database does not answer."
_FULL = "The database cannot write: its disk is full or broken."
_LOCKED = "The database is locked by another program."

_OF_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FULL,
    sqlite3.SQLITE_CANTOPEN: _FULL,  # of the files beside it, which come and go
    sqlite3.SQLITE_BUSY: _LOCKED,
}
_PRIMARY = 0xFF  # the part of SQLite's error code that says which of these it is
_OF_POSTGRESQL = {psycopg.errors.DiskFull.sqlstate: _FULL}


def named(error: BaseException) -> BaseException:
    """Return ``DatabaseAway`` for an error that is the database's own, any other as it is."""
    driver: Any = getattr(error, "orig", error)
    sentence = None
    if isinstance(driver, sqlite3.OperationalError):
        sentence = _OF_SQLITE.get(getattr(driver, "sqlite_errorcode", 0) & _PRIMARY)
    elif isinstance(driver, psycopg.OperationalError):
        sentence = _OF_POSTGRESQL.get(driver.sqlstate, _ABSENT)
    if sentence is None:
        return error
    away = DatabaseAway(sentence)
    away.__cause__ = error
    return away


def touch(tx: Tx) -> None:
    """Write what changes nothing: the disk is asked for as much as any small fact needs."""
    tx.execute(text("PRAGMA user_version = 0" if tx.is_sqlite else "SELECT txid_current()"))
