"""The one place the hub learns the time: the system's clock, or a file's for rehearsals that play a day in a minute."""

import asyncio
import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_GLANCE_S = 0.005  # how often a rehearsal's clock is looked at while somebody waits for it


class Clock(Protocol):
    """Says what time it is, in aware UTC, and waits for a moment to come."""

    def now(self) -> datetime: ...

    async def wait_until(self, moment: datetime, at_most_s: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        await asyncio.sleep(max(0.0, min((moment - self.now()).total_seconds(), at_most_s)))


class FileClock:
    """A clock that another process moves: the file holds epoch seconds as one little-endian float64."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._seconds = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        (seconds,) = struct.unpack("<d", self._seconds[:8])
        return datetime.fromtimestamp(seconds, UTC)

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        glances = max(1, int(at_most_s / _GLANCE_S))
        for _ in range(glances):
            if self.now() >= moment:
                return
            await asyncio.sleep(_GLANCE_S)


_AT_LEAST_S = 0.005  # between two looks: a moment that is due and yet cannot be served does not spin


async def rest(clock: Clock, wake: asyncio.Event, until: datetime | None, at_most_s: float) -> None:
    """Wait until somebody sets ``wake`` or the moment ``until`` comes, but not longer than ``at_most_s``."""
    soonest = clock.now() + timedelta(seconds=_AT_LEAST_S)
    far = clock.now() + timedelta(days=1)
    waits = (wake.wait(), clock.wait_until(max(until or far, soonest), at_most_s))
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # one that fails would let its caller never rest
    finally:
        for task in tasks:
            task.cancel()


def after(moment: datetime, seconds: float) -> datetime:
    """Return the moment ``seconds`` later."""
    return moment + timedelta(seconds=seconds)
