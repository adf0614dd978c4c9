"""How the world outside reaches a server: over one kept connection, again and again until it answers."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

PATIENCE_S = 60.0
PAUSE_S = 0.05
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)


class NoAnswer(Exception):
    """The hub gave no usable answer for longer than anybody waits."""


class Door:
    """Sends requests to one server and repeats what brought no answer or a 5xx; counts the repeats."""

    def __init__(self, base_url: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=30.0, headers={"user-agent": BROWSER})
        self._pause = pause
        self.repeats = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, method: str, path: str, **said: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Returns the first answer below 500; raises NoAnswer after PATIENCE_S."""
        return self.send_fresh(method, path, lambda: said)

    def send_fresh(self, method: str, path: str, say: Callable[[], Mapping[str, Any]]) -> httpx.Response:
        """As `send`, but asks `say` for headers and body before each try: a signature may not grow old."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._client.request(method, path, **say())
            except httpx.TransportError as error:
                trouble = repr(error)
            else:
                if answer.status_code < 500:
                    return answer
                trouble = f"HTTP {answer.status_code}: {answer.text[:300]}"
            if time.monotonic() > until:
                raise NoAnswer(f"{method} {path} was not answered for {PATIENCE_S:.0f} s: {trouble}")
            self.repeats += 1
            self._pause(PAUSE_S)

    def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """Returns the JSON object of a GET; raises NoAnswer for anything but 200."""
        return answered(self.send("GET", path, params=query))

    def carry(self, **headers: str) -> None:
        """Adds headers to each further request."""
        self._client.headers.update({name.replace("_", "-"): told for name, told in headers.items()})


def answered(answer: httpx.Response) -> dict[str, Any]:
    """Returns the JSON object of a 200; raises NoAnswer for anything else."""
    if answer.status_code != 200:
        where = f"{answer.request.method} {answer.request.url.path}"
        raise NoAnswer(f"{where} was answered with {answer.status_code}: {answer.text[:300]}")
    told = answer.json()
    if not isinstance(told, dict):
        raise NoAnswer(f"{answer.request.url.path} did not answer with a JSON object.")
    return told
