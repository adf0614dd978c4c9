"""Finding CRM objects: rights, filters and orders by field, shortcuts by id and origin (sheet 1.7, 3.4)."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.filters import is_group, ordered, passes, split_key
from sandbox.bitrix24.model import Item, UserField
from sandbox.bitrix24.php import as_int, as_map
from sandbox.bitrix24.schema import MONEY, Field, money_read
from sandbox.bitrix24.times import read_day, read_moment
from sandbox.bitrix24.values import Fieldlike, stored

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal
    from sandbox.bitrix24.turn import Turn

ORIGINS = ("originId", "originatorId", "xmlId")
LIKE = ("%", "=%", "%=", "?")
Named = Mapping[str, Fieldlike]


def may_read(turn: "Turn", item: Item) -> bool:
    """Whether the acting user sees an object: all, his own, or none of its kind."""
    user = turn.portal.users[turn.user_id]
    right = "all" if user.is_admin else user.rights.get(item.kind, "all")
    return right == "all" or (right == "own" and item.values.get("assignedById") == user.id)


def compiled(turn: "Turn", told: Mapping[str, Any], names: Named, is_strict: bool = True) -> dict[str, Any]:
    """Returns a filter over stored names and values; a field that may not be asked refuses, or is passed over."""
    made: dict[str, Any] = {}
    for key, wanted in told.items():
        if is_group(key, wanted):
            made[key] = wanted if key == "logic" else compiled(turn, as_map(wanted), names, is_strict)
            continue
        prefix, name = split_key(key)
        field = names.get(name)
        if field is None or (field.name in ORIGINS and not turn.portal.dial["filter_by_origin"]):
            if is_strict:
                raise Refusal(400, "INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter")
            continue
        made[f"{prefix}{field.name}"] = _wanted(turn.portal, field, prefix.lstrip("!"), wanted)
    return made


def _wanted(portal: "Portal", field: Fieldlike, prefix: str, wanted: Any) -> Any:
    if isinstance(wanted, dict):
        return [_wanted(portal, field, prefix, one) for one in wanted.values()]
    if isinstance(wanted, list):
        return [_wanted(portal, field, prefix, one) for one in wanted]
    if prefix in LIKE or wanted in (None, ""):
        return wanted
    found: Any = wanted
    if field.type == "datetime":
        found = read_moment(wanted, portal.offset)
    elif field.type == "date":
        found = read_day(wanted)
    elif field.type == MONEY and isinstance(field, Field):
        found = money_read(wanted)
    if found is None:
        raise Refusal(400, "INVALID_ARG_VALUE", f"Invalid filter: field '{field.name}' has invalid value")
    return found


def looked(item: Item, name: str, fields: Named) -> Any:
    """Returns what a filter compares: user booleans are 1 and 0 there."""
    if name == "id":
        return item.id
    field = fields[name]
    value = stored(item, field)
    if isinstance(field, UserField) and field.type == "boolean":
        return {"Y": 1, "N": 0}.get(value)
    return value


def find(turn: "Turn", kind: int, filter_: Mapping[str, Any], order: Mapping[str, str], fields: Named) -> list[Item]:
    """Returns the readable objects that pass a compiled filter, in order; ids grow where nothing else is told."""

    def look(item: Item, name: str) -> Any:
        return looked(item, name, fields)

    lag = float(turn.portal.dial["search_lag"]) if filter_ else 0.0
    found = [
        item
        for item in _candidates(turn.portal, kind, filter_)
        if may_read(turn, item) and (not lag or item.born <= turn.now - lag) and passes(item, filter_, look)
    ]
    return ordered(found, order, look) if order else found


def _candidates(portal: "Portal", kind: int, filter_: Mapping[str, Any]) -> Iterable[Item]:
    held = portal.store.items[kind]
    if str(filter_.get("logic", "AND")).upper() == "OR":
        return held.values()
    ids = filter_.get("=id", filter_.get("@id"))
    if ids is not None:
        wanted = {as_int(one) for one in (ids if isinstance(ids, list) else [ids])}
        return [item for id_, item in held.items() if id_ in wanted] if len(wanted) > 1 else _one(held, wanted)
    after = as_int(filter_.get(">id"))
    if after is not None:
        return [item for id_, item in held.items() if id_ > after]
    origin = filter_.get("=originId")
    if isinstance(origin, (str, int)) and origin != "":
        return portal.store.with_origin(kind, str(origin))
    return held.values()


def _one(held: Mapping[int, Item], wanted: set[int | None]) -> list[Item]:
    found = [held.get(id_) for id_ in wanted if id_ is not None]
    return [item for item in found if item is not None]


def by_own_name(names: Named) -> dict[str, Fieldlike]:
    """Returns the same fields by the names they are stored under."""
    return {field.name: field for field in names.values()}
