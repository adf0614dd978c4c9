"""Units of work, and the threads that run them beside the event loop.

A thread takes whatever waits, so that many units share one commit and one wake-up of the loop that waits for them.
"""

import asyncio
import queue
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from hub.store.tx import Tx

_GROUP = 256  # units in one commit at most, so that the first of them does not wait for ever
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


Units = queue.SimpleQueue[Unit | None]  # None ends the thread
Outcome = tuple[Unit, Any, BaseException | None]


def in_groups(engine: Engine, units: Units) -> None:
    """Commit whatever waits as one group; when a unit fails, do that group again one by one."""
    last = False
    with engine.connect() as connection:
        while not last:
            group, last = _take(units)
            try:
                with connection.begin():
                    tx = Tx(connection)
                    results = [unit.work(tx, *unit.args, **unit.kwargs) for unit in group]
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
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _drop_broken(self, error: BaseException | None) -> None:
        if self._connection is None or error is None:
            return
        raw: Any = self._connection.connection.driver_connection if not self._connection.invalidated else None
        if raw is None or getattr(raw, "closed", False):
            self._connection.invalidate()
            self.close()


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
            unit.future.set_exception(error if not isinstance(error, StopIteration) else RuntimeError(repr(error)))
