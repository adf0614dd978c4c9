"""One amoCRM account opened with a live access token."""

from collections.abc import Mapping, Sequence

from connectors.amocrm import account, doorbell, find, incoming, people, popup, readback
from connectors.amocrm.account import Fields
from connectors.amocrm.api import Api
from connectors.amocrm.deliver import Batch
from connectors.amocrm.doubles import Doubles
from connectors.amocrm.facts import facts
from connectors.amocrm.grant import address
from connectors.amocrm.search import INSIDE, Search
from connectors.amocrm.sending import Portion
from connectors.amocrm.settings import Settings
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError
from connectors.http import Http
from connectors.protocol import App, ContactPage, CrmSession, DealChange, Delivery, Facts, Grant, Outcome, Page, Ref
from connectors.telling import Ringing


class Session:
    """What the hub may ask of an account; it keeps what it has learned of its fields, its search and its patience."""

    def __init__(self, http: Http, app: App, grant: Grant, settings: Mapping[str, object]) -> None:
        self._settings = Settings.model_validate(settings)
        self._api = Api(http, address(app, grant.host), grant.access_token)
        self._fields = Fields(self._api, self._settings.fields)
        self._search = Search(self._api, INSIDE in self._settings.traits)
        self._portion = Portion()
        self._doubles = Doubles()
        self._account = grant.account
        self._sandbox = app.base_url
        self._currency = self._settings.currency

    async def check(self) -> Ref:
        """Return the account's reference; raises ``InstallationError``."""
        return await account.check(self._api, self._account)

    async def facts(self) -> Facts:
        """Return what the account offers, our own fields made sure of; raises ``InstallationError``."""
        return await facts(self._api, self._settings.traits, is_first=not self._settings.fields)

    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        """Deliver plans; see the six rules in ``connectors.protocol``."""
        work = Batch(self._api, self._fields, self._settings, self._search, self._portion, batch)
        try:
            return await work.run()
        finally:
            self._doubles.note(work.works)

    async def changes(self, cursor: str | None) -> Page:
        """Return deals changed since a cursor of ours; raises ``InstallationError``."""
        currency = await self._reading()
        return await readback.changes(self._api, self._fields.marker, currency, cursor)

    async def deals(self, ids: Sequence[str]) -> Sequence[DealChange]:
        """Return those of these deals that are there; raises ``InstallationError``."""
        currency = await self._reading()
        return await readback.deals_now(self._api, self._fields.marker, currency, ids)

    async def _reading(self) -> str:
        """Make sure of what reading deals needs; return their currency."""
        await self._fields.ready()
        self._currency = self._currency or await account.currency(self._api)
        return self._currency

    async def contacts(self, cursor: str | None) -> ContactPage:
        """Return contacts changed since a cursor of ours; raises ``InstallationError``."""
        return await self._doubles.join(self._api, await people.changed(self._api, cursor))

    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """Return which of these deals and contacts are gone; raises ``InstallationError``."""
        try:
            gone = await find.missing(self._api, refs)
            return await incoming.but_waiting(self._api, gone, self._settings.traits)
        except ConnectorError as error:
            raise trouble(error) from None

    async def popup(self, users: Sequence[str], caller: str) -> bool:
        """Show the card of a caller to users who are rung or talk with him; raises ``InstallationError``."""
        return await popup.show(self._api, users, caller)

    async def listen(self, address: str, page: str = "") -> Ringing:
        """Have webhooks ring at an address of ours, once; the cards have a widget. Raises ``InstallationError``."""
        return await doorbell.listen(self._api, address, self._sandbox)

    async def leave(self, address: str) -> None:
        """Take our webhooks away; raises ``InstallationError``."""
        await doorbell.leave(self._api, address)


def open_session(http: Http, app: App, grant: Grant, settings: Mapping[str, object]) -> CrmSession:
    """Open an account; no request is sent yet."""
    return Session(http, app, grant, settings)
