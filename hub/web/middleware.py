"""Around every request: an id, a cap on bodies, security headers, and one shape for what goes wrong."""

import secrets
from contextlib import suppress
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import DatabaseAway
from hub.store.calls import count_refusal
from hub.web.answers import refused
from hub.web.mail import MAIL_CAP

log = structlog.get_logger()

BODY_CAP = 2 * 1024 * 1024  # bytes; single doors are narrower
_CAPS = {"/mail/": MAIL_CAP}  # of doors that take more, by the beginning of their path
_AGAIN_S = 5  # after which who was told so may ask again
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'{consent};"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class TooLong(Exception):
    """The body of a request is longer than its door allows."""


class Frame:
    """Gives each request an id, bounds its body, and adds the security headers; a bug becomes a 500 without details."""

    def __init__(self, app: ASGIApp, consent_origins: tuple[str, ...] = ()) -> None:
        self.app = app
        consent = "".join(f" {origin}" for origin in consent_origins)
        self._headers = [(name.encode(), text.format(consent=consent).encode()) for name, text in _HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope["request_id"] = request_id
        scope.setdefault("state", {})["request_id"] = request_id
        started = False
        cap = next((cap for path, cap in _CAPS.items() if scope["path"].startswith(path)), BODY_CAP)

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = {name for name, _ in message["headers"]}  # a page may be stricter
                message["headers"] = [
                    *message["headers"],
                    *(header for header in self._headers if header[0] not in given),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self.app(scope, _bounded(receive, cap), answer)
        except TooLong:
            hub = scope["app"].state.hub
            with suppress(DatabaseAway):
                await hub.db.write(count_refusal, "web", "TooLong", hub.clock.now())
            if not started:
                response = refused(Request(scope), 413, f"The body is longer than {cap} bytes.")
                await response(scope, receive, answer)
        except DatabaseAway as error:
            log.error("web.database_away", request_id=request_id, path=_shown(scope["path"]), error=str(error))
            if started:
                raise
            response = refused(Request(scope), 503, f"{error} Nothing is confirmed: send this again.")
            response.headers["retry-after"] = str(_AGAIN_S)
            await response(scope, receive, answer)
        except Exception as error:
            log.exception("web.failed", request_id=request_id, path=_shown(scope["path"]), error=type(error).__name__)
            if started:
                raise
            sentence = "Something went wrong on our side; nothing that was confirmed before is lost."
            await refused(Request(scope), 500, sentence)(scope, receive, answer)


def _bounded(receive: Receive, cap: int) -> Receive:
    size = 0

    async def take() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > cap:
            raise TooLong
        return message

    return take


def _shown(path: str) -> str:
    """Return a path without the secret that some doors carry in it."""
    parts = path.split("/")
    if len(parts) > 2 and (parts[1] in ("telephony", "hooks", "mail", "recordings") or "pipeline" in parts[3:4]):
        parts[2 if parts[1] == "telephony" and parts[2] != "v1" else -1] = "..."
    return "/".join(parts)


def origin_of(url: str) -> str:
    """Return the origin of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
