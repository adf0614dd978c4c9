"""What a unit of work is given: one open transaction, and statements prepared for the hot paths."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, literal_column
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import CursorResult, Dialect
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ClauseElement, TextClause
from sqlalchemy.sql.selectable import SelectBase


class Prepared:
    """A Core statement compiled once per dialect and run on the driver's own cursor.

    It is for the few hot statements: values must be what the driver takes (integers, strings, bytes), rows are tuples.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._returns = isinstance(statement, SelectBase | TextClause) or bool(statement._returning)  # type: ignore[attr-defined]
        self._compiled: dict[str, _Compiled] = {}

    def on(self, dialect: Dialect) -> "_Compiled":
        """Return the statement as this dialect says it."""
        if dialect.name not in self._compiled:
            compiled = self._statement.compile(dialect=dialect)
            names = getattr(compiled, "positiontup", None)
            self._compiled[dialect.name] = _Compiled(str(compiled), names, dict(compiled.params), self._returns)
        return self._compiled[dialect.name]


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: Sequence[str] | None  # in the order of their places; None when the driver takes names
    fixed: Mapping[str, Any]  # values the statement itself holds
    returns: bool  # rows

    def with_values(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """Return what the driver's ``execute`` takes."""
        given = {**self.fixed, **values}
        return self.text, [given[name] for name in self.names] if self.names else given


class Tx:
    """One open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect
        self._driver: Any = connection.connection.driver_connection
        self.is_sqlite = self._dialect.name == "sqlite"

    def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a Core statement."""
        return self._connection.execute(statement, values)

    def run(self, prepared: Prepared, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a prepared statement and return its rows; none for a statement that returns none."""
        compiled = prepared.on(self._dialect)
        cursor = self._driver.execute(*compiled.with_values(values))
        return cursor.fetchall() if compiled.returns else []

    def run_many(self, prepared: Prepared, rows: Sequence[Mapping[str, Any]], **same: Any) -> list[tuple[Any, ...]]:
        """Run a prepared statement for one row after the other and return what they return, on SQLite only."""
        compiled = prepared.on(self._dialect)
        places = itemgetter(*(compiled.names or ()))
        return [
            found
            for row in rows
            for found in self._driver.execute(compiled.text, places({**compiled.fixed, **same, **row}))
        ]

    def run_each(self, each: Prepared, together: Prepared, rows: Sequence[Mapping[str, Any]], **same: Any) -> None:
        """Write many rows: on SQLite one by one, on PostgreSQL by a statement that is given all as JSON (``asked``).

        A round trip to PostgreSQL costs more than the work it asks for. ``same`` are values that all rows share.
        """
        if not rows:
            return
        if self.is_sqlite:
            compiled = each.on(self._dialect)
            places = itemgetter(*(compiled.names or ()))
            self._driver.executemany(compiled.text, [places({**same, **row}) for row in rows])
        else:
            compiled = together.on(self._dialect)
            self._driver.execute(*compiled.with_values({**same, "asked": orjson.dumps(rows).decode()}))


def of_few(column: Any) -> Any:
    """Keep a planner without statistics, as SQLite's is, from an index of the whole history to find a few rows."""
    return column + literal_column("0")


def insert_or(tx: Tx, table: Any) -> Any:
    """Return the dialect's own INSERT, the one that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return sqlite_insert(table) if tx.is_sqlite else postgresql_insert(table)


_Value = TypeVar("_Value")
_PART = 500  # values in one list: more make a statement longer, not quicker


def in_parts(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Yield values as many at a time as one statement's list takes."""
    return (values[start : start + _PART] for start in range(0, len(values), _PART))
