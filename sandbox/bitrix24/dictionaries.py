"""Stages, pipelines, sources, currencies, the CRM mode (sheet sections 4.5, 4.6)."""

import re
from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.errors import Refusal, core
from sandbox.bitrix24.filters import chosen, ordered
from sandbox.bitrix24.model import INVOICE, KINDS, LEAD, Category, Status
from sandbox.bitrix24.php import EMPTY_OBJECT, as_int
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

STATUS_ID = re.compile(r"[A-Za-z0-9_:-]{1,50}")
NO_SUCH_KIND = Refusal(400, "NOT_FOUND", "Smart process not found")
NOT_SUPPORTED = Refusal(400, "ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported")
OLD_INVOICE = 5
PHASE = {"S": "success", "F": "failure", None: "process"}


def needed_kind(turn: Turn) -> int:
    """Returns `entityTypeId` of a call, or refuses what is no such type."""
    kind = as_int(turn.params.get("entityTypeId"))
    if kind is None:
        kind = turn.needed_number("entityTypeId")
    if kind == OLD_INVOICE:
        raise NOT_SUPPORTED
    if kind not in KINDS:
        raise NO_SUCH_KIND
    return kind


def stage_entity(kind: int, category_id: int) -> str:
    """Returns the dictionary that holds the stages of a pipeline."""
    if kind == LEAD:
        return "STATUS"
    if kind == INVOICE:
        return f"SMART_INVOICE_STAGE_{category_id}"
    return f"DEAL_STAGE_{category_id}" if category_id else "DEAL_STAGE"


def stages(portal: "Portal", kind: int, category_id: int) -> list[Status]:
    """Returns the stages of a pipeline in their order."""
    entity = stage_entity(kind, category_id)
    return sorted((one for one in portal.statuses if one.entity_id == entity), key=lambda one: one.sort)


def default_category(portal: "Portal", kind: int) -> int:
    """Returns the pipeline that new objects of a kind go to; leads have none."""
    return next((one.id for one in portal.categories if one.kind == kind and one.is_default), 0)


def list_categories(turn: Turn) -> Listing:
    """crm.category.list: the pipelines of a kind."""
    kind = needed_kind(turn)
    if kind == LEAD:
        raise NOT_SUPPORTED
    rows = [category_row(one) for one in turn.portal.categories if one.kind == kind]
    return Listing({"categories": rows}, len(rows))


def one_category(turn: Turn) -> dict[str, Any]:
    """crm.category.get: one pipeline."""
    kind, id_ = needed_kind(turn), turn.needed_number("id")
    for one in turn.portal.categories:
        if (one.kind, one.id) == (kind, id_):
            return {"category": category_row(one)}
    raise Refusal(400, "NOT_FOUND", "Element not found")


def category_row(one: Category) -> dict[str, Any]:
    """Returns a pipeline as `crm.category.*` shows it."""
    return {
        "id": one.id,
        "name": one.name,
        "sort": one.sort,
        "entityTypeId": one.kind,
        "isDefault": "Y" if one.is_default else "N",
        "originId": "",
        "originatorId": "",
    }


def status_row(one: Status) -> dict[str, Any]:
    """Returns one line of a dictionary; only stages of leads and deals have `EXTRA`."""
    row: dict[str, Any] = {
        "ID": str(one.id),
        "ENTITY_ID": one.entity_id,
        "STATUS_ID": one.status_id,
        "NAME": one.name,
        "NAME_INIT": one.name if one.is_system else "",
        "SORT": str(one.sort),
        "SYSTEM": "Y" if one.is_system else "N",
        "CATEGORY_ID": None if one.category_id is None else str(one.category_id),
        "COLOR": one.color,
        "SEMANTICS": one.semantics,
    }
    if one.entity_id == "STATUS" or one.entity_id.startswith("DEAL_STAGE"):
        phase = "apology" if one.status_id.endswith("APOLOGY") else PHASE[one.semantics]
        row["EXTRA"] = {"SEMANTICS": phase, "COLOR": one.color}
    return row


def list_statuses(turn: Turn) -> Listing:
    """crm.status.list: lines of dictionaries, all at once."""
    rows = [status_row(one) for one in turn.portal.statuses]
    found = chosen(rows, turn.map("filter"), dict.get)
    found = ordered(found, turn.map("order") or {"SORT": "ASC"}, dict.get)
    return Listing(found, len(found))


def entity_items(turn: Turn) -> list[dict[str, Any]]:
    """crm.status.entity.items: one dictionary in short."""
    entity = turn.text("entityId")
    rows = [one for one in turn.portal.statuses if one.entity_id == entity]
    return [{"NAME": one.name, "SORT": one.sort, "STATUS_ID": one.status_id} for one in rows]


def add_status(turn: Turn) -> int:
    """crm.status.add: a new source, stage or type; needs the right to set up the CRM."""
    turn.admins_only("Access denied.")
    told = {str(key).upper(): value for key, value in turn.map("fields").items()}
    entity, status_id, name = (str(told.get(key, "")) for key in ("ENTITY_ID", "STATUS_ID", "NAME"))
    if not entity or not name:
        raise core("The field 'ENTITY_ID' or 'NAME' is not filled")
    if not STATUS_ID.fullmatch(status_id):
        raise core("The field 'STATUS_ID' contains invalid characters")
    if any((one.entity_id, one.status_id) == (entity, status_id) for one in turn.portal.statuses):
        raise core(f"The status '{status_id}' already exists")
    semantics = told.get("SEMANTICS") or None
    sort = as_int(told.get("SORT")) or 10 * (1 + len([one for one in turn.portal.statuses if one.entity_id == entity]))
    made = Status(turn.portal.ids.next("status"), entity, status_id, name, sort, semantics, False)
    turn.portal.statuses.append(made)
    turn.portal.changes += 1
    return made.id


def crm_mode(turn: Turn) -> int:
    """crm.settings.mode.get: 1 classic, 2 simple."""
    return int(turn.portal.dial["crm_mode"])


def currencies(turn: Turn) -> list[dict[str, Any]]:
    """crm.currency.list: roubles are the base, dollars beside them."""
    return [
        {
            "CURRENCY": code,
            "AMOUNT_CNT": "1",
            "AMOUNT": amount,
            "SORT": str(sort),
            "BASE": base,
            "FULL_NAME": name,
            "LID": "ru",
            "FORMAT_STRING": "#",
            "DEC_POINT": ".",
            "THOUSANDS_SEP": " ",
            "DATE_UPDATE": EMPTY_OBJECT,
        }
        for sort, (code, amount, base, name) in enumerate(
            (("RUB", "1.0000", "Y", "Российский рубль"), ("USD", "90.0000", "N", "Доллар США")), start=1
        )
    ]


METHODS: Methods = {
    "crm.category.list": Method(list_categories),
    "crm.category.get": Method(one_category),
    "crm.status.list": Method(list_statuses),
    "crm.status.entity.items": Method(entity_items),
    "crm.status.add": Method(add_status),
    "crm.settings.mode.get": Method(crm_mode),
    "crm.currency.list": Method(currencies),
}
