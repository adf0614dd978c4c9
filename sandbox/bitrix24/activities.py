"""Activities: calls, to-dos, cards of the app, and what they are bound to (sheet section 4.10)."""

from collections.abc import Callable
from typing import Any

from sandbox.bitrix24.errors import Refusal, not_found
from sandbox.bitrix24.filters import chosen, narrowed, ordered
from sandbox.bitrix24.php import as_int, as_list, as_map, is_yes
from sandbox.bitrix24.searching import may_read
from sandbox.bitrix24.store import Activity, Owner
from sandbox.bitrix24.timeline import needed_owner
from sandbox.bitrix24.times import read_moment
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

CALL, TODO, CONFIGURABLE = "2", "6", "6"
MOMENTS = ("START_TIME", "END_TIME", "DEADLINE")
KEPT = (
    *("TYPE_ID", "PROVIDER_ID", "PROVIDER_TYPE_ID", "SUBJECT", "DESCRIPTION", "DIRECTION", "COMPLETED", "PRIORITY"),
    *("RESPONSIBLE_ID", "ORIGINATOR_ID", "ORIGIN_ID", "RESULT_VALUE", "LOCATION", *MOMENTS),
)
CONFIGURED = {"responsibleId": "RESPONSIBLE_ID", "originatorId": "ORIGINATOR_ID", "originId": "ORIGIN_ID"}
QUICK: dict[str, Callable[[Activity], Any]] = {
    "ID": lambda one: one.id,
    "OWNER_TYPE_ID": lambda one: one.bindings[0][0],
    "OWNER_ID": lambda one: one.bindings[0][1],
    "ORIGIN_ID": lambda one: one.values.get("ORIGIN_ID"),
}
ABSENT = Refusal(400, "NOT_FOUND", "Element not found")


def make_activity(turn: Turn, owners: list[Owner], values: dict[str, Any], extra: dict[str, Any]) -> Activity:
    """Stores an activity of the owners and tells of it; `values` by REST name, moments as epoch seconds."""
    portal = turn.portal
    filled = {"COMPLETED": "N", "PRIORITY": "2", "DIRECTION": "0", "RESPONSIBLE_ID": turn.user_id, **values}
    filled |= {"AUTHOR_ID": turn.user_id, "CREATED": turn.now, "LAST_UPDATED": turn.now}
    activity = Activity(portal.ids.next("activity"), filled, list(dict.fromkeys(owners)), extra)
    portal.store.activities[activity.id] = activity
    portal.changes += 1
    tell(turn, activity, "ADD")
    return activity


def tell(turn: Turn, activity: Activity, verb: str) -> None:
    """Tells handlers that an activity was added or updated."""
    turn.portal.sender.tell(f"ONCRMACTIVITY{verb}", {"FIELDS": {"ID": activity.id}}, turn)


def activity_row(turn: Turn, one: Activity) -> dict[str, Any]:
    """Returns an activity as `crm.activity.list` shows it: strings."""
    kind, id_ = one.bindings[0]
    row: dict[str, Any] = {"ID": str(one.id), "OWNER_ID": str(id_), "OWNER_TYPE_ID": str(kind)}
    for name in KEPT:
        value = one.values.get(name)
        row[name] = None if value is None else str(value)
    for name in (*MOMENTS, "CREATED", "LAST_UPDATED"):
        moment = one.values.get(name)
        row[name] = "" if moment is None else turn.clock_text(moment)
    row |= {"AUTHOR_ID": str(one.values["AUTHOR_ID"]), "STATUS": "2" if row["COMPLETED"] == "Y" else "1"}
    return row


def _moments(turn: Turn, told: dict[str, Any]) -> dict[str, Any]:
    values = {name: told[name] for name in KEPT if told.get(name) not in (None, "")}
    for name in MOMENTS:
        if name in values:
            values[name] = read_moment(values[name], turn.portal.offset)
    return values


