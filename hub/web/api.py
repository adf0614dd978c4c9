"""The programming interface: the same facts as the console, for scripts, with a bearer token."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.protocol import Connector
from hub import accuracy, conflicts, costs, report
from hub.delivery import lanes, queue
from hub.errors import HubError
from hub.hub import Hub
from hub.store import crm, goals_told, reconciliations, reports
from hub.store.calls import refusals
from hub.store.goals_told import GoalLine
from hub.store.people import Who
from hub.store.said import of_hold
from hub.store.tx import Tx
from hub.web.answers import Json
from hub.web.api_door import Bad, day, guarded, number, page_of, site_of
from hub.web.console.gaps_told import plainly
from hub.web.telling import Connectors
from hub.web.telling import plainly as plainly_said
from hub.web.words import Words

GOAL = [name for name in GoalLine.__slots__ if name not in ("kind", "phone_masked")]


async def _roi(hub: Hub, who: Who, request: Request) -> Response:
    model = request.query_params.get("model", report.LAST)
    try:
        made = await report.roi(hub.db, who.tenant_id, day(request, "from"), day(request, "to"), model)
    except HubError as error:
        raise Bad(str(error)) from error
    rows = [_row(row) for row in made.rows]
    return Json({"model": model, "note": Words("en").caveat(made.caveat), "rows": rows, "total": _row(made.total)})


def _row(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


async def _accuracy(hub: Hub, who: Who, request: Request) -> Response:
    first, last = day(request, "from"), day(request, "to")
    return Json(
        accuracy.plainly(await accuracy.accuracy_of(hub.db, who.tenant_id, first, last, hub.vault, hub.numbering))
    )


async def _spend(hub: Hub, who: Who, request: Request) -> Response:
    site = await site_of(hub, who, request.query_params.get("site", ""), "parameter")
    try:
        rows = costs.read_csv(await request.body(), currency=site.currency)
    except costs.SpendInvalid as error:
        raise Bad(str(error)) from error
    return Json({"rows": await hub.db.write(reports.save_spend, who.tenant_id, site.id, rows)})


async def _goals(hub: Hub, who: Who, request: Request) -> Response:
    after, limit = page_of(request)
    listed = await hub.db.read(goals_told.goal_lines, who.tenant_id, after, limit)
    told = [{name: getattr(one, name) for name in GOAL} for one in listed]
    return Json({"goals": told, "next": listed[-1].id if listed else after})


async def _reconciliation(hub: Hub, who: Who, _request: Request) -> Response:
    told = await hub.db.read(reconciliations.last, who.tenant_id)
    return Json({"reconciliation": plainly(orjson.loads(told), hub.connectors) if told else None})


async def _conflicts(hub: Hub, who: Who, request: Request) -> Response:
    days = number(request, "days", conflicts.DAYS)
    if not 1 <= days <= conflicts.MOST_DAYS:
        raise Bad(f"The parameter days is a whole number from 1 to {conflicts.MOST_DAYS}.")
    found = await hub.db.read(conflicts.of_tenant, who.tenant_id, hub.clock.now(), days)
    return Json({"conflicts": [conflicts.plainly(one) for one in found]})


async def _status(hub: Hub, who: Who, _request: Request) -> Response:
    return Json(await hub.db.read(_told, who.tenant_id, hub.connectors))


def _told(tx: Tx, tenant_id: int, connectors: Connectors) -> dict[str, Any]:
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
                "reason": plainly_said(connectors.get(of.connector), of.reason),
                **_in_words(held.get(of.id, {}), connectors.get(of.connector)),
            }
            for of in crm.installations(tx, tenant_id)
        ],
    }


def _in_words(lane: dict[str, Any], connector: Connector | None) -> dict[str, Any]:
    """Return how a lane is, with what it is left alone for in words."""
    why, kept = of_hold(lane.get("hold_why", ""))
    return {**lane, "hold_why": f"{why}: {plainly_said(connector, kept)}"} if why else lane


def routes() -> list[Route]:
    """Return the routes of the programming interface."""
    return [
        Route("/api/v1/report/roi", guarded(_roi)),
        Route("/api/v1/accuracy", guarded(_accuracy)),
        Route("/api/v1/spend", guarded(_spend), methods=["POST"]),
        Route("/api/v1/goals", guarded(_goals)),
        Route("/api/v1/reconciliation", guarded(_reconciliation)),
        Route("/api/v1/conflicts", guarded(_conflicts)),
        Route("/api/v1/status", guarded(_status)),
    ]
