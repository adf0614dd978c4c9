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


def after(moment: datetime, seconds: float) -> datetime:
    """Return the moment ``seconds`` later."""
    return moment + timedelta(seconds=seconds)
