"""What the account offers: its pipelines, users and fields, and what is missing in it (sheet 1.8, 4.2, 4.5, 4.6)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from connectors.bitrix24 import own_fields, start_check
from connectors.bitrix24.api import PAGE, Api, Json, Replies
from connectors.bitrix24.cards import whole
from connectors.bitrix24.encoding import command
from connectors.bitrix24.mappings import (
    CLASSIC,
    DEAL,
    DEAL_STAGES,
    HAS_SOURCE,
    LACKS,
    LANGUAGE,
    LEAD,
    LEAD_STAGES,
    LEADS,
    LEADS_NAME,
    NO_METHOD,
    OF_APP,
    SEMANTICS,
    SIMPLE,
    SOURCE_OF,
    TELEPHONY,
    TEXT_TYPES,
    TRACE,
)
from connectors.bitrix24.parts import ORIGINAL_NAMES, portal_of
from connectors.bitrix24.settings import Settings
from connectors.bitrix24.trouble import is_denied, no_rights, of_account, trouble, words
from connectors.errors import ConnectorError, Unreadable
from connectors.protocol import Facts, InstallationError, Pipeline, Stage, Why
from connectors.scenario import Telephony
from connectors.telling import Said

# What there is no working without -> its method.
_METHODS = {
    "app": "app.info",
    "cats": "crm.category.list",
    "statuses": "crm.status.list",
    "fields": "crm.item.fields",
    "mode": "crm.settings.mode.get",
}
_EXTRA: Mapping[str, Literal["won", "lost"]] = {"success": "won", "failure": "lost", "apology": "lost"}
# What the hub itself writes, or nobody may.
_OURS = frozenset(
    {
        "id",
        "title",
        "stageId",
        "categoryId",
        "contactId",
        "companyId",
        "assignedById",
        "originatorId",
        "originId",
        "fm",
    }
)
_MOST_USERS = 20  # pages of them


async def facts(api: Api, account: str, traits: Collection[str], *, by_hook: bool = False) -> Facts:
    """Return what the account offers to a scenario, making our own fields where they are missing.

    ``traits`` are those of the facts before; ``by_hook`` we are no application there. Raises ``InstallationError``.
    """
    try:
        told = _needed(await api.ask(_asked(by_hook)), by_hook)
        users = await _users(api, told)
    except ConnectorError as error:
        raise trouble(error) from None
    has_leads = whole(told.results.get("mode")) == 1
    fields = {LEAD: told.object("leadfields"), DEAL: told.object("fields")}
    known = {entity: _fields(found) for entity, found in fields.items()}
    own = await own_fields.ensure(api, known, has_leads=has_leads, was_made=own_fields.MADE in traits)
    held = [
        *(f"{LACKS}{name}" for name in start_check.lacks(told, by_hook=by_hook)),
        CLASSIC if has_leads else SIMPLE,
        *([own_fields.MADE] if own.is_made else []),
        *_language(told),
    ]
    portal = portal_of(Settings(traits=tuple(held)), api.address)
    return Facts(
        account=account,
        name=api.address.partition("://")[2],
        currency=_currency(told),
        pipelines=_pipelines(told, has_leads=has_leads, is_russian=portal.is_russian),
        users=users,
        fields=known[DEAL],
        warnings=(*own.said, *start_check.missing(told, _all(fields[DEAL]), by_hook=by_hook)),
        telephony=_telephony(told, by_hook),
        analytics=start_check.offers(told, TRACE),
        traits=(*held, *_sources(told)),
    )


def _asked(by_hook: bool) -> dict[str, str]:
    return {
        **({} if by_hook else {"app": command("app.info", {})}),
        "profile": command("profile", {}),
        "mode": command("crm.settings.mode.get", {}),
        "cats": command("crm.category.list", {"entityTypeId": DEAL}),
        "statuses": command("crm.status.list", {"order": {"SORT": "ASC"}}),
        "currencies": command("crm.currency.list", {}),
        "fields": command("crm.item.fields", {"entityTypeId": DEAL, **ORIGINAL_NAMES}),
        "leadfields": command("crm.item.fields", {"entityTypeId": LEAD, **ORIGINAL_NAMES}),
        "users": _page_of_users(0),
        **start_check.asked(by_hook=by_hook),
    }


def _page_of_users(start: int) -> str:
    return command("user.get", {"start": start})


def _needed(told: Replies, by_hook: bool) -> Replies:
    """Return the replies once everything that is needed is among them; raises ``InstallationError``."""
    for key in (one for one in _METHODS if not (by_hook and one == "app")):
        fault = told.faults.get(key)
        if fault is None and key in told.results:
            continue
        if fault and is_denied(fault):
            raise no_rights()
        if fault and fault.code == NO_METHOD:
            raise InstallationError(Why.FORBIDDEN, Said("too_old", {"method": _METHODS[key]}))
        found = of_account(fault, told) if fault else None
        raise found or trouble(Unreadable(f"{key}: {words(fault) if fault else 'no answer'}"))
    return told


async def _users(api: Api, told: Replies) -> Mapping[str, str]:
    """Return the people of the account; without the right to see them, nobody."""
    rows = told.rows("users")
    start = PAGE
    while "users" in told.following and start < PAGE * _MOST_USERS:
        told = await api.ask({"users": _page_of_users(start)})
        rows += told.rows("users")
        start += PAGE
    active = [one for one in rows if one.get("ID") and one.get("ACTIVE") in (True, "Y", "1", 1, "true")]
    return {str(one["ID"]): _name(one) for one in active}


def _name(user: Json) -> str:
    words_ = (str(user.get(key) or "").strip() for key in ("NAME", "LAST_NAME"))
    return " ".join(word for word in words_ if word) or str(user.get("EMAIL") or user["ID"])


def _telephony(told: Replies, by_hook: bool) -> tuple[Telephony, ...]:
    """Return how calls may stand beside the portal's own; one on one's own server may have none, a webhook may not."""
    there = {way for way, method in TELEPHONY.items() if start_check.offers(told, method)}
    return (Telephony.NOTE, *(way for way in TELEPHONY if way in there and not (by_hook and TELEPHONY[way] in OF_APP)))


def _currency(told: Replies) -> str:
    rows = told.rows("currencies", "currencies")
    base = next((one for one in rows if one.get("BASE") == "Y"), rows[0] if rows else {})
    return str(base.get("CURRENCY") or "")


def _language(told: Replies) -> list[str]:
    language = str(told.object("app").get("LANGUAGE_ID") or "").lower()
    return [f"{LANGUAGE}{language}"] if language.isalpha() else []


def _sources(told: Replies) -> list[str]:
    there = {str(one.get("STATUS_ID")) for one in told.rows("statuses", "statuses") if one.get("ENTITY_ID") == "SOURCE"}
    return [f"{HAS_SOURCE}{one}" for one in dict.fromkeys(SOURCE_OF.values()) if one in there]


def _pipelines(told: Replies, *, has_leads: bool, is_russian: bool) -> tuple[Pipeline, ...]:
    statuses = told.rows("statuses", "statuses")
    cats = sorted(
        told.rows("cats", "categories"), key=lambda one: (one.get("isDefault") != "Y", whole(one.get("sort")))
    )
    found = [_pipeline(one, statuses) for one in cats]
    if has_leads:
        name = LEADS_NAME[0] if is_russian else LEADS_NAME[1]
        found.append(Pipeline(LEADS, name, _stages(statuses, LEAD_STAGES)))
    return tuple(found)


def _pipeline(found: Json, statuses: Sequence[Json]) -> Pipeline:
    id_ = whole(found.get("id"))
    place = f"{DEAL_STAGES}_{id_}" if id_ else DEAL_STAGES
    return Pipeline(str(id_), str(found.get("name") or id_), _stages(statuses, place))


def _stages(statuses: Sequence[Json], place: str) -> tuple[Stage, ...]:
    mine = [one for one in statuses if one.get("ENTITY_ID") == place and one.get("STATUS_ID")]
    return tuple(_stage(one) for one in sorted(mine, key=lambda one: whole(one.get("SORT"))))


def _stage(found: Json) -> Stage:
    id_ = str(found["STATUS_ID"])
    return Stage(id_, str(found.get("NAME") or id_), outcome_of(found))


def outcome_of(status: Json) -> Literal["open", "won", "lost"]:
    """Return what a stage means, by whichever of its two words tells [4.5]."""
    extra = status.get("EXTRA")
    word = str(extra.get("SEMANTICS") or "") if isinstance(extra, dict) else ""
    return SEMANTICS.get(str(status.get("SEMANTICS") or ""), _EXTRA.get(word, "open"))


def _all(found: Json) -> Json:
    fields = found.get("fields")
    return fields if isinstance(fields, dict) else {}


def _fields(found: Json) -> dict[str, str]:
    """Return the fields a text can be written to: the name people know them by -> the name in requests."""
    return {
        str(one.get("upperName") or key): key
        for key, one in _all(found).items()
        if isinstance(one, dict)
        and key not in _OURS
        and not one.get("isReadOnly")
        and not one.get("isMultiple")
        and str(one.get("type")) in TEXT_TYPES
    }
