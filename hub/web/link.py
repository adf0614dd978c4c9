"""A link from inside the CRM to our console: it proves that an administrator of the account asks, and it is good once.

The link is sealed by the hub's own keys and says nothing to who sees it. It opens a page of the console, behind its
login; only the form on that page links the account to a customer.
"""

import base64
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.protocol import App, Connector, Opened
from hub import arrivals
from hub.hub import Hub
from hub.store import crm, market
from hub.store.market import Account
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault
from hub.web.connecting import wake
from hub.web.console.page import form, page
from hub.web.console.session import form_of
from hub.web.console.shell import Desk, complain, render
from hub.web.oauth import Connecting

_LIFE = timedelta(minutes=30)
_CAP = 2_000  # characters of a link's secret
_PATIENCE = timedelta(seconds=10)  # with a code that came and is being exchanged, while a person waits
_GLANCE = timedelta(seconds=0.1)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link says: which account, and until when it is good."""

    account: str
    host: str
    token_id: str
    ends_at: float  # Unix seconds


def link_to(hub: Hub, connector: str, opened: Opened, now: datetime) -> str:
    """Return the address by which an administrator who looks at the CRM comes to link the account."""
    ticket = Ticket(opened.account, opened.host, f"link:{opened.token_id}", (now + _LIFE).timestamp())
    sealed = hub.vault.seal(json.dumps(asdict(ticket)), "link", connector)
    secret = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    return f"{hub.settings.public_url.rstrip('/')}/link/{connector}?{urlencode({'of': secret})}"


def read(secret: str, connector: str, vault: Vault, now: datetime) -> Ticket | None:
    """Return what a link says; None when it is not ours, or too old."""
    if not secret.isascii() or len(secret) > _CAP:
        return None
    try:
        sealed = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        ticket = Ticket(**json.loads(vault.open(sealed, "link", connector)))
    except (ValueError, Unopenable):
        return None
    return ticket if ticket.ends_at > now.timestamp() else None


class Linking:
    """The page that a link opens, and its form."""

    def __init__(self, hub: Hub, connecting: Connecting) -> None:
        self.hub, self.connecting = hub, connecting

    def routes(self) -> list[Route]:
        """Return the routes of linking."""
        return [
            Route("/link/{connector:str}", page(self.show), methods=["GET"]),
            Route("/link/{connector:str}", form(self.link), methods=["POST"]),
        ]

    async def show(self, desk: Desk) -> Response:
        """Ask whether this account is to be the customer's."""
        secret = desk.request.query_params.get("of", "")
        found = self._ticket(desk.request, secret, desk.now)
        if found is None:
            return await complain(desk.request, 403, "error.link.old")
        connector, app, ticket = found
        of = Account(connector.manifest.name, ticket.account, app.client_id)
        owner, has_come = await self.hub.db.read(_standing, of, ticket.host, desk.now, self.hub.vault)
        if owner and owner[0] != desk.tenant_id:
            return await complain(desk.request, 409, "error.connect.taken")
        if owner and owner[2] == crm.ACTIVE:
            return RedirectResponse("/connections", status_code=303)
        return render(
            desk,
            "link.html",
            secret=secret,
            host=ticket.host,
            manifest=connector.manifest,
            has_come=has_come,
            is_known=owner is not None,
        )

    async def link(self, desk: Desk) -> Response:
        """Link the account; where it has not come from the marketplace, ask the vendor for its consent."""
        secret = str((await form_of(desk.request)).get("of", ""))
        found = self._ticket(desk.request, secret, desk.now)
        if found is None:
            return await complain(desk.request, 403, "error.link.old")
        connector, app, ticket = found
        assert desk.who is not None
        of = Account(connector.manifest.name, ticket.account, app.client_id)
        once = (ticket.host, ticket.token_id, datetime.fromtimestamp(ticket.ends_at, UTC))
        who = (desk.tenant_id, desk.who.person_id)
        try:
            is_linked = await self.hub.db.write(arrivals.link, of, *once, who, desk.now, self.hub.vault)
        except market.TokenSpent:
            return await complain(desk.request, 403, "error.link.old")
        except crm.AccountTaken:
            return await complain(desk.request, 409, "error.connect.taken")
        if not is_linked and not await self._comes(of, ticket.host):
            return await self.connecting.consent(desk.request, desk.who, connector, app, ticket.host)
        wake(self.hub)
        return RedirectResponse("/connections", status_code=303)

    async def _comes(self, of: Account, host: str) -> bool:
        """Say whether the account is given to who asked for it in a moment: its code came and is being exchanged."""
        clock, vault = self.hub.clock, self.hub.vault
        for _ in range(_PATIENCE // _GLANCE):
            owner, has_come = await self.hub.db.read(_standing, of, host, clock.now(), vault)
            if owner and owner[2] == crm.ACTIVE:
                return True
            if not has_come:
                return False
            await clock.wait_until(clock.now() + _GLANCE, _GLANCE.total_seconds())
        return False

    def _ticket(self, request: Request, secret: str, now: datetime) -> tuple[Connector, App, Ticket] | None:
        known = self.connecting.known(request)
        ticket = read(secret, known[0].manifest.name, self.hub.vault, now) if known else None
        return (*known, ticket) if known and ticket else None


def _standing(tx: Tx, of: Account, host: str, now: datetime, vault: Vault) -> tuple[tuple[int, int, str] | None, bool]:
    known = market.unlinked(tx, of, now, vault)
    has_come = bool(known and known.grant) or market.has_code(tx, of.connector, host, now)
    return market.owner_of(tx, of.connector, of.account), has_come
