"""The form by which a person corrects whose an enquiry was."""

from starlette.responses import RedirectResponse, Response

from hub.store import corrections
from hub.web.console.enquiries_page import asked_enquiry
from hub.web.console.page import NotHere, form
from hub.web.console.session import form_of
from hub.web.console.shell import Desk
from hub.web.given import id_in


@form
async def correct(desk: Desk) -> Response:
    """Note which visit a person says it was: its id, ``nobody`` for none we know of, ``undo`` to take his word back."""
    enquiry_id, given = asked_enquiry(desk), str((await form_of(desk.request)).get("visit", ""))
    if not await _noted(desk, enquiry_id, given):
        raise NotHere
    desk.hub.inbox.wake()
    return RedirectResponse(f"/enquiries/{enquiry_id}", status_code=303)


async def _noted(desk: Desk, enquiry_id: int, given: str) -> bool:
    assert desk.who is not None
    who = (desk.who.person_id, desk.now)
    if given == "undo":
        return await desk.hub.db.write(corrections.take_back, desk.tenant_id, enquiry_id, *who)
    visit_id = id_in(given)
    if visit_id is None and given != "nobody":
        return False
    return await desk.hub.db.write(corrections.correct, desk.tenant_id, enquiry_id, visit_id, *who)
