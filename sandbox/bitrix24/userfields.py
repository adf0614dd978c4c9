"""User fields: `crm.*.userfield.*` and `userfieldconfig.*` (sheet section 4.8)."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.bitrix24.errors import Refusal, core, not_found
from sandbox.bitrix24.filters import chosen, ordered
from sandbox.bitrix24.legacy import OLD_KINDS
from sandbox.bitrix24.model import CODES, INVOICE, UF_ENTITIES, Choice, UserField
from sandbox.bitrix24.php import as_int, as_list, as_map, is_yes
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

TYPES = (
    *("string", "integer", "double", "boolean", "date", "datetime", "money", "url", "address", "enumeration"),
    *("file", "employee", "crm_status", "iblock_section", "iblock_element", "crm"),
)
MOST_NAME = 50
PREFIX = "UF_CRM_"
NAME = re.compile(r"[A-Z0-9_]+")
KindHandler = Callable[[Turn, int], Any]


def _add(turn: Turn, kind: int) -> int:
    turn.admins_only("Access denied.")
    sent = {str(key).upper(): value for key, value in turn.map("fields").items()}
    if not sent.get("FIELD_NAME"):
        raise not_found("The 'FIELD_NAME' field is not found.")
    if not sent.get("USER_TYPE_ID"):
        raise not_found("The 'USER_TYPE_ID' field is not found.")
    name = str(sent["FIELD_NAME"]).upper()
    return make_field(turn, kind, name if name.startswith(PREFIX) else PREFIX + name, sent).id


def make_field(turn: Turn, kind: int, name: str, sent: dict[str, Any]) -> UserField:
    """Makes a user field of a kind; the upper names of `sent` are those of `crm.*.userfield.add`."""
    portal = turn.portal
    if len(name) > MOST_NAME:
        raise core("Field name is too long (more than 50 characters).")
    if not NAME.fullmatch(name):
        raise core("Field name contains invalid characters. Only A-Z, 0-9 and _ are allowed.")
    type_ = str(sent["USER_TYPE_ID"])
    if type_ not in TYPES and type_ not in {f"rest_{portal.app.id}_{code}" for code in portal.field_types}:
        raise core("Incorrect custom type specified.")
    if any(one.kind == kind and one.name == name for one in portal.user_fields.values()):
        raise core(portal.dial["userfield_exists_text"])
    field = UserField(portal.ids.next("userfield"), kind, name, type_)
    _fill(turn, field, sent)
    portal.user_fields[field.id] = field
    portal.changes += 1
    _tell(turn, field, "ADD")
    return field


def _fill(turn: Turn, field: UserField, sent: dict[str, Any]) -> None:
    if "EDIT_FORM_LABEL" in sent:
        field.labels = _labels(sent["EDIT_FORM_LABEL"])
    if "LIST_COLUMN_LABEL" in sent:
        field.list_labels = _labels(sent["LIST_COLUMN_LABEL"])
    if not field.labels and sent.get("LABEL"):
        field.labels = _labels(sent["LABEL"])
    field.xml_id = str(sent.get("XML_ID", field.xml_id) or "")
    field.sort = as_int(sent.get("SORT")) or field.sort
    field.is_multiple = is_yes(sent["MULTIPLE"]) if "MULTIPLE" in sent else field.is_multiple
    field.is_mandatory = is_yes(sent["MANDATORY"]) if "MANDATORY" in sent else field.is_mandatory
    field.show_filter = str(sent.get("SHOW_FILTER", field.show_filter))
    field.settings = as_map(sent["SETTINGS"]) if "SETTINGS" in sent else field.settings
    if "LIST" in sent:
        _fill_list(turn, field, sent["LIST"])


def _labels(told: Any) -> dict[str, str]:
    return {str(lang): str(text) for lang, text in told.items()} if isinstance(told, dict) else {"ru": str(told)}


def _fill_list(turn: Turn, field: UserField, told: Any) -> None:
    for raw in as_list(told):
        one = {str(key).upper(): value for key, value in as_map(raw).items()}
        old = next((choice for choice in field.choices if choice.id == as_int(one.get("ID"))), None)
        if old is not None and is_yes(one.get("DEL", "N")):
            field.choices.remove(old)
            continue
        xml_id = str(one.get("XML_ID", "") or "")
        if xml_id and any(choice.xml_id == xml_id for choice in field.choices if choice is not old):
            raise core(f"List item with value XML_ID={xml_id} already exists.")
        if old is None:
            old = Choice(turn.portal.ids.next("choice"), "")
            field.choices.append(old)
        old.value, old.xml_id = str(one.get("VALUE", old.value)), xml_id
        old.sort, old.is_default = as_int(one.get("SORT")) or old.sort, is_yes(one.get("DEF", "N"))


def _tell(turn: Turn, field: UserField, verb: str) -> None:
    if field.kind == INVOICE:
        return
    told = {"FIELDS": {"ID": field.id, "ENTITY_ID": f"CRM_{CODES[field.kind]}", "FIELD_NAME": field.name}}
    turn.portal.sender.tell(f"ONCRM{CODES[field.kind]}USERFIELD{verb}", told, turn)


def field_row(field: UserField, lang: str = "") -> dict[str, Any]:
    """Returns a user field as `crm.*.userfield.*` shows it; labels only where a language was asked for."""
    row: dict[str, Any] = {
        "ID": str(field.id),
        "ENTITY_ID": f"CRM_{CODES[field.kind]}",
        "FIELD_NAME": field.name,
        "USER_TYPE_ID": field.type,
        "XML_ID": field.xml_id or None,
        "SORT": str(field.sort),
        "MULTIPLE": "Y" if field.is_multiple else "N",
        "MANDATORY": "Y" if field.is_mandatory else "N",
        "SHOW_FILTER": {"Y": "E"}.get(field.show_filter, field.show_filter),
        "SHOW_IN_LIST": "Y",
        "EDIT_IN_LIST": "Y",
        "IS_SEARCHABLE": "N",
        "SETTINGS": field.settings,
    }
    if field.type == "enumeration":
        row["LIST"] = [_choice_row(one) for one in field.choices]
    if lang:
        row |= {"EDIT_FORM_LABEL": field.labels.get(lang), "LIST_COLUMN_LABEL": field.list_labels.get(lang)}
    return row


def _choice_row(one: Choice) -> dict[str, Any]:
    return {
        "ID": str(one.id),
        "SORT": str(one.sort),
        "VALUE": one.value,
        "DEF": "Y" if one.is_default else "N",
        "XML_ID": one.xml_id,
    }


def _list(turn: Turn, kind: int) -> Listing:
    filter_ = {str(key).upper(): value for key, value in turn.map("filter").items()}
    lang = str(filter_.pop("LANG", "") or "")
    rows = [field_row(one, lang) for one in turn.portal.user_fields.values() if one.kind == kind]
    order = {str(key).upper(): value for key, value in turn.map("order").items()}
    found = ordered(chosen(rows, filter_, dict.get), order, dict.get)
    return Listing(found, len(found))


def _field(turn: Turn, kind: int) -> UserField:
    field = turn.portal.user_fields.get(turn.number("id") or 0)
    if field is None or field.kind != kind:
        raise not_found("The entity with ID is not found.")
    return field


def _get(turn: Turn, kind: int) -> dict[str, Any]:
    field = _field(turn, kind)
    return {**field_row(field), "EDIT_FORM_LABEL": field.labels, "LIST_COLUMN_LABEL": field.list_labels}


def _update(turn: Turn, kind: int) -> bool:
    turn.admins_only("Access denied.")
    field = _field(turn, kind)
    sent = {str(key).upper(): value for key, value in turn.map("fields").items()}
    _fill(turn, field, {name: value for name, value in sent.items() if name not in ("MULTIPLE", "USER_TYPE_ID")})
    turn.portal.changes += 1
    _tell(turn, field, "UPDATE")
    return True


def _delete(turn: Turn, kind: int) -> bool:
    turn.admins_only("Access denied.")
    field = _field(turn, kind)
    del turn.portal.user_fields[field.id]
    for item in turn.portal.store.items[kind].values():
        item.values.pop(field.name, None)
    turn.portal.changes += 1
    _tell(turn, field, "DELETE")
    return True


CONFIG = {
    "userTypeId": "USER_TYPE_ID",
    "editFormLabel": "EDIT_FORM_LABEL",
    "listColumnLabel": "LIST_COLUMN_LABEL",
    "xmlId": "XML_ID",
    "sort": "SORT",
    "multiple": "MULTIPLE",
    "mandatory": "MANDATORY",
    "showFilter": "SHOW_FILTER",
    "settings": "SETTINGS",
    "enum": "LIST",
}


def _entity(turn: Turn, told: Any) -> int:
    if turn.text("moduleId") != "crm":
        raise Refusal(400, "ERROR_CORE", "Module is not supported")
    kind = UF_ENTITIES.get(str(told))
    if kind is None:
        raise Refusal(400, "ERROR_CORE", "Entity is not supported")
    return kind


def add_config(turn: Turn) -> dict[str, Any]:
    """userfieldconfig.add: a user field of any kind, invoices too, in camel names."""
    turn.admins_only("Access denied.")
    field = turn.map("field")
    kind = _entity(turn, field.get("entityId"))
    sent = {upper: field[name] for name, upper in CONFIG.items() if name in field}
    sent.setdefault("USER_TYPE_ID", "")
    made = make_field(turn, kind, str(field.get("fieldName", "")).upper(), sent)
    return {"field": _config_row(made)}


def list_config(turn: Turn) -> Listing:
    """userfieldconfig.list: user fields by entity and name."""
    filter_ = turn.map("filter")
    kind = _entity(turn, filter_.get("entityId"))
    rows = [_config_row(one) for one in turn.portal.user_fields.values() if one.kind == kind]
    return paged(turn, chosen(rows, filter_, dict.get), lambda page: {"fields": page})


def _config_row(field: UserField) -> dict[str, Any]:
    return {
        "id": field.id,
        "entityId": f"CRM_{CODES[field.kind]}",
        "fieldName": field.name,
        "userTypeId": field.type,
        "xmlId": field.xml_id or None,
        "sort": field.sort,
        "multiple": "Y" if field.is_multiple else "N",
        "mandatory": "Y" if field.is_mandatory else "N",
        "editFormLabel": field.labels,
        "settings": field.settings,
        "enum": [{"id": one.id, "value": one.value, "xmlId": one.xml_id} for one in field.choices],
    }


def _of(handler: KindHandler, kind: int) -> Method:
    return Method(lambda turn: handler(turn, kind))


VERBS: dict[str, KindHandler] = {"add": _add, "list": _list, "get": _get, "update": _update, "delete": _delete}
METHODS: Methods = {
    **{f"crm.{name}.userfield.{verb}": _of(do, kind) for name, kind in OLD_KINDS.items() for verb, do in VERBS.items()},
    "userfieldconfig.add": Method(add_config, ("userfieldconfig",)),
    "userfieldconfig.list": Method(list_config, ("userfieldconfig",)),
}
