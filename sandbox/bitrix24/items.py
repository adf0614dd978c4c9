"""`crm.item.*`: the universal family, camel names and JSON numbers (sheet section 4.2)."""

from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.changes import Told, change, create, remove
from sandbox.bitrix24.dictionaries import needed_kind
from sandbox.bitrix24.errors import Refusal, missing
from sandbox.bitrix24.fm import aliases, with_changes
from sandbox.bitrix24.model import Item, UserField
from sandbox.bitrix24.php import as_int, as_list, as_map, is_yes
from sandbox.bitrix24.schema import LINKED, REACHABLE, STAGED, Field
from sandbox.bitrix24.searching import Named, by_own_name, compiled, find, may_read
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged
from sandbox.bitrix24.values import field_names, invalid, item_row, read_value, show_value, stored, user_fields

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

ABSENT = Refusal(400, "NOT_FOUND", "Element not found")
DENIED = Refusal(400, "ACCESS_DENIED", "Access denied.")
MOST_IMPORTED = 20
IMPORTABLE = ("createdTime", "updatedTime", "createdBy", "updatedBy", "movedTime", "movedBy")


def _original(turn: Turn) -> bool:
    return is_yes(turn.params.get("useOriginalUfNames", "N"))


def _names(turn: Turn, kind: int) -> dict[str, Any]:
    return dict(field_names(turn.portal, kind, _original(turn)))


def fields(turn: Turn) -> dict[str, Any]:
    """crm.item.fields: every field of a kind."""
    kind = needed_kind(turn)
    return {"fields": {name: _field_row(field) for name, field in _names(turn, kind).items()}}


def _field_row(field: Field | UserField) -> dict[str, Any]:
    return _own_row(field) if isinstance(field, Field) else _uf_row(field)


def _own_row(field: Field) -> dict[str, Any]:
    row: dict[str, Any] = {
        "type": field.type,
        "isRequired": False,
        "isReadOnly": field.is_read_only,
        "isImmutable": field.is_immutable,
        "isMultiple": field.is_multiple,
        "isDynamic": False,
        "title": field.upper,
        "upperName": field.upper,
    }
    return row | ({"statusType": field.entity} if field.entity else {})


def _uf_row(field: UserField) -> dict[str, Any]:
    row: dict[str, Any] = {
        "type": field.type,
        "isRequired": field.is_mandatory,
        "isReadOnly": False,
        "isImmutable": False,
        "isMultiple": field.is_multiple,
        "isDynamic": True,
        "upperName": field.name,
        **dict.fromkeys(("title", "listLabel", "formLabel", "filterLabel"), _label(field)),
        "settings": field.settings,
    }
    if field.type == "enumeration":
        row["items"] = [{"ID": str(one.id), "VALUE": one.value} for one in field.choices]
    return row


def _label(field: UserField) -> str:
    return next((text for text in field.labels.values() if text), field.name)


def read_told(turn: Turn, kind: int, raw: dict[str, Any], item: Item | None, extra: tuple[str, ...] = ()) -> Told:
    """Returns a wanted change out of a call's `fields`; unknown and read-only names are passed over."""
    told = Told()
    names = _names(turn, kind)
    for name, value in raw.items():
        field = names.get(name)
        if field is None or (getattr(field, "is_read_only", False) and name not in extra):
            continue
        told.values[field.name] = read_value(turn.portal, field, value)
    if kind in LINKED:
        told.links = _links(told.values, item)
    if kind in REACHABLE and "fm" in raw:
        told.fm = with_changes(turn.portal, item.fm if item else [], raw["fm"])
    return told


def _links(values: dict[str, Any], item: Item | None) -> list[int] | None:
    """`contactIds` replaces; `contactId` alone becomes the first of those that are there."""
    many, one = values.pop("contactIds", None), values.pop("contactId", -1)
    if many is not None:
        return list(many)
    if one == -1:
        return None
    rest = item.links if item else []
    return [one, *(id_ for id_ in rest if id_ != one)] if one else []


def check_mandatory(portal: "Portal", kind: int, values: dict[str, Any]) -> None:
    """Refuses a new object that lacks a mandatory user field."""
    for field in user_fields(portal, kind):
        if field.is_mandatory and values.get(field.name) in (None, "", ()):
            raise Refusal(400, "CRM_FIELD_ERROR_REQUIRED", f'The "{_label(field)}" field is required')


def needed_item(turn: Turn, kind: int) -> Item:
    """Returns the object a call names, or refuses: absent, or not to be seen."""
    id_ = as_int(turn.params.get("id"))
    if id_ is None:
        raise missing("id")
    item = turn.portal.store.find((kind, id_))
    if item is None:
        raise ABSENT
    if not may_read(turn, item):
        raise DENIED
    return item


