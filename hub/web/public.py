"""The doors of the page script: which number to show (T1), and that the visitor is still there."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import enquiries, ties, visit_codes
from hub.hub import Hub
from hub.store import calls, pages, sites, visits
from hub.store import enquiries as kept
from hub.store.arrival import Arrival
from hub.store.pages import Seen
from hub.store.sites import SiteDoor
from hub.web import letters, numbers_shown, page_script
from hub.web.answers import Json, refused
from hub.web.flood import Rates, is_bot
from hub.web.page_asked import (
    Unacceptable,
    asked_in,
    count_of,
    is_anonymous,
    known_token,
    names_in,
    new_token,
    page_token_of,
    printable,
    text_in,
    token_of,
)
from tracking_core.enquiry import EnquiryKind
from tracking_core.phone import to_e164
from tracking_core.selective import device_of
from tracking_core.source import Source, read_source

_SITE_FRESH_S = 10.0
_LETTERS_PER_MINUTE = 10  # of one address
_USERS_PER_MINUTE = 60  # likewise; an office may log in behind one
_FROM_PAGES = (EnquiryKind.FORM, EnquiryKind.CALLBACK)
_DOORS = ("visit", "hb", "event", "enquiry", "code", "user")
_EVENTS = ("tel_tap", "copy", "form", "reveal")
_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "7200",
}


class Doors:
    """The page script's doors of one process, with what they keep between requests: sites and rates."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._sites: dict[str, tuple[float, asyncio.Future[SiteDoor | None]]] = {}
        self._rates = Rates(hub.settings.visits_per_minute)
        self._letters = Rates(_LETTERS_PER_MINUTE)
        self._users = Rates(_USERS_PER_MINUTE)

    async def script(self, request: Request) -> Response:
        """Answer with the script and the site's settings."""
        site = await self._site(request.path_params["site"])
        if site is None:
            return await self._refuse(request, "No site has this key.", status=404)
        return page_script.answer(request, site, self.hub.settings.public_url)

    async def visit(self, request: Request) -> Response:
        """Answer which numbers this visitor sees."""
        try:
            site, asked, origin = await self._read(request)
            source = read_source(text_in(asked, "url"), text_in(asked, "referrer"), site.hosts)
            groups = names_in(asked, "groups") or site.groups
        except Unacceptable as error:
            return await self._refuse(request, str(error))
        anonymous = asked.get("consent") == "anonymous"
        known = page_token_of(asked.get("visitor")) if anonymous else token_of(asked.get("visitor"))
        token = known or new_token(anonymous=anonymous)
        agent, address = request.headers.get("user-agent", ""), request.client.host if request.client else ""
        device = device_of(agent)
        sees_own = asked.get("lease") is False or site.is_office(address)  # the office; who has not reached for one yet
        may_hold = not sees_own and not anonymous and not is_bot(agent) and self._rates.hit(address)
        arrival = Arrival(
            tenant_id=site.tenant_id,
            site_id=site.id,
            pools=lambda came, place: numbers_shown.pools(site.shows(groups, came, device, place)) if may_hold else (),
            token=token,
            source=Source(source.channel) if anonymous else source,
            now=self.hub.clock.now(),
            hold=site.hold,
            is_new=known is None,
            region=None if anonymous else self.hub.places.region(address),
            habits=site.habits if self.hub.places.are_known else None,
        )
        shown = await visits.arrive(self.hub.db, arrival)
        numbers = numbers_shown.numbers(site, site.shows(groups, shown.source, device, shown.region), shown)
        return Json(numbers_shown.answer(site, token, shown, {} if sees_own else numbers), headers=_cors(origin))

    async def heartbeat(self, request: Request) -> Response:
        """Keep the numbers of a visitor who is still there."""
        try:
            site, asked, origin = await self._read(request)
            token = page_token_of(asked.get("visitor")) if is_anonymous(asked) else known_token(asked)
        except Unacceptable as error:
            return await self._refuse(request, str(error))
        if token:
            await self.hub.db.write(visits.touch, site.tenant_id, site.id, token, self.hub.clock.now(), site.hold)
        return Response(status_code=204, headers=_cors(origin))

    async def enquiry(self, request: Request) -> Response:
        """Keep what a visitor wrote: a form, or an order to call him back."""
        origin = ""
        try:
            site, asked, origin = await self._read(request)
            if not origin:
                raise Unacceptable(
                    "The header origin is missing: what a page's form says is taken from browsers alone."
                )
            now = self.hub.clock.now()
            letter = letters.read({**asked, "at": None}, f"site{site.id}", now, _FROM_PAGES)
            # What a manager heard is not a page's to tell, and a visit only as its visitor's own.
            letter = replace(letter, heard="", user="", visit_id=letter.visit_id if letter.visitor else None)
        except (Unacceptable, letters.Unreadable) as error:
            return await self._refuse(request, str(error), origin=origin)
        if not self._letters.hit(request.client.host if request.client else ""):
            return await self._refuse(request, "Too many enquiries came from this address: wait a minute.", 429, origin)
        await self.hub.db.write(enquiries.take, site.tenant_id, site.id, letter, now, self.hub.vault)
        self.hub.inbox.wake()
        return Response(status_code=204, headers=_cors(origin))

    async def code(self, request: Request) -> Response:
        """Answer with the code of his visit, by which this visitor's letters and chats name it; a robot has none."""
        try:
            site, asked, origin = await self._read(request)
            token, visit_id = known_token(asked), letters.visit_in(asked) or 0
        except (Unacceptable, letters.Unreadable) as error:
            return await self._refuse(request, str(error))
        who = site.tenant_id, site.id, token, visit_id
        if await self.hub.db.read(kept.his_visit, *who) is None:
            return await self._refuse(request, "The field visit is not a visit of this visitor.", 400, origin)
        robot = is_bot(request.headers.get("user-agent", ""))  # what it reads may end in a search engine
        code = None if robot else visit_codes.code_of(visit_id, site.tenant_id, self.hub.vault)
        return Json({"code": code}, headers=_cors(origin))

    async def user(self, request: Request) -> Response:
        """Note which user of the site this visitor is logged in as."""
        origin = ""
        try:
            site, asked, origin = await self._read(request)
            if not origin:
                raise Unacceptable("The header origin is missing: who is logged in is taken from browsers alone.")
            token, user = known_token(asked), letters.user_in(asked)
            if user is None:
                raise Unacceptable("The field user is missing: your own id of who is logged in.")
        except (Unacceptable, letters.Unreadable) as error:
            return await self._refuse(request, str(error), origin=origin)
        if not self._users.hit(request.client.host if request.client else ""):
            return await self._refuse(request, "Too many users came from this address: wait a minute.", 429, origin)
        told = (site.tenant_id, site.id, token, user, self.hub.clock.now(), self.hub.vault)
        if not await self.hub.db.write(ties.user_of_token, *told):
            return await self._refuse(request, "The field visitor is not a visitor of this site.", origin=origin)
        return Response(status_code=204, headers=_cors(origin))

    async def event(self, request: Request) -> Response:
        """Keep what a visitor did with a number, or what the script found on a page."""
        try:
            site, asked, origin = await self._read(request)
            kind = text_in(asked, "kind")
            if kind == "seen" and not origin:
                raise Unacceptable("The header origin is missing: what a page shows is taken from browsers alone.")
            if kind == "seen":
                await self._seen(site, asked)
            elif kind in _EVENTS:
                if not is_anonymous(asked):
                    await self._event(site, asked, kind)
            else:
                raise Unacceptable(f"The field kind is {kind[:40]!r}; allowed: seen, {', '.join(_EVENTS)}.")
        except Unacceptable as error:
            return await self._refuse(request, str(error))
        return Response(status_code=204, headers=_cors(origin))

    async def _seen(self, site: SiteDoor, asked: Mapping[str, Any]) -> None:
        detail = asked.get("detail")
        detail = detail if isinstance(detail, dict) else {}
        page = urlsplit(text_in(detail, "url"))
        found = detail.get("found")
        found = found if isinstance(found, dict) else {}
        counted = {group: count_of(found.get(group)) for group in site.groups}
        where = f"{page.hostname or ''}{page.path}"[:500]
        seen = Seen(printable(where), counted, count_of(detail.get("images")), self.hub.clock.now())
        await self.hub.db.write(pages.save_seen, site.tenant_id, site.id, seen)

    async def _event(self, site: SiteDoor, asked: Mapping[str, Any], kind: str) -> None:
        visit_id, token = asked.get("visit"), known_token(asked)
        if not isinstance(visit_id, int) or not 0 < visit_id < 2**63:
            raise Unacceptable("The field visit is not a visit this site was given.")
        number = to_e164(text_in(asked, "number")[:40]) or ""
        who = site.tenant_id, site.id, token, visit_id
        if not await self.hub.db.write(pages.save_event, *who, kind, number, self.hub.clock.now()):
            raise Unacceptable("The field visit is not a visit of this visitor.")

    async def _read(self, request: Request) -> tuple[SiteDoor, Mapping[str, Any], str]:
        asked = asked_in(await request.body())
        site = await self._site(text_in(asked, "site"))
        if site is None:
            raise Unacceptable("No site has this key.")
        origin = request.headers.get("origin", "")
        if origin and not _is_of(origin, site.hosts):
            raise Unacceptable(f"The origin {origin[:100]} is not of this site; allowed: {', '.join(site.hosts)}.")
        return site, asked, origin

    async def _site(self, key: str) -> SiteDoor | None:
        now, kept = time.monotonic(), self._sites.get(key)
        if kept is None or now - kept[0] >= _SITE_FRESH_S:
            if len(self._sites) > 10_000:  # only a flood of made-up keys grows so far
                self._sites.clear()
            # One reads for all who come meanwhile: each for himself they would halt the door every ten seconds.
            kept = self._sites[key] = (now, asyncio.ensure_future(self.hub.db.read(sites.site_door, key)))
        try:
            return await asyncio.shield(kept[1])
        except Exception:
            if self._sites.get(key) is kept:
                del self._sites[key]
            raise

    async def _refuse(self, request: Request, sentence: str, status: int = 400, origin: str = "") -> Response:
        await self.hub.db.write(calls.count_refusal, "dni", sentence.split(" ", 3)[1], self.hub.clock.now())
        answer = refused(request, status, sentence)
        answer.headers.update(_cors(origin))  # so that the script of the site's own pages can read why
        return answer


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
        Route("/dni/v1/event", doors.event, methods=["POST"]),
        Route("/dni/v1/enquiry", doors.enquiry, methods=["POST"]),
        Route("/dni/v1/code", doors.code, methods=["POST"]),
        Route("/dni/v1/user", doors.user, methods=["POST"]),
        Route("/dni/v1/{version}/{site}.js", doors.script, methods=["GET"]),
        Route("/dni/v1/{version}/{site}/enquiries.js", doors.script, methods=["GET"]),
        *(Route(f"/dni/v1/{door}", _preflight, methods=["OPTIONS"]) for door in _DOORS),
    ]
