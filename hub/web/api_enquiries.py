"""Enquiries of the programming interface: those we have, and those a customer's own programs pass on."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import enquiries as taking
from hub.hub import Hub
from hub.store import corrections, enquiries, enquiry_rows, ledger_chain, person_path, tracking
from hub.store.enquiry_rows import DeliveryLine, EnquiryRow
from hub.store.people import Who
from hub.store.person_path import Path, Why
from hub.web import letters
from hub.web.answers import Json
from hub.web.api_door import Bad, Missing, guarded, object_of, page_of, site_of
from hub.web.given import id_in
from hub.web.telling import Connectors, plainly

_MATCH = ("visitor", "placement", "channel", "source", "campaign", "region", "confidence", "reason", "words")
_OF_CALL = ("provider_call_id", "direction", "status", "dialled", "talk_s", "wait_s")
_SEEN = ("browser", "started_at", "channel", "source", "campaign")
_JUDGED = ("first_time", "qualified", "qualified_why")


async def _calls(hub: Hub, who: Who, request: Request) -> Response:
    listed, after = await _listed(hub, who, request, "call")
    return Json({"calls": [_call(row, hub.connectors) for row in listed], "next": after})


async def _enquiries(hub: Hub, who: Who, request: Request) -> Response:
    listed, after = await _listed(hub, who, request, None)
    return Json({"enquiries": [_enquiry(row, hub.connectors) for row in listed], "next": after})


async def _listed(hub: Hub, who: Who, request: Request, kind: str | None) -> tuple[list[EnquiryRow], int]:
    after, limit = page_of(request)
    listed = await hub.db.read(enquiry_rows.rows_after, who.tenant_id, after, limit, kind)
    return listed, listed[-1].id if listed else after


async def _one(hub: Hub, who: Who, request: Request) -> Response:
    enquiry_id = _id(request)
    listed = await hub.db.read(enquiry_rows.rows_after, who.tenant_id, enquiry_id - 1, 1)
    if not listed or listed[0].id != enquiry_id:
        raise Missing("There is no enquiry with this id.")
    return Json(
        {
            **_enquiry(listed[0], hub.connectors),
            **_path(await hub.db.read(person_path.path_of, who.tenant_id, enquiry_id)),
        }
    )


async def _ledger(hub: Hub, who: Who, request: Request) -> Response:
    listed = await hub.db.read(ledger_chain.of_enquiry, who.tenant_id, _id(request))
    if not listed:
        raise Missing("There is no enquiry with this id, or nothing was written of it.")
    return Json({"entries": [asdict(line) for line in listed]})


def _path(path: Path | None) -> dict[str, Any]:
    """Return the person's visits and why his browsers are taken for his; nothing where there is no visit."""
    if path is None:
        return {"path": [], "browsers": []}
    visits = [{"visit": seen.id, **{name: getattr(seen, name) for name in _SEEN}} for seen in path.visits]
    others = [{"browser": other.number, "visits": other.visits, "why": _why(other.whys)} for other in path.browsers]
    return {"path": visits, "browsers": others}


def _why(whys: Iterable[Why]) -> list[dict[str, Any]]:
    return [{"kind": why.kind, "enquiry": why.enquiry_id, "since": why.since} for why in whys]


def _call(row: EnquiryRow, connectors: Connectors) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in (*_OF_CALL, *_JUDGED)}
    return {"id": row.id, **told, "caller_masked": row.phone_masked, "started_at": row.at, **_outcome(row, connectors)}


def _enquiry(row: EnquiryRow, connectors: Connectors) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("id", "kind", "at", "phone_masked", "heard", *_JUDGED)}
    call = {name: getattr(row, name) for name in _OF_CALL} if row.kind == "call" else None
    return {**told, "call": call, **_outcome(row, connectors)}


def _outcome(row: EnquiryRow, connectors: Connectors) -> dict[str, Any]:
    return {
        "match": {**{name: getattr(row, name) for name in _MATCH}, "visit": row.visit_id},
        "deliveries": [_delivery(delivery, connectors) for delivery in row.deliveries],
    }


def _delivery(line: DeliveryLine, connectors: Connectors) -> dict[str, Any]:
    return {**asdict(line), "sentence": plainly(connectors.get(line.connector), line.sentence)}


async def _take(hub: Hub, who: Who, request: Request) -> Response:
    asked, now = await object_of(request), hub.clock.now()
    key = asked.get("site")
    site_id = (await site_of(hub, who, key, "field")).id if key is not None else None
    try:
        letter = letters.read(asked, "api", now)
    except letters.Unreadable as error:
        raise Bad(str(error)) from error
    enquiry_id, is_new = await hub.db.write(taking.take, who.tenant_id, site_id, letter, now, hub.vault)
    hub.inbox.wake()
    return Json({"enquiry": enquiry_id, "new": is_new})


async def _hear(hub: Hub, who: Who, request: Request) -> Response:
    heard = (await object_of(request)).get("heard")
    if not isinstance(heard, str) or len(heard) > letters.CAPS["heard"]:
        raise Bad(f"The field heard is not a text of at most {letters.CAPS['heard']} characters.")
    noted = await hub.db.write(enquiries.hear, who.tenant_id, _id(request), letters.clean(heard))
    if not noted:
        raise Missing("There is no enquiry with this id.")
    return Json({"heard": letters.clean(heard)})


async def _correct(hub: Hub, who: Who, request: Request) -> Response:
    visit = (await object_of(request)).get("visit", "")
    if visit is not None and (type(visit) is not int or not 0 < visit < 2**63):
        raise Bad("The field visit is the id of a visit, or null for nobody's you know of.")
    if visit is not None and not await hub.db.read(tracking.has_visit, who.tenant_id, visit):
        raise Bad("The field visit is not the id of one of your visits.")
    if not await hub.db.write(corrections.correct, who.tenant_id, _id(request), visit, who.person_id, hub.clock.now()):
        raise Missing("There is no enquiry with this id.")
    hub.inbox.wake()
    return Json({"visit": visit})


async def _take_back(hub: Hub, who: Who, request: Request) -> Response:
    if not await hub.db.write(corrections.take_back, who.tenant_id, _id(request), who.person_id, hub.clock.now()):
        raise Missing("There is no enquiry with this id.")
    hub.inbox.wake()
    return Json({})


def _id(request: Request) -> int:
    return id_in(request.path_params["enquiry_id"]) or 0  # which no enquiry has


def routes() -> list[Route]:
    """Return the routes of enquiries."""
    return [
        Route("/api/v1/calls", guarded(_calls)),
        Route("/api/v1/enquiries", guarded(_enquiries), methods=["GET"]),
        Route("/api/v1/enquiries", guarded(_take), methods=["POST"]),
        Route("/api/v1/enquiries/{enquiry_id}/visit", guarded(_correct), methods=["PUT"]),
        Route("/api/v1/enquiries/{enquiry_id}/visit", guarded(_take_back), methods=["DELETE"]),
        Route("/api/v1/enquiries/{enquiry_id}", guarded(_one), methods=["GET"]),
        Route("/api/v1/enquiries/{enquiry_id}/ledger", guarded(_ledger), methods=["GET"]),
        Route("/api/v1/enquiries/{enquiry_id}/heard", guarded(_hear), methods=["PUT"]),
    ]
