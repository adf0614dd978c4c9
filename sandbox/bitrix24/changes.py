"""What happens when a CRM object is made, changed or goes: stages, history, sums, events (sheet sections 4.2-4.6)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.dictionaries import default_category, stages
from sandbox.bitrix24.model import CODES, CONTACT, DEAL, INVOICE, LEAD, Item, Multi, Status
from sandbox.bitrix24.schema import BY_NAME, LINKED, REACHABLE, STAGED, UTM
from sandbox.bitrix24.store import Move
from sandbox.bitrix24.times import day_of
from sandbox.bitrix24.values import invalid

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal
    from sandbox.bitrix24.turn import Turn

NAMES = {LEAD: "Лид", DEAL: "Сделка", INVOICE: "Счёт"}
CREATED, MOVED, FINAL, OTHER_PIPELINE = 1, 2, 3, 5
CLOSE_DAYS = 7
SIMPLE_MODE = 2
CLOSED = ("S", "F")
FROM_LEAD = (
    *("title", "opportunity", "isManualOpportunity", "currencyId", "sourceId", "sourceDescription", "comments"),
    *("assignedById", "companyId", *(one.name for one in UTM)),
)


@dataclass(slots=True)
class Told:
    """A wanted change: stored values by canonical name, and multifields and contacts where they were named."""

    values: dict[str, Any] = field(default_factory=dict)
    fm: list[Multi] | None = None
    links: list[int] | None = None


def create(turn: "Turn", kind: int, told: Told) -> Item:
    """Makes an object with its defaults, writes its first line of history and tells of it."""
    portal = turn.portal
    item = Item(kind, portal.ids.next(str(kind)), turn.now)
    now = int(turn.now)
    made = {"createdTime": now, "updatedTime": now, "lastActivityTime": now}
    made |= {"createdBy": turn.user_id, "updatedBy": turn.user_id, "lastActivityBy": turn.user_id}
    item.values = {"assignedById": turn.user_id, **told.values, **made}
    item.fm, item.links = told.fm or [], known_contacts(portal, told.links or [])
    if kind in NAMES and not item.values.get("title"):
        item.values["title"] = f"{NAMES[kind]} #{item.id}"
    if kind in STAGED:
        _place_new(turn, item)
    _derive(portal, item)
    portal.store.put(item)
    portal.changes += 1
    tell(turn, item, "ADD")
    if kind == LEAD and portal.dial["crm_mode"] == SIMPLE_MODE:
        convert(turn, item)
    return item


def _place_new(turn: "Turn", item: Item) -> None:
    portal, values = turn.portal, item.values
    category = values.get("categoryId") if item.kind == DEAL else None
    category = default_category(portal, item.kind) if category is None else category
    stage = _stage(portal, item.kind, category, values.get("stageId"))
    values |= {"stageId": stage.status_id, "stageSemanticId": stage.semantics or "P", "movedBy": turn.user_id}
    values["movedTime"] = int(turn.now)
    if item.kind != LEAD:
        values["categoryId"] = category
        values.setdefault("begindate", day_of(turn.now, portal.offset))
        values.setdefault("closedate", day_of(turn.now, portal.offset, CLOSE_DAYS))
    if item.kind == DEAL and _was_won(portal, item):
        values["isReturnCustomer"] = "Y"
    if item.kind == LEAD and stage.semantics in CLOSED:
        values["dateClosed"] = int(turn.now)
    write_history(turn, item, CREATED)


def _was_won(portal: "Portal", item: Item) -> bool:
    deals = (one for id_ in item.links for one in portal.store.deals_with(id_))
    return any(one.values["stageSemanticId"] == "S" for one in deals)


def _stage(portal: "Portal", kind: int, category: int, wanted: str | None) -> Status:
    line = stages(portal, kind, category)
    if not line:
        raise invalid("categoryId")
    found = next((one for one in line if one.status_id == wanted), None) if wanted else line[0]
    if found is None:
        raise invalid("stageId")
    return found


def known_contacts(portal: "Portal", wanted: list[int]) -> list[int]:
    """Returns the contacts that exist, each once; unknown ones are silently left out."""
    return [id_ for id_ in dict.fromkeys(wanted) if id_ in portal.store.items[CONTACT]]


def change(turn: "Turn", item: Item, told: Told) -> bool:
    """Changes an object; what changes nothing is not saved and not told."""
    portal = turn.portal
    before = (dict(item.values), [*item.fm], [*item.links])
    old_stage, old_category = item.values.get("stageId"), item.values.get("categoryId")
    values = dict(told.values)
    if item.kind in STAGED:
        _place_again(turn, item, values)
    portal.store.unindex(item)
    item.values |= {name: value for name, value in values.items() if value != _had(item, name)}
    item.fm = item.fm if told.fm is None else told.fm
    item.links = item.links if told.links is None else known_contacts(portal, told.links)
    _derive(portal, item)
    portal.store.index(item)
    if (item.values, item.fm, item.links) == before:
        if portal.dial["noop_update_event"]:
            tell(turn, item, "UPDATE")
        return False
    _sign(turn, item)
    moved_over = item.kind == DEAL and item.values["categoryId"] != old_category
    if moved_over or item.values.get("stageId") != old_stage:
        _note_move(turn, item, moved_over)
    _tell_change(turn, item, moved_over)
    return True


def _had(item: Item, name: str) -> Any:
    field_ = BY_NAME[item.kind].get(name)
    return item.values.get(name, field_.default if field_ else None)


def _sign(turn: "Turn", item: Item) -> None:
    item.values |= {"updatedTime": int(turn.now), "updatedBy": turn.user_id}
    item.values |= {"lastActivityTime": int(turn.now), "lastActivityBy": turn.user_id}
    turn.portal.changes += 1


def _place_again(turn: "Turn", item: Item, values: dict[str, Any]) -> None:
    portal, had = turn.portal, item.values
    if item.kind != DEAL:
        values.pop("categoryId", None)
    category = values.get("categoryId", had.get("categoryId", 0))
    if category != had.get("categoryId", 0) and "stageId" not in values:
        values["stageId"] = _stage(portal, item.kind, category, None).status_id
    if values.get("stageId") in (None, ""):
        values.pop("stageId", None)
        return
    stage = _stage(portal, item.kind, category, values["stageId"])
    if stage.status_id == had.get("stageId"):
        return
    values |= {"stageSemanticId": stage.semantics or "P", "movedTime": int(turn.now), "movedBy": turn.user_id}
    if item.kind == INVOICE:
        values["previousStageId"] = had["stageId"]
    if item.kind == LEAD:
        values["dateClosed"] = int(turn.now) if stage.semantics in CLOSED else None
    closes = stage.semantics in CLOSED and had["stageSemanticId"] not in CLOSED
    if item.kind == DEAL and closes and portal.dial["closing_sets_closedate"] and "closedate" not in values:
        values["closedate"] = day_of(turn.now, portal.offset)


def _note_move(turn: "Turn", item: Item, moved_over: bool) -> None:
    kind_of_move = OTHER_PIPELINE if moved_over else FINAL if item.values["stageSemanticId"] in CLOSED else MOVED
    write_history(turn, item, kind_of_move)


def write_history(turn: "Turn", item: Item, type_: int) -> None:
    """Adds one row to the stage history."""
    portal, values = turn.portal, item.values
    place = (int(values.get("categoryId") or 0), str(values["stageId"]), str(values["stageSemanticId"]))
    portal.store.history.append(Move(portal.ids.next("history"), item.kind, type_, item.id, turn.now, *place))


def _derive(portal: "Portal", item: Item) -> None:
    values = item.values
    if item.kind in REACHABLE:
        types = {one.type for one in item.fm}
        values |= {"hasPhone": "Y" if "PHONE" in types else "N", "hasEmail": "Y" if "EMAIL" in types else "N"}
    if item.kind == DEAL:
        first = stages(portal, DEAL, values["categoryId"])[0]
        values["isNew"] = "Y" if values["stageId"] == first.status_id else "N"
        values["closed"] = "Y" if values["stageSemanticId"] in CLOSED else "N"
    rows = portal.store.products.get((item.kind, item.id))
    if rows and values.get("isManualOpportunity") != "Y":
        values["opportunity"] = sum(row["minor"] for row in rows)
    if item.kind in LINKED:
        for name in ("contactId", "contactIds"):
            values.pop(name, None)


def tell(turn: "Turn", item: Item, verb: str) -> None:
    """Tells handlers that an object was added, updated or deleted: its id only."""
    if item.kind == INVOICE:
        told = {"FIELDS": {"ID": item.id, "ENTITY_TYPE_ID": item.kind}}
        turn.portal.sender.tell(f"ONCRMDYNAMICITEM{verb}", told, turn, str(item.kind))
        return
    turn.portal.sender.tell(f"ONCRM{CODES[item.kind]}{verb}", {"FIELDS": {"ID": item.id}}, turn)


def _tell_change(turn: "Turn", item: Item, moved_over: bool) -> None:
    if not moved_over:
        tell(turn, item, "UPDATE")
        return
    told = {"ID": item.id, "CATEGORY_ID": item.values["categoryId"], "STAGE_ID": item.values["stageId"]}
    turn.portal.sender.tell("ONCRMDEALMOVETOCATEGORY", {"FIELDS": told}, turn)


def remove(turn: "Turn", item: Item) -> None:
    """Takes an object away for good, and its name out of what pointed at it."""
    _forget(turn.portal, item)
    turn.portal.changes += 1
    tell(turn, item, "DELETE")


def _forget(portal: "Portal", item: Item) -> None:
    portal.store.drop(item)
    if item.kind == CONTACT:
        for kind in LINKED:
            for one in portal.store.items[kind].values():
                if item.id in one.links:
                    _relink(portal, one, [id_ for id_ in one.links if id_ != item.id])


def convert(turn: "Turn", lead: Item) -> Item:
    """Makes a deal of a lead, and a contact when it names a person: what the simple mode or a person does."""
    portal = turn.portal
    links = list(lead.links)
    if lead.values.get("name") and not links:
        names = {name: lead.values.get(name) for name in ("name", "lastName", "secondName", "assignedById")}
        person = Told({**names, "leadId": lead.id, "sourceId": lead.values.get("sourceId")})
        person.fm = [portal.store.new_multi(one.type, one.value_type, one.value) for one in lead.fm]
        links = [create(turn, CONTACT, person).id]
    copied = {name: lead.values[name] for name in FROM_LEAD if lead.values.get(name) is not None}
    deal = create(turn, DEAL, Told({**copied, "leadId": lead.id}, links=links))
    change(turn, lead, Told({"stageId": "CONVERTED"}, links=links))
    if portal.dial["crm_mode"] == SIMPLE_MODE and not portal.dial["converted_leads_readable"]:
        _forget(portal, lead)
    return deal


def merge(turn: "Turn", winner: Item, loser: Item) -> None:
    """Merges one object into another of its kind: phones, links, activities and comments move, the loser's id goes."""
    store = turn.portal.store
    store.unindex(winner)
    had = {(one.type, one.value) for one in winner.fm}
    winner.fm += [one for one in loser.fm if (one.type, one.value) not in had]
    winner.values |= {
        name: value for name, value in loser.values.items() if value and winner.values.get(name) in (None, "", 0)
    }
    winner.links += [id_ for id_ in loser.links if id_ not in winner.links]
    here, there = (winner.kind, winner.id), (loser.kind, loser.id)
    _hand_over(turn.portal, there, here)
    _derive(turn.portal, winner)
    store.index(winner)
    _forget(turn.portal, loser)
    _sign(turn, winner)
    if turn.portal.dial["merge_fires_delete"]:
        tell(turn, loser, "DELETE")


def _hand_over(portal: "Portal", there: tuple[int, int], here: tuple[int, int]) -> None:
    store = portal.store
    for activity in store.activities.values():
        activity.bindings = list(dict.fromkeys(here if one == there else one for one in activity.bindings))
    for comment in store.comments.values():
        comment.owner = here if comment.owner == there else comment.owner
    for payment in store.payments.values():
        payment.owner = here if payment.owner == there else payment.owner
    for call in store.calls.values():
        call.entity = here if call.entity == there else call.entity
    if there[0] != CONTACT:
        return
    for kind in LINKED:
        for one in store.items[kind].values():
            if there[1] in one.links:
                _relink(portal, one, list(dict.fromkeys(here[1] if id_ == there[1] else id_ for id_ in one.links)))


def _relink(portal: "Portal", item: Item, links: list[int]) -> None:
    portal.store.unindex(item)
    item.links = links
    portal.store.index(item)
