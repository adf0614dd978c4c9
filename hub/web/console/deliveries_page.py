"""What waits, what arrived, and what needs a person; and the connections themselves."""

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from hub.delivery import queue
from hub.delivery.retry import State
from hub.store import health
from hub.store.health import Waiting
from hub.web.console.page import NotHere, form, page
from hub.web.console.shell import Desk, render

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
        again=desk.request.query_params.get("again", ""),
    )


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
    """Send a parked delivery again; another tenant's is not here."""
    delivery_id = desk.request.path_params["delivery_id"]
    db, now = desk.hub.db, desk.hub.clock.now()
    if not delivery_id.isalnum() or not await db.read(health.has_delivery, desk.tenant_id, delivery_id):
        raise NotHere
    assert desk.who is not None
    done = await db.write(queue.replay, desk.tenant_id, delivery_id, now, desk.who.person_id)
    state = State.PARKED if done else ""
    wake = getattr(desk.hub, "worker", None)
    if done and wake is not None:
        wake.wake.set()
    again = {"state": state, "again": "yes" if done else "no"}
    return RedirectResponse("/deliveries?" + urlencode(again), status_code=303)
