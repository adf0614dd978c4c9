"""Reading what a caller wrote into fields, and showing them in both families."""

from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.fm import aliases, fm_rows, old_rows
from sandbox.bitrix24.model import INVOICE, Item, UserField
from sandbox.bitrix24.php import as_int, as_list, is_yes
from sandbox.bitrix24.schema import (
    BY_NAME,
    FIELDS,
    FM_TYPES,
    INT_TYPES,
    LINKED,
    MONEY,
    NULL_NAMES,
    REACHABLE,
    Field,
    money_read,
    money_shown,
    money_text,
    uf_camel,
)
from sandbox.bitrix24.times import date_text, moment_text, read_day, read_moment

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

Fieldlike = Field | UserField
NOT_ITERABLE = "Expected iterable value for multiple field, but got `{}` instead"
PHP_TYPES = {str: "string", int: "integer", float: "double", bool: "boolean"}


def invalid(name: str) -> Refusal:
    """Returns the refusal of a value that does not fit its field."""
    return Refusal(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Invalid value for field "{name}"')


def read_value(portal: "Portal", field: Fieldlike, raw: Any) -> Any:
    """Returns a told value as it is stored; refuses what the type cannot hold."""
    if not field.is_multiple:
        return _read_one(portal, field, raw)
    if raw is None or raw == "":
        return ()
    if not isinstance(raw, (list, dict)):
        raise Refusal(400, "100", NOT_ITERABLE.format(PHP_TYPES.get(type(raw), "string")))
    found = (_read_one(portal, field, one) for one in as_list(raw))
    return tuple(one for one in found if one is not None)


def _read_one(portal: "Portal", field: Fieldlike, raw: Any) -> Any:
    if raw is None or raw == "":
        return getattr(field, "default", None)
    if isinstance(raw, (dict, list)):
        raise invalid(field.name)
    found = _typed(portal, field, raw)
    if found is None:
        raise invalid(field.name)
    return found


def _typed(portal: "Portal", field: Fieldlike, raw: Any) -> Any:
    type_ = field.type
    if type_ in INT_TYPES or type_ == "employee":
        return as_int(raw)
    if type_ == "datetime":
        return read_moment(raw, portal.offset)
    if type_ == "date":
        return read_day(raw)
    if type_ == "boolean":
        return "Y" if is_yes(raw) else "N"
    if type_ == "enumeration" and isinstance(field, UserField):
        known = {one.id for one in field.choices}
        return as_int(raw) if as_int(raw) in known else None
    if type_ == MONEY:
        return money_read(raw) if isinstance(field, Field) else _number(raw)
    return _status(portal, field, str(raw)) if type_ == "crm_status" else str(raw)


def _status(portal: "Portal", field: Fieldlike, told: str) -> str | None:
    entity = field.entity if isinstance(field, Field) else ""
    known = any((one.entity_id, one.status_id) == (entity, told) for one in portal.statuses)
    return told if known or not entity else None


def _number(raw: Any) -> float | None:
    try:
        return float(raw)
    except (TypeError, ValueError):
        return None


def show_value(portal: "Portal", field: Fieldlike, value: Any) -> Any:
    """Returns a stored value as the new family shows it."""
    if field.is_multiple:
        return [_show_one(portal, field, one) for one in value or ()]
    return _show_one(portal, field, value)


def _show_one(portal: "Portal", field: Fieldlike, value: Any) -> Any:
    if value is None:
        return None
    if field.type == "datetime":
        return moment_text(value, portal.offset)
    if field.type == "date":
        return date_text(value, portal.offset)
    return money_shown(value) if field.type == MONEY and isinstance(field, Field) else value


def show_old_value(portal: "Portal", field: Fieldlike, value: Any) -> Any:
    """Returns a stored value as the old family shows it: scalars are strings, user booleans 1 and 0."""
    if field.is_multiple:
        return [show_old_scalar(portal, field, one) for one in value or ()]
    return show_old_scalar(portal, field, value)


def show_old_scalar(portal: "Portal", field: Fieldlike, value: Any) -> Any:
    """Returns one stored scalar as the old family shows it."""
    if field.type == MONEY and isinstance(field, Field):
        return money_text(value)
    if field.type == "boolean" and isinstance(field, UserField):
        return {"Y": "1", "N": "0"}.get(value)
    shown = _show_one(portal, field, value)
    return None if shown is None else str(shown)


def stored(item: Item, field: Fieldlike) -> Any:
    """Returns what an object holds in a field."""
    if isinstance(field, Field) and item.kind in LINKED:
        if field.name == "contactId":
            return item.links[0] if item.links else None
        if field.name == "contactIds":
            return tuple(item.links)
    return item.values.get(field.name, getattr(field, "default", None))


def user_fields(portal: "Portal", kind: int) -> list[UserField]:
    """Returns the user fields of a kind."""
    return [one for one in portal.user_fields.values() if one.kind == kind]


def uf_names(portal: "Portal", kind: int, original: bool) -> dict[str, UserField]:
    """Returns the user fields by the names a call uses; camel names that clash stay as they are."""
    fields = user_fields(portal, kind)
    if original:
        return {one.name: one for one in fields}
    named: dict[str, UserField] = {}
    for one in fields:
        camel = uf_camel(one.name, portal.dial["uf_letters_camel"])
        named[one.name if camel in named else camel] = one
    return named


def field_names(portal: "Portal", kind: int, original: bool) -> dict[str, Fieldlike]:
    """Returns every field of a kind by the names a call of the new family uses."""
    return {**BY_NAME[kind], **uf_names(portal, kind, original)}


def item_row(portal: "Portal", item: Item, original: bool) -> dict[str, Any]:
    """Returns the whole object as `crm.item.*` shows it."""
    names = field_names(portal, item.kind, original)
    row = {name: show_value(portal, field, stored(item, field)) for name, field in names.items()}
    row |= {"id": item.id, "entityTypeId": item.kind}
    if item.kind != INVOICE:
        row |= {name: None for name in NULL_NAMES if name not in row}
    if item.kind in REACHABLE:
        row |= {"fm": fm_rows(item), **aliases(item)}
    return row


def old_row(portal: "Portal", item: Item, with_uf: bool, with_fm: bool) -> dict[str, Any]:
    """Returns the object as the old family shows it."""
    shown = [field for field in FIELDS[item.kind] if field.name not in ("contactIds", "companyIds", "observers")]
    row = {field.upper: show_old_value(portal, field, stored(item, field)) for field in shown}
    row["ID"] = str(item.id)
    if with_uf:
        row |= {
            one.name: show_old_value(portal, one, item.values.get(one.name)) for one in user_fields(portal, item.kind)
        }
    if with_fm and item.kind in REACHABLE:
        row |= {type_: rows for type_ in FM_TYPES if (rows := old_rows(item, type_))}
    return row
