"""One amoCRM account opened with a live access token."""

from collections.abc import Mapping, Sequence

from connectors.amocrm import account, find, readback
from connectors.amocrm.account import Fields
from connectors.amocrm.api import Api
from connectors.amocrm.deliver import Batch
from connectors.amocrm.grant import address
from connectors.amocrm.search import INSIDE, Search
from connectors.amocrm.sending import Portion
from connectors.amocrm.settings import Settings
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError
from connectors.http import Http
from connectors.protocol import App, CrmSession, Delivery, Facts, Grant, Outcome, Page, Ref


class Session:
    """What the hub may ask of an account; it keeps what it has learned of its fields, its search and its patience."""

    def __init__(self, http: Http, app: App, grant: Grant, settings: Mapping[str, object]) -> None:
        self._settings = Settings.model_validate(settings)
        self._api = Api(http, address(app, grant.host), grant.access_token)
        self._fields = Fields(self._api, self._settings.fields)
        self._search = Search(self._api, INSIDE in self._settings.traits)
        self._portion = Portion()
        self._account = grant.account
        self._currency = self._settings.currency

    async def check(self) -> Ref:
        """Return the account's reference; raises ``InstallationError``."""
        return await account.check(self._api, self._account)

    async def facts(self) -> Facts:
        """Return what the account offers, our own field made sure of; raises ``InstallationError``."""
        return await account.facts(self._api, is_first=not self._settings.fields)

    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        """Deliver plans; see the five rules in ``connectors.protocol``."""
        return await Batch(self._api, self._fields, self._settings, self._search, self._portion, batch).run()

    async def changes(self, cursor: str | None) -> Page:
        """Return deals changed since a cursor of ours; raises ``InstallationError``."""
        await self._fields.ready()
        self._currency = self._currency or await account.currency(self._api)
        return await readback.changes(self._api, self._fields.marker, self._currency, cursor)

    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """Return which of these deals and contacts are gone; raises ``InstallationError``."""
        try:
            return await find.missing(self._api, refs)
        except ConnectorError as error:
            raise trouble(error) from None


def open_session(http: Http, app: App, grant: Grant, settings: Mapping[str, object]) -> CrmSession:
    """Open an account; no request is sent yet."""
    return Session(http, app, grant, settings)
