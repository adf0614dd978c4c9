"""The door of a recording's link: whoever has the link hears that one call, while the link is good."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.hub import Hub
from hub.recording_links import PATH
from hub.store import recording_links
from hub.store.calls import count_refusal
from hub.store.recordings import recording_of
from hub.web import sounds
from hub.web.console.shell import complain


async def play(request: Request) -> Response:
    """Stream the recording that a link is of, to a player on a page of the CRM too; or say why not, and what to do."""
    hub: Hub = request.app.state.hub
    now = hub.clock.now()
    link = await hub.db.read(recording_links.find, request.path_params["secret"])
    if link is None:
        await hub.db.write(count_refusal, "recordings", "unknown_path", now)
        return _hidden(await complain(request, 404, "recording.link.unknown"))
    if link.revoked_at is not None:
        return _hidden(await complain(request, 410, "recording.link.revoked"))
    if link.ends_at <= now:
        return _hidden(await complain(request, 410, "recording.link.ended"))
    kept = await hub.db.read(recording_of, link.tenant_id, link.enquiry_id, hub.vault)
    if kept is None:
        return _hidden(await complain(request, 404, "recording.link.none"))
    answer = await sounds.play(request, kept, "cross-origin")
    if isinstance(answer, sounds.Played):
        await hub.db.write(recording_links.hear, link, now)
    return _hidden(answer)


def _hidden(answer: Response) -> Response:
    """Keep the link out of search engines and of what other pages are told."""
    answer.headers["x-robots-tag"] = "noindex, nofollow"
    answer.headers["referrer-policy"] = "no-referrer"
    return answer


routes = [Route(f"{PATH}/{{secret:str}}", play, methods=["GET"])]
