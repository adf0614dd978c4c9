"""Deleting what was read from an account that left, when a person of the customer's asks for it."""

from datetime import datetime

from starlette.responses import RedirectResponse, Response

from hub.store import erasures, health, ledger
from hub.store.health import Health
from hub.store.tx import Tx
from hub.web.console.page import NotHere, form, page
from hub.web.console.shell import Desk, render
from hub.web.given import id_in


@page
async def ask(desk: Desk) -> Response:
    """Ask whether it is to be deleted, and say what becomes of what."""
    return render(desk, "erase.html", one=await desk.hub.db.read(_left, desk.tenant_id, _id(desk), desk.now))


@form
async def erase(desk: Desk) -> Response:
    """Have it deleted at once; the page of connections says how far that is."""
    hub = desk.hub
    assert desk.who is not None
    await hub.db.write(_ask, desk.tenant_id, _id(desk), desk.who.person_id, hub.clock.now())
    hub.leaving.wake.set()
    return RedirectResponse("/connections", status_code=303)


def _ask(tx: Tx, tenant_id: int, installation_id: int, person_id: int, now: datetime) -> None:
    _left(tx, tenant_id, installation_id, now)
    erasures.ask(tx, tenant_id, installation_id, now, erasures.HERE, now, ledger.person(person_id))


def _left(tx: Tx, tenant_id: int, installation_id: int, now: datetime) -> Health:
    """Return an account that left and is not being emptied yet: from one that is connected all would be read anew."""
    for one in health.installations(tx, tenant_id):
        if one.id == installation_id and one.may_be_erased(now):
            return one
    raise NotHere


def _id(desk: Desk) -> int:
    found = id_in(desk.request.path_params["installation_id"])
    if found is None:
        raise NotHere
    return found
