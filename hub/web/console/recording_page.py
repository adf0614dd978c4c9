"""The recording of a call, for who is logged in: fetched while he listens, and not kept."""

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hub import recordings
from hub.recordings import NotHeard, Sound
from hub.store.recordings import recording_of
from hub.web.console.enquiries_page import asked_enquiry
from hub.web.console.page import NotHere, page
from hub.web.console.shell import Desk, complain

_STATUS = {"refused": 403, "gone": 410, "not_there": 404}  # of what went wrong; the rest is the vendor's fault: 502
_ALWAYS = {"cache-control": "private, no-store", "cross-origin-resource-policy": "same-origin"}


class Played(StreamingResponse):
    """A sound on its way to the listener: who stops listening ends the request behind it."""

    def __init__(self, sound: Sound) -> None:
        super().__init__(sound.pieces, status_code=sound.status, headers={**sound.headers, **_ALWAYS})
        self._sound = sound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream it, and close what is behind it whatever happens."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._sound.close()


@page
async def play(desk: Desk) -> Response:
    """Stream the recording of a call; another tenant's is not here."""
    kept = await desk.hub.db.read(recording_of, desk.tenant_id, asked_enquiry(desk), desk.hub.vault)
    if kept is None:
        raise NotHere
    fetch = recordings.fetch_of(kept)
    if fetch is None:
        return await complain(desk.request, 404, "recording.why.no_way")
    try:
        return Played(await recordings.sound(fetch, recordings.ways_of(kept), desk.request.headers.get("range", "")))
    except NotHeard as error:
        return await complain(desk.request, _STATUS.get(error.why, 502), f"recording.why.{error.why}")
