"""How accurate matching is: what it promises of the customer's own calls, and whether the check bears it out."""

from functools import partial

from starlette.responses import Response

from hub.accuracy import MOST, accuracy_of
from hub.store.sites_told import sites_told
from hub.web.console import accuracy_told
from hub.web.console.page import page
from hub.web.console.period import PERIODS, period_of
from hub.web.console.shell import Desk, render
from tracking_core.calibration import EDGES


@page
async def show(desk: Desk) -> Response:
    """Show the accuracy of the days asked for."""
    period = period_of(desk.request.query_params, desk.f.local(desk.now).date())
    asked = (desk.tenant_id, period.first, period.last)
    made = await accuracy_of(desk.hub.db, *asked, desk.hub.vault, desk.hub.numbering)
    longest, to_do = max(made.delays, default=0), list(accuracy_told.to_do(desk.f, made))
    return render(
        desk,
        "accuracy.html",
        period=period,
        periods=PERIODS,
        made=made,
        answer=accuracy_told.answer(desk.f, made),
        notes=list(accuracy_told.notes(desk.f, made)),
        to_do=to_do,
        band=partial(accuracy_told.band, desk.f, high=EDGES[1]),
        delays=[(calls, 100 * calls / longest if longest else 0.0) for calls in made.delays],
        most=MOST,
        sites=await desk.hub.db.read(sites_told, desk.tenant_id, desk.now) if to_do else [],
    )
