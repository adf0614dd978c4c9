"""Real processes: the hub, its worker and the sandbox, started, killed and started again."""

import json
import os
import select
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.forker import forker


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """``python -m MODULE ...``, which prints a JSON line when it is ready; killed for good at the end of its test."""

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str], log: Path, says_ready: bool = True
    ) -> None:
        self._forker = forker(module)
        self._arguments, self._environment, self._log, self._says_ready = arguments, environment, log, says_ready
        self.printed: dict[str, Any] = {}
        self._pid: int | None = None

    def start(self) -> "Process":
        """Start it and wait for its line."""
        reads, writes = os.pipe()
        with self._log.open("a") as log:
            self._pid = self._forker.start(self._arguments, {**os.environ, **self._environment}, writes, log)
        os.close(writes)
        with open(reads) as printed:
            line = printed.readline() if self._says_ready else "{}"
        assert line, f"it did not start: {self._log.read_text()[-2000:]}"
        self.printed = json.loads(line)
        return self

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._pid is not None
        return self._pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ends(self, within_s: float) -> bool:
        """Say whether it ends by itself within so many seconds."""
        assert self._pid is not None
        watched = os.pidfd_open(self._pid)
        try:
            return bool(select.select([watched], [], [], within_s)[0])
        finally:
            os.close(watched)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._pid is not None:
            self.send(signal.SIGKILL)
            self._forker.wait(self._pid)
            self._pid = None


@contextmanager
def running(
    module: str, *arguments: str, environment: Mapping[str, str], log: Path, says_ready: bool = True
) -> Iterator[Process]:
    """Run a process for as long as the block lasts."""
    process = Process(module, *arguments, environment=environment, log=log, says_ready=says_ready)
    try:
        yield process.start()
    finally:
        process.kill()
