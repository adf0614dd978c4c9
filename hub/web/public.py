"""The doors of the page script: which number to show (T1), and that the visitor is still there."""

import secrets
import time
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from crawlerdetect import CrawlerDetect
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.hub import Hub
from hub.store import calls, people, visits
from hub.store.arrival import Arrival, Shown
from hub.store.people import SiteDoor
from hub.web.answers import Json, refused
from tracking_core.phone import national
from tracking_core.source import read_source

_BODY_CAP = 16_384  # bytes
_SITE_FRESH_S = 10.0
_HEARTBEAT_S = 30
_TOKEN_ALPHABET = frozenset("0123456789abcdef")
_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "7200",
}


class Unacceptable(Exception):
    """A request of the page script that cannot be read; its text is the sentence for the sender."""


class Doors:
    """The page script's doors of one process, with what they keep between requests: sites and rates."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._sites: dict[str, tuple[float, SiteDoor | None]] = {}
        self._rates = Rates(hub.settings.visits_per_minute)

    async def visit(self, request: Request) -> Response:
        """Answer which number this visitor sees."""
        try:
            site, asked, origin = await self._read(request)
            source = read_source(_text(asked, "url"), _text(asked, "referrer"), site.hosts)
        except Unacceptable as error:
            return await self._refuse(request, str(error))
        known = _token(asked.get("visitor"))
        token = known or secrets.token_hex(16)
        arrival = Arrival(
            tenant_id=site.tenant_id,
            site_id=site.id,
            pool_id=site.pool_id if self._may_hold(request) else None,
            token=token,
            source=source,
            now=self.hub.clock.now(),
            hold=site.hold,
            is_new=known is None,
        )
        shown = await visits.arrive(self.hub.db, arrival)
        return Json(_answer(site, token, shown), headers=_cors(origin))

    async def heartbeat(self, request: Request) -> Response:
        """Keep the number of a visitor who is still there."""
        try:
            site, asked, origin = await self._read(request)
        except Unacceptable as error:
            return await self._refuse(request, str(error))
        token = _token(asked.get("visitor"))
        if token is None:
            return await self._refuse(request, "The field visitor is not a visitor this site was given.")
        now = self.hub.clock.now()
        await self.hub.db.write(visits.touch, site.tenant_id, site.id, site.pool_id, token, now, site.hold)
        return Response(status_code=204, headers=_cors(origin))

    async def _read(self, request: Request) -> tuple[SiteDoor, Mapping[str, Any], str]:
        body = await request.body()
        if len(body) > _BODY_CAP:
            raise Unacceptable(f"The body is {len(body)} bytes long; at most {_BODY_CAP} are accepted.")
        try:
            asked = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Unacceptable("The body is not JSON in UTF-8.") from None
        if not isinstance(asked, dict):
            raise Unacceptable('The body is not a JSON object like {"site": "...", "url": "..."}.')
        site = await self._site(_text(asked, "site"))
        if site is None:
            raise Unacceptable("No site has this key.")
        origin = request.headers.get("origin", "")
        if origin and not _is_of(origin, site.hosts):
            raise Unacceptable(f"The origin {origin[:100]} is not of this site; allowed: {', '.join(site.hosts)}.")
        return site, asked, origin

    async def _site(self, key: str) -> SiteDoor | None:
        kept = self._sites.get(key)
        if kept and time.monotonic() - kept[0] < _SITE_FRESH_S:
            return kept[1]
        if len(self._sites) > 10_000:  # only a flood of made-up keys grows so far
            self._sites.clear()
        site = await self.hub.db.read(people.site_door, key)
        self._sites[key] = (time.monotonic(), site)
        return site

    def _may_hold(self, request: Request) -> bool:
        """A bot, or an address that asks far too often, sees the overflow number."""
        if is_bot(request.headers.get("user-agent", "")):
            return False
        return self._rates.hit(request.client.host if request.client else "")

    async def _refuse(self, request: Request, sentence: str) -> Response:
        await self.hub.db.write(calls.count_refusal, "dni", sentence.split(" ", 3)[1], self.hub.clock.now())
        return refused(request, 400, sentence)


class Rates:
    """Counts the views of each address within a minute; a dictionary, since this is asked at every view."""

    def __init__(self, most: int) -> None:
        self._most, self._minute = most, 0
        self._views: Counter[str] = Counter()

    def hit(self, address: str) -> bool:
        """Count one more view; False when the address has had its share of this minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._views = minute, Counter()
        self._views[address] += 1
        return self._views[address] <= self._most


@lru_cache(maxsize=4_096)
def is_bot(agent: str) -> bool:
    """Say whether a User-Agent is a robot's; an empty one is (dni sheet, section 12)."""
    return not agent or bool(CrawlerDetect(user_agent=agent).isCrawler(agent))


def _answer(site: SiteDoor, token: str, shown: Shown) -> dict[str, Any]:
    number = shown.number or site.overflow_number
    return {
        "visitor": token,
        "visit": shown.visit_id,
        "number": number,
        "display": national(number),
        "overflow": shown.number is None,
        "hold_s": int(site.hold.total_seconds()) if shown.number else 0,
        "hb": _HEARTBEAT_S,
    }


def _token(given: object) -> str | None:
    """Return the visitor's token, or None when it is not of our making."""
    if isinstance(given, str) and len(given) == 32 and _TOKEN_ALPHABET.issuperset(given):
        return given
    return None


def _text(asked: Mapping[str, Any], name: str) -> str:
    given = asked.get(name, "")
    if given is None:
        return ""
    if not isinstance(given, str):
        raise Unacceptable(f"The field {name} is not a text.")
    return given[:4_000]


def _is_of(origin: str, hosts: tuple[str, ...]) -> bool:
    host = origin.partition("://")[2].partition(":")[0].lower()
    return any(host == known or host.endswith(f".{known}") for known in hosts)


def _cors(origin: str) -> dict[str, str]:
    if not origin:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "vary": "origin",
    }


async def _preflight(request: Request) -> Response:
    return Response(status_code=204, headers={**_cors(request.headers.get("origin", "")), **_PREFLIGHT})


def routes(doors: Doors) -> list[Route]:
    """Return the routes of the page script."""
    return [
        Route("/dni/v1/visit", doors.visit, methods=["POST"]),
        Route("/dni/v1/hb", doors.heartbeat, methods=["POST"]),
        Route("/dni/v1/visit", _preflight, methods=["OPTIONS"]),
        Route("/dni/v1/hb", _preflight, methods=["OPTIONS"]),
    ]
