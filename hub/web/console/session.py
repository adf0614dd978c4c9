"""Who is behind a request: the session cookie, and what every form must prove before it changes anything."""

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.store import people
from hub.store.people import SESSION, Who
from hub.web.console.shell import complain

if TYPE_CHECKING:
    from hub.hub import Hub

_LOGIN = "/login"


def hub_of(request: Request) -> "Hub":
    """Return the hub that serves this request."""
    hub: Hub = request.app.state.hub
    return hub


def _is_https(request: Request) -> bool:
    return hub_of(request).settings.public_url.startswith("https://")


def cookie_name(request: Request) -> str:
    """Return the name of the session cookie; with TLS the browser itself binds it to this host."""
    return "__Host-cthub" if _is_https(request) else "cthub"


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(SESSION.total_seconds()),
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response) -> None:
    """Take the session away from the browser."""
    response.delete_cookie(cookie_name(request), path="/", secure=_is_https(request), httponly=True, samesite="lax")


async def whoever(request: Request) -> Who | None:
    """Return the person of a live session, or None."""
    if not hasattr(request.state, "who"):
        hub, secret = hub_of(request), request.cookies.get(cookie_name(request))
        known = await hub.db.read(people.who, secret, "console", hub.clock.now()) if secret else None
        request.state.who = known
    who: Who | None = request.state.who
    return who


async def checked(request: Request) -> Who | Response:
    """Return the person who sent this form, or the answer for a request that must change nothing.

    The form carries the session's ``csrf`` and comes from our own pages (RELIABILITY section 4, ASVS 3.5.1).
    """
    who = await whoever(request)
    if who is None:
        return to_login(request)
    if not is_same_site(request):
        return await complain(request, 403, "error.other_site")
    given = (await form_of(request)).get("csrf", "")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), who.csrf.encode()):
        return await complain(request, 403, "error.csrf")
    return who


async def form_of(request: Request) -> Mapping[str, object]:
    """Return the fields of a form; our forms carry no files, so one with files is refused with 400."""
    return await request.form(max_files=0, max_fields=50)


def is_same_site(request: Request) -> bool:
    """Say whether this came from our own pages: by Sec-Fetch-Site, else by Origin; what is no browser sends neither."""
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = (request.headers.get("host", ""), urlsplit(hub_of(request).settings.public_url).netloc)
    return urlsplit(origin).netloc in ours


def to_login(request: Request) -> Response:
    """Send the browser to the login page, and from there back to where it was."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(here, safe='')}" if request.method in ("GET", "HEAD") and here != "/" else ""
    return RedirectResponse(_LOGIN + back, status_code=303)


def local_path(wanted: str) -> str:
    """Return where to go after a form: a path of this console, never another site."""
    parts = urlsplit(wanted)
    plain = wanted.isprintable() and "\\" not in wanted and not wanted.startswith("//")
    return wanted if plain and wanted.startswith("/") and not parts.netloc and not parts.scheme else "/"
