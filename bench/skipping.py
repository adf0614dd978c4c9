"""A clock that is real time and what was skipped of it; ``python -m bench.skipping FILE`` is amoCRM's sandbox on it.

Work takes as long as it takes; but when everybody only waits, the earliest moment that anybody waits for comes at once.
The file holds how many seconds were skipped, so that the sandbox, a process of its own, has the same time.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from sandbox.clock import FileClock, write_clock
from sandbox.serve import serve


class SkippingClock:
    """The hub's clock; ``everybody`` counts those who either work or wait for a moment of it."""

    def __init__(self, path: Path, everybody: Callable[[], int]) -> None:
        self._path, self._everybody = path, everybody
        self._skipped = 0.0
        self._waiting: dict[object, datetime] = {}
        self._moved = asyncio.Event()
        write_clock(path, 0.0)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._skipped)

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        key, until = object(), min(moment, self.now() + timedelta(seconds=at_most_s))
        self._waiting[key] = until
        try:
            while (left := (until - self.now()).total_seconds()) > 0:
                if self._nobody_works():
                    self._skip_to(min(self._waiting.values()))
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._moved.wait(), left)
        finally:
            del self._waiting[key]

    def _nobody_works(self) -> bool:
        now = self.now()
        return len(self._waiting) >= self._everybody() and all(until > now for until in self._waiting.values())

    def _skip_to(self, moment: datetime) -> None:
        self._skipped += (moment - self.now()).total_seconds()
        write_clock(self._path, self._skipped)
        self._moved.set()
        self._moved = asyncio.Event()


def main(path: Path) -> int:
    """Serve the sandbox until it is ended."""
    skipped = FileClock(path)
    sandbox = Sandbox(Options(), lambda: time.time() + skipped())
    return serve(sandbox.app, "127.0.0.1", 0, sandbox.greeting)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
