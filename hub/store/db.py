"""One way to write: a synchronous unit of work ``def f(tx, ...)``, run by ``await db.write(f, ...)``.

On SQLite one writer thread commits what waits in groups (``synchronous=FULL``: an answer means it is on the disk). On
PostgreSQL a few threads, each with its own connection, run one transaction per unit; units of the hottest work take all
that wait for it at once (``together``). Who can wait (``patient``) stands in a line of his own.
"""

import asyncio
import fcntl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from copy import copy
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from hub.errors import DatabaseBusy, DatabaseUnreachable
from hub.store.tx import Tx
from hub.store.units import Unit, Units, in_groups, one_by_one, together

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")

_WRITERS, _READERS = 8, 4  # threads on PostgreSQL
# A network that is silently gone is noticed within seconds, also by who only waits for an answer.
NOTICES: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Work for a group joins the few rows it is given to tables by indexes made for it. A planner whose statistics are older
# than a new site's numbers would sort the whole pool or read all visits instead, and think about it at every view.
_BY_INDEX = "-c plan_cache_mode=force_generic_plan -c jit=off " + " ".join(
    f"-c enable_{way}=off" for way in ("bitmapscan", "hashjoin", "mergejoin", "seqscan", "sort")
)


class Db:
    """The database, opened once per process; ``write`` and ``read`` are its only doors."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self._can_wait = False
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._waiting: Units = Units()
        self._reading: Units = Units()
        self._group: Units = Units()
        self._lock: IO[str] | None = None
        self._threads: list[tuple[threading.Thread, Units]] = []
        self.engine = _engine(self.url, reads=False)
        self._reader = _engine(self.url, reads=True)
        self._grouped = _engine(self.url, reads=False, options=_BY_INDEX)

    def patient(self) -> "Db":
        """Return the same database for whoever can wait: requests do not wait for the end of his line."""
        same = copy(self)
        same._can_wait = True
        return same

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
        if self.is_sqlite:
            self._spawn(in_groups, self.engine, self._waiting, "db-write")
        else:
            self._spawn(together, self._grouped, self._group, "db-together")
            for index in range(_WRITERS):
                self._spawn(one_by_one, self.engine, self._waiting, f"db-write-{index}")
        for index in range(2 if self.is_sqlite else _READERS):
            self._spawn(one_by_one, self._reader, self._reading, f"db-read-{index}")

    def _spawn(self, work: Callable[[Engine, Units], None], engine: Engine, units: Units, name: str) -> None:
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
        self._grouped.dispose()
        if self._lock:
            self._lock.close()
            self._lock = None

    async def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit of work and return its result after its commit."""
        return await _ask(self._waiting, work, args, kwargs, can_wait=self._can_wait)

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit that only reads, beside the writers."""
        return await _ask(self._reading, work, args, kwargs, can_wait=self._can_wait)

    async def together(self, work: Callable[[Tx, Sequence[A]], Sequence[T]], item: A, *, place: str) -> T:
        """Run a unit of work once for all who wait for it, and return its result for this item after its commit.

        ``place`` orders the items: when every process locks the same rows in the same order, none waits for another
        crosswise.
        """
        if self.is_sqlite:  # where a round trip costs nothing and the commit is shared anyway
            return await _ask(self._waiting, _for_one, (work, item), {}, can_wait=self._can_wait)
        return await _ask(self._group, work, (item,), {}, place=place)  # type: ignore[arg-type]

    def write_now(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit of work from a thread without an event loop."""
        return _ask_now(self._waiting, work, args, kwargs, can_wait=self._can_wait)

    def read_now(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read from a thread without an event loop."""
        return _ask_now(self._reading, work, args, kwargs, can_wait=self._can_wait)


async def _ask(
    units: Units,
    work: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    place: str = "",
    can_wait: bool = False,
) -> T:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    units.put(Unit(work, args, kwargs, loop, future, place, can_wait))
    return await future


def _ask_now(
    units: Units, work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], *, can_wait: bool
) -> T:
    future: Future[T] = Future()
    units.put(Unit(work, args, kwargs, None, future, can_wait=can_wait))
    return future.result()


def _for_one(tx: Tx, work: Callable[[Tx, Sequence[A]], Sequence[T]], item: A) -> T:
    return work(tx, [item])[0]


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


def _engine(url: URL, *, reads: bool, options: str = "") -> Engine:
    """Return an engine; one that ``reads`` refuses to write."""
    if url.get_backend_name() != "sqlite":
        engine = create_engine(
            url,
            pool_size=_WRITERS,
            hide_parameters=True,
            connect_args={**NOTICES, **({"options": options} if options else {})},
        )
        return engine.execution_options(postgresql_readonly=True) if reads else engine
    engine = create_engine(
        url, pool_size=4, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": 30}
    )
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"]
    # SQLite's own defaults, 2 MB of cache and a checkpoint each 4 MB, are of a smaller world than a year of calls.
    pragmas += ["query_only=ON", "cache_size=-16384"] if reads else ["cache_size=-65536", "wal_autocheckpoint=8192"]
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