def sent_fields(turn: Turn) -> dict[str, Any]:
    """Returns `fields` of a call, only in lower case, or refuses."""
    found = turn.params.get("fields")
    if found is None:
        raise missing("fields")
    return as_map(found)


def add(turn: Turn) -> dict[str, Any]:
    """crm.item.add: a new object, answered whole."""
    kind = needed_kind(turn)
    told = read_told(turn, kind, sent_fields(turn), None)
    check_mandatory(turn.portal, kind, told.values)
    item = create(turn, kind, told)
    return {"item": item_row(turn.portal, item, _original(turn))}


def get(turn: Turn) -> dict[str, Any]:
    """crm.item.get: one object, whole."""
    return {"item": item_row(turn.portal, needed_item(turn, needed_kind(turn)), _original(turn))}


def update(turn: Turn) -> dict[str, Any]:
    """crm.item.update: changes an object and answers it whole; what changes nothing is not saved."""
    kind = needed_kind(turn)
    item = needed_item(turn, kind)
    told = read_told(turn, kind, sent_fields(turn), item)
    if kind in STAGED and told.values.get("stageId", "") is None:
        raise invalid("stageId")
    change(turn, item, told)
    return {"item": item_row(turn.portal, item, _original(turn))}


def delete(turn: Turn) -> list[Any]:
    """crm.item.delete: takes an object away."""
    remove(turn, needed_item(turn, needed_kind(turn)))
    return []


def list_items(turn: Turn) -> Listing:
    """crm.item.list: a page of objects with the selected fields."""
    kind = needed_kind(turn)
    names = _names(turn, kind)
    filter_ = compiled(turn, as_map(turn.params.get("filter")), names)
    found = find(turn, kind, filter_, _order(turn, names), by_own_name(names))
    select = [str(one) for one in as_list(turn.params.get("select"))]

    def rows(page: list[Item]) -> dict[str, Any]:
        return {"items": [_row(turn, item, select) for item in page]}

    return paged(turn, found, rows)


def _order(turn: Turn, names: Named) -> dict[str, str]:
    told = as_map(turn.params.get("order"))
    if turn.portal.dial["upper_id_order"]:
        told = {"id" if name == "ID" else name: direction for name, direction in told.items()}
    for name in told:
        if name not in names:
            raise Refusal(400, "INVALID_ARG_VALUE", f"Invalid order: field '{name}' is not allowed in order")
    return {names[name].name: str(direction) for name, direction in told.items()}


def _row(turn: Turn, item: Item, select: list[str]) -> dict[str, Any]:
    if not select or "*" in select:
        return item_row(turn.portal, item, _original(turn))
    names = _names(turn, item.kind)
    row = {name: show_value(turn.portal, names[name], stored(item, names[name])) for name in select if name in names}
    short = aliases(item) if item.kind in REACHABLE else {}
    return {**row, **{name: short[name] for name in select if name in short}, "id": item.id}


def import_one(turn: Turn) -> dict[str, Any]:
    """crm.item.import: like add, with times and authors of one's own."""
    return {"item": {"id": _imported(turn, needed_kind(turn), sent_fields(turn)).id}}


def import_many(turn: Turn) -> dict[str, Any]:
    """crm.item.batchImport: up to 20, each with its own outcome."""
    kind = needed_kind(turn)
    rows = as_list(turn.params.get("data") or turn.params.get("items"))
    if len(rows) > MOST_IMPORTED:
        raise Refusal(400, "MAX_IMPORT_BATCH_SIZE_EXCEEDED", f"No more than {MOST_IMPORTED} items may be imported")
    outcomes: list[dict[str, Any]] = []
    for row in rows:
        try:
            outcomes.append({"item": {"id": _imported(turn, kind, as_map(row)).id}})
        except Refusal as refusal:
            outcomes.append(refusal.body())
    return {"items": outcomes}


def _imported(turn: Turn, kind: int, raw: dict[str, Any]) -> Item:
    told = read_told(turn, kind, raw, None, IMPORTABLE)
    check_mandatory(turn.portal, kind, told.values)
    history = {name: told.values[name] for name in IMPORTABLE if told.values.get(name) is not None}
    item = create(turn, kind, told)
    item.values |= history
    return item


METHODS: Methods = {
    "crm.item.fields": Method(fields),
    "crm.item.add": Method(add),
    "crm.item.get": Method(get),
    "crm.item.update": Method(update),
    "crm.item.delete": Method(delete),
    "crm.item.list": Method(list_items),
    "crm.item.import": Method(import_one),
    "crm.item.batchimport": Method(import_many),
}
