"""A telephone on loopback: SIPp plays one part of one call and writes down what it said and heard."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.phone import ladder
from tests.phone.ladder import Step
from tests.phone.machine import LOOPBACK, PATIENCE_S, has_port, program, until

_ALONE = ("-i", LOOPBACK, "-ci", LOOPBACK, "-mi", LOOPBACK, "-m", "1", "-nostdin", "-timeout", "10s", "-timeout_error")


class Telephone:
    """One SIPp for one call; its files are ``FOLDER/CALL-NAME.*``."""

    def __init__(self, folder: Path, call: str, name: str, scenario: str, *arguments: str) -> None:
        self.name = name
        self._files = folder / f"{call}-{name}"
        self._file("xml").write_text(scenario, encoding="utf-8")
        messages = ("-trace_msg", "-message_file", str(self._file("messages")))
        errors = ("-trace_err", "-error_file", str(self._file("errors")))
        command = [program("sipp"), "-sf", str(self._file("xml")), *_ALONE, *messages, *errors, *arguments]
        with self._file("screen").open("wb") as screen:
            self._process = subprocess.Popen(command, stdout=screen, stderr=screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def listens_at(self, port: int) -> None:
        """Wait until it can be called at a port."""
        until(lambda: has_port(self._process, port, self._file("screen")), f"the {self.name} listens")

    def ended(self) -> int | None:
        """Wait until it has played its part; return its exit code, None when it never does."""
        try:
            return self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return None

    def steps(self) -> list[Step]:
        """Return what it sent and received so far."""
        return ladder.read(self._file("messages"), self.name)

    def trouble(self) -> str:
        """Return what SIPp complained of."""
        errors = self._file("errors")
        return errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else ""

    def _file(self, kind: str) -> Path:
        return self._files.with_suffix(f".{kind}")
