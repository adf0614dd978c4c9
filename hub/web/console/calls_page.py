"""The list of calls, and one call's story."""

from starlette.responses import Response

from connectors.scenario import Plan
from hub.store import console, story
from hub.web.console.page import NotHere, page
from hub.web.console.shell import Desk, render
from tracking_core.phone import masked, national

_PAGE = 50
_LARGEST_ID = 2**63 - 1


@page
async def show_list(desk: Desk) -> Response:
    """Show calls under a filter, newest first, a page at a time."""
    asked = desk.request.query_params
    shown = asked.get("show", "all")
    if shown not in console.CALLS_SHOWN:
        shown = "all"
    before = _id(asked.get("before", ""))
    rows = await desk.hub.db.read(console.call_rows, desk.tenant_id, shown, before, _PAGE + 1)
    return render(
        desk,
        "calls.html",
        shown=shown,
        counts=await desk.hub.db.read(console.calls_shown, desk.tenant_id),
        calls=rows[:_PAGE],
        is_first=before is None,
        older=rows[_PAGE - 1].id if len(rows) > _PAGE else None,
    )


@page
async def show_one(desk: Desk) -> Response:
    """Show what is known about one call; another tenant's is not here."""
    call_id = _id(desk.request.path_params["call_id"])
    if call_id is None:
        raise NotHere
    told = await desk.hub.db.read(story.story, desk.tenant_id, call_id, desk.hub.vault)
    if told is None:
        raise NotHere
    return render(desk, "call.html", story=told, call=told.call, covered=_covered)


def _covered(text: str, plan: Plan) -> str:
    """Return a planned text with the caller's number masked: the CRM gets it whole, a page does not show it."""
    caller = plan.enquiry.caller
    if not caller:
        return text
    for spelling in (national(caller), caller, caller.removeprefix("+")):
        text = text.replace(spelling, masked(caller))
    return text


def _id(given: str) -> int | None:
    """Read an id of a path or query; None for what cannot be one."""
    if not (given.isascii() and given.isdecimal()):
        return None
    number = int(given[:20])
    return number if 0 < number <= _LARGEST_ID else None
