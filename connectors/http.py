"""Sends requests to vendors: the only file of this building that speaks httpx.

One ``Http`` is one client of one lane. It refuses addresses outside its list before connecting, pays its
lane's budget before each request, bounds time and size, follows no redirect, and never lets a secret into a
text. What went wrong is ``NotSent`` or ``PerhapsSent`` (connectors/errors.py), never an exception of the
client. Who listens is told of each request afterwards, masked (connectors/round_trips.py).
"""

import asyncio
import json
import logging
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from time import perf_counter
from types import TracebackType
from typing import Self

import httpx
import orjson
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_after_delay

from connectors.errors import (
    ConnectorError,
    HostRefused,
    NotSent,
    PerhapsSent,
    Refused,
    Unreadable,
    not_answered,
    redact,
)
from connectors.round_trips import Outgoing, RoundTrip, answered, unanswered

log = logging.getLogger(__name__)

Allowed = Callable[[str, int | None], bool]
# Held while a request is under way; told the deliveries it may take effect for, None for any that is being delivered.
Turn = Callable[[Sequence[str] | None], AbstractAsyncContextManager[None]]
Listener = Callable[[RoundTrip], None]  # told of each request once it is over; must not wait
Query = Mapping[str, str | int | list[str] | list[int]]

CONNECT_S = 5.0
BODY_CAP = 8 * 1024 * 1024  # bytes, after decompression
RETRY_AFTER_CAP = timedelta(hours=1)
AGENT = "CallTracking-Hub/1"
# Shorter than the 5 s after which common servers close an idle connection: reusing a closing one buys doubt.
_KEEPALIVE_S = 3.0
_READ_TRIES, _READ_PATIENCE_S = 2, 3.0
# The client logs whole addresses, and a phone search puts a phone into one.
_TALKATIVE = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


def _silence(_: logging.LogRecord) -> bool:
    return False


for _name in _TALKATIVE:
    logging.getLogger(_name).addFilter(_silence)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Problem:
    """The error body of a vendor in short: redacted, and whether it was a JSON object."""

    detail: str
    readable: bool
    retry_after: timedelta | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's answer: status, headers with lower-case names, body after decompression."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Says whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> object:
        """Return the body read as JSON, or None when it is empty or not JSON."""
        with suppress(ValueError):
            return orjson.loads(self.body)
        try:
            return json.loads(self.body)  # takes more, such as a byte order mark
        except (ValueError, RecursionError):
            return None

    def read(self) -> object:
        """Return the JSON body of a success, None for 204; raise ``Refused`` or ``Unreadable`` otherwise."""
        if not self.ok:
            raise self.refused()
        if self.status == 204:
            return None
        found = self.json()
        if not isinstance(found, dict | list):
            raise Unreadable(f"HTTP {self.status} with a body that is neither a JSON object nor a list")
        return found

    def refused(self) -> Refused:
        """Return the error this unsuccessful answer is."""
        told = self.problem()
        return Refused(self.status, told.detail, readable=told.readable, retry_after=told.retry_after)

    def problem(self) -> Problem:
        """Return what the error body says; without a JSON object, its first words."""
        found = self.json()
        if not isinstance(found, dict):
            words = " ".join(self.body[:200].decode("utf-8", "replace").split())
            return Problem(redact(words), readable=False, retry_after=_pause(self.headers.get("retry-after")))
        parts = [str(found[key]) for key in ("title", "error", "hint", "detail", "error_description") if found.get(key)]
        asked = found.get("retry_after", self.headers.get("retry-after"))
        return Problem(redact("; ".join(parts)), readable=True, retry_after=_pause(asked))


def _pause(asked: object) -> timedelta | None:
    try:
        seconds = float(str(asked))
    except ValueError:
        return None
    return min(timedelta(seconds=seconds), RETRY_AFTER_CAP) if 0 < seconds < 1e9 else None


def by_suffix(hosts: tuple[str, ...]) -> Allowed:
    """Return a rule that allows exactly ``hosts`` and their subdomains, on the standard port of https."""

    def allowed(host: str, port: int | None) -> bool:
        return port in (None, 443) and any(host == name or host.endswith(f".{name}") for name in hosts)

    return allowed


