"""What a vendor's own servers tell us: that something changed, that an account installed us, that it removed us."""

from collections.abc import Mapping
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.protocol import App, CallEnded, Changed, Installed, Rejected, Told, Uninstalled
from hub import leaving
from hub.delivery import lanes, queue
from hub.hub import Hub
from hub.store import crm, grants, ledger, market, people
from hub.store.ledger import Entry, Kind
from hub.store.market import Account
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault
from hub.web.answers import refused
from hub.web.oauth import Connecting, as_hook

_NOBODYS = "Nothing is connected under that address."


class Hooks:
    """The doors of the connectors' hooks: whatever is told is verified as far as its vendor allows."""

    def __init__(self, hub: Hub, connecting: Connecting) -> None:
        self.hub, self.connecting = hub, connecting

    def routes(self) -> list[Route]:
        """Return the routes of hooks."""
        return [
            Route("/oauth/{connector:str}/callback", self.app_told, methods=["POST"]),
            Route("/oauth/{connector:str}/removed", self.removed, methods=["GET"]),
            Route("/hooks/{connector:str}/{token:str}", self.hook, methods=["POST"]),
        ]

    async def app_told(self, request: Request) -> Response:
        """Take what a vendor tells of our application in an account: where it installed us, or removed us."""
        known = self.connecting.known(request)
        if known is None:
            return refused(request, 404, _NOBODYS)
        connector, app = known
        asked = await as_hook(request)
        parsed = connector.hooks.parse(asked, app, {})
        if isinstance(parsed, Installed) and parsed.state is None:
            return await self.connecting.arrived(request, connector, app, parsed)
        if not isinstance(parsed, Changed):
            said = parsed.sentence if isinstance(parsed, Rejected) else "This is nothing that an application is told."
            return refused(request, 400, said)
        owner = await self.hub.db.read(market.owner_of, connector.manifest.name, parsed.account)
        if owner is None:
            return Response(status_code=200)
        whole = connector.hooks.parse(asked, app, await self._secrets(owner[0], owner[1]))
        return await self._heard(request, owner[0], owner[1], whole)

    async def removed(self, request: Request) -> Response:
        """Take the vendor's word that an account removed us: its installation stops, what we know of it stays."""
        known = self.connecting.known(request)
        if known is None:
            return refused(request, 404, _NOBODYS)
        connector, app = known
        parsed = connector.hooks.parse(await as_hook(request), app, {})
        if not isinstance(parsed, Uninstalled):
            said = parsed.sentence if isinstance(parsed, Rejected) else "This is not the notice of a removal."
            return refused(request, 400, said)
        await self._remove(connector.manifest.name, app, parsed)
        return Response(status_code=200)

    async def hook(self, request: Request) -> Response:
        """Take a doorbell: answer at once, read back sooner."""
        door = await self.hub.db.read(people.hook_door, request.path_params["token"])
        known = self.connecting.known(request)
        if door is None or known is None or door[2] != request.path_params["connector"]:
            return refused(request, 404, _NOBODYS)
        connector, app = known
        parsed = connector.hooks.parse(await as_hook(request), app, await self._secrets(door[0], door[1]))
        return await self._heard(request, door[0], door[1], parsed)

    async def _secrets(self, tenant_id: int, installation_id: int) -> Mapping[str, str]:
        """Return what the hooks of an account prove themselves by, as far as it was told."""
        return await self.hub.db.read(_secrets_of, tenant_id, installation_id, self.hub.vault)

    async def _heard(
        self,
        request: Request,
        tenant_id: int,
        installation_id: int,
        parsed: Told,
    ) -> Response:
        """Do what an account told; that it installed us again is a change, for its access comes by another door."""
        hub, now = self.hub, self.hub.clock.now()
        if isinstance(parsed, Rejected):
            if hub.refusals.is_noted("hook", str(installation_id)):
                refusal = Entry(Kind.HOOK_REFUSED, now, installation_id=installation_id, facts={"door": "hook"})
                await hub.db.write(ledger.write, tenant_id, refusal)
            return refused(request, 400, parsed.sentence)
        if isinstance(parsed, Uninstalled):
            connector = request.path_params["connector"]
            await self._remove(connector, hub.apps[connector], parsed)
            return Response(status_code=200)
        heard = queue.hurry if isinstance(parsed, CallEnded) else lanes.ring
        await hub.db.write(heard, tenant_id, installation_id, now)
        hub.worker.wake.set()
        return Response(status_code=200)

    async def _remove(self, connector: str, app: App, told: Uninstalled) -> None:
        """Stop an account that removed us; what it asks to be deleted is deleted after the grace."""
        hub, now = self.hub, self.hub.clock.now()
        grace = timedelta(days=hub.settings.erase_after_days)
        erase_at = now + grace if told.asks_erasure else None
        await hub.db.write(leaving.remove, Account(connector, told.account, app.client_id), erase_at, now, hub.vault)
        hub.leaving.wake.set()


def _secrets_of(tx: Tx, tenant_id: int, installation_id: int, vault: Vault) -> Mapping[str, str]:
    of = crm.installation(tx, tenant_id, installation_id)
    try:
        secret = grants.load(tx, of, vault).grant.hook_secret
    except Unopenable:  # what our keys do not open proves nothing; who rings is heard all the same
        return {}
    return {of.account: secret} if secret else {}
