"""One Bitrix24 portal opened with a live access token."""

from collections.abc import Mapping, Sequence

from connectors.bitrix24 import account, doorbell, popup, readback, there
from connectors.bitrix24.api import HOOK, Api
from connectors.bitrix24.deliver import Batch
from connectors.bitrix24.facts import facts
from connectors.bitrix24.grant import address
from connectors.bitrix24.mappings import LACKS, OF_APP, SIMPLE, TELEPHONY
from connectors.bitrix24.pace import Pace
from connectors.bitrix24.settings import Settings
from connectors.http import Http
from connectors.protocol import (
    App,
    ContactPage,
    CrmSession,
    DealChange,
    Delivery,
    Facts,
    Grant,
    InstallationError,
    Outcome,
    Page,
    Ref,
    Why,
)
from connectors.scenario import Telephony
from connectors.telling import Ringing, Said


class Session:
    """What the hub may ask of a portal."""

    def __init__(self, http: Http, app: App, grant: Grant, settings: Mapping[str, object]) -> None:
        self._settings = Settings.model_validate(settings)
        self._api = Api(http, address(app, grant.host), grant.access_token)
        self._account = grant.account
        self._sandbox = app.base_url
        self._pace = Pace()
        self._by_hook = grant.access_token.startswith(HOOK)

    async def check(self) -> Ref:
        """Return the account's reference; raises ``InstallationError``."""
        return await account.check(self._api, self._account, by_hook=self._by_hook)

    async def facts(self) -> Facts:
        """Return what the account offers, our own fields made sure of; raises ``InstallationError``."""
        return await facts(self._api, self._account, self._settings.traits, by_hook=self._by_hook)

    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        """Deliver plans; see the six rules in ``connectors.protocol``."""
        return await Batch(self._api, self._settings, batch, self._pace).run()

    async def changes(self, cursor: str | None) -> Page:
        """Return deals changed since a cursor of ours; raises ``InstallationError``."""
        has_leads = SIMPLE not in self._settings.traits
        return await readback.changes(self._api, self._settings.currency, cursor, has_leads=has_leads)

    async def deals(self, ids: Sequence[str]) -> Sequence[DealChange]:
        """Return those of these deals that are there; raises ``InstallationError``."""
        return await readback.deals_now(self._api, self._settings.currency, ids)

    async def contacts(self, cursor: str | None) -> ContactPage:
        """Raise: the vendor searches 250 people with one request, so the hub keeps no index of contacts."""
        raise InstallationError(Why.UNSUPPORTED, Said("not_offered"))

    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """Return which of these deals and contacts are gone for certain; raises ``InstallationError``."""
        return await there.missing(self._api, refs)

    async def popup(self, users: Sequence[str], caller: str) -> bool:
        """Show the card of a call to users who are rung or talk; raises ``InstallationError``."""
        if self._lacks(TELEPHONY[Telephony.REGISTER]):
            return False
        return await popup.show(self._api, users, caller)

    async def listen(self, address: str, page: str = "") -> Ringing:
        """Have events ring at an address of ours, once; raises ``InstallationError``."""
        if self._lacks("event.bind"):
            return Ringing(rings=False)
        shown = "" if self._lacks("placement.bind") else page
        return await doorbell.listen(self._api, address, shown, self._sandbox)

    async def leave(self, address: str) -> None:
        """Take our events away; raises ``InstallationError``."""
        if not self._by_hook:
            await doorbell.leave(self._api, address)

    def _lacks(self, method: str) -> bool:
        """Say whether a method is not there, or not for us; that it is so stands among the facts of the account."""
        return (self._by_hook and method in OF_APP) or f"{LACKS}{method}" in self._settings.traits


def open_session(http: Http, app: App, grant: Grant, settings: Mapping[str, object]) -> CrmSession:
    """Open a portal; no request is sent yet."""
    return Session(http, app, grant, settings)
