"""Phones, mails and other multifields of leads, contacts and companies (sheet section 4.2)."""

from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.model import Item, Multi
from sandbox.bitrix24.php import as_int, as_list, as_map
from sandbox.bitrix24.schema import FM_TYPES, VALUE_TYPES

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

ALIASES = {"PHONE": "phone", "EMAIL": "email", "WEB": "web", "IM": "im", "LINK": "link"}


def with_changes(portal: "Portal", had: list[Multi], told: Any) -> list[Multi]:
    """Returns the multifields after a change in the new family's shape.

    A list adds; in a map, keys `n0` add and ids change, an empty value deletes. Without typeId a change of what is
    there is dropped where the dial says so.
    """
    found = list(had)
    entries = [("", one) for one in told] if isinstance(told, list) else list(as_map(told).items())
    for key, raw in entries:
        one = as_map(raw)
        type_, value = str(one.get("typeId", "")).upper(), str(one.get("value", "")).strip()
        old = next((multi for multi in found if str(multi.id) == str(one.get("id") or key)), None)
        if old is not None and not type_ and not portal.dial["fm_type_required"]:
            type_ = old.type
        if type_ not in FM_TYPES:
            continue
        if old is None:
            found += _added(portal, type_, one.get("valueType"), value)
        else:
            found = _changed(found, old, one.get("valueType"), value)
    return found


def with_old_changes(portal: "Portal", had: list[Multi], type_: str, told: Any) -> list[Multi]:
    """Returns the multifields after a change of one type in the old family's shape (`PHONE: [{"VALUE": ...}]`)."""
    found = list(had)
    for raw in as_list(told):
        one = {str(key).upper(): value for key, value in as_map(raw).items()} if not isinstance(raw, str) else {}
        value = str(raw if isinstance(raw, str) else one.get("VALUE", "")).strip()
        old = next((multi for multi in found if multi.id == as_int(one.get("ID")) and multi.type == type_), None)
        gone = str(one.get("DELETE", "")).upper() == "Y"
        if old is None:
            found += _added(portal, type_, one.get("VALUE_TYPE"), value)
        else:
            found = _changed(found, old, one.get("VALUE_TYPE"), "" if gone else value)
    return found


def _added(portal: "Portal", type_: str, value_type: Any, value: str) -> list[Multi]:
    return [portal.store.new_multi(type_, _value_type(value_type, "WORK"), value)] if value else []


def _value_type(told: Any, default: str) -> str:
    text = str(told or default).upper()
    return text if text in VALUE_TYPES else default


def _changed(found: list[Multi], old: Multi, value_type: Any, value: str) -> list[Multi]:
    new = Multi(old.id, old.type, _value_type(value_type, old.value_type), value)
    return [new if one is old else one for one in found if one is not old or value]


def fm_rows(item: Item) -> list[dict[str, Any]]:
    """Returns `fm` as the new family shows it."""
    return [{"id": one.id, "typeId": one.type, "valueType": one.value_type, "value": one.value} for one in item.fm]


def old_rows(item: Item, type_: str) -> list[dict[str, Any]]:
    """Returns the values of one type as the old family shows them."""
    return [
        {"ID": str(one.id), "VALUE_TYPE": one.value_type, "VALUE": one.value, "TYPE_ID": one.type}
        for one in item.fm
        if one.type == type_
    ]


def aliases(item: Item) -> dict[str, str]:
    """Returns the flat aliases: the first value of each type, and of each type and kind."""
    told: dict[str, str] = {}
    for one in item.fm:
        name = ALIASES[one.type]
        told.setdefault(name, one.value)
        told.setdefault(f"{name}{one.value_type.capitalize()}", one.value)
    return told
