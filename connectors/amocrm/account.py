"""What the account offers: who it is, its pipelines, users and deal fields, and our own field among them."""

from collections.abc import Iterable, Mapping

from connectors.amocrm.api import Api, Json, linked, whole
from connectors.amocrm.mappings import (
    MARKER_CODE,
    MARKER_FIELD,
    STAGE_OUTCOME,
    TEXT_FIELD_TYPES,
    TRACKING,
    UNSORTED_STAGE,
)
from connectors.amocrm.search import INSIDE, looks_inside
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError, Refused
from connectors.http import Answer
from connectors.protocol import Facts, InstallationError, Pipeline, Ref, Stage, Why

NO_FILTERS = (
    "The paid filter option of amoCRM is off: read-back reads the list of deals by the time of change "
    "instead, which works but takes more requests."
)
NO_UNSORTED = "Incoming leads (unsorted) are switched off in this account: calls go straight to the pipeline."
NO_ADMIN = (
    "amoCRM was connected by a user without admin rights: users cannot be listed, so a responsible user "
    "can only be named by id. Connect as an administrator."
)
NO_MARKER = (
    f"The deal field {MARKER_CODE} is missing and could not be created. Without it a repeated call "
    "could make a second deal, so no new deals are made. Connect as an administrator."
)
NO_TRACKING = "Some statistics fields were deleted in this account and stay empty: {codes}."


async def check(api: Api, account: str) -> Ref:
    """Return the account's reference; raises ``InstallationError`` for a token of another account."""
    found = str((await _account(api)).get("id"))
    if found != account:
        raise InstallationError(
            Why.FORBIDDEN, f"The token belongs to account {found}, not {account}: connect it again."
        )
    return Ref("account", found, api.address)


async def facts(api: Api, *, is_first: bool) -> Facts:
    """Return what the account offers to a scenario, creating our own deal field if it is missing.

    The first time a person is waiting for his account to be connected: how its search compares is asked later.
    """
    account = await _account(api)
    try:
        pipelines = [_pipeline(found) for found in _active(await api.pipelines())]
        users, is_admin = await _users(api)
        is_inside = not is_first and await looks_inside(api)
    except ConnectorError as error:
        raise trouble(error) from None
    fields = await Fields.load(api)
    has_marker = await fields.ensure_marker()
    missing = sorted(set(TRACKING.values()) - fields.ids.keys())
    warnings = {
        NO_FILTERS: not account.get("is_api_filter_enabled"),
        NO_UNSORTED: not account.get("is_unsorted_on"),
        NO_ADMIN: not is_admin,
        NO_MARKER: not has_marker,
        NO_TRACKING.format(codes=", ".join(missing)): bool(missing),
    }
    return Facts(
        account=str(account.get("id")),
        name=str(account.get("name") or ""),
        currency=_currency(account),
        pipelines=tuple(pipelines),
        users=users,
        fields=dict(fields.ids),
        warnings=tuple(text for text, holds in warnings.items() if holds),
        traits=(INSIDE,) if is_inside else (),
    )


async def currency(api: Api) -> str:
    """Return the account's currency, ISO 4217; empty when it is not told."""
    return _currency(await _account(api))


def _currency(account: Json) -> str:
    return str(account.get("currency") or "")


async def _account(api: Api) -> Json:
    try:
        return await api.account()
    except ConnectorError as error:
        raise trouble(error) from None


async def _users(api: Api) -> tuple[Mapping[str, str], bool]:
    try:
        found = await api.users()
    except Refused as error:
        # 403 with a readable body only says that the user is not an administrator [3.3].
        if error.status == 403 and error.readable:
            return {}, False
        raise
    active = [user for user in found if user.get("id") is not None and _is_active(user)]
    return {str(user["id"]): str(user.get("name") or user["id"]) for user in active}, True


def _is_active(user: Json) -> bool:
    rights = user.get("rights")
    return not isinstance(rights, dict) or rights.get("is_active") is not False


def _active(pipelines: Iterable[Json]) -> list[Json]:
    kept = [found for found in pipelines if found.get("id") is not None and not found.get("is_archive")]
    return sorted(kept, key=lambda found: (not found.get("is_main"), whole(found.get("sort"))))


def _pipeline(found: Json) -> Pipeline:
    stages = [stage for stage in linked(found, "statuses") if stage.get("type") != UNSORTED_STAGE]
    ordered = sorted(stages, key=lambda stage: whole(stage.get("sort")))
    return Pipeline(str(found["id"]), str(found.get("name") or found["id"]), tuple(_stage(one) for one in ordered))


def _stage(found: Json) -> Stage:
    outcome = STAGE_OUTCOME.get(whole(found["id"]), "open")
    return Stage(str(found["id"]), str(found.get("name") or found["id"]), outcome)


class Fields:
    """The writable deal fields of an account by code, or by id where a field has none."""

    def __init__(self, api: Api, ids: Mapping[str, str]) -> None:
        self._api = api
        self._is_read = False
        self.ids = dict(ids)

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
        self._is_read = True
        usable = [one for one in found if one.get("id") is not None and str(one.get("type")) in TEXT_FIELD_TYPES]
        self.ids = {str(one.get("code") or one["id"]): str(one["id"]) for one in usable}
        ours = [one for one in usable if one.get("name") == MARKER_FIELD["name"] and one["type"] == "text"]
        if ours and MARKER_CODE not in self.ids:
            self.ids[MARKER_CODE] = str(ours[0]["id"])

    @property
    def marker(self) -> str | None:
        """The id of our own field, or None."""
        return self.ids.get(MARKER_CODE)

    async def ready(self) -> None:
        """Read the fields unless our own is already known."""
        if not self.marker and not self._is_read:
            await self.reload()

    async def ensure_marker(self) -> bool:
        """Create our own field unless it is there; says whether it is there now."""
        await self.ready()
        if self.marker:
            return True
        try:
            answer = await self._api.create_deal_field(MARKER_FIELD)
            if answer.status == 400:
                # One report says that a field with a code is refused: then it is addressed by id [3.10].
                answer = await self._api.create_deal_field(_without_code())
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


def _without_code() -> dict[str, object]:
    return {key: value for key, value in MARKER_FIELD.items() if key != "code"}