def add(turn: Turn) -> int:
    """crm.activity.add: a call or another activity of an object."""
    told = {str(key).upper(): value for key, value in turn.map("fields").items()}
    if not told:
        raise not_found("Parameter 'fields' must be array.")
    if as_int(told.get("TYPE_ID")) is None and not told.get("PROVIDER_ID"):
        raise not_found("The field TYPE_ID is not defined or invalid.")
    owner = turn.portal.store.find((as_int(told.get("OWNER_TYPE_ID")) or 0, as_int(told.get("OWNER_ID")) or 0))
    if owner is None:
        raise not_found("Could not find owner.")
    if not may_read(turn, owner):
        raise not_found("Access denied.")
    spoken = [as_map(one) for one in as_list(told.get("COMMUNICATIONS"))]
    if as_int(told.get("TYPE_ID")) == int(CALL) and not spoken:
        raise not_found("The field COMMUNICATIONS is not defined or invalid.")
    owners = [(owner.kind, owner.id)]
    for raw in spoken:
        one = {str(key).upper(): value for key, value in raw.items()}
        found = (as_int(one.get("ENTITY_TYPE_ID")) or 0, as_int(one.get("ENTITY_ID")) or 0)
        owners += [found] if turn.portal.store.find(found) else []
    return make_activity(turn, owners, _moments(turn, told), {"COMMUNICATIONS": spoken}).id


def _activity(turn: Turn, name: str = "id") -> Activity:
    found = turn.portal.store.activities.get(turn.number(name) or 0)
    if found is None:
        raise not_found("Not found")
    if not _visible(turn, found):
        raise not_found("Access denied.")
    return found


def _visible(turn: Turn, one: Activity) -> bool:
    owners = (turn.portal.store.find(owner) for owner in one.bindings)
    return any(item is not None and may_read(turn, item) for item in owners)


def get(turn: Turn) -> dict[str, Any]:
    """crm.activity.get: one activity with whom was spoken to."""
    one = _activity(turn)
    return {**activity_row(turn, one), "COMMUNICATIONS": one.extra.get("COMMUNICATIONS", [])}


def update(turn: Turn) -> bool:
    """crm.activity.update: other words, times or completion."""
    one = _activity(turn)
    told = {str(key).upper(): value for key, value in turn.map("fields").items()}
    one.values |= {**_moments(turn, told), "LAST_UPDATED": turn.now}
    turn.portal.changes += 1
    tell(turn, one, "UPDATE")
    return True


def list_activities(turn: Turn) -> Listing:
    """crm.activity.list: by owner (the first binding), by any binding, or by field."""
    filter_ = {str(key).upper(): value for key, value in turn.map("filter").items()}
    bound = [as_map(one) for one in as_list(filter_.pop("BINDINGS", None))]
    near = narrowed(turn.portal.store.activities.values(), filter_, QUICK)
    found = [one for one in near if _is_bound(one, bound) and _visible(turn, one)]
    rows = chosen([activity_row(turn, one) for one in found], filter_, dict.get)
    order = {str(key).upper(): value for key, value in turn.map("order").items()}
    select = {str(one).upper() for one in as_list(turn.get("select"))} - {"*"}
    shown = [
        {k: v for k, v in row.items() if not select or k in select | {"ID"}} for row in ordered(rows, order, dict.get)
    ]
    return paged(turn, shown)


def _is_bound(one: Activity, wanted: list[dict[str, Any]]) -> bool:
    pairs = [(as_int(row.get("OWNER_TYPE_ID")), as_int(row.get("OWNER_ID"))) for row in wanted]
    return not pairs or any(kind == k and id_ in (None, i) for kind, id_ in pairs for k, i in one.bindings)


def bindings(turn: Turn) -> list[dict[str, int]]:
    """crm.activity.binding.list: what an activity is bound to."""
    turn.needed("activityId")
    return [{"entityTypeId": kind, "entityId": id_} for kind, id_ in _activity(turn, "activityId").bindings]


def bind(turn: Turn) -> bool:
    """crm.activity.binding.add: binds an activity to one object more."""
    one = _activity(turn, "activityId")
    owner = needed_owner(turn, turn.number("entityTypeId"), turn.number("entityId"))
    if (owner.kind, owner.id) in one.bindings:
        raise Refusal(400, "ACTIVITY_IS_ALREADY_BOUND", "Activity is already bound to this element")
    one.bindings.append((owner.kind, owner.id))
    turn.portal.changes += 1
    tell(turn, one, "UPDATE")
    return True


