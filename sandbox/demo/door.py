"""How the world outside reaches a server: over one kept connection, again and again until it answers.

Plain http.client, because a day is thousands of small requests one after another and each costs a quarter of what a
richer client takes.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

Query = Mapping[str, str | int]
PATIENCE_S = 60.0
PAUSE_S = 0.05
_ANSWER_S = 30.0
_IDLE_S = 3.0  # servers close a connection that idles longer than some seconds
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


class NoAnswer(Exception):
    """A server gave no usable answer for longer than anybody waits, or one that ends the demo."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said to a server besides method and path."""

    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to which request."""

    asked: str
    status: int
    body: bytes

    def expect(self, *statuses: int) -> Self:
        """Returns itself; raises NoAnswer for any other status."""
        if self.status not in statuses:
            said = self.body[:300].decode("utf-8", "replace")
            raise NoAnswer(f"{self.asked} was answered with {self.status}: {said}")
        return self

    def told(self) -> dict[str, Any]:
        """Returns the JSON object it holds."""
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise NoAnswer(f"{self.asked} was not answered with a JSON object.")
        return found


class Door:
    """Sends requests to one server and repeats what brought no answer or a 5xx; counts the repeats."""

    def __init__(self, base_url: str, pause: Callable[[float], None] = time.sleep, token: str = "") -> None:
        place = urlsplit(base_url)
        self._connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=_ANSWER_S)
        self._headers = {"user-agent": BROWSER, **({"authorization": f"Bearer {token}"} if token else {})}
        self._pause = pause
        self._used = 0.0
        self.repeats = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, path: str, query: Query | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Returns the answer to a GET."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return self.send("GET", asked, Letter(headers=headers or {}))

    def post_json(
        self, path: str, said: object, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Answer:
        """Returns the answer to a JSON body."""
        typed = {"content-type": "application/json", **(headers or {})}
        return self.send(method, path, Letter(json.dumps(said, ensure_ascii=False).encode(), typed))

    def send(self, method: str, path: str, letter: Letter) -> Answer:
        """Returns the first answer below 500; raises NoAnswer after PATIENCE_S."""
        return self.send_fresh(method, path, lambda: letter)

    def send_fresh(self, method: str, path: str, write: Callable[[], Letter]) -> Answer:
        """As `send`, but writes a new letter for each try: a signature must not grow old."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._once(method, path, write())
            except (OSError, HTTPException) as error:
                self._connection.close()
                trouble = repr(error)
            else:
                if answer.status < 500:
                    return answer
                trouble = f"HTTP {answer.status}: {answer.body[:300]!r}"
            if time.monotonic() > until:
                raise NoAnswer(f"{method} {path} was not answered for {PATIENCE_S:.0f} s: {trouble}")
            self.repeats += 1
            self._pause(PAUSE_S)

    def _once(self, method: str, path: str, letter: Letter) -> Answer:
        if time.monotonic() - self._used > _IDLE_S:
            self._connection.close()
        self._connection.request(method, path, letter.body or None, {**self._headers, **letter.headers})
        response = self._connection.getresponse()
        answer = Answer(f"{method} {path.partition('?')[0]}", response.status, response.read())
        self._used = time.monotonic()
        return answer
