"""The recording of a call, for who is logged in: fetched while he listens, and not kept; and the links to it."""

from starlette.responses import RedirectResponse, Response

from hub.store import recording_links
from hub.store.recordings import recording_of
from hub.web import sounds
from hub.web.console.enquiries_page import asked_enquiry
from hub.web.console.page import NotHere, form, page
from hub.web.console.shell import Desk


@page
async def play(desk: Desk) -> Response:
    """Stream the recording of a call; another tenant's is not here."""
    assert desk.who is not None
    enquiry_id, who = asked_enquiry(desk), desk.who.person_id
    kept = await desk.hub.db.read(recording_of, desk.tenant_id, enquiry_id, desk.hub.vault)
    if kept is None:
        raise NotHere
    answer = await sounds.play(desk.request, kept, "same-origin")
    if isinstance(answer, sounds.Played) and _begins(desk.request.headers.get("range", "")):
        await desk.hub.db.write(recording_links.hear_in_console, desk.tenant_id, enquiry_id, who, desk.now)
    return answer


def _begins(span: str) -> bool:
    """Say whether a player asks for the beginning: a part from further on is of the same sitting."""
    return span in ("", "bytes=0-")


@form
async def revoke(desk: Desk) -> Response:
    """End every link by which the recording of a call is heard without a login."""
    assert desk.who is not None
    enquiry_id, who = asked_enquiry(desk), desk.who.person_id
    await desk.hub.db.write(recording_links.revoke, desk.tenant_id, enquiry_id, who, desk.now)
    return RedirectResponse(f"/enquiries/{enquiry_id}", status_code=303)
