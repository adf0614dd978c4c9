"""Recordings of calls, brought from where telephony keeps them: streamed to one listener, never stored.

An address is allowed when it is https at a host of the account's adapter, or an origin the customer named. What a name
resolves to is looked at, and that address is the one dialled: a vendor's host never leads into our own network. Each
redirect is looked at again, and carries nothing of what the first request proved us with.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv6Address, ip_address
from pathlib import PurePosixPath
from typing import Any

import httpx
import orjson

from connectors.http import AGENT, CONNECT_S, by_suffix
from hub.store.recordings import Kept
from tracking_core.telephony import ADAPTERS
from tracking_core.telephony.recordings import Fetch

CAP = 512 * 1024 * 1024  # bytes: hours of talk
READ_S = 20.0  # between two pieces
MOST_REDIRECTS = 3
_LINK_CAP = 65_536  # bytes of the JSON answer that holds a link
_SPAN = re.compile(r"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})")
_AUDIO = re.compile(r"audio/[a-z0-9.+-]{1,60}|application/ogg")
_UNNAMED = ("", "application/octet-stream", "binary/octet-stream")  # then the ending of the file's name says it
_ENDINGS = {".mp3": "audio/mpeg", ".wav": "audio/wav", ".ogg": "audio/ogg", ".m4a": "audio/mp4"}
_GONE = (401, 403, 410)

Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotHeard(Exception):
    """A recording cannot be brought; ``why`` is refused, gone, not_there, silent, no_audio or too_long."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a recording may come from: hosts of the adapter, and origins the customer named for his account."""

    hosts: tuple[str, ...]
    origins: tuple[str, ...] = ()

    def is_own(self, url: httpx.URL) -> bool:
        """Say whether the customer named this origin himself: it may be on his own network, and without TLS."""
        return origin_of(url) in {origin_of(httpx.URL(one)) for one in self.origins}

    def allows(self, url: httpx.URL) -> bool:
        """Say whether an address may be asked at all."""
        if url.userinfo or url.scheme not in ("https", "http"):
            return False
        return self.is_own(url) or (url.scheme == "https" and by_suffix(self.hosts)(url.host.lower(), url.port))


@dataclass(frozen=True, slots=True)
class Sound:
    """An answer that is a sound: 200, or 206 for the part that was asked for; ``close`` it whatever happens."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]] = field(repr=False)


def fetch_of(kept: Kept) -> Fetch | None:
    """Return the request that brings a recording; None when there is no way to it."""
    adapter = ADAPTERS.get(kept.adapter)
    return adapter.recording(kept.recording, kept.secrets) if adapter else None


def ways_of(kept: Kept) -> Ways:
    """Return where the recordings of an account may come from."""
    return Ways(ADAPTERS[kept.adapter].recording_hosts, kept.recordings_from)


async def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses a name resolves to."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def sound(fetch: Fetch, ways: Ways, span: str = "", resolve: Resolve = addresses_of) -> Sound:
    """Ask for a recording, or for the part a Range header names; raises ``NotHeard``."""
    limits = httpx.Timeout(READ_S, connect=CONNECT_S)
    client = httpx.AsyncClient(verify=_tls(), follow_redirects=False, trust_env=False, timeout=limits)
    try:
        answer = await _followed(_Asking(client, ways, resolve), fetch, span if _SPAN.fullmatch(span) else "")
        return Sound(answer.status_code, _headers(answer), _pieces(answer), client.aclose)
    except BaseException as error:
        await client.aclose()
        if isinstance(error, httpx.InvalidURL):
            raise NotHeard("refused") from None
        if isinstance(error, httpx.HTTPError | OSError | TimeoutError):
            raise NotHeard("silent") from None  # the client's own exception carries the request and its secrets
        raise


@dataclass(frozen=True, slots=True)
class _Asking:
    """One listener's way to a recording."""

    client: httpx.AsyncClient
    ways: Ways
    resolve: Resolve

    async def ask(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        if not self.ways.allows(url):
            raise NotHeard("refused")
        port = url.port or (443 if url.scheme == "https" else 80)
        found = await asyncio.wait_for(self.resolve(url.host, port), CONNECT_S)
        address = next((one for one in found if self.ways.is_own(url) or _is_public(one)), None)
        if address is None:
            raise NotHeard("refused")
        sent = {"accept": "*/*", "accept-encoding": "identity", "user-agent": AGENT, **headers}
        request = self.client.build_request(
            method,
            url.copy_with(host=address),
            headers={**sent, "host": url.netloc.decode("ascii")},
            content=body or None,
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        return await self.client.send(request, stream=True)


async def _followed(asking: _Asking, fetch: Fetch, span: str) -> httpx.Response:
    """Return the last answer of the way; only the first request carries what the adapter put into it."""
    method, url, headers, body = fetch.method, httpx.URL(fetch.url), dict(fetch.headers), fetch.body
    link_in, part = fetch.link_in, {"range": span} if span else {}
    for _ in range(MOST_REDIRECTS + 1):
        answer = await asking.ask(method, url, headers if link_in else {**headers, **part}, body)
        if answer.has_redirect_location:
            url = url.join(answer.headers.get("location", ""))
        elif answer.status_code == 200 and link_in:
            url, link_in = url.join(await _link(answer, link_in)), ""
        else:
            return answer
        await answer.aclose()
        method, headers, body = "GET", {}, b""
    raise NotHeard("refused")


async def _link(answer: httpx.Response, name: str) -> str:
    told = bytearray()
    async for piece in answer.aiter_raw():
        told += piece
        if len(told) > _LINK_CAP:
            raise NotHeard("no_audio")
    try:
        found: Any = orjson.loads(told)
    except orjson.JSONDecodeError:
        found = None
    link = found.get(name) if isinstance(found, dict) else None
    if not isinstance(link, str) or not link:
        raise NotHeard("no_audio")
    return link


def _headers(answer: httpx.Response) -> dict[str, str]:
    """Return the headers for the listener; raises ``NotHeard`` for an answer that is no sound."""
    if answer.status_code not in (200, 206):
        raise NotHeard("gone" if answer.status_code in _GONE else _missing(answer.status_code))
    told = answer.headers
    kind = told.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _UNNAMED:
        kind = _ENDINGS.get(PurePosixPath(answer.url.path).suffix.lower(), kind)
    if not _AUDIO.fullmatch(kind) or told.get("content-encoding", "identity") != "identity":
        raise NotHeard("no_audio")
    if int(told.get("content-length", "0") or 0) > CAP:
        raise NotHeard("too_long")
    passed = ("content-length", "content-range", "accept-ranges")
    return {"content-type": kind, **{name: told[name] for name in passed if name in told}}


def _missing(status: int) -> str:
    return "not_there" if status == 404 else "silent"


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    try:
        async for piece in answer.aiter_raw():
            size += len(piece)
            if size > CAP:
                raise NotHeard("too_long")
            yield piece
    except httpx.HTTPError:
        raise NotHeard("silent") from None


def _is_public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast


def origin_of(url: httpx.URL) -> tuple[str, str, int]:
    """Return scheme, host and port of an address."""
    return url.scheme, url.host.lower(), url.port or (443 if url.scheme == "https" else 80)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
