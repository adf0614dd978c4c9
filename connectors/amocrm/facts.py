"""What the account offers: its pipelines, users and deal fields, and what is missing in it."""

from collections.abc import Collection, Iterable, Mapping

from connectors.amocrm import account, incoming, own_fields, start_check
from connectors.amocrm.account import Fields
from connectors.amocrm.api import Api, Json, linked, whole
from connectors.amocrm.mappings import STAGE_OUTCOME, UNSORTED_STAGE
from connectors.amocrm.search import INSIDE, looks_inside
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError, Refused
from connectors.protocol import Facts, Pipeline, Stage


async def facts(api: Api, traits: Collection[str], *, is_first: bool) -> Facts:
    """Return what the account offers to a scenario, creating our own deal fields where they are missing.

    The first time a person is waiting for his account to be connected: how its search compares is asked later.
    ``traits`` are those of the facts before.
    """
    about = await account.read(api)
    try:
        pipelines = _active(await api.pipelines())
        users, is_admin = await _users(api)
        is_inside = not is_first and await looks_inside(api)
    except ConnectorError as error:
        raise trouble(error) from None
    fields = await Fields.load(api)
    own = await own_fields.ensure(api, fields, was_made=own_fields.MADE in traits)
    missing = start_check.missing(about, pipelines, fields, is_admin=is_admin)
    held = {INSIDE: is_inside, own_fields.MADE: own.is_made}
    return Facts(
        account=str(about.get("id")),
        name=str(about.get("name") or ""),
        currency=account.currency_of(about),
        pipelines=tuple(_pipeline(found) for found in pipelines),
        users=users,
        fields=dict(fields.ids),
        warnings=(*own.said, *missing),
        traits=(*(trait for trait, holds in held.items() if holds), *incoming.traits(about, pipelines)),
    )


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
