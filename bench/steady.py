"""A steady stream of requests: each goes out at its moment, whether or not the ones before it have been answered.

``python -m bench.steady PORT SECONDS [SITE]`` keeps 1,000 visitors, each on a connection of his own, and sends 500 page
views a second (without SITE, requests of the empty endpoint) evenly spaced, by visitors in random order; four of five
are of the visitor himself, one of a browser never seen before. Latency counts from the moment a request was due, so a
server that stalls pays for all who wait. It prints one JSON line; its own lag and share of a core are in it.
"""

import asyncio
import json
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import httptools
import uvloop

RATE, VISITORS = 500, 1_000
BAR_S = 0.050
NEWCOMERS = 0.2
PATIENCE_S = 10  # for the last answers
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
_HEAD = f"HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://site.example\r\nuser-agent: {_BROWSER}\r\n"


@dataclass
class Heard:
    """What came back so far; times in seconds."""

    expected: int
    took: list[float] = field(default_factory=list)
    refused: int = 0
    all_in: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, took: float, status: int) -> None:
        self.took.append(took)
        self.refused += status != 200
        if len(self.took) == self.expected:
            self.all_in.set()


class Visitor(asyncio.Protocol):
    """One connection; answers come in the order of the requests."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._due: deque[float] = deque()
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def ask(self, request: bytes, moment: float) -> None:
        """Send a request that was due at a moment of the monotonic clock."""
        self._due.append(moment)
        self._transport.write(request)

    def data_received(self, received: bytes) -> None:
        self._parser.feed_data(received)

    def on_message_complete(self) -> None:
        self._heard.hear(time.monotonic() - self._due.popleft(), self._parser.get_status_code())


def _requests(site: str | None, visitor: int, dice: random.Random) -> Iterator[bytes]:
    """Yield what one visitor sends, without end."""
    while site is None:
        yield f"GET /empty {_HEAD}\r\n".encode()
    while True:
        token = f"{visitor:032x}" if dice.random() >= NEWCOMERS else None
        came = visitor % 50 if token else dice.randrange(50)  # who comes back is on the visit he has begun
        url = f"https://site.example/page?utm_source=yandex&utm_medium=cpc&utm_campaign=c{came}&yclid={came}"
        body = json.dumps({"site": site, "visitor": token, "url": url, "referrer": ""})
        head = f"{_HEAD}content-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        yield f"POST /dni/v1/visit {head}\r\n{body}".encode()


async def _stream(port: int, seconds: int, site: str | None) -> dict[str, Any]:
    loop, dice, heard = asyncio.get_running_loop(), random.Random(7), Heard(seconds * RATE)
    visitors = [(await loop.create_connection(lambda: Visitor(heard), "127.0.0.1", port))[1] for _ in range(VISITORS)]
    sends = [_requests(site, place, dice) for place in range(VISITORS)]
    rounds = range(heard.expected // VISITORS + 1)
    turns = [place for _ in rounds for place in dice.sample(range(VISITORS), VISITORS)]
    lags, busy, began = [], time.process_time(), time.monotonic()
    for turn, place in enumerate(turns[: heard.expected]):
        moment = began + turn / RATE
        if (ahead := moment - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        now = time.monotonic()
        lags.append(max(0.0, now - moment))
        visitors[place].ask(next(sends[place]), min(now, moment))
    with suppress(TimeoutError):
        await asyncio.wait_for(heard.all_in.wait(), PATIENCE_S)
    return _figures(heard, lags, (time.process_time() - busy) / seconds)


def _figures(heard: Heard, lags: list[float], busy: float) -> dict[str, Any]:
    unanswered = heard.expected - len(heard.took)
    late = sum(took > BAR_S for took in heard.took) + unanswered
    return {
        "p50_ms": _percentile(heard.took, 50),
        "p99_ms": _percentile(heard.took, 99),
        "late": late / heard.expected,
        "failed": unanswered + heard.refused,
        "lag_p99_ms": _percentile(lags, 99),
        "busy": busy,
    }


def _percentile(took: list[float], percent: int) -> float:
    return quantiles(took, n=100, method="inclusive")[percent - 1] * 1_000


if __name__ == "__main__":
    told = uvloop.run(_stream(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
    print(json.dumps(told), flush=True)