class Http:
    """One client of one lane: ``send`` is all it does.

    ``allowed`` is a rule or a tuple of host suffixes, reached by https only; ``origins`` adds exact
    addresses such as a sandbox's base URL, by whatever scheme they name. ``turn`` is entered before every
    request, left once it is answered, and may raise to stop it; so may ``still``, called the moment before
    its bytes leave. ``heard`` is told of each request that went, or failed to.
    """

    def __init__(
        self,
        *,
        allowed: Allowed | tuple[str, ...],
        origins: tuple[str, ...] = (),
        turn: Turn | None = None,
        still: Callable[[], None] | None = None,
        heard: Listener | None = None,
        agent: str = AGENT,
    ) -> None:
        self.requests = 0
        self._allowed = by_suffix(allowed) if isinstance(allowed, tuple) else allowed
        self._origins = frozenset(_origin(httpx.URL(address)) for address in origins)
        self._turn: Turn = turn or (lambda _of: nullcontext())
        self._still = still
        self._heard = heard
        self._stopped: Exception | None = None
        self._agent = agent
        self._client: httpx.AsyncClient | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float,
        creates: bool = False,
        reads: bool = False,
        of: Sequence[str] = (),
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        ``timeout`` is in seconds, from the first byte sent; connecting has its own 5 s. A GET, or a POST that
        only ``reads``, whose connection failed is sent once more within 3 s; nothing that ``creates`` ever is.
        ``of`` are the ids of the deliveries it may take effect for; one that does not read and names none may
        for any. Raises ``NotSent`` or ``PerhapsSent``.
        """
        request = self._request(method, url, json, form, query, headers, timeout)
        if creates or not (reads or method == "GET"):
            return await self._paid(request, timeout, of or None)
        tries = AsyncRetrying(
            retry=retry_if_exception(_may_repeat),
            stop=stop_after_attempt(_READ_TRIES) | stop_after_delay(_READ_PATIENCE_S),
            reraise=True,
        )
        return await tries(self._paid, request, timeout, of)

    async def aclose(self) -> None:
        """Close the connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Http(requests={self.requests})"

    def _request(
        self,
        method: str,
        url: str,
        body: object,
        form: Mapping[str, str] | None,
        query: Query | None,
        headers: Mapping[str, str] | None,
        timeout: float,
    ) -> httpx.Request:
        sent = {
            "accept": "application/json",
            "accept-encoding": "gzip",
            "user-agent": self._agent,
            **(headers or {}),
        }
        content = None
        if body is not None:
            content = _as_json(body)
            sent["content-type"] = "application/json"
        limits = httpx.Timeout(timeout, connect=CONNECT_S, pool=CONNECT_S)
        try:
            where = httpx.URL(url)
            self._check(where)
            return httpx.Request(
                method,
                where,
                params=dict(query) if query else None,
                headers=sent,
                content=content,
                data=dict(form) if form is not None else None,
                extensions={"timeout": limits.as_dict(), **({"trace": self._leaving} if self._still else {})},
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise NotSent(f"{type(error).__name__} in {method} to {_shown(url)}") from None

    def _check(self, url: httpx.URL) -> None:
        host = url.raw_host.decode("ascii", "replace").lower()
        if not url.userinfo and _origin(url) in self._origins:
            return
        if url.userinfo or url.scheme != "https" or not self._allowed(host, url.port):
            raise HostRefused(f"egress: {url.scheme}://{host} is not an address of this connector")

    async def _leaving(self, step: str, _told: object) -> None:
        """Ask whether to go on before headers and before the body: a process may have been halted since it paid."""
        if self._still is None or not step.endswith((".send_request_headers.started", ".send_request_body.started")):
            return
        try:
            self._still()
        except Exception as stopped:
            self._stopped = stopped
            raise

    async def _paid(self, request: httpx.Request, timeout: float, of: Sequence[str] | None) -> Answer:
        async with self._turn(of):
            return await self._sent(request, timeout)

    async def _sent(self, request: httpx.Request, timeout: float) -> Answer:
        self.requests += 1
        begun = perf_counter()
        try:
            answer = await self._answered(request, timeout)
        except (ConnectorError, asyncio.CancelledError) as error:
            self._tell(request, begun, error)
            raise
        self._tell(request, begun, answer)
        return answer

    async def _answered(self, request: httpx.Request, timeout: float) -> Answer:
        try:
            async with asyncio.timeout(CONNECT_S + timeout):
                return await self._exchange(request)
        except (ConnectorError, AssertionError):
            raise
        except TimeoutError:
            raise PerhapsSent(f"no whole answer within {CONNECT_S + timeout:g} s") from None
        except Exception as error:
            if error is self._stopped:
                raise
            # "from None": the client's exception carries the request, and with it the tokens.
            raise not_answered(error) from None

    def _tell(self, request: httpx.Request, begun: float, came: Answer | BaseException) -> None:
        """Tell who listens; his trouble, or ours with a strange text, must not become the request's."""
        if self._heard is None:
            return
        took = timedelta(seconds=perf_counter() - begun)
        of = Outgoing(request.method, str(request.url), request.content)
        try:
            if isinstance(came, Answer):
                self._heard(answered(of, took, came.status, came.body))
            else:
                self._heard(unanswered(of, took, came))
        except Exception as error:
            log.error("A request could not be told of: %s", type(error).__name__)

    async def _exchange(self, request: httpx.Request) -> Answer:
        response = await self._open().send(request, stream=True)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = await _bounded(response.aiter_raw(), headers.get("content-encoding", "identity"))
            return Answer(response.status_code, headers, body)
        finally:
            await response.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(max_connections=4, max_keepalive_connections=4, keepalive_expiry=_KEEPALIVE_S)
            # Without trust_env no proxy or .netrc of the machine can send a request elsewhere.
            self._client = httpx.AsyncClient(verify=_tls(), limits=limits, follow_redirects=False, trust_env=False)
        return self._client


def _as_json(body: object) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # "replace" turns a lone surrogate into a question mark instead of an exception
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    port = url.port or (443 if url.scheme == "https" else 80)
    return url.scheme, url.raw_host.decode("ascii", "replace").lower(), port


def _shown(url: str) -> str:
    return url.split("?", 1)[0][:200]


def _may_repeat(error: BaseException) -> bool:
    lost_connection = isinstance(error, PerhapsSent) and error.detail.startswith(("ReadError", "RemoteProtocolError"))
    return lost_connection or (isinstance(error, NotSent) and not isinstance(error, HostRefused))


async def _bounded(chunks: AsyncIterator[bytes], encoding: str) -> bytes:
    """Return the whole body, decompressed; stops at the cap, so that a small bomb cannot grow."""
    if encoding not in ("identity", "", "gzip"):
        raise PerhapsSent(f"the answer is encoded as {encoding[:20]}; allowed: gzip, identity")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in chunks:
        try:
            body += unpack.decompress(chunk, BODY_CAP + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise PerhapsSent("the answer says gzip and is not") from None
        if len(body) > BODY_CAP:
            raise PerhapsSent(f"the answer is larger than {BODY_CAP} bytes")
    return bytes(body)
