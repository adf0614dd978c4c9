"""A vendor that is a script, for the contract suite: what it answers step by step, and one answer that is disturbed."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from connectors.http import Answer, Http
from connectors.protocol import Connector


@dataclass(frozen=True, slots=True)
class Step:
    """One answer of the vendor: to ``method`` on a path that ends with ``path``; None is an empty body."""

    method: str
    path: str
    body: object = None
    status: int = 200

    def answers(self, method: str, path: str) -> bool:
        """Says whether this step is meant for a request."""
        return method == self.method and path.endswith(self.path)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request the connector made."""

    method: str
    url: str
    content: bytes = field(repr=False)


class _Url(Protocol):
    @property
    def path(self) -> str: ...


class _Request(Protocol):
    """What the suite reads of the client's request."""

    method: str

    @property
    def url(self) -> _Url: ...
    @property
    def content(self) -> bytes: ...


class Scripted(Http):
    """An ``Http`` whose vendor is a script; ``fault`` replaces the answer to one request."""

    def __init__(
        self,
        connector: Connector,
        script: Sequence[Step],
        at: Asked | None = None,
        fault: BaseException | Answer | None = None,
    ) -> None:
        super().__init__(allowed=connector.manifest.hosts, turn=self._noted)
        self.asked: list[Asked] = []
        self.named: list[tuple[str, ...] | None] = []  # the deliveries each request may take effect for
        self._script = script
        self._at = at
        self._fault = fault

    @asynccontextmanager
    async def _noted(self, of: Sequence[str] | None) -> AsyncIterator[None]:
        self.named.append(None if of is None else tuple(of))
        yield

    async def _exchange(self, request: _Request) -> Answer:
        asked = Asked(request.method, str(request.url), request.content)
        self.asked.append(asked)
        if asked == self._at:
            if isinstance(self._fault, BaseException):
                raise self._fault
            if self._fault is not None:
                return self._fault
        return self._told(request.method, request.url.path)

    def told(self, asked: Asked) -> Answer:
        """Return what the script answers to a request."""
        return self._told(asked.method, urlsplit(asked.url).path)

    def _told(self, method: str, path: str) -> Answer:
        for step in self._script:
            if step.answers(method, path):
                return answer(step.status, step.body)
        raise AssertionError(f"the script has no answer to {method} {path}")


def answer(status: int, body: object) -> Answer:
    """Return an answer that carries ``body`` as JSON; None is an empty body."""
    return Answer(status, {"content-type": "application/json"}, b"" if body is None else json.dumps(body).encode())
