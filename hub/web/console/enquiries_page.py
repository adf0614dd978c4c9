"""The list of enquiries, and one enquiry's story."""

from starlette.responses import RedirectResponse, Response

from hub.recordings import fetch_of
from hub.store import (
    corrections,
    enquiries,
    enquiry_rows,
    ledger_chain,
    person_path,
    recording_links,
    story,
)
from hub.store.mail import replies
from hub.store.recordings import recording_of
from hub.web import decided, letters
from hub.web.console.page import NotHere, form, page
from hub.web.console.session import form_of
from hub.web.console.shell import Desk, render
from hub.web.given import id_in
from tracking_core.placement import standing

_PAGE = 50


@page
async def show_list(desk: Desk) -> Response:
    """Show enquiries under a filter, newest first, a page at a time."""
    asked = desk.request.query_params
    shown = asked.get("show", "all")
    if shown not in enquiry_rows.FILTERS:
        shown = "all"
    before = id_in(asked.get("before", ""))
    rows = await desk.hub.db.read(enquiry_rows.rows_of, desk.tenant_id, shown, before, _PAGE + 1)
    return render(
        desk,
        "enquiries.html",
        shown=shown,
        counts=await desk.hub.db.read(enquiry_rows.counts, desk.tenant_id),
        enquiries=rows[:_PAGE],
        is_first=before is None,
        older=rows[_PAGE - 1].id if len(rows) > _PAGE else None,
    )


@page
async def show_one(desk: Desk) -> Response:
    """Show what is known about one enquiry; another tenant's is not here."""
    told = await desk.hub.db.read(story.story, desk.tenant_id, asked_enquiry(desk), desk.hub.vault)
    if told is None:
        raise NotHere
    kept = await desk.hub.db.read(recording_of, desk.tenant_id, told.enquiry.id, desk.hub.vault)
    return render(
        desk,
        "enquiry.html",
        story=told,
        one=told.enquiry,
        decided=decided,
        standing=standing,
        cap=letters.CAPS["heard"],
        corrected_by=await desk.hub.db.read(corrections.corrector, desk.tenant_id, told.enquiry.id),
        path=await desk.hub.db.read(person_path.path_of, desk.tenant_id, told.enquiry.id),
        entries=await desk.hub.db.read(ledger_chain.of_enquiry, desk.tenant_id, told.enquiry.id),
        recording=kept,
        replies=replies(told.told),
        links=await desk.hub.db.read(recording_links.live, desk.tenant_id, told.enquiry.id, desk.now),
        is_playable=kept is not None and fetch_of(kept) is not None,
    )


@form
async def hear(desk: Desk) -> Response:
    """Note what the person said when asked how he heard of us; another tenant's is not here."""
    enquiry_id = asked_enquiry(desk)
    given = (await form_of(desk.request)).get("heard", "")
    heard = letters.clean(str(given))[: letters.CAPS["heard"]]
    if not await desk.hub.db.write(enquiries.hear, desk.tenant_id, enquiry_id, heard):
        raise NotHere
    return RedirectResponse(f"/enquiries/{enquiry_id}", status_code=303)


def asked_enquiry(desk: Desk) -> int:
    """Return the enquiry an address names; what cannot be one is not here."""
    enquiry_id = id_in(desk.request.path_params["enquiry_id"])
    if enquiry_id is None:
        raise NotHere
    return enquiry_id
