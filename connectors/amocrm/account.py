"""Who the account is, and the fields of its deals, ours among them."""

from collections.abc import Iterable, Mapping

from connectors.amocrm.api import Api, Json, linked
from connectors.amocrm.mappings import MARKER_CODE, MARKER_FIELD, OWN_FIELDS, TEXT_FIELD_TYPES
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError
from connectors.http import Answer
from connectors.protocol import InstallationError, Ref, Why
from connectors.telling import Said

NO_MARKER = Said("no_marker", {"field": str(MARKER_FIELD["name"])})


async def check(api: Api, account: str) -> Ref:
    """Return the account's reference; raises ``InstallationError`` for a token of another account."""
    found = str((await read(api)).get("id"))
    if found != account:
        raise InstallationError(Why.FORBIDDEN, Said("other_account", {"found": found, "account": account}))
    return Ref("account", found, api.address)


async def currency(api: Api) -> str:
    """Return the account's currency, ISO 4217; empty when it is not told."""
    return currency_of(await read(api))


def currency_of(account: Json) -> str:
    """Return the currency an account names; empty where it names none."""
    return str(account.get("currency") or "")


async def read(api: Api) -> Json:
    """Return the account with its flags; raises ``InstallationError``."""
    try:
        return await api.account()
    except ConnectorError as error:
        raise trouble(error) from None


class Fields:
    """The writable deal fields of an account by code, or by id where a field has none."""

    def __init__(self, api: Api, ids: Mapping[str, str]) -> None:
        self._api = api
        self._is_read = False
        self.ids = dict(ids)
        self.found: list[Json] = []  # of every type, as the account has them; empty until they are read

    @classmethod
    async def load(cls, api: Api) -> "Fields":
        """Read the fields of the account; raises ``InstallationError``."""
        fields = cls(api, {})
        await fields.reload()
        return fields

    async def reload(self) -> None:
        """Read the fields again, after the account turned out to have changed them."""
        try:
            found = await self._api.deal_fields()
        except ConnectorError as error:
            raise trouble(error) from None
        self._is_read, self.found = True, found
        usable = [one for one in found if one.get("id") is not None and str(one.get("type")) in TEXT_FIELD_TYPES]
        self.ids = {str(one.get("code") or one["id"]): str(one["id"]) for one in usable}
        self.adopt(usable)

    def adopt(self, fields: Iterable[Json]) -> None:
        """Know our own fields among these: by their codes, or by name and type where amoCRM took no code of ours."""
        for one in fields:
            code = str(one.get("code") or "")
            if code in _NAMES:
                self.ids[code] = str(one["id"])
            for ours, names in () if code else _NAMES.items():
                is_like = one.get("name") in names and (ours == MARKER_CODE or one.get("is_api_only"))
                if is_like and one.get("type") == _TYPES[ours]:
                    self.ids.setdefault(ours, str(one["id"]))

    @property
    def marker(self) -> str | None:
        """The id of our own field, or None."""
        return self.ids.get(MARKER_CODE)

    async def ready(self) -> None:
        """Read the fields unless our own is already known."""
        if not self.marker and not self._is_read:
            await self.reload()

    async def ensure_marker(self, group: str | None = None) -> bool:
        """Create our own field, in a tab if one is named, unless it is there; says whether it is there now."""
        await self.ready()
        if self.marker:
            return True
        try:
            wanted = {**MARKER_FIELD, **({"group_id": group} if group else {})}
            answer = await self._api.create_deal_field(wanted)
            if answer.status == 400:
                # One report says that a field with a code is refused: then it is addressed by id [3.10].
                del wanted["code"]
                answer = await self._api.create_deal_field(wanted)
        except ConnectorError as error:
            raise trouble(error) from None
        if answer.status in (400, 403) and answer.problem().readable:
            return False
        self._adopt(answer)
        return self.marker is not None

    def _adopt(self, answer: Answer) -> None:
        try:
            found = answer.read()
        except ConnectorError as error:
            raise trouble(error) from None
        created = linked(found, "custom_fields") if isinstance(found, dict) else iter(())
        for one in created:
            self.ids[MARKER_CODE] = str(one["id"])


# Names are only ours where nobody but a program may write: a person may well have a field "Campaign" of his own.
_NAMES = {MARKER_CODE: (MARKER_FIELD["name"],)} | {code: names for code, (*names, _) in OWN_FIELDS.items()}
_TYPES = {MARKER_CODE: "text"} | {code: kind for code, (*_, kind) in OWN_FIELDS.items()}
