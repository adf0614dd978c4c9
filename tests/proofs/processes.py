"""Real processes: the hub, its worker and the sandbox, started, killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One child process that prints a JSON line when it is ready; killed for good at the end of its test."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], log: Path, *, says_ready: bool = True
    ) -> None:
        self._command, self._environment, self._log, self._says_ready = command, environment, log, says_ready
        self.printed: dict[str, Any] = {}
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> "Process":
        """Start it and wait for its line."""
        with self._log.open("a") as log:
            self._child = subprocess.Popen(
                [sys.executable, *self._command],
                env={**os.environ, **self._environment},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._child.stdout is not None
        if self._says_ready:
            line = self._child.stdout.readline()
            assert line, f"it did not start: {self._log.read_text()[-2000:]}"
            self.printed = json.loads(line)
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child is not None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait(timeout=30)
            assert self._child.stdout is not None
            self._child.stdout.close()
            self._child = None


@contextmanager
def running(*arguments: str, environment: Mapping[str, str], log: Path, says_ready: bool = True) -> Iterator[Process]:
    """Run a process for as long as the block lasts."""
    process = Process(list(arguments), environment, log, says_ready=says_ready).start()
    try:
        yield process
    finally:
        process.kill()
