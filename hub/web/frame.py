"""Our pages that a CRM shows in a frame inside its own: the panel of a card, and the settings of the account.

The CRM's page posts a form here from a browser, so nothing of it is believed before the connector has asked the vendor.
The access that an administrator's page brings makes an account ours, or gives back an access that was lost; one that
works is never replaced by it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import panel
from connectors.errors import ConnectorError, installation_error
from connectors.frames import Framed, Frames, Hidden
from connectors.protocol import App, Connector, InstallationError
from connectors.telling import Said, Sentence
from hub import arrivals
from hub.beside import Beside
from hub.hub import Hub
from hub.store import crm, doorbells, market
from hub.store.doorbells import Due
from hub.store.market import Account
from hub.store.tx import Tx
from hub.web import telling
from hub.web.connecting import wake
from hub.web.console.shell import bare_desk, render
from hub.web.flood import Rates
from hub.web.middleware import origin_of
from hub.web.oauth import as_hook
from hub.web.words import Words

log = structlog.get_logger()

_MOST_VIEWS = 600  # of one address in a minute: an office stands behind it
_DAY_S = 86_400
_POLICY = (
    "default-src 'self'; script-src 'self'{library}; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self' {parent}"
)
_TYPES = {"js": "text/javascript", "css": "text/css"}


@dataclass(frozen=True, slots=True)
class _Of:
    """Whose page is asked for: a connector with frames, and our registration at its vendor."""

    connector: Connector
    frames: Frames
    app: App

    @property
    def name(self) -> str:
        """The connector's name."""
        return self.connector.manifest.name


class Framing:
    """The door of our pages inside a CRM."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self._rates = hub, Rates(_MOST_VIEWS)

    def routes(self) -> list[Route]:
        """Return the routes: the page, and the files it is made of."""
        return [
            Route("/frame/{connector:str}", self.outside, methods=["GET"]),
            Route("/frame/{connector:str}", self.show, methods=["POST"]),
            Route("/frame/{connector:str}/{file:str}", self.file, methods=["GET"]),
        ]

    async def outside(self, request: Request) -> Response:
        """Say that the page is to be opened inside the CRM: a marketplace looks whether it is there."""
        of = self._known(request)
        return _hidden(request, of, Said("hub.frame_outside"), 200) if of else _nothing(request)

    async def show(self, request: Request) -> Response:
        """Show the page to whom the vendor vouches for."""
        of = self._known(request)
        if of is None:
            return _nothing(request)
        if not self._rates.hit(request.client.host if request.client else ""):
            return _hidden(request, of, Said("hub.frame_flood"), 429)
        try:
            async with Beside(of.connector, of.app, self.hub.clock) as beside:
                framed = await of.frames.vouch(beside.http, of.app, await as_hook(request), self.hub.clock.now())
        except Hidden as hidden:
            log.warning("frame.hidden", connector=of.name, why=str(hidden.said))
            return _hidden(request, of, hidden.said, 403)
        except (InstallationError, ConnectorError) as error:
            told = installation_error(error) if isinstance(error, ConnectorError) else error
            return _hidden(request, of, told.said, 502)
        if await self.hub.db.write(_taken, of, framed, beside.spent, self.hub):
            wake(self.hub)
        self.hub.round_trips.keep(of.name, framed.opened.account, beside.notes)
        return _page(request, of, framed)

    async def file(self, request: Request) -> Response:
        """Serve a file of the page."""
        of, name = self._known(request), request.path_params["file"]
        found = _files(of.frames).get(name) if of else None
        if found is None:
            return _nothing(request)
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(found, media_type=kind, headers={"cache-control": f"public, max-age={_DAY_S}"})

    def _known(self, request: Request) -> _Of | None:
        name = request.path_params["connector"]
        connector, app = self.hub.connectors.get(name), self.hub.apps.get(name)
        return _Of(connector, connector.frames, app) if connector and connector.frames and app else None


def _taken(tx: Tx, of: _Of, framed: Framed, spent: list[int], hub: Hub) -> bool:
    """Take the access that a page brought where the account is nobody's or lost its own; say whether work is to do."""
    now, grant = hub.clock.now(), framed.grant
    if grant is None:
        return False
    account = Account(of.name, grant.account, of.app.client_id)
    owner = market.owner_of(tx, of.name, grant.account)
    if owner and owner[2] == crm.ACTIVE and not framed.is_new:
        doorbells.again(tx, Due(owner[0], owner[1]), now)  # a new version of the app may have taken it away
        return True
    return arrivals.came(tx, account, grant, spent, now, hub.vault)


@cache
def _files(frames: Frames) -> Mapping[str, bytes]:
    return {
        "frame.js": frames.script(),
        "panel.js": panel.text("panel.js").encode(),
        "panel.css": panel.text("panel.css").encode(),
    }


@cache
def _version(frames: Frames) -> str:
    """Return what changes with the files, so that a browser keeps none of an older hub."""
    return hashlib.sha256(b"".join(_files(frames).values())).hexdigest()[:12]


def _page(request: Request, of: _Of, framed: Framed) -> Response:
    """Fill the page with what its script starts from."""
    kind, card = framed.card or ("", "")
    t = Words(framed.language)
    given: dict[str, Any] = {
        "connector": of.name,
        "ticket": framed.ticket,
        "kind": kind,
        "card": card,
        "is_new": framed.is_new,
        "texts": panel.words(t.language),
    }
    parent = of.frames.parent(of.app, framed.opened.host)
    return _shown(request, of, t, parent, given=given, library=of.frames.library(of.app))


def _hidden(request: Request, of: _Of, said: Said, status: int) -> Response:
    """Say why there is nothing to see; any page may show it, since it says nothing of anybody."""
    t = bare_desk(request).words
    return _shown(request, of, t, "*", status, told=telling.sentence(of.connector, said, t.language))


def _shown(
    request: Request,
    of: _Of,
    t: Words,
    parent: str,
    status: int = 200,
    *,
    given: Mapping[str, Any] | None = None,
    library: str = "",
    told: Sentence | None = None,
) -> Response:
    values = {"words": t, "connector": of.name, "given": given, "library": library, "told": told}
    answer = render(bare_desk(request), "frame.html", status, version=_version(of.frames), **values)
    policy = _POLICY.format(library=f" {origin_of(library)}" if library else "", parent=parent)
    answer.headers["content-security-policy"] = policy
    answer.headers["referrer-policy"] = "no-referrer"
    return answer


def _nothing(request: Request) -> Response:
    return Response("There is nothing under this address.", 404, media_type="text/plain")
