"""What every page of the console has around it: a login, its desk, and an answer when it fails."""

from collections.abc import Awaitable, Callable
from functools import wraps

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import DatabaseAway
from hub.web.console.session import checked, to_login, whoever
from hub.web.console.shell import Desk, complain, open_desk
from hub.web.middleware import TooLong

log = structlog.get_logger()

Shown = Callable[[Desk], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class NotHere(Exception):
    """The page speaks of something this tenant does not have."""


def page(show: Shown) -> Endpoint:
    """Make an endpoint of a page that needs a login."""

    @wraps(show)
    async def guarded(request: Request) -> Response:
        who = await whoever(request)
        if who is None:
            return to_login(request)
        return await _answer(request, show, await open_desk(request, who))

    return guarded


def form(change: Shown) -> Endpoint:
    """Make an endpoint of a form that changes something: it must come from this person's own page."""

    @wraps(change)
    async def guarded(request: Request) -> Response:
        who = await checked(request)
        if isinstance(who, Response):
            return who
        return await _answer(request, change, await open_desk(request, who))

    return guarded


async def _answer(request: Request, show: Shown, desk: Desk) -> Response:
    try:
        return await show(desk)
    except NotHere:
        return await complain(request, 404)
    except (HTTPException, TooLong, DatabaseAway):
        raise
    except Exception as error:  # a page must say that it failed, with the id that finds it in the log
        log.exception("console.failed", request_id=desk.request_id, page=show.__name__, error=type(error).__name__)
        return await complain(request, 500)
