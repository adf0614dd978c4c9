"""Every route of the hub in one place."""

import asyncio
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from connectors.protocol import App, Connector
from hub.errors import DatabaseAway
from hub.hub import Hub
from hub.store.away import touch
from hub.web import (
    api,
    api_enquiries,
    api_scenarios,
    api_visitors,
    console,
    embed,
    frame,
    hooks,
    link,
    mail,
    oauth,
    pages,
    pipeline,
    public,
    recording_link,
    routing,
    telephony,
)
from hub.web.answers import Json
from hub.web.middleware import Frame, origin_of

_HEALTHY_S = 2.0  # as long as those who send us facts wait for an answer


def routes(hub: Hub) -> list[BaseRoute]:
    """Return the routes, the hottest first."""
    calls, connecting = telephony.Door(hub), oauth.Connecting(hub)
    return [
        *public.routes(public.Doors(hub)),
        *routing.routes(calls),
        *telephony.routes(calls),
        *mail.routes(),
        *api.routes(),
        *api_enquiries.routes(),
        *api_scenarios.routes(),
        *api_visitors.routes(),
        *oauth.routes(connecting),
        *hooks.Hooks(hub, connecting).routes(),
        *embed.Embedded(hub).routes(),
        *frame.Framing(hub).routes(),
        *pipeline.Asking(hub).routes(),
        *recording_link.routes,
        *pages.routes,
        *link.Linking(hub, connecting).routes(),
        Route("/health", _health),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static"),
        *console.routes,
    ]


def middleware(hub: Hub) -> list[Middleware]:
    """Return what stands around every request; forms may lead to the consent pages of the connectors."""
    known = ((hub.connectors[name], app) for name, app in hub.apps.items() if name in hub.connectors)
    return [Middleware(Frame, consent_origins=tuple(one for of in known for one in _consents(*of)))]


def _consents(connector: Connector, app: App) -> list[str]:
    """Return where a person gives consent: one page for all, or the address of each account."""
    oauth = connector.manifest.oauth
    if not (app.base_url or oauth.authorize_url):
        own = (f"https://{host}" for host in app.hosts)
        return [*(f"https://*.{host}" for host in connector.manifest.hosts), *own]
    return [origin_of(app.base_url or oauth.authorize_url)]


async def _health(request: Request) -> Response:
    """Say that this process serves and its database takes what it is given."""
    hub: Hub = request.app.state.hub
    try:
        async with asyncio.timeout(_HEALTHY_S):
            await hub.db.write(touch)
    except TimeoutError:
        raise DatabaseAway(f"The database has not answered for {_HEALTHY_S:g} s.") from None
    return Json({"ok": True})
