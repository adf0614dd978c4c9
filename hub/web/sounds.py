"""A recording on its way from telephony to one listener."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hub import recordings
from hub.recordings import NotHeard, Sound
from hub.store.recordings import Kept
from hub.web.console.shell import complain

_STATUS = {"refused": 403, "gone": 410, "not_there": 404}  # of what went wrong; the rest is the vendor's fault: 502

Embedding = Literal["same-origin", "cross-origin"]  # whose pages may play it


class Played(StreamingResponse):
    """A sound on its way to the listener: who stops listening ends the request behind it."""

    def __init__(self, sound: Sound, embedding: Embedding) -> None:
        always = {"cache-control": "private, no-store", "cross-origin-resource-policy": embedding}
        super().__init__(sound.pieces, status_code=sound.status, headers={**sound.headers, **always})
        self._sound = sound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream it, and close what is behind it whatever happens."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._sound.close()


async def play(request: Request, kept: Kept, embedding: Embedding) -> Response:
    """Return the recording, or the part of it that was asked for, or the page that says why it cannot be heard."""
    fetch = recordings.fetch_of(kept)
    if fetch is None:
        return await complain(request, 404, "recording.why.no_way")
    try:
        sound = await recordings.sound(fetch, recordings.ways_of(kept), request.headers.get("range", ""))
    except NotHeard as error:
        return await complain(request, _STATUS.get(error.why, 502), f"recording.why.{error.why}")
    return Played(sound, embedding)
