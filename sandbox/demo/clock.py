"""The day's clock: a file that the hub and the sandboxes read, and that only the player writes."""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_FLOAT64 = struct.Struct("<d")
BUSY_PACE = 300.0  # seconds of the day in a real second while the hub is working; all its leases last far longer
_STEP_S = 0.002
_LONGEST_STEP_S = 5.0  # of the day, however long the machine kept us from running
_LOOK_S = 0.05


class DayClock:
    """Keeps the present moment (epoch seconds) in eight bytes of a file; it never goes back."""

    def __init__(self, path: Path, moment: float) -> None:
        path.write_bytes(_FLOAT64.pack(moment))
        self.path = path
        self._file = os.open(path, os.O_WRONLY)
        self._now = moment
        self._stepped = self._asked = 0.0  # real time of the last step and of the last question

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def now(self) -> float:
        """Returns the present moment of the day."""
        return self._now

    def jump(self, moment: float) -> None:
        """Goes to a later moment at once; an earlier one changes nothing."""
        if moment > self._now:
            # Written in one piece and in place: the readers have this very file mapped.
            os.pwrite(self._file, _FLOAT64.pack(moment), 0)
            self._now = moment

    def pass_time(self, seconds: float) -> None:
        """Lets real time pass, and as much of the day with it."""
        time.sleep(seconds)
        self.jump(self._now + seconds)

    def start_work(self, quiet_s: float) -> None:
        """Says that the hub has work from now on, and that it is no use to ask within `quiet_s` real seconds."""
        self._stepped = time.monotonic()
        self._asked = self._stepped - _LOOK_S + quiet_s

    def walk(self, moment: float, is_busy: Callable[[], bool]) -> None:
        """Goes to a moment: at BUSY_PACE for as long as there is work under way, then at once.

        `is_busy` costs a request, so it is asked no more often than every 50 ms of real time.
        """
        while self._now < moment:
            passed = time.monotonic()
            step = min((passed - self._stepped) * BUSY_PACE, _LONGEST_STEP_S)
            self._stepped = passed
            self.jump(min(moment, self._now + step))
            if passed - self._asked >= _LOOK_S:
                if not is_busy():
                    self.jump(moment)
                    return
                self._asked = self._stepped = time.monotonic()
            if self._now < moment:
                time.sleep(_STEP_S)

    def close(self) -> None:
        """Lets go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
