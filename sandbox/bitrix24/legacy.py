"""`crm.lead|deal|contact|company.*`: the old family, upper names and strings (sheet section 4.4)."""

from collections.abc import Callable
from typing import Any

from sandbox.bitrix24.changes import Told, change, create, remove
from sandbox.bitrix24.errors import Refusal, not_found
from sandbox.bitrix24.fm import with_old_changes
from sandbox.bitrix24.items import check_mandatory
from sandbox.bitrix24.model import COMPANY, CONTACT, DEAL, LEAD, Item, UserField
from sandbox.bitrix24.php import as_int, as_list, as_map, is_yes
from sandbox.bitrix24.schema import BY_UPPER, FIELDS, FM_TYPES, LINKED, REACHABLE, Field
from sandbox.bitrix24.searching import Named, by_own_name, compiled, find, may_read
from sandbox.bitrix24.store import digits
from sandbox.bitrix24.tracking import keep_trace
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged
from sandbox.bitrix24.values import old_row, read_value, user_fields

OLD_KINDS = {"lead": LEAD, "deal": DEAL, "contact": CONTACT, "company": COMPANY}
TRACED = (DEAL, CONTACT)
KindHandler = Callable[[Turn, int], Any]


def _names(turn: Turn, kind: int) -> dict[str, Field | UserField]:
    return {**BY_UPPER[kind], **{one.name: one for one in user_fields(turn.portal, kind)}}


def _fields(turn: Turn, kind: int) -> dict[str, Any]:
    return {
        field.upper: {
            "type": field.type,
            "isRequired": False,
            "isReadOnly": field.is_read_only,
            "isImmutable": field.is_immutable,
            "isMultiple": field.is_multiple,
            "isDynamic": False,
            "title": field.upper,
        }
        for field in FIELDS[kind]
    }


def _sent(turn: Turn) -> dict[str, Any]:
    told = turn.get("fields")
    if not isinstance(told, (dict, list)):
        raise not_found("Parameter 'fields' must be array.")
    return {str(key).upper(): value for key, value in as_map(told).items()}


def read_told(turn: Turn, kind: int, raw: dict[str, Any], item: Item | None) -> Told:
    """Returns a wanted change out of a call's `fields` in upper names."""
    told = Told()
    names = _names(turn, kind)
    for name, value in raw.items():
        field = names.get(name)
        if field is not None and not getattr(field, "is_read_only", False):
            told.values[field.name] = read_value(turn.portal, field, value)
    if kind in LINKED:
        many, one = told.values.pop("contactIds", None), told.values.pop("contactId", None)
        told.links = list(many) if many else [one] if one else None
    if kind in REACHABLE:
        fm = item.fm if item else []
        for type_ in FM_TYPES:
            fm = with_old_changes(turn.portal, fm, type_, raw[type_]) if type_ in raw else fm
        told.fm = fm
    return told


def _item(turn: Turn, kind: int) -> Item:
    id_ = as_int(turn.get("id"))
    if id_ is None or id_ <= 0:
        raise not_found("ID is not defined or invalid.")
    item = turn.portal.store.find((kind, id_))
    if item is None:
        raise not_found()
    if not may_read(turn, item):
        raise not_found("Access denied.")
    return item


def _add(turn: Turn, kind: int) -> int:
    told = read_told(turn, kind, _sent(turn), None)
    check_mandatory(turn.portal, kind, told.values)
    item = create(turn, kind, told)
    trace = turn.text("TRACE") or turn.text("trace")
    if trace and kind in TRACED:
        keep_trace(turn, trace, [(kind, item.id)])
    return item.id


def _get(turn: Turn, kind: int) -> dict[str, Any]:
    return old_row(turn.portal, _item(turn, kind), with_uf=True, with_fm=True)


def _update(turn: Turn, kind: int) -> bool:
    item = _item(turn, kind)
    told = read_told(turn, kind, _sent(turn), item)
    if kind == DEAL:
        told.values.pop("categoryId", None)
    change(turn, item, told)
    return True


def _delete(turn: Turn, kind: int) -> bool:
    remove(turn, _item(turn, kind))
    return True


