"""Connecting an account: start with a state bound to this browser, come back with a code, exchange it once."""

import secrets
from datetime import timedelta

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.errors import ConnectorError, installation_error
from connectors.http import Http
from connectors.protocol import (
    App,
    Connector,
    Grant,
    GrantRevoked,
    HookRequest,
    InstallationError,
    Installed,
    Rejected,
    Why,
)
from connectors.telling import NotTaken
from hub.beside import Beside
from hub.clock import after
from hub.hub import Hub
from hub.store import crm, market, people
from hub.store.market import Account
from hub.store.people import Who
from hub.web import connecting, telling
from hub.web.answers import refused
from hub.web.console.session import checked, form_of, whoever
from hub.web.console.shell import bare_desk, complain

log = structlog.get_logger()

_TYPED_CAP = 1_000  # characters
_STATE_LIFE = timedelta(minutes=10)
_PAUSES_S = (1.1, 2.0, 4.0)  # vendors count by the second, and clocks differ


class Connecting:
    """The doors of authorisation."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def known(self, request: Request) -> tuple[Connector, App] | None:
        """Return the connector an address names, with our registration; None where there is none."""
        name = request.path_params["connector"]
        connector, app = self.hub.connectors.get(name), self.hub.apps.get(name)
        return (connector, app) if connector and app else None

    async def start(self, request: Request) -> Response:
        """Send the browser to the vendor's consent page."""
        who = await checked(request)
        if isinstance(who, Response):
            return who
        known = self.known(request)
        if known is None:
            return await complain(request, 404, "error.connect.unknown")
        typed = str((await form_of(request)).get("account", ""))[:_TYPED_CAP]
        return await self.consent(request, who, *known, typed)

    async def consent(self, request: Request, who: Who, connector: Connector, app: App, account: str) -> Response:
        """Send the browser of a person who is logged in to the vendor's consent page, with a state of its own.

        ``account`` is the address he typed, or where the account is known to be.
        """
        state = secrets.token_urlsafe(32)
        try:
            where = connector.authorize_url(app, state, account)
        except NotTaken as error:
            told = telling.sentence(connector, error.said, bare_desk(request, who).words.language)
            return await complain(request, 400, detail=told.whole)
        expires = self.hub.clock.now() + _STATE_LIFE
        name = connector.manifest.name
        await self.hub.db.write(
            crm.start_authorisation, people.digest(state), who.tenant_id, who.login_hash, name, expires
        )
        return RedirectResponse(where, status_code=303)

    async def callback(self, request: Request) -> Response:
        """Take the code a vendor sends: with the browser of who asked for it, or by itself from its marketplace."""
        known = self.known(request)
        if known is None:
            return await complain(request, 404, "error.connect.unknown")
        connector, app = known
        parsed = connector.hooks.parse(await as_hook(request), app, {})
        if isinstance(parsed, Installed) and parsed.state is None:
            return await self.arrived(request, connector, app, parsed)
        if not isinstance(parsed, Installed) or parsed.state is None:
            said = parsed.sentence if isinstance(parsed, Rejected) else ""
            return await complain(request, 400, "error.connect.answer", said)
        tenant_id = await self._started_here(request, parsed.state, connector.manifest.name)
        if tenant_id is None:
            return await complain(request, 403, "error.connect.state")
        return await self._connect(request, connector, app, tenant_id, parsed)

    async def arrived(self, request: Request, connector: Connector, app: App, installed: Installed) -> Response:
        """Keep a marketplace's code and answer: it waits three seconds, once, and nobody's browser is there."""
        of = (connector.manifest.name, app.client_id, installed.host, installed.code)
        if not await self.hub.db.write(market.take_code, *of, self.hub.clock.now(), self.hub.vault):
            return refused(request, 429, "Too many codes of this account wait to be exchanged.")
        self.hub.arrivals.wake.set()
        return Response(status_code=200)

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
        async with Beside(connector, app, self.hub.clock) as beside:
            try:
                grant = await self._exchanged(connector, beside.http, app, installed)
            except (InstallationError, GrantRevoked, ConnectorError) as error:
                return await complain(request, 502, "error.connect.vendor", await _in_words(request, connector, error))
            of = Account(connector.manifest.name, grant.account, app.client_id)
            # One that has a lane is read by that: it knows what the account was asked this second.
            is_known = await self.hub.db.read(market.owner_of, of.connector, of.account) is not None
            facts = None if is_known else await connecting.facts_of(connector.open(beside.http, app, grant, {}))
        try:
            who = await whoever(request)
            by = who.person_id if who else None
            await self.hub.db.write(connecting.install, tenant_id, of, grant, facts, beside.spent, self.hub, by)
        except crm.AccountTaken:
            return await complain(request, 409, "error.connect.taken")
        self.hub.round_trips.keep(of.connector, of.account, beside.notes)
        connecting.wake(self.hub)
        return RedirectResponse("/connections", status_code=303)

    async def _exchanged(self, connector: Connector, http: Http, app: App, installed: Installed) -> Grant:
        """Exchange a code; an account that is connected again may be spending its seconds on deliveries just now."""
        clock = self.hub.clock
        for pause_s in _PAUSES_S:
            try:
                return await connector.exchange(http, app, installed, clock.now())
            except InstallationError as error:
                if error.why is not Why.THROTTLED:
                    raise
            await clock.wait_until(after(clock.now(), pause_s), pause_s)
        return await connector.exchange(http, app, installed, clock.now())


async def _in_words(
    request: Request, connector: Connector, error: InstallationError | GrantRevoked | ConnectorError
) -> str:
    """Return why a vendor gave no access, in the language of who asked for it."""
    told = installation_error(error) if isinstance(error, ConnectorError) else error
    language = bare_desk(request, await whoever(request)).words.language
    return telling.one_text([telling.sentence(connector, told.said, language)])


async def as_hook(request: Request) -> HookRequest:
    """Return a request as the hooks of a connector read it."""
    return HookRequest(
        method=request.method,
        path=request.url.path,
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=await request.body(),
    )


def routes(doors: Connecting) -> list[Route]:
    """Return the routes of authorisation."""
    return [
        Route("/connect/{connector:str}", doors.start, methods=["POST"]),
        Route("/oauth/{connector:str}/callback", doors.callback, methods=["GET"]),
    ]
