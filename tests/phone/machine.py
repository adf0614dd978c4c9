"""What the phone tests need of the machine: programs, UDP ports, and patience."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

LOOPBACK = "127.0.0.1"
PATIENCE_S = 20.0  # a condition that has not come true by then never will
Seen = TypeVar("Seen")


def until(look: Callable[[], Seen | None], what: str) -> Seen:
    """Look again and again until there is something to see, and return it."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        seen = look()
        if seen:
            return seen
    raise AssertionError(f"after {PATIENCE_S:.0f} s still not: {what}")


def program(name: str) -> str:
    """Return the path of a program; never skipped: without it the tests fail."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")  # not on the path of a person who is not root
    if found is None:
        pytest.fail(f"The phone tests need {name}, which 'make test' installs on Debian.", pytrace=False)
    return found


def free_port() -> int:
    """Return a UDP port nobody has."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def has_port(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    """Say whether a process that still runs has its UDP port: nothing that could be sent there would tell."""
    assert process.poll() is None, f"it ended with {process.returncode}:\n{log.read_text(errors='replace')}"
    return f":{port:04X} " in Path("/proc/net/udp").read_text(encoding="ascii")
