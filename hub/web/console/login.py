"""Coming in, going out, and the language of the console."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.store import people
from hub.web.console.page import form
from hub.web.console.session import (
    cookie_name,
    drop_cookie,
    form_of,
    hub_of,
    is_same_site,
    local_path,
    set_cookie,
    whoever,
)
from hub.web.console.shell import Desk, bare_desk, complain, render
from hub.web.words import LANGUAGES

_TRIES = RateLimitItemPerMinute(10)  # of one address
_LONGEST = 1_000  # characters of an e-mail or a password that are looked at


async def show(request: Request) -> Response:
    """Show the login page; whoever is logged in goes on."""
    if await whoever(request):
        return RedirectResponse(local_path(request.query_params.get("next", "/")), status_code=303)
    return _page(request, next_=request.query_params.get("next", "/"))


async def log_in(request: Request) -> Response:
    """Check a password and begin a session."""
    if not is_same_site(request):
        return await complain(request, 403, "error.other_site")
    sent = await form_of(request)
    email, password = _field(sent.get("email")).strip(), _field(sent.get("password"))
    next_ = local_path(_field(sent.get("next")))
    if not _limiter(request).hit(_TRIES, request.client.host if request.client else ""):
        return _page(request, 429, next_=next_, email=email, trouble="login.too_often")
    hub = hub_of(request)
    known = await hub.db.read(people.check_password, email, password)
    if known is None:
        is_noted = hub.refusals.is_noted("login", people.digest(email))
        await hub.db.write(people.refuse, email, is_noted, hub.clock.now())
        return _page(request, 401, next_=next_, email=email, trouble="login.wrong")
    secret = await hub.db.write(people.log_in, *known, hub.clock.now())
    answer = RedirectResponse(next_, status_code=303)
    set_cookie(request, answer, secret)
    return answer


def _field(sent: object) -> str:
    # PostgreSQL takes no NUL in a text.
    return sent[:_LONGEST].replace("\x00", "") if isinstance(sent, str) else ""


def _limiter(request: Request) -> MovingWindowRateLimiter:
    state = request.app.state
    if not hasattr(state, "login_limiter"):
        state.login_limiter = MovingWindowRateLimiter(MemoryStorage())
    limiter: MovingWindowRateLimiter = state.login_limiter
    return limiter


def _page(request: Request, status: int = 200, *, next_: str, email: str = "", trouble: str = "") -> Response:
    desk = bare_desk(request)
    answer = render(
        desk,
        "login.html",
        status,
        next=local_path(next_),
        email=email,
        trouble=desk.words(trouble) if trouble else "",
    )
    if status == 429:
        answer.headers["retry-after"] = "60"
    return answer


@form
async def log_out(desk: Desk) -> Response:
    """End the session, here and in the browser."""
    secret = desk.request.cookies.get(cookie_name(desk.request), "")
    await desk.hub.db.write(people.log_out, secret)
    answer = RedirectResponse("/login", status_code=303)
    drop_cookie(desk.request, answer)
    return answer


@form
async def language(desk: Desk) -> Response:
    """Remember the language a person chose."""
    assert desk.who is not None
    sent = await form_of(desk.request)
    chosen = _field(sent.get("language"))
    if chosen in LANGUAGES:
        await desk.hub.db.write(people.set_language, desk.tenant_id, desk.who.person_id, chosen)
    return RedirectResponse(local_path(_field(sent.get("next"))), status_code=303)
