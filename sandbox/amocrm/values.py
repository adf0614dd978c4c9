"""Custom field values: what may be written, what is stored, what is read (sheet section 3.10)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.amocrm.errors import Flaws
from sandbox.amocrm.fieldset import Field, FieldSet
from sandbox.amocrm.store import Card, Values
from sandbox.dial import Dial

LIMITED = ("text", "url", "tracking_data")
CHOSEN = ("select", "multiselect", "radiobutton", "category")
DATES = ("date", "date_time", "birthday")
NUMBERS = ("numeric", "monetary")
BY_LIST = "custom_fields_values"
Raw = dict[str, Any]


def check_values(sent: object, fields: FieldSet, dial: Dial, flaws: Flaws, path: str = BY_LIST) -> None:
    """Notes every flaw of a `custom_fields_values` list."""
    if sent is None:
        return
    if not isinstance(sent, list):
        flaws.type(path, "array")
        return
    for index, one in enumerate(sent):
        here = f"{path}.{index}"
        if not isinstance(one, dict):
            flaws.type(here, "array")
            continue
        field = fields.find(one)
        if field is None:
            flaws.choice(f"{here}.{'field_id' if one.get('field_id') is not None else 'field_code'}")
            continue
        _check_field(one.get("values"), field, dial, flaws, here)


def _check_field(values: object, field: Field, dial: Dial, flaws: Flaws, here: str) -> None:
    if values is None:
        return
    if not isinstance(values, list):
        flaws.type(f"{here}.values", "array")
        return
    for index, raw in enumerate(values):
        place = f"{here}.values.{index}"
        if not isinstance(raw, dict):
            flaws.type(place, "array")
        elif not _clears([raw], dial):
            _checker(field)(raw, field, dial, flaws, place)


def _checker(field: Field) -> Callable[[Raw, Field, Dial, Flaws, str], None]:
    if field.type in CHOSEN:
        return _check_choice
    if field.type in DATES:
        return _check_date
    if field.type in NUMBERS:
        return _check_number
    return {"checkbox": _check_flag, "multitext": _check_multitext}.get(field.type, _check_text)


def _check_choice(raw: Raw, field: Field, dial: Dial, flaws: Flaws, place: str) -> None:
    key = next((key for key in ("enum_id", "enum_code", "value") if raw.get(key) is not None), "value")
    if _enum(field, raw) is None:
        flaws.choice(f"{place}.{key}")


def _check_date(raw: Raw, field: Field, dial: Dial, flaws: Flaws, place: str) -> None:
    try:
        _moment(raw.get("value"))
    except ValueError:
        flaws.type(f"{place}.value", "int")


def _check_number(raw: Raw, field: Field, dial: Dial, flaws: Flaws, place: str) -> None:
    try:
        float(str(raw["value"]).replace(",", "."))
    except (ValueError, KeyError):
        flaws.type(f"{place}.value", "numeric")


def _check_flag(raw: Raw, field: Field, dial: Dial, flaws: Flaws, place: str) -> None:
    if not isinstance(raw.get("value"), bool):
        flaws.type(f"{place}.value", "bool")


def _check_text(raw: Raw, field: Field, dial: Dial, flaws: Flaws, place: str) -> None:
    value = raw.get("value")
    if not isinstance(value, str):
        flaws.type(f"{place}.value", "string")
    elif field.type in LIMITED and dial["over_text_limit"] == "reject" and _too_long(value, dial):
        flaws.other("TooLong", f"{place}.value", f"This value is too long. {dial['text_limit']} at most.")


def _check_multitext(raw: Raw, field: Field, dial: Dial, flaws: Flaws, place: str) -> None:
    if not isinstance(raw.get("value"), str):
        flaws.type(f"{place}.value", "string")
    for key in ("enum_id", "enum_code"):
        if raw.get(key) is not None and _enum(field, {key: raw[key]}) is None:
            flaws.choice(f"{place}.{key}")


def _too_long(value: str, dial: Dial) -> bool:
    return bool(dial["text_limit"]) and len(value) > dial["text_limit"]


def _moment(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    if isinstance(value, str):
        return int(datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp())
    raise ValueError("not a moment")


def _enum(field: Field, raw: Raw) -> dict[str, Any] | None:
    for key, name in (("enum_id", "id"), ("enum_code", "code"), ("value", "value")):
        if raw.get(key) is not None:
            return next((enum for enum in field.enums or () if enum[name] == raw[key]), None)
    return None


def _clears(values: list[Any], dial: Dial) -> bool:
    return bool(dial["empty_value_clears"]) and all(
        isinstance(raw, dict) and raw.get("value") == "" and not raw.get("enum_id") for raw in values
    )


def write_values(card: Card, sent: list[Raw] | None, fields: FieldSet, dial: Dial) -> None:
    """Sets the listed fields of a card; null values clear, the sent list replaces the old one."""
    for one in sent or ():
        field = fields.find(one)
        values = one.get("values")
        if field is None or (values == [] and not dial["empty_array_clears"]):
            continue
        if not values or _clears(values, dial):
            card.fields.pop(field.id, None)
            continue
        card.fields[field.id] = [_stored(field, raw, dial) for raw in values]


def _stored(field: Field, raw: Raw, dial: Dial) -> Raw:
    if field.type in CHOSEN:
        enum = _enum(field, raw) or {}
        return {"value": enum.get("value"), "enum_id": enum.get("id"), "enum_code": enum.get("code")}
    if field.type == "multitext":
        named = {key: raw[key] for key in ("enum_id", "enum_code") if raw.get(key) is not None}
        enum = (_enum(field, named) if named else None) or (field.enums or [{}])[0]
        return {"value": raw["value"], "enum_id": enum.get("id"), "enum_code": enum.get("code")}
    if field.type in DATES:
        return {"value": _moment(raw["value"])}
    if field.type in NUMBERS:
        return {"value": str(raw["value"])}
    value = raw["value"]
    if field.type in LIMITED and isinstance(value, str) and _too_long(value, dial):
        value = value[: int(dial["text_limit"])]
    return {"value": value}


def read_values(fields: FieldSet, stored: dict[int, Values]) -> list[Raw] | None:
    """Returns `custom_fields_values` of a card, null when it has none."""
    shown = [
        {
            "field_id": field.id,
            "field_name": field.name,
            "field_code": field.code,
            "field_type": field.type,
            "values": stored[field.id],
        }
        for field in sorted(
            (fields.by_id[id_] for id_ in stored if id_ in fields.by_id), key=lambda one: (one.sort, one.id)
        )
    ]
    return shown or None


def phones_of(card: Card, fields: FieldSet) -> list[str]:
    """Returns the phone numbers of a card as they were written."""
    field = fields.by_code("PHONE")
    return [str(raw["value"]) for raw in card.fields.get(field.id, ())] if field else []
