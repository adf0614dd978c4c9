"""Units of work, and the threads that run them beside the event loop.

A thread takes whatever waits, so that many units share one commit and one wake-up of the loop that waits for them.
What a request waits for is served in turn with what can wait, however much of that there is.
"""

import asyncio
import queue
import select
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from hub.store.away import named
from hub.store.tx import Tx

_GROUP = 256  # units in one commit at most, so that the first of them does not wait for ever
_SLICE = 8  # units that can wait in one commit at most while somebody waits who cannot
_FASTER = ("40001", "40P01", "23505")  # serialisation, deadlock, unique: repeat, somebody was faster
_TRIES = 5


@dataclass(slots=True)
class Unit:
    """A unit of work on its way, and who waits for it: a future of an event loop, or of a thread (``loop`` None)."""

    work: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    loop: asyncio.AbstractEventLoop | None
    future: "asyncio.Future[Any] | Future[Any]"
    place: str = ""  # units of one group run in the order of their places
    can_wait: bool = False


class Units:
    """What waits for a thread, in two lines that are served in turn: what a request waits for, and what can wait."""

    def __init__(self) -> None:
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()  # one for each unit of any line
        self._hurried: deque[Unit | None] = deque()
        self._patient: deque[Unit | None] = deque()
        self._ends: deque[Unit | None] = deque()
        self._is_patients_turn = False

    def put(self, unit: Unit | None) -> None:
        """Put a unit at the end of its line; None ends a thread after everything else is done."""
        line = self._ends if unit is None else self._patient if unit.can_wait else self._hurried
        line.append(unit)
        self._tokens.put(None)

    def get(self) -> Unit | None:
        """Wait for the next unit; None ends the thread."""
        self._tokens.get()
        lines = (self._hurried, self._patient, self._ends)
        if self._is_patients_turn:
            lines = (self._patient, self._hurried, self._ends)
        while True:  # another thread may have taken what stood there a moment ago, never what our token is for
            for line in lines:
                with suppress(IndexError):
                    unit = line.popleft()
                    self._is_patients_turn = line is self._hurried
                    return unit

    def empty(self) -> bool:
        """Say whether nothing waits."""
        return self._tokens.empty()

    def beside(self, first: Unit) -> Iterator[Unit]:
        """Yield a unit and what shares its commit; only where one thread takes the units.

        Of what requests wait for it is as much as waits by now; of what can wait it ends early once one of these comes.
        """
        yield first
        if first.can_wait:
            for taken in range(1, _GROUP):
                if not self._patient or (self._hurried and taken >= _SLICE):
                    return
                yield self._next(self._patient)
        else:
            for _ in range(min(len(self._hurried), _GROUP - 1)):
                yield self._next(self._hurried)

    def _next(self, line: "deque[Unit | None]") -> Unit:
        self._tokens.get()
        unit = line.popleft()
        assert unit is not None
        return unit


Outcome = tuple[Unit, Any, BaseException | None]


def in_groups(engine: Engine, units: Units) -> None:
    """Commit what waits in groups; when a unit fails, do its group again one by one."""
    with engine.connect() as connection:
        while (first := units.get()) is not None:
            group: list[Unit] = []
            results: list[Any] = []
            try:
                with connection.begin():
                    tx = Tx(connection)
                    for unit in units.beside(first):
                        if not unit.future.cancelled():
                            group.append(unit)
                            results.append(unit.work(tx, *unit.args, **unit.kwargs))
            except BaseException:  # the whole group rolled back; each unit now stands alone
                _tell([_alone(connection, unit) for unit in group])
            else:
                _tell([(unit, result, None) for unit, result in zip(group, results, strict=True)])


def one_by_one(engine: Engine, units: Units) -> None:
    """Run one transaction per unit on a connection of this thread's own."""
    own = _Own(engine)
    while (unit := units.get()) is not None:
        if not unit.future.cancelled():
            _tell([own.run(unit)])
    own.close()


def together(engine: Engine, units: Units) -> None:
    """Give whatever waits to its work as one list, in one transaction; when it fails, one by one.

    The work of these units takes a list and returns a result for each of it.
    """
    own, last = _Own(engine), False
    while not last:
        group, last = _take(units)
        group.sort(key=lambda unit: unit.place)
        for work in {unit.work for unit in group}:
            _tell(own.run_together(work, [unit for unit in group if unit.work == work]))
    own.close()


class _Own:
    """The connection of one thread, opened anew when it breaks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def run(self, unit: Unit) -> Outcome:
        """Run one transaction; again when another one was merely faster."""
        outcome: Outcome = (unit, None, None)
        for _ in range(_TRIES):
            try:
                outcome = _alone(self._opened(), unit)
            except BaseException as error:
                outcome = (unit, None, error)
            self._drop_broken(outcome[2])
            if not _may_repeat(outcome[2]):
                break
        return outcome

    def run_together(self, work: Callable[..., Any], group: Sequence[Unit]) -> list[Outcome]:
        """Run one transaction for the group; one for each when that fails."""
        whole = self.run(Unit(work, ([unit.args[0] for unit in group],), {}, None, group[0].future))
        if whole[2] is None:
            return [(unit, result, None) for unit, result in zip(group, whole[1], strict=True)]
        if len(group) == 1:
            return [(group[0], None, whole[2])]
        return [outcome for unit in group for outcome in self.run_together(work, [unit])]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> Connection:
        while self._connection is None or _has_ended(self._connection):
            if self._connection is not None:
                self._connection.invalidate()
                self.close()
            self._connection = self._engine.connect()
        return self._connection

    def _drop_broken(self, error: BaseException | None) -> None:
        if self._connection is None or error is None:
            return
        raw: Any = self._connection.connection.driver_connection if not self._connection.invalidated else None
        if raw is None or getattr(raw, "closed", False):
            self._connection.invalidate()
            self.close()


def _has_ended(connection: Connection) -> bool:
    """Say whether a server has ended a connection while nobody used it: unasked, it says hardly anything else."""
    raw: Any = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        return False
    if raw.closed:
        return True
    heard = select.poll()
    heard.register(raw.fileno(), select.POLLIN)
    return bool(heard.poll(0))


def _take(units: Units) -> tuple[list[Unit], bool]:
    """Return what waits, less what nobody wants any more, and whether it was the last."""
    unit = units.get()
    group: list[Unit] = []
    while unit is not None:
        if not unit.future.cancelled():
            group.append(unit)
        if len(group) >= _GROUP or units.empty():
            return group, False
        unit = units.get()
    return group, True


def _alone(connection: Connection, unit: Unit) -> Outcome:
    try:
        with connection.begin():
            result = unit.work(Tx(connection), *unit.args, **unit.kwargs)
    except BaseException as error:
        return unit, None, error
    return unit, result, None


def _may_repeat(error: BaseException | None) -> bool:
    """Say whether another unit was merely faster; errors of prepared statements come straight from the driver."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) in _FASTER


def _tell(outcomes: Sequence[Outcome]) -> None:
    """Give the outcomes to whoever waits for them, with one wake-up for each event loop."""
    told: defaultdict[asyncio.AbstractEventLoop | None, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        told[outcome[0].loop].append(outcome)
    for loop, its in told.items():
        if loop is None:
            _settle(its)
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, its)


def _settle(outcomes: Sequence[Outcome]) -> None:
    for unit, result, error in outcomes:
        if unit.future.done():  # its caller gave up meanwhile
            continue
        if error is None:
            unit.future.set_result(result)
        else:
            unit.future.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else named(error))
