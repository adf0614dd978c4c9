"""The children of the demo: started in process groups of their own, heard once, and always ended."""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

GREETING_S = 60.0
ENDING_S = 8.0
_GLANCE_S = 0.02


class ChildFailed(Exception):
    """A child did not start or did not answer; the text says which, and what it said last."""


class Child:
    """One process with its own group; what it prints goes to NAME.out and NAME.err in the log folder."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self._arguments, self._environment = (sys.executable, *arguments), dict(environment)
        self._out, self._err = logs / f"{name}.out", logs / f"{name}.err"
        self._process: subprocess.Popen[bytes] | None = None
        self._heard_from = 0
        self.starts = 0

    def start(self) -> None:
        """Starts it, or starts it again."""
        # Not a pipe: nobody would read it after the first line, and a full pipe stops the writer.
        with self._out.open("ab") as out, self._err.open("ab") as err:
            self._heard_from = out.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own modules
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        self.starts += 1

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def greeting(self, wait: Callable[[float], None] = time.sleep) -> dict[str, Any]:
        """Returns the JSON object on the first line it printed since its start; raises ChildFailed."""
        until = time.monotonic() + GREETING_S
        while time.monotonic() < until:
            with self._out.open("rb") as out:
                out.seek(self._heard_from)
                line = out.readline()
            if line.endswith(b"\n"):
                return self._understood(line)
            if not self.is_running:
                raise ChildFailed(f"{self.name} ended before it was ready: {self.last_words()}")
            wait(_GLANCE_S)
        raise ChildFailed(f"{self.name} was not ready within {GREETING_S:.0f} s: {self.last_words()}")

    def _understood(self, line: bytes) -> dict[str, Any]:
        try:
            greeting = json.loads(line)
        except ValueError:
            greeting = None
        if not isinstance(greeting, dict):
            raise ChildFailed(f"{self.name} greeted with something else than a JSON object: {line[:200]!r}")
        return greeting

    def last_words(self) -> str:
        """Returns the last line of what it wrote to its error output."""
        lines = self._err.read_text("utf-8", "replace").strip().splitlines() if self._err.exists() else []
        return lines[-1][:400] if lines else "it said nothing"

    def kill(self) -> None:
        """Kills the whole group with SIGKILL, as a power cut would."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def end(self) -> None:
        """Asks it to end, and kills the group when it does not."""
        if self._process is None:
            return
        if self.is_running:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING_S)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


class Children:
    """All children of one demo; they end with it, however it ends."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._children: list[Child] = []
        atexit.register(self.end)

    def add(self, name: str, *arguments: str, **environment: str) -> Child:
        """Starts a child of the given module and arguments and returns it."""
        child = Child(name, ("-m", *arguments), environment, self._logs)
        self._children.append(child)
        child.start()
        return child

    def run(self, name: str, *arguments: str, **environment: str) -> dict[str, Any]:
        """Runs a child to its end and returns the JSON object it printed; raises ChildFailed."""
        child = self.add(name, *arguments, **environment)
        greeting = child.greeting()
        child.end()
        return greeting

    def end(self) -> None:
        """Ends all children, the youngest first."""
        while self._children:
            self._children.pop().end()
        atexit.unregister(self.end)


def end_on_signals() -> None:
    """Makes SIGINT and SIGTERM a KeyboardInterrupt, once: a second one must not disturb the ending."""
    both = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_number: int, _frame: object) -> None:
        for number in both:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in both:
        signal.signal(number, interrupt)


def free_port() -> int:
    """Returns a loopback port nobody listens on at the moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port
