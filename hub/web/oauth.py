"""Connecting an account: start with a state bound to this browser, come back with a code, exchange it once."""

import secrets
from datetime import timedelta

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.errors import ConnectorError
from connectors.http import Http
from connectors.protocol import (
    App,
    Connector,
    Facts,
    Grant,
    GrantRevoked,
    HookRequest,
    InstallationError,
    Installed,
    Rejected,
)
from hub.delivery import lanes
from hub.hub import Hub
from hub.pace import Pace
from hub.store import crm, ledger, people
from hub.store.ledger import Entry, Kind
from hub.store.tx import Tx
from hub.web.answers import refused
from hub.web.console.session import checked, whoever
from hub.web.console.shell import complain

log = structlog.get_logger()

_STATE_LIFE = timedelta(minutes=10)


class Connecting:
    """The doors of authorisation and of the connectors' hooks."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def _known(self, request: Request) -> tuple[Connector, App] | None:
        name = request.path_params["connector"]
        connector, app = self.hub.connectors.get(name), self.hub.apps.get(name)
        return (connector, app) if connector and app else None

    async def start(self, request: Request) -> Response:
        """Send the browser to the vendor's consent page."""
        who = await checked(request)
        if isinstance(who, Response):
            return who
        known = self._known(request)
        if known is None:
            return await complain(request, 404, "error.connect.unknown")
        connector, app = known
        state = secrets.token_urlsafe(32)
        expires = self.hub.clock.now() + _STATE_LIFE
        name = connector.manifest.name
        await self.hub.db.write(
            crm.start_authorisation, people.digest(state), who.tenant_id, who.login_hash, name, expires
        )
        return RedirectResponse(connector.authorize_url(app, state), status_code=303)

    async def callback(self, request: Request) -> Response:
        """Take the code a vendor sends the browser back with."""
        known = self._known(request)
        if known is None:
            return await complain(request, 404, "error.connect.unknown")
        connector, app = known
        parsed = connector.hooks.parse(await _as_hook(request), app, {})
        if not isinstance(parsed, Installed) or parsed.state is None:
            said = parsed.sentence if isinstance(parsed, Rejected) else ""
            return await complain(request, 400, "error.connect.answer", said)
        tenant_id = await self._started_here(request, parsed.state, connector.manifest.name)
        if tenant_id is None:
            return await complain(request, 403, "error.connect.state")
        return await self._connect(request, connector, app, tenant_id, parsed)

    async def _started_here(self, request: Request, state: str, connector: str) -> int | None:
        """Return the tenant whose console started this authorisation in this browser; a state is good once."""
        who = await whoever(request)
        if who is None:
            return None
        now = self.hub.clock.now()
        return await self.hub.db.write(crm.finish_authorisation, people.digest(state), who.login_hash, connector, now)

    async def _connect(
        self, request: Request, connector: Connector, app: App, tenant_id: int, installed: Installed
    ) -> Response:
        base = (app.base_url,) if app.base_url else ()
        pace = Pace(connector.manifest.limits, self.hub.clock)
        async with Http(allowed=connector.manifest.hosts, origins=base, spend=pace.spend) as http:
            try:
                grant = await connector.exchange(http, app, installed, self.hub.clock.now())
                facts = await connector.open(http, app, grant, {}).facts()
            except (InstallationError, GrantRevoked, ConnectorError) as error:
                return await complain(request, 502, "error.connect.vendor", f"{connector.manifest.title}: {error}")
        try:
            who = await whoever(request)
            by = who.person_id if who else None
            name = connector.manifest.name
            await self.hub.db.write(_install, tenant_id, name, grant, facts, pace.spent, self.hub, by)
        except crm.AccountTaken:
            return await complain(request, 409, "error.connect.taken")
        self.hub.worker.wake.set()
        return RedirectResponse("/connections", status_code=303)

    async def hook(self, request: Request) -> Response:
        """Take a doorbell: verify it as far as the vendor allows, answer at once, read back sooner."""
        door = await self.hub.db.read(people.hook_door, request.path_params["token"])
        known = self._known(request)
        if door is None or known is None or door[2] != request.path_params["connector"]:
            return refused(request, 404, "Nothing is connected under that address.")
        connector, app = known
        parsed = connector.hooks.parse(await _as_hook(request), app, {})
        if isinstance(parsed, Rejected):
            if self.hub.refusals.is_noted("hook", str(door[1])):
                refusal = Entry(
                    Kind.HOOK_REFUSED, self.hub.clock.now(), installation_id=door[1], facts={"door": "hook"}
                )
                await self.hub.db.write(ledger.write, door[0], refusal)
            return refused(request, 400, parsed.sentence)
        await self.hub.db.write(lanes.ring, door[0], door[1], self.hub.clock.now())
        self.hub.worker.wake.set()
        return Response(status_code=200)


def _install(
    tx: Tx, tenant_id: int, connector: str, grant: Grant, facts: Facts, spent: list[int], hub: Hub, by: int | None
) -> None:
    now = hub.clock.now()
    installation_id = crm.install(tx, tenant_id, connector, grant, now, hub.vault, by)
    crm.save_facts(tx, tenant_id, installation_id, facts, now)
    lanes.open_lane(tx, tenant_id, installation_id, now, spent)


async def _as_hook(request: Request) -> HookRequest:
    return HookRequest(
        method=request.method,
        path=request.url.path,
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=await request.body(),
    )


def routes(connecting: Connecting) -> list[Route]:
    """Return the routes of authorisation and hooks."""
    return [
        Route("/connect/{connector:str}", connecting.start, methods=["POST"]),
        Route("/oauth/{connector:str}/callback", connecting.callback, methods=["GET"]),
        Route("/hooks/{connector:str}/{token:str}", connecting.hook, methods=["POST"]),
    ]
