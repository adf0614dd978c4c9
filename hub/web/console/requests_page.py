"""What the hub asked of an account in the last days and what it answered: to read, to take along, to delete."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.responses import RedirectResponse, Response, StreamingResponse

from connectors.errors import Sent
from connectors.round_trips import CAP, GIVEN_UP
from hub.store import health, round_trips
from hub.store.health import Health
from hub.store.moment import from_micros, to_micros
from hub.store.round_trips import Kept, Spot
from hub.web.console.bodies import readable
from hub.web.console.page import NotHere, form, page
from hub.web.console.shell import Desk, render
from hub.web.given import id_in

_PAGE = 50
_PART = 200  # rows read at once for a download
_OWN_WORDS = (400, 401, 402, 403, 404, 429)
WRONG = ("not_sent", "no_answer", "given_up", "fault", "moved", "refused", "down", *map(str, _OWN_WORDS))


@dataclass(frozen=True, slots=True)
class Line:
    """A round trip as the page tells it; ``wrong`` is what went wrong, empty where nothing did."""

    kept: Kept
    path: str
    asks_for: str
    took: str
    wrong: str
    asked: str
    answered: str
    asked_size: str
    answered_size: str


@page
async def show(desk: Desk) -> Response:
    """Show the latest requests, or those below a spot; of those that failed alone if asked."""
    of, failed = await _account(desk), _is_failed(desk)
    below = _spot(desk.request.query_params.get("below", ""))
    found = await desk.hub.db.read(
        round_trips.latest, (desk.tenant_id, of.id), desk.hub.vault, _PAGE + 1, below=below, failed=failed
    )
    older = {"below": _named(found[_PAGE - 1].spot), **({"failed": 1} if failed else {})} if found[_PAGE:] else {}
    return render(
        desk,
        "requests.html",
        of=of,
        failed=failed,
        below=below,
        lines=[_line(desk, of, one) for one in found[:_PAGE]],
        older=urlencode(older),
        days=desk.words.count("check.days", desk.hub.settings.request_log_days),
        most=CAP,
        cap=_size(desk, CAP),
        deleted=desk.request.query_params.get("deleted") == "1",
    )


@page
async def download(desk: Desk) -> Response:
    """Give the whole log, or what failed of it, as JSON lines, newest first."""
    of = await _account(desk)
    name = f"requests-{of.id}.jsonl"
    told = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(_lines(desk, of, failed=_is_failed(desk)), media_type="application/jsonl", headers=told)


@form
async def delete(desk: Desk) -> Response:
    """Delete the log of an account."""
    of = await _account(desk)
    await desk.hub.round_trips.forget(desk.tenant_id, of.id)
    return RedirectResponse(f"/connections/{of.id}/requests?deleted=1", status_code=303)


async def _account(desk: Desk) -> Health:
    """Return the account that is asked for, also one that was disconnected; another tenant's is not here."""
    asked = id_in(desk.request.path_params["installation_id"])
    found = [one for one in await desk.hub.db.read(health.installations, desk.tenant_id) if one.id == asked]
    if not found:
        raise NotHere
    return found[0]


def _is_failed(desk: Desk) -> bool:
    return desk.request.query_params.get("failed") == "1"


def _spot(text: str) -> Spot | None:
    """Return the spot that a link names; None for anything else: then the page begins at the top."""
    at, _, id_ = text.partition("-")
    micros, number = id_in(at), id_in(id_)
    try:
        return (from_micros(micros), number) if micros and number else None
    except OverflowError:
        return None


def _named(spot: Spot) -> str:
    return f"{to_micros(spot[0])}-{spot[1]}"


def _line(desk: Desk, of: Health, kept: Kept) -> Line:
    parts = urlsplit(kept.address)
    return Line(
        kept,
        path=parts.path or "/",
        asks_for=_asks_for(desk, of, kept),
        took=desk.words("requests.took", s=desk.f.number(kept.took.total_seconds(), 2)),
        wrong=_wrong(kept) if kept.failed else "",
        asked=readable(kept.asked),
        answered=readable(kept.answered),
        asked_size=_size(desk, kept.asked_size),
        answered_size=_size(desk, kept.answered_size),
    )


def _asks_for(desk: Desk, of: Health, kept: Kept) -> str:
    """Return what a request that asks for many things asks for; where its body was cut, what is left of it says."""
    connector = desk.hub.connectors.get(of.connector)
    if connector is None or connector.asked_in is None:
        return ""
    named = Counter(connector.asked_in(kept.asked))
    told = [name if times == 1 else f"{name} ×{times}" for name, times in named.items()]
    return ", ".join([*told, "…"] if told and kept.asked_size > CAP else told)


def _wrong(kept: Kept) -> str:
    """Return the key of the words for what went wrong, one of ``WRONG``."""
    if kept.status is None:
        if kept.lost == Sent.NOT:
            return "not_sent"
        return "given_up" if kept.detail == GIVEN_UP else "no_answer"
    if kept.status in _OWN_WORDS:
        return str(kept.status)
    kinds = {2: "fault", 3: "moved", 4: "refused"}
    return kinds.get(kept.status // 100, "down")


def _size(desk: Desk, size: int) -> str:
    if size < 1024:
        return desk.words("requests.bytes", n=size)
    return desk.words("requests.kilobytes", n=desk.f.number(size / 1024, 0 if size % 1024 == 0 else 1))


async def _lines(desk: Desk, of: Health, *, failed: bool) -> AsyncIterator[bytes]:
    below: Spot | None = None
    while True:
        rows = await desk.hub.db.read(
            round_trips.latest, (desk.tenant_id, of.id), desk.hub.vault, _PART, below=below, failed=failed
        )
        yield b"".join(orjson.dumps(_plainly(one)) + b"\n" for one in rows)
        if len(rows) < _PART:
            return
        below = rows[-1].spot


def _plainly(one: Kept) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "method": one.method,
        "address": one.address,
        "status": one.status,
        "failed": one.failed,
        "no_answer": one.lost or None,
        "detail": one.detail or None,
        "seconds": round(one.took.total_seconds(), 3),
        "request": one.asked,
        "request_bytes": one.asked_size,
        "response": one.answered,
        "response_bytes": one.answered_size,
    }
