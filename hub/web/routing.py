"""The door that tells telephony where a call goes: quick, and never a fault of ours in the way of a call."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.store import calls, destinations
from hub.store.destinations import NOWHERE, Way
from hub.web.answers import Json, refused
from hub.web.telephony import Door
from tracking_core.destination import kind_of
from tracking_core.phone import to_e164
from tracking_core.telephony import ADAPTERS, CallRequest, Refused
from tracking_core.telephony.forms import fields_of

log = structlog.get_logger()

_PATIENCE_S = 1.5  # then the exchange does what it does without us
_DIALLED = ("to", "dialled", "did")


class RouteDoor:
    """Answers where calls go, by the path of each telephony account."""

    def __init__(self, calls: Door) -> None:
        self._door = calls
        self.hub = calls.hub

    async def route(self, request: Request) -> Response:
        """Say where a call to a number rings, as whoever asks wants to read it."""
        token, fields = request.path_params["token"], await _fields(request)
        accepted = "text/plain" if fields.get("answer") == "text" else request.headers.get("accept", "")
        try:
            account = await self._door.account(token)
        except Exception as error:
            return _plain(_failed(error), accepted, None)
        if account is None:
            await self.hub.db.write(calls.count_refusal, "telephony", "unknown_path", self.hub.clock.now())
            return _unknown(request, accepted)
        routing = ADAPTERS[account.adapter].routing
        dialled = _dialled(fields, (*(routing.dialled if routing else ()), *_DIALLED))
        way = await self._way(account.tenant_id, dialled or "")
        if routing is None or "text/plain" in accepted or "application/json" in accepted:
            return _plain(way, accepted, dialled)
        events = f"{self.hub.settings.public_url.rstrip('/')}/telephony/{token}"
        answer = routing.answer(way.destination, events)
        return Response(answer.body, media_type=answer.media_type)

    async def _way(self, tenant_id: int, e164: str) -> Way:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self.hub.db.read(destinations.way_of, tenant_id, e164)
        except Exception as error:
            return _failed(error)


def _unknown(request: Request, accepted: str) -> Response:
    if "text/plain" in accepted:  # a dialplan takes whatever is there for an answer
        return PlainTextResponse("", status_code=404)
    return refused(request, 404, "No telephony account has this path.")


def _failed(error: Exception) -> Way:
    """Log a fault of ours: a call waits, and the exchange's own default is better for it than no answer."""
    log.exception("routing.failed", error=type(error).__name__)
    return NOWHERE


def _plain(way: Way, accepted: str, e164: str | None) -> Response:
    """Return the answer in our own words: a line for a dialplan, or JSON."""
    if "text/plain" in accepted:
        return PlainTextResponse(way.destination or "")
    told: dict[str, Any] = {"to": e164, "destination": way.destination}
    told["kind"] = kind_of(way.destination) if way.destination else None
    return Json({**told, "known": way.is_known, "said_by": way.said_by, "name": way.name})


async def _fields(request: Request) -> Mapping[str, Any]:
    """Return what was asked; of what cannot be read the address alone."""
    query = dict(request.query_params)
    try:
        return fields_of(CallRequest(request.method, "", {}, query, await request.body()))
    except Refused:
        return query


def _dialled(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    told = str(next((fields[name] for name in names if fields.get(name)), "")).strip()[:120]
    return to_e164(told) or to_e164(f"+{told}")  # a + in a query is read as a space


def routes(calls: Door) -> list[Route]:
    """Return the route of routing."""
    return [Route("/telephony/v1/route/{token:str}", RouteDoor(calls).route, methods=["GET", "POST"])]