def _list(turn: Turn, kind: int) -> Listing:
    names = _names(turn, kind)
    told = {str(key).upper(): value for key, value in turn.map("filter").items()}
    reached = {type_: told.pop(key) for type_ in FM_TYPES for key in (type_, f"={type_}") if key in told}
    filter_ = compiled(turn, told, names, is_strict=False)
    found = find(turn, kind, filter_, _order(turn, names), by_own_name(names))
    for type_, wanted in reached.items():
        found = [item for item in found if _has(item, type_, [str(one) for one in as_list(wanted)])]
    select = [str(one).upper() for one in as_list(turn.get("select"))]
    return paged(turn, found, lambda page: [_row(turn, item, select) for item in page])


def _has(item: Item, type_: str, wanted: list[str]) -> bool:
    held = [one.value for one in item.fm if one.type == type_]
    if type_ == "PHONE":
        return any(digits(one) == digits(other) for one in held for other in wanted)
    return any(one.lower() == other.lower() for one in held for other in wanted)


def _order(turn: Turn, names: Named) -> dict[str, str]:
    told = {str(key).upper(): str(value) for key, value in turn.map("order").items()}
    return {names[name].name: direction for name, direction in told.items() if name in names}


def _row(turn: Turn, item: Item, select: list[str]) -> dict[str, Any]:
    everything = not select or "*" in select
    row = old_row(turn.portal, item, with_uf=True, with_fm=True)
    wanted = set(select) | {"ID"}
    if everything:
        wanted |= {field.upper for field in FIELDS[item.kind]}
    if "UF_*" in select:
        wanted |= {name for name in row if name.startswith("UF_")}
    return {name: value for name, value in row.items() if name in wanted}


def contacts_of_deal(turn: Turn) -> list[dict[str, Any]]:
    """crm.deal.contact.items.get: the contacts of a deal, the primary one marked."""
    links = _item(turn, DEAL).links
    return [
        {"CONTACT_ID": id_, "SORT": 10 * (index + 1), "ROLE_ID": 0, "IS_PRIMARY": "N" if index else "Y"}
        for index, id_ in enumerate(links)
    ]


def set_contacts(turn: Turn) -> bool:
    """crm.deal.contact.items.set: replaces the contacts of a deal."""
    item = _item(turn, DEAL)
    rows = [{str(key).upper(): value for key, value in as_map(one).items()} for one in as_list(turn.get("items"))]
    rows.sort(key=lambda row: (not is_yes(row.get("IS_PRIMARY", "N")), as_int(row.get("SORT")) or 0))
    ids = [id_ for row in rows if (id_ := as_int(row.get("CONTACT_ID")))]
    change(turn, item, Told(links=ids))
    return True


def add_contact(turn: Turn) -> bool:
    """crm.deal.contact.add: one more contact of a deal, or one that is there made primary."""
    item, sent = _item(turn, DEAL), _sent(turn)
    id_ = as_int(sent.get("CONTACT_ID"))
    if id_ is None or id_ not in turn.portal.store.items[CONTACT]:
        raise Refusal(400, "", "The parameter 'CONTACT_ID' is invalid or not defined.")
    rest = [one for one in item.links if one != id_]
    leads = is_yes(sent.get("IS_PRIMARY", "N")) or not rest
    change(turn, item, Told(links=[id_, *rest] if leads else [*rest, id_]))
    return True


def _of(handler: KindHandler, kind: int) -> Method:
    return Method(lambda turn: handler(turn, kind))


VERBS: dict[str, KindHandler] = {
    "fields": _fields,
    "add": _add,
    "get": _get,
    "list": _list,
    "update": _update,
    "delete": _delete,
}
METHODS: Methods = {
    **{f"crm.{name}.{verb}": _of(do, kind) for name, kind in OLD_KINDS.items() for verb, do in VERBS.items()},
    "crm.deal.contact.items.get": Method(contacts_of_deal),
    "crm.deal.contact.items.set": Method(set_contacts),
    "crm.deal.contact.add": Method(add_contact),
}
