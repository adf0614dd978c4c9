"""What somebody says of the browsers of an enquiry's person: not the same person, or the same after all."""

from starlette.responses import RedirectResponse, Response

from hub.store import person_path
from hub.web.console.enquiries_page import asked_enquiry
from hub.web.console.page import NotHere, form
from hub.web.console.session import form_of
from hub.web.console.shell import Desk
from hub.web.given import id_in


@form
async def tell_apart(desk: Desk) -> Response:
    """Note that a browser is another person's than the enquiry's; said of any other browser, it changes nothing."""
    assert desk.who is not None
    enquiry_id, visitor_id = await _asked(desk)
    said = (desk.tenant_id, enquiry_id, visitor_id, desk.who.person_id, desk.now)
    await desk.hub.db.write(person_path.tell_apart, *said)
    return RedirectResponse(f"/enquiries/{enquiry_id}", status_code=303)


@form
async def take_back(desk: Desk) -> Response:
    """Forget that a browser was said to be another person's."""
    enquiry_id, visitor_id = await _asked(desk)
    await desk.hub.db.write(person_path.take_back, desk.tenant_id, enquiry_id, visitor_id, desk.now)
    return RedirectResponse(f"/enquiries/{enquiry_id}", status_code=303)


async def _asked(desk: Desk) -> tuple[int, int]:
    visitor_id = id_in(str((await form_of(desk.request)).get("visitor", "")))
    if visitor_id is None:
        raise NotHere
    return asked_enquiry(desk), visitor_id