def add_todo(turn: Turn) -> dict[str, int]:
    """crm.activity.todo.add: something for a manager to do."""
    owner = _owner(turn)
    deadline = read_moment(turn.needed("deadline"), turn.portal.offset)
    if deadline is None:
        raise Refusal(400, "WRONG_DATETIME_FORMAT", "Wrong datetime format")
    values = {
        "TYPE_ID": TODO,
        "PROVIDER_ID": "CRM_TODO",
        "PROVIDER_TYPE_ID": "TODO",
        "SUBJECT": turn.text("title") or "Дело",
        "DESCRIPTION": turn.text("description"),
        "DEADLINE": deadline,
        "END_TIME": deadline,
        "RESPONSIBLE_ID": turn.number("responsibleId") or turn.user_id,
    }
    extra = {"pingOffsets": as_list(turn.get("pingOffsets")), "colorId": turn.text("colorId")}
    return {"id": make_activity(turn, [owner], values, extra).id}


def _owner(turn: Turn) -> Owner:
    item = needed_owner(turn, turn.needed_number("ownerTypeId"), turn.needed_number("ownerId"))
    return item.kind, item.id


def add_configurable(turn: Turn) -> dict[str, Any]:
    """crm.activity.configurable.add: a card of the app in the timeline, with origin keys."""
    owner = _owner(turn)
    layout = as_map(turn.needed("layout"))
    fields = turn.map("fields")
    values = {
        "TYPE_ID": CONFIGURABLE,
        "PROVIDER_ID": "CONFIGURABLE_REST_APP",
        "PROVIDER_TYPE_ID": str(fields.get("typeId") or "CONFIGURABLE"),
        "SUBJECT": str(as_map(layout.get("header")).get("title", "")),
        **_configured(fields),
    }
    values.setdefault("RESPONSIBLE_ID", turn.user_id)
    activity = make_activity(turn, [owner], values, {"layout": layout, "badgeCode": fields.get("badgeCode")})
    return {"activity": {"id": activity.id}}


def _configured(fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "completed" in fields:
        found["COMPLETED"] = "Y" if is_yes(fields["completed"]) else "N"
    for name, upper in CONFIGURED.items():
        if fields.get(name) not in (None, ""):
            found[upper] = fields[name]
    return found


def _configurable(turn: Turn) -> Activity:
    turn.needed("id")
    one = turn.portal.store.activities.get(turn.number("id") or 0)
    if one is None or one.values.get("PROVIDER_ID") != "CONFIGURABLE_REST_APP":
        raise ABSENT
    return one


def get_configurable(turn: Turn) -> dict[str, Any]:
    """crm.activity.configurable.get: one card of the app."""
    one = _configurable(turn)
    kind, id_ = one.bindings[0]
    fields = {
        "typeId": one.values["PROVIDER_TYPE_ID"],
        "completed": one.values["COMPLETED"] == "Y",
        "responsibleId": as_int(one.values["RESPONSIBLE_ID"]),
        "originatorId": one.values.get("ORIGINATOR_ID"),
        "originId": one.values.get("ORIGIN_ID"),
        "badgeCode": one.extra.get("badgeCode"),
    }
    told = {"id": one.id, "ownerTypeId": kind, "ownerId": id_, "fields": fields, "layout": one.extra["layout"]}
    return {"activity": told}


def update_configurable(turn: Turn) -> dict[str, Any]:
    """crm.activity.configurable.update: other fields or another layout."""
    one = _configurable(turn)
    one.values |= {**_configured(turn.map("fields")), "LAST_UPDATED": turn.now}
    one.extra["layout"] = turn.map("layout") or one.extra["layout"]
    turn.portal.changes += 1
    tell(turn, one, "UPDATE")
    return {"activity": {"id": one.id}}


METHODS: Methods = {
    "crm.activity.add": Method(add),
    "crm.activity.get": Method(get),
    "crm.activity.update": Method(update),
    "crm.activity.list": Method(list_activities),
    "crm.activity.binding.list": Method(bindings),
    "crm.activity.binding.add": Method(bind),
    "crm.activity.todo.add": Method(add_todo),
    "crm.activity.configurable.add": Method(add_configurable, app_only=True),
    "crm.activity.configurable.get": Method(get_configurable, app_only=True),
    "crm.activity.configurable.update": Method(update_configurable, app_only=True),
}
