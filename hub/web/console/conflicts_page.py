"""The evidence that somebody else makes deals or contacts of the same enquiries at an account."""

from starlette.responses import Response

from hub import conflicts
from hub.conflict_rule import Since
from hub.conflicts import Conflicts
from hub.store import crm
from hub.store.tx import Tx
from hub.web.console import conflicts_told
from hub.web.console.page import NotHere, page
from hub.web.console.shell import Desk, render
from hub.web.given import id_in

_MOST = 100  # rows of evidence


@page
async def show(desk: Desk) -> Response:
    """Show what was made at an account beside our deliveries of the last days, and what that says."""
    found = await desk.hub.db.read(_found, desk)
    f = desk.f
    return render(
        desk,
        "conflicts.html",
        found=found,
        said=conflicts_told.conflict_lines(f, found),
        verdicts={kind: conflicts_told.verdict(f, judged) for kind, judged in found.judged.items()},
        first=f.day(f.local(found.since).date()),
        last=f.day(f.local(found.until).date()),
        rows=[(double, conflicts_told.gap(f, double.gap(Since.BEGAN))) for double in found.doubles[:_MOST]],
        who=lambda user: conflicts_told.who(f, found, user),
        most=_MOST,
    )


def _found(tx: Tx, desk: Desk) -> Conflicts:
    asked = id_in(desk.request.path_params["installation_id"])
    for of in crm.installations(tx, desk.tenant_id):
        if of.id == asked and of.status != crm.REMOVED:
            return conflicts.look(tx, of, desk.now)
    raise NotHere
