"""The door of telephony: a signed call event is committed before its 2xx (T2); the rest is a counted refusal."""

import time
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import failpoints
from hub.hub import Hub
from hub.store import calls, people
from hub.store.calls import Account
from hub.web.answers import Json, refused
from tracking_core.telephony import ADAPTERS, CallRequest, Refused

_METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"]  # all but POST are refused in words, and counted

_FRESH_S = 5.0


class Door:
    """Takes call events of every telephony account, each at a path of its own."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._accounts: dict[str, tuple[float, Account]] = {}

    async def account(self, token: str) -> Account | None:
        """Return the account of a path, as it was a few seconds ago at most."""
        kept = self._accounts.get(token)
        if kept and time.monotonic() - kept[0] < _FRESH_S:
            return kept[1]
        account = await self.hub.db.read(people.telephony_door, token, self.hub.vault)
        if account is not None:  # guessed paths are not remembered
            self._accounts[token] = (time.monotonic(), account)
        return account

    async def take(self, request: Request) -> Response:
        """Verify, read and keep the events of one request."""
        hub = self.hub
        account = await self.account(request.path_params["token"])
        if account is None:
            await hub.db.write(calls.count_refusal, "telephony", "unknown_path", hub.clock.now())
            return refused(request, 404, "No telephony account has this path.")
        adapter = ADAPTERS[account.adapter]
        if request.method not in adapter.methods:
            await hub.db.write(calls.count_refusal, "telephony", "wrong_method", hub.clock.now())
            allowed = " or ".join(adapter.methods)
            answer = refused(request, 405, f"Call events come by {allowed}, not by {request.method}.")
            answer.headers["allow"] = ", ".join(adapter.methods)
            return answer
        body = await request.body()
        asked = CallRequest(
            method=request.method,
            path=request.path_params.get("path", ""),
            headers=dict(request.headers),
            query=dict(request.query_params),
            body=body,
            url=self._as_asked(request),
        )
        now = hub.clock.now()
        try:
            events = adapter.parse(asked, account.secrets, now, ZoneInfo(account.zone))
        except Refused as error:
            is_noted = hub.refusals.is_noted("telephony", str(account.id), type(error).__name__)
            await hub.db.write(calls.refuse, account, type(error).__name__, is_noted, now)
            return refused(request, error.status, error.sentence)
        raw = body or request.scope["query_string"]  # a GET tells everything in its address
        fresh = await hub.db.write(calls.keep_events, account, events, raw, now, hub.vault) if events else 0
        failpoints.reach("event.kept")
        hub.inbox.wake()
        wanted = adapter.answer(asked)
        if wanted is not None:
            return Response(wanted.body, media_type=wanted.media_type)
        return Json({"accepted": len(events), "new": fresh})

    def _as_asked(self, request: Request) -> str:
        """Return the address as the sender wrote it: behind a proxy only the public one is theirs."""
        scope = request.scope
        path: str = scope.get("raw_path", b"").decode("latin-1")
        query: str = scope["query_string"].decode("latin-1")
        return f"{self.hub.settings.public_url.rstrip('/')}{path}{'?' * bool(query)}{query}"


def routes(door: Door) -> list[Route]:
    """Return the routes of telephony."""
    return [
        Route("/telephony/{token:str}", door.take, methods=_METHODS),
        Route("/telephony/{token:str}/{path:path}", door.take, methods=_METHODS),
    ]
