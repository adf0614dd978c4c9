"""One way to write: a synchronous unit of work ``def f(tx, ...)``, run by ``await db.write(f, ...)``.

On SQLite one writer thread takes whatever is waiting and commits it as one group (``synchronous=FULL``: an answer means
it is on the disk). On PostgreSQL a few threads, each with its own connection, run one transaction per unit.
"""

import asyncio
import fcntl
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, CursorResult, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ClauseElement, TextClause
from sqlalchemy.sql.selectable import SelectBase

from hub.errors import DatabaseBusy, DatabaseUnreachable

P = ParamSpec("P")
T = TypeVar("T")

_GROUP = 256  # units in one commit at most, so that the first of them does not wait for ever
_THREADS = 8
_QUICK_THREADS = 16  # while one waits for the disk, others fill the same flush
_FASTER = ("40001", "40P01", "23505")  # serialisation, deadlock, unique: repeat, somebody was faster
_TRIES = 5


class Prepared:
    """A Core statement compiled once per dialect and run on the driver's own cursor.

    It is for the few hot statements: values must be what the driver takes (integers, strings, bytes), rows are tuples.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def on(self, dialect: Dialect) -> "_Compiled":
        """Return the statement as this dialect says it."""
        if dialect.name not in self._compiled:
            compiled = self._statement.compile(dialect=dialect)
            names = getattr(compiled, "positiontup", None)
            returns = isinstance(self._statement, SelectBase | TextClause) or bool(self._statement._returning)  # type: ignore[attr-defined]
            self._compiled[dialect.name] = _Compiled(str(compiled), names, dict(compiled.params), returns)
        return self._compiled[dialect.name]


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: Sequence[str] | None  # in the order of their places; None when the driver takes names
    fixed: Mapping[str, Any]  # values the statement itself holds
    returns: bool  # rows


class Tx:
    """One open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect
        self.is_sqlite = self._dialect.name == "sqlite"

    def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a Core statement."""
        return self._connection.execute(statement, values)

    def run(self, prepared: Prepared, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a prepared statement and return its rows; none for a statement that returns none."""
        compiled = prepared.on(self._dialect)
        given = {**compiled.fixed, **values}
        cursor = self._connection.connection.cursor()
        try:
            cursor.execute(compiled.text, [given[name] for name in compiled.names] if compiled.names else given)
            return cursor.fetchall() if compiled.returns else []  # type: ignore[return-value]
        finally:
            cursor.close()


Unit = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], "Future[Any]"]


