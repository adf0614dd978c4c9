"""The door of letters: a mail server posts each as it is; an enquiry is committed before its 2xx, the rest counted."""

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import mail as taking
from hub.hub import Hub
from hub.store import calls
from hub.store import mail as letters
from hub.web.answers import Json, refused
from hub.web.letters import tidied
from tracking_core.mail import NotALetter, read_mail

MAIL_CAP = 64 * 1024 * 1024  # bytes; more than mail servers let through
_READ = 1024 * 1024  # bytes of a letter that are looked at: what a person says stands before what he attaches


async def take(request: Request) -> Response:
    """Keep one letter, however long: its beginning is read, the rest passes by."""
    hub: Hub = request.app.state.hub
    now = hub.clock.now()
    door = await hub.db.read(letters.mail_door, request.path_params["token"])
    if door is None:
        await hub.db.write(calls.count_refusal, "mail", "unknown_path", now)
        return refused(request, 404, "No site's letters have this path.")
    raw = await _beginning(request)
    try:
        mail = await anyio.to_thread.run_sync(read_mail, raw, door.own)
    except NotALetter:
        await hub.db.write(calls.count_refusal, door.name, "not_a_letter", now)
        return refused(request, 400, "The body is not a letter: post it as it came, its headers first (RFC 5322).")
    if mail.not_enquiry is not None:
        # 2xx all the same: told otherwise, a mail server would send it again, or tell its sender.
        await hub.db.write(calls.count_refusal, door.name, mail.not_enquiry.value, now)
        return Json({"enquiry": None, "new": False, "reason": mail.not_enquiry.value})
    taken = await hub.db.write(taking.take, door, tidied(mail), now, hub.vault)
    hub.inbox.wake()
    return Json({"enquiry": taken.enquiry_id, "new": taken.is_new, "reason": "reply" if taken.is_reply else ""})


async def _beginning(request: Request) -> bytes:
    """Return what is read of a body whose whole is taken: who sends it must not see a broken connection."""
    pieces, size = [], 0
    async for piece in request.stream():
        if size < _READ:
            pieces.append(piece[: _READ - size])
        size += len(piece)
    return b"".join(pieces)


def routes() -> list[Route]:
    """Return the routes of letters."""
    return [Route("/mail/v1/{token}", take, methods=["POST"])]
