"""The sandbox's own time: the system's, or one that another process writes into a file."""

import mmap
import struct
import time
from pathlib import Path
from typing import Protocol

_FLOAT64 = struct.Struct("<d")


class Clock(Protocol):
    """Tells the present moment in epoch seconds."""

    def __call__(self) -> float: ...


class FileClock:
    """Reads one little-endian float64 of epoch seconds that another process rewrites at any time."""

    def __init__(self, path: Path) -> None:
        if not path.is_file() or path.stat().st_size < _FLOAT64.size:
            raise ValueError(f"The clock file {path} must hold 8 bytes: one little-endian float64.")
        with path.open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), _FLOAT64.size, access=mmap.ACCESS_READ)

    def __call__(self) -> float:
        moment: float = _FLOAT64.unpack(self._memory[: _FLOAT64.size])[0]
        return moment


def open_clock(path: Path | None) -> Clock:
    """Returns the system clock, or the clock of `path`; a bad file raises ValueError."""
    return time.time if path is None else FileClock(path)


def write_clock(path: Path, moment: float) -> None:
    """Sets a file clock to `moment` (epoch seconds) without replacing the file its readers have mapped."""
    mode = "r+b" if path.exists() else "wb"
    with path.open(mode) as file:
        file.write(_FLOAT64.pack(moment))
