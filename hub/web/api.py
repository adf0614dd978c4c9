"""The programming interface: the same facts as the console, for scripts, with a bearer token."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import costs, report
from hub.delivery import lanes, queue
from hub.hub import Hub
from hub.store import crm, people, reports, sites
from hub.store.calls import refusals
from hub.store.people import Who
from hub.store.tx import Tx
from hub.web.answers import Json, refused

_PAGE = 500
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)

Handler = Callable[[Hub, Who, Request], Awaitable[Response]]


class Bad(Exception):
    """A request of the interface that cannot be served; its text is the sentence for the sender."""


def _guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    @wraps(handler)
    async def guarded(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        who = None
        if scheme.lower() == "bearer":
            who = await hub.db.read(people.who, token.strip(), "api", hub.clock.now())
        if who is None:
            return refused(request, 401, "Send the header Authorization: Bearer TOKEN; 'cthub token' makes one.")
        try:
            return await handler(hub, who, request)
        except Bad as error:
            return refused(request, 400, str(error))

    return guarded


async def _roi(hub: Hub, who: Who, request: Request) -> Response:
    made = await report.roi(hub.db, who.tenant_id, _day(request, "from"), _day(request, "to"))
    return Json({"rows": [_row(row) for row in made.rows], "total": _row(made.total)})


def _row(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


async def _calls(hub: Hub, who: Who, request: Request) -> Response:
    after, limit = _number(request, "after", 0), min(_number(request, "limit", _PAGE), _PAGE)
    lines = await hub.db.read(reports.call_lines, who.tenant_id, after=after, limit=limit)
    return Json({"calls": [_call(line) for line in lines], "next": lines[-1].id if lines else after})


def _call(line: reports.CallLine) -> dict[str, Any]:
    match = ("visitor", "placement", "channel", "source", "campaign", "confidence", "reason", "words")
    shown = (
        "id", "provider_call_id", "direction", "status", "dialled", "talk_s", "wait_s",
        "first_time", "qualified", "qualified_why",
    )  # fmt: skip
    return {
        **{name: getattr(line, name) for name in shown},
        "caller_masked": line.phone_masked,
        "started_at": line.at,
        "match": {**{name: getattr(line, name) for name in match}, "visit": line.visit_id},
        "deliveries": [asdict(delivery) for delivery in line.deliveries],
    }


async def _spend(hub: Hub, who: Who, request: Request) -> Response:
    site = await hub.db.read(sites.site_door, request.query_params.get("site", ""))
    if site is None or site.tenant_id != who.tenant_id:
        raise Bad("The parameter site is not the key of one of your sites.")
    try:
        rows = costs.read_csv(await request.body(), currency=site.currency)
    except costs.SpendInvalid as error:
        raise Bad(str(error)) from error
    return Json({"rows": await hub.db.write(reports.save_spend, who.tenant_id, site.id, rows)})


async def _status(hub: Hub, who: Who, _request: Request) -> Response:
    return Json(await hub.db.read(_told, who.tenant_id))


def _told(tx: Tx, tenant_id: int) -> dict[str, Any]:
    held = lanes.told(tx, tenant_id)
    return {
        **reports.totals(tx, tenant_id),
        "deliveries": queue.counts(tx, tenant_id),
        "refusals": refusals(tx),
        "installations": [
            {
                "connector": of.connector,
                "account": of.account,
                "status": of.status,
                "reason": of.reason,
                **held.get(of.id, {}),
            }
            for of in crm.installations(tx, tenant_id)
        ],
    }


def _day(request: Request, name: str) -> date:
    try:
        day = date.fromisoformat(request.query_params.get(name, ""))
    except ValueError:
        day = date.min
    if not _FIRST <= day <= _LAST:
        raise Bad(f"The parameter {name} is a day like 2026-11-20, from {_FIRST} to {_LAST}.")
    return day


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, str(default))
    if not given.isdecimal() or len(given) > 18:
        raise Bad(f"The parameter {name} is a whole number.")
    return int(given)


def routes() -> list[Route]:
    """Return the routes of the programming interface."""
    return [
        Route("/api/v1/report/roi", _guarded(_roi)),
        Route("/api/v1/calls", _guarded(_calls)),
        Route("/api/v1/spend", _guarded(_spend), methods=["POST"]),
        Route("/api/v1/status", _guarded(_status)),
    ]