class Db:
    """The database, opened once per process; ``write`` and ``read`` are its only doors."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._waiting: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._reading: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._lock: IO[str] | None = None
        self._threads: list[tuple[threading.Thread, queue.SimpleQueue[Unit | None]]] = []
        self._quick: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self.engine = _engine(self.url, reads=False)
        self._reader = _engine(self.url, reads=True)

    def lock(self) -> None:
        """Make this process the only writer of a SQLite file; PostgreSQL needs no such thing."""
        if not self.is_sqlite:
            return
        path = Path(f"{self.url.database}.lock")
        self._lock = path.open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise DatabaseBusy(
                f"{self.url.database} is in use by another hub process: stop it first, or use its API."
            ) from error

    def check(self) -> None:
        """Raise ``DatabaseUnreachable`` with one sentence when the database does not answer."""
        try:
            with self.engine.connect():
                pass
        except (DBAPIError, OSError) as error:
            shown = self.url.render_as_string(hide_password=True)
            cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise DatabaseUnreachable(f"The database {shown} cannot be reached: {cause}.") from error

    def start(self) -> None:
        """Start the threads; ``stop`` ends them after what waits is done."""
        writer = _write_groups if self.is_sqlite else _write_units
        for index in range(1 if self.is_sqlite else _THREADS):
            self._spawn(writer, self.engine, self._waiting, f"db-write-{index}")
        for index in range(2 if self.is_sqlite else 4):
            self._spawn(_write_units, self._reader, self._reading, f"db-read-{index}")

        if not self.is_sqlite:
            at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            for index in range(_QUICK_THREADS):
                self._spawn(_write_units, at_once, self._quick, f"db-quick-{index}")

    def _spawn(
        self, work: Callable[..., None], engine: Engine, units: "queue.SimpleQueue[Unit | None]", name: str
    ) -> None:
        thread = threading.Thread(target=work, args=(engine, units), name=name, daemon=True)
        thread.start()
        self._threads.append((thread, units))

    def stop(self) -> None:
        """Finish what waits, close every connection and give the file back."""
        for _, units in self._threads:
            units.put(None)
        for thread, _ in self._threads:
            thread.join(timeout=30)
        self._threads.clear()
        self.engine.dispose()
        self._reader.dispose()
        if self._lock:
            self._lock.close()
            self._lock = None

    async def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit of work and return its result after its commit."""
        return await asyncio.wrap_future(self._put(self._waiting, work, args, kwargs))

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit that only reads, beside the writers."""
        return await asyncio.wrap_future(self._put(self._reading, work, args, kwargs))

    async def once(self, prepared: Prepared, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement that is a whole transaction; PostgreSQL commits it without further round trips."""
        units = self._waiting if self.is_sqlite else self._quick
        return await asyncio.wrap_future(self._put(units, Tx.run, (prepared, values), {}))

    def write_now(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit of work from a thread without an event loop."""
        return self._put(self._waiting, work, args, kwargs).result()

    def read_now(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read from a thread without an event loop."""
        return self._put(self._reading, work, args, kwargs).result()

    def _put(
        self,
        units: "queue.SimpleQueue[Unit | None]",
        work: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> "Future[T]":
        future: Future[T] = Future()
        units.put((work, args, kwargs, future))
        return future


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnreachable(f"{url!r} is not a database URL: sqlite:///FILE or postgresql://...") from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        return parsed
    raise DatabaseUnreachable(
        f"{parsed.get_backend_name()} is not a database we use: sqlite:///FILE or postgresql://..."
    )


def _engine(url: URL, *, reads: bool) -> Engine:
    """Return an engine; one that ``reads`` refuses to write."""
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url, pool_size=_THREADS + _QUICK_THREADS, hide_parameters=True)
        return engine.execution_options(postgresql_readonly=True) if reads else engine
    engine = create_engine(
        url, pool_size=_THREADS, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": 30}
    )
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"]
    pragmas += ["query_only=ON"] if reads else []
    begin = "BEGIN DEFERRED" if reads else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _pooled: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _take(units: "queue.SimpleQueue[Unit | None]") -> tuple[list[Unit], bool]:
    unit = units.get()
    group: list[Unit] = []
    while unit is not None:
        if unit[3].set_running_or_notify_cancel():
            group.append(unit)
        if len(group) >= _GROUP or units.empty():
            return group, False
        unit = units.get()
    return group, True


def _write_groups(engine: Engine, units: "queue.SimpleQueue[Unit | None]") -> None:
    """Commit whatever waits as one group; when a unit fails, do that group again one by one."""
    last = False
    with engine.connect() as connection:
        while not last:
            group, last = _take(units)
            try:
                with connection.begin():
                    tx = Tx(connection)
                    results = [work(tx, *args, **kwargs) for work, args, kwargs, _ in group]
            except BaseException:  # the whole group rolled back; each unit now stands alone
                for unit in group:
                    _settle_alone(connection, unit)
            else:
                for (_, _, _, future), result in zip(group, results, strict=True):
                    future.set_result(result)


def _settle_alone(connection: Connection, unit: Unit) -> None:
    work, args, kwargs, future = unit
    try:
        with connection.begin():
            result = work(Tx(connection), *args, **kwargs)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


def _write_units(engine: Engine, units: "queue.SimpleQueue[Unit | None]") -> None:
    """Run one transaction per unit on a connection of this thread's own; open it anew when it breaks."""
    connection: Connection | None = None
    while (unit := units.get()) is not None:
        work, args, kwargs, future = unit
        if not future.set_running_or_notify_cancel():
            continue
        for tries_left in reversed(range(_TRIES)):
            try:
                if connection is None:
                    connection = engine.connect()
                with connection.begin():
                    result = work(Tx(connection), *args, **kwargs)
            except BaseException as error:
                if connection is not None and _is_broken(connection, error):
                    connection.close()
                    connection = None
                if tries_left and _may_repeat(error):
                    continue
                future.set_exception(error)
            else:
                future.set_result(result)
            break
    if connection is not None:
        connection.close()


def _is_broken(connection: Connection, error: BaseException) -> bool:
    return connection.invalidated or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _may_repeat(error: BaseException) -> bool:
    """Say whether another unit was merely faster; errors of prepared statements come straight from the driver."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) in _FASTER


def insert_or(tx: Tx, table: Any) -> Any:
    """Return the dialect's own INSERT, the one that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return sqlite_insert(table) if tx.is_sqlite else postgresql_insert(table)
