"""The ladder of a call: the first line of each message, in order, from the message logs of the telephones."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

PROXY = "proxy"
_MESSAGE = re.compile(
    r"^-{20,} (?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6})\n"
    r"UDP message (?P<way>sent|received) [^\n]*\n\s*\n"
    r"(?P<first>[^\r\n]+)",
    re.MULTILINE,
)


@dataclass(frozen=True, order=True)
class Step:
    """One message on its way, timed by the telephone's own clock."""

    at: datetime
    sender: str
    receiver: str
    words: str

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S.%f} {self.sender:>6} -> {self.receiver:6} {self.words}"


def read(log: Path, telephone: str) -> list[Step]:
    """Return what one telephone sent and received, as far as its log goes."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return [_step(found, telephone) for found in _MESSAGE.finditer(text)]


def _step(found: re.Match[str], telephone: str) -> Step:
    sender, receiver = (telephone, PROXY) if found["way"] == "sent" else (PROXY, telephone)
    words = found["first"].removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
    return Step(datetime.fromisoformat(found["at"]), sender, receiver, words)


def drawn(steps: Iterable[Step]) -> str:
    """Return the ladder, a line for each message."""
    return "".join(f"{step}\n" for step in sorted(steps))


def seconds_between(steps: Iterable[Step], telephone: str, first: str, second: str) -> float:
    """Return how long after one message of a telephone another went; each is known by its first word."""
    moments: dict[str, datetime] = {}
    for step in sorted(steps):
        if telephone in (step.sender, step.receiver):
            moments.setdefault(step.words.split()[0], step.at)  # what is repeated counts once
    return (moments[second] - moments[first]).total_seconds()
