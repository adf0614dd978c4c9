"""The door of the programming interface: whose token it is, and how its parameters are read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from functools import wraps
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.hub import Hub
from hub.store import people, sites
from hub.store.people import Who
from hub.store.sites import SiteDoor
from hub.web.answers import refused
from hub.web.given import FIRST, LAST, day_in

_PAGE = 500

Handler = Callable[[Hub, Who, Request], Awaitable[Response]]


class Bad(Exception):
    """A request of the interface that cannot be served; its text is the sentence for the sender."""

    status = 400


class Missing(Bad):
    """What a request names is not there, or is another tenant's."""

    status = 404


def guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Let a handler serve only who shows a token of the interface, and turn ``Bad`` into a refusal."""

    @wraps(handler)
    async def with_token(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        who = None
        if scheme.lower() == "bearer":
            who = await hub.db.read(people.who, token.strip(), "api", hub.clock.now())
        if who is None:
            return refused(request, 401, "Send the header Authorization: Bearer TOKEN; 'cthub token' makes one.")
        try:
            return await handler(hub, who, request)
        except Bad as error:
            return refused(request, error.status, str(error))

    return with_token


def day(request: Request, name: str) -> date:
    """Return a day of the query; raises ``Bad``."""
    try:
        return day_in(request.query_params.get(name, ""))
    except ValueError:
        raise Bad(f"The parameter {name} is a day like 2026-11-20, from {FIRST} to {LAST}.") from None


def page_of(request: Request) -> tuple[int, int]:
    """Return the id after which a list is to go on, and how long it may be; raises ``Bad``."""
    return number(request, "after", 0), min(number(request, "limit", _PAGE), _PAGE)


def number(request: Request, name: str, default: int) -> int:
    """Return a whole number of the query; raises ``Bad``."""
    given = request.query_params.get(name, str(default))
    if not given.isdecimal() or len(given) > 18:
        raise Bad(f"The parameter {name} is a whole number.")
    return int(given)


async def site_of(hub: Hub, who: Who, key: object, given_as: str) -> SiteDoor:
    """Return a site of the tenant by its key; raises ``Bad``, which says how the key was given."""
    site = await hub.db.read(sites.site_door, key) if isinstance(key, str) else None
    if site is None or site.tenant_id != who.tenant_id:
        raise Bad(f"The {given_as} site is not the key of one of your sites.")
    return site


async def object_of(request: Request) -> Mapping[str, Any]:
    """Return the JSON object of the body; raises ``Bad``."""
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise Bad('The body is not a JSON object in UTF-8, like {"kind": "form", "id": "17", "phone": "..."}.')
    return asked
