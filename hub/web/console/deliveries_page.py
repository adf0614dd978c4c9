"""What waits, what arrived, and what needs a person; and the connections themselves."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.responses import RedirectResponse, Response

from hub.delivery import by_hand, queue
from hub.delivery.retry import State
from hub.store import health, reconciliations
from hub.store.health import Waiting
from hub.web.console.gaps_told import gap_lines, gaps_in, headline
from hub.web.console.page import NotHere, form, page
from hub.web.console.session import form_of
from hub.web.console.shell import Desk, render
from hub.web.given import id_in

STATES = (State.PARKED, State.READY, State.SENDING, State.ACCEPTED, State.DELIVERED, State.DROPPED)
_PAGE = 100


@page
async def show(desk: Desk) -> Response:
    """Show the deliveries of one state; without being asked, the first one that needs looking at."""
    db = desk.hub.db
    counts = await db.read(queue.counts, desk.tenant_id)
    asked = desk.request.query_params.get("state", "")
    first = next((state for state in STATES[:2] if counts.get(state)), State.DELIVERED)
    state = State(asked) if asked in list(State) else first
    lines = await db.read(health.waiting, desk.tenant_id, state, _PAGE)
    return render(
        desk,
        "deliveries.html",
        state=state,
        states=[one for one in STATES if counts.get(one) or one in (State.PARKED, State.READY, State.DELIVERED)],
        counts=counts,
        deliveries=[(line, why(desk, line)) for line in lines],
        is_cut=counts.get(state, 0) > _PAGE,
        installations=await db.read(health.installations, desk.tenant_id),
        connectors=desk.hub.connectors,
        alike=await db.read(by_hand.alike, desk.tenant_id) if state == State.PARKED else (),
        done=desk.request.query_params.get("done", ""),
        number=id_in(desk.request.query_params.get("n", "")) or 0,
        reconciled=await _reconciled(desk),
    )


async def _reconciled(desk: Desk) -> dict[str, Any] | None:
    """Return what the last night's reconciliation told; None before the first one."""
    last = await desk.hub.db.read(reconciliations.last, desk.tenant_id)
    if last is None:
        return None
    told = orjson.loads(last)
    connectors = desk.hub.connectors
    line, gaps = headline(desk.f, told, desk.now, connectors), gap_lines(desk.words, told, connectors)
    return {"line": line, "gaps": gaps, "number": gaps_in(told)}


def why(desk: Desk, line: Waiting) -> str:
    """Say in one sentence why a delivery is where it is and what happens next."""
    t = desk.words
    if line.state == State.READY:
        return _why_ready(desk, line)
    if line.state == State.PARKED:
        return t("why.parked", why=t.of("outcome_why", line.why, t("outcome_why.none")))
    return t(f"why.{line.state}", when=desk.f.moment(line.settled_at or line.due_at))


def _why_ready(desk: Desk, line: Waiting) -> str:
    t, f, now = desk.words, desk.f, desk.now
    if line.installation_status == "removed":
        return t("why.removed")
    if line.installation_status == "reauthorise":
        return t("why.reauthorise")
    if line.hold_why and line.hold_until is not None and line.hold_until > now:
        return t("why.held", when=f.when(line.hold_until, now))
    if line.is_blocked:
        return t("why.blocked")
    if line.due_at <= now:
        return t("why.now")
    if line.in_doubt:
        return t("why.in_doubt", when=f.when(line.due_at, now))
    return t("why.retry", when=f.when(line.due_at, now), n=line.attempt + 1)


@form
async def send_again(desk: Desk) -> Response:
    """Send a delivery again that is parked or was given up; another tenant's is not here."""
    return _decided(desk, "again", await _one(desk, partial(by_hand.replay, vault=desk.hub.vault)))


@form
async def give_up(desk: Desk) -> Response:
    """Give a parked delivery up; another tenant's is not here."""
    return _decided(desk, "dropped", await _one(desk, by_hand.drop))


async def _one(desk: Desk, decide: Callable[..., bool]) -> int:
    delivery_id = desk.request.path_params["delivery_id"]
    if not delivery_id.isalnum() or not await desk.hub.db.read(health.has_delivery, desk.tenant_id, delivery_id):
        raise NotHere
    assert desk.who is not None
    return int(await desk.hub.db.write(decide, desk.tenant_id, delivery_id, desk.now, desk.who.person_id))


@form
async def decide_alike(desk: Desk) -> Response:
    """Send again, or give up, all that is parked at an installation for one reason."""
    given = await form_of(desk.request)
    installation_id, what = id_in(str(given.get("installation", ""))), str(given.get("do", ""))
    if installation_id is None or what not in ("again", "dropped"):
        raise NotHere
    again = partial(by_hand.replay_alike, vault=desk.hub.vault)
    decide: Callable[..., int] = again if what == "again" else by_hand.drop_alike
    assert desk.who is not None
    asked = (desk.tenant_id, installation_id, str(given.get("why", "")))
    return _decided(desk, what, await desk.hub.db.write(decide, *asked, desk.now, desk.who.person_id))


def _decided(desk: Desk, what: str, number: int) -> Response:
    """Go back to what is left to decide, with what was done; somebody else may have decided before."""
    worker = getattr(desk.hub, "worker", None)
    if number and what == "again" and worker is not None:
        worker.wake.set()
    told = {"state": State.PARKED, "done": what if number else "late", "n": number}
    return RedirectResponse("/deliveries?" + urlencode(told), status_code=303)
