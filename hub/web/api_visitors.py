"""Visitors of the programming interface: what a customer's own server knows of them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import ties
from hub.hub import Hub
from hub.store.people import Who
from hub.web import letters
from hub.web.answers import Json
from hub.web.api_door import Bad, Missing, guarded, object_of


async def _user(hub: Hub, who: Who, request: Request) -> Response:
    visitor, user = request.path_params["visitor"], await _asked(request)
    told = (who.tenant_id, None, visitor, user, hub.clock.now(), hub.vault)
    if not letters.clean(visitor) == visitor or not await hub.db.write(ties.user_of_token, *told):
        raise Missing("There is no visitor with this token.")
    return Json({"visitor": visitor, "user": user})


async def _asked(request: Request) -> str:
    try:
        user = letters.user_in(await object_of(request))
    except letters.Unreadable as error:
        raise Bad(str(error)) from error
    if user is None:
        raise Bad('The field user is missing: your own id of who is logged in, like {"user": "u-17"}.')
    return user


def routes() -> list[Route]:
    """Return the routes of visitors."""
    return [Route("/api/v1/visitors/{visitor}/user", guarded(_user), methods=["PUT"])]
